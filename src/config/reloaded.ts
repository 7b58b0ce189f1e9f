/** Files that are read again when they change, while a server runs. */
import { readFile, stat } from 'node:fs/promises';
import { OciError } from '../model/errors.ts';

const maxBytes = 4 * 1024 * 1024;
/** Minimum time between two checks for changes. */
const freshMs = 1000;

interface ReloadedFile<T> {
  /** What the file is, for messages: `password file`. */
  readonly what: string;
  /** What to do if it cannot be read. */
  readonly hint?: string;
  /** Throws OciError CONFIG_INVALID. */
  readonly parse: (text: string) => T | Promise<T>;
  /** What stays in effect after an invalid change: `the earlier accounts stay in effect`. */
  readonly meanwhile: string;
  /** Called once for every invalid change. */
  readonly warn: (text: string) => void;
}

/**
 * Opens a file that may change.
 *
 * @returns A function for the current content. A change takes effect within a second, unless it is invalid.
 * @throws OciError CONFIG_INVALID
 */
export async function openReloaded<T>(file: string, how: ReloadedFile<T>): Promise<() => Promise<T>> {
  let version = await versionOf(file, how);
  let value = await read(file, how);
  let lookedAtMs = performance.now();
  const look = async (): Promise<void> => {
    const found = await versionOf(file, how).catch(() => 'gone');
    if (found === version) return;
    version = found;
    try {
      value = await read(file, how);
    } catch (error) {
      how.warn(`${error instanceof Error ? error.message : String(error)}; ${how.meanwhile}`);
    }
  };
  return async () => {
    if (performance.now() - lookedAtMs >= freshMs) {
      lookedAtMs = performance.now();
      await look();
    }
    return value;
  };
}

async function versionOf<T>(file: string, how: ReloadedFile<T>): Promise<string> {
  const { ino, size, mtimeMs } = await stat(file).catch((cause: unknown) => {
    throw unreadable(file, how, cause);
  });
  return `${ino} ${size} ${mtimeMs}`;
}

async function read<T>(file: string, how: ReloadedFile<T>): Promise<T> {
  let bytes: Buffer;
  try {
    if ((await stat(file)).size > maxBytes) {
      throw new OciError('CONFIG_INVALID', `${file} is too large for a ${how.what}`, { hint: how.hint });
    }
    bytes = await readFile(file);
  } catch (cause) {
    throw unreadable(file, how, cause);
  }
  return how.parse(bytes.toString('utf8'));
}

function unreadable<T>(file: string, { what, hint }: ReloadedFile<T>, cause: unknown): OciError {
  if (cause instanceof OciError) return cause;
  const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return new OciError('CONFIG_INVALID', `cannot read the ${what} ${file}: ${reason}`, { cause, hint });
}
