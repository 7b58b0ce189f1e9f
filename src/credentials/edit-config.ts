import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { withDockerKeys } from '../config/docker/go-keys.ts';
import { parseJsonDocument } from '../config/documents/json-document.ts';
import { hasErrno } from '../files/file-errors.ts';
import { type ErrorCode, OciError } from '../model/errors.ts';
import { withLockFile } from './lock-file.ts';
import type { StoreOptions } from './store.ts';

/** The members of a config.json, including unknown ones. */
export type ConfigObject = Record<string, unknown>;

/**
 * Changes a config.json completely or not at all. Symbolic links are followed, and mode and owner are kept. A new file has
 * mode 0600, in a directory of mode 0700. A file that is itself a mount point, as in containers, is written in place.
 *
 * @param change Returns the new content, or undefined to leave the file unchanged. It gets the content that was read under
 * the lock, so that no change of another process is lost.
 * @throws OciError CONFIG_INVALID for a file that cannot be parsed, which is not changed; STORAGE_* if the disk refuses the
 * change.
 */
export async function editConfig(
  file: string,
  change: (config: ConfigObject) => ConfigObject | undefined,
  opts: StoreOptions = {},
): Promise<void> {
  try {
    const target = await followLinks(file);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await withLockFile(
      `${target}.lock`,
      async (stillHeld) => {
        await sweepDrafts(dirname(target));
        const changed = change(await readConfig(target));
        if (changed) await replace(target, `${JSON.stringify(changed, null, '\t')}\n`, stillHeld);
      },
      opts,
    );
  } catch (error) {
    throw error instanceof OciError || opts.signal?.aborted ? error : storageError(file, error);
  }
}

async function readConfig(file: string): Promise<ConfigObject> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const { value } = parseJsonDocument(text, file);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return withDockerKeys(value as ConfigObject);
  throw new OciError('CONFIG_INVALID', `${file}: the file must be a JSON object; it was not changed`, {
    hint: `correct ${file}, or remove it`,
  });
}

// Not realpath: a link may point to a file that does not exist yet.
async function followLinks(file: string): Promise<string> {
  let path = resolve(file);
  for (let hops = 0; hops < 40; hops++) {
    const stats = await lstat(path).catch(() => undefined);
    if (!stats?.isSymbolicLink()) return path;
    path = resolve(dirname(path), await readlink(path));
  }
  throw new OciError('CONFIG_INVALID', `${file} is a symbolic link that leads nowhere`, {
    hint: 'remove the link, or make what it leads to',
  });
}

// Removes temporary files of killed processes, because they contain secrets. Nobody else can be using one: the lock is held.
async function sweepDrafts(directory: string): Promise<void> {
  const drafts = (await readdir(directory)).filter((name) => /^\.config\.json\.[0-9a-f]{12}$/.test(name));
  for (const name of drafts) await rm(join(directory, name), { force: true });
}

async function replace(file: string, text: string, stillHeld: () => Promise<void>): Promise<void> {
  const before = await stat(file).catch(() => undefined);
  const draft = join(dirname(file), `.config.json.${randomBytes(6).toString('hex')}`);
  try {
    // Secrets must not be readable by others, not even until the mode is set.
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (before) {
      await chmod(draft, before.mode & 0o777);
      // With sudo the file would belong to root afterwards. If changing the owner is not allowed, it stays ours.
      await chown(draft, before.uid, before.gid).catch(() => {});
    }
    await stillHeld();
    await rename(draft, file).catch(async (error: unknown) => {
      if (!before || !hasErrno(error, 'EBUSY', 'EXDEV')) throw error;
      await overwrite(file, text);
      await rm(draft, { force: true });
    });
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

// A mount point cannot be renamed over. The text is padded with line breaks, so that a concurrent reader finds valid JSON.
async function overwrite(file: string, text: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const before = await readFile(file);
    const bytes = Buffer.from(text);
    try {
      const blank = Buffer.alloc(Math.max(0, before.length - bytes.length), '\n');
      await writeAll(handle, Buffer.concat([bytes, blank]));
      await handle.truncate(bytes.length);
    } catch (error) {
      // The old content fits even on a full disk.
      await writeAll(handle, before);
      await handle.truncate(before.length);
      throw error;
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at, bytes.length - at, at)).bytesWritten;
}

function storageError(file: string, error: unknown): OciError {
  const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
  const codes: Readonly<Record<string, ErrorCode>> = {
    ENOSPC: 'STORAGE_FULL',
    EDQUOT: 'STORAGE_FULL',
    EACCES: 'STORAGE_DENIED',
    EPERM: 'STORAGE_DENIED',
    EROFS: 'STORAGE_DENIED',
  };
  return new OciError(codes[code] ?? 'STORAGE', `${file} cannot be changed: ${code}`, { cause: error });
}
