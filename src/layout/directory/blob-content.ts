import type { FileHandle } from 'node:fs/promises';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Content, Sink } from '../../registry/content.ts';
import { onFile } from './file-errors.ts';

/** Bytes moved at once: large enough that system calls vanish beside hashing, small enough for a processor's cache. */
export const pieceBytes = 1024 * 1024;
/** Bytes in each chunk that an iterator yields; these belong to the reader, so they cannot be reused. */
const chunkBytes = 256 * 1024;

// Buffers are kept for the next blob: fresh megabytes would cost a page fault for every 4 KiB.
const maxIdle = 12;
const idle: Uint8Array[] = [];

export function takeBuffer(): Uint8Array {
  return idle.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
}

/** Gives a buffer back. Nothing may read or write it any more, a system call under way included. */
export function giveBuffer(buffer: Uint8Array): void {
  if (idle.length < maxIdle) idle.push(buffer);
}

export interface OpenBlob {
  readonly handle: FileHandle;
  readonly file: string;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

/** Content of an open file, which it closes at the end, on an error and on cancel. */
export function fileContent(descriptor: Descriptor, blob: OpenBlob, signal: AbortSignal | undefined): Content {
  const { handle, file, start, end } = blob;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= handle.close();
    return closing;
  };
  return {
    descriptor,
    async *[Symbol.asyncIterator]() {
      try {
        for (let position = start; position < end; ) {
          signal?.throwIfAborted();
          const chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, end - position));
          const { bytesRead } = await onFile('read', file, () => handle.read(chunk, 0, chunk.length, position));
          if (bytesRead === 0) return;
          position += bytesRead;
          yield chunk.subarray(0, bytesRead);
        }
      } finally {
        await close();
      }
    },
    async drainTo(sink, opts) {
      const signals = [signal, opts?.signal].filter((one) => one !== undefined);
      const either = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
      try {
        await drainHandle(handle, start, end, sink, either);
      } finally {
        await close();
      }
    },
    cancel: close,
  };
}

/** Writes a part of a file into a sink; the next piece is read while the sink is busy with this one. */
export async function drainHandle(
  handle: FileHandle,
  start: number,
  end: number,
  sink: Sink,
  signal: AbortSignal | undefined,
): Promise<void> {
  let position = start;
  const readNext = async (into: Uint8Array): Promise<number> => {
    const wanted = Math.min(into.length, end - position);
    if (wanted <= 0) return 0;
    const { bytesRead } = await handle.read(into, 0, wanted, position);
    position += bytesRead;
    return bytesRead;
  };
  let reading = takeBuffer();
  let other = takeBuffer();
  let read = readNext(reading);
  try {
    for (;;) {
      const size = await read;
      signal?.throwIfAborted();
      if (size === 0) return;
      const piece = reading.subarray(0, size);
      [reading, other] = [other, reading];
      read = readNext(reading);
      read.catch(() => {}); // reported by the next turn, unless the sink fails first
      await sink.write(piece);
    }
  } finally {
    await read.catch(() => {});
    giveBuffer(reading);
    giveBuffer(other);
  }
}
