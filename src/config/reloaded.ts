/** Files that are read again when they change, while a server runs. */
import { readFile, stat } from 'node:fs/promises';
import { OciError } from '../model/errors.ts';

const maxBytes = 4 * 1024 * 1024;
/** How often a change is looked for. */
const freshMs = 1000;

interface ReloadedFile<T> {
  /** What it is, for messages: `password file`. */
  readonly what: string;
  /** What to do where it cannot be read. */
  readonly hint?: string;
  /** Throws OciError CONFIG_INVALID. */
  readonly parse: (text: string) => T | Promise<T>;
  /** What goes on where a change cannot be read: `the accounts of before stay`. */
  readonly meanwhile: string;
  /** Told once of every change that cannot be read. */
  readonly warn: (text: string) => void;
}

/**
 * Opens a file.
 *
 * @returns What the file says now; a change counts within a second, and one that cannot be read not at all.
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
