/** Reads files at the start of the program, one after the other into the same memory: fresh memory costs more than reading. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

interface ReadWholeOptions {
  /** Whether to read a file with these facts; then a symbolic link is an error. */
  readonly accept?: (stats: Stats) => boolean;
  /** Text around the content. */
  readonly before?: string;
  readonly after?: string;
}

/** More than most files have. What is not used of it costs nothing. */
const leastBytes = 1024 * 1024;

/** No link is followed, and a pipe blocks nobody. */
const guarded = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

let memory: Buffer | undefined;

/**
 * @returns The content, until the next call; undefined if it is not accepted, not a regular file, or changes meanwhile.
 * @throws Node's error
 */
export function readWhole(
  path: string,
  { accept, before = '', after = '' }: ReadWholeOptions = {},
): Buffer | undefined {
  const file = openSync(path, constants.O_RDONLY | (accept ? guarded : 0));
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || accept?.(stats) === false) return undefined;
    const length = before.length + stats.size + after.length;
    if (!memory || memory.length < length) memory = Buffer.allocUnsafeSlow(Math.max(length, leastBytes));
    memory.write(before, 0, 'latin1');
    if (readSync(file, memory, before.length, stats.size, 0) !== stats.size) return undefined;
    memory.write(after, before.length + stats.size, 'latin1');
    return memory.subarray(0, length);
  } finally {
    closeSync(file);
  }
}
