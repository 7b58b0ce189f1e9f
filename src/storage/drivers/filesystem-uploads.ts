/**
 * Files that grow over several runs. At rest such a file has its plain name; a process renames it to a name of its own
 * before it writes. So two processes never write the same file, whatever happens to locks, and the bytes that a writer
 * has hashed are those that become the blob.
 */
import { constants } from 'node:fs';
import { type FileHandle, lstat as lstatExactly, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileMode } from '../../files/durable.ts';
import { hasErrno } from '../../files/file-errors.ts';
import { bootWord, newProcessId, type ProcessState, processState, tryParseProcessId } from '../../files/process-id.ts';
import { lstat } from '../../files/system-calls.ts';
import { type Digest, tryParseDigest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { StorePath, Upload, UploadFacts, Uploads } from '../driver.ts';
import { openReader, plainFile, readWhole } from './filesystem-files.ts';
import { entriesOf, filesBelow } from './filesystem-listing.ts';
import { attempt, orAbsent, type Root } from './filesystem-root.ts';

const digestFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | plainFile;

interface Leftover {
  readonly file: string;
  readonly size: number;
  readonly storedAt: Date;
  /** State of the process that writes it; undefined at rest. */
  readonly writer: ProcessState | undefined;
}

const copyBytes = 256 * 1024;
/** Beside a file at rest: its digest, and the identity that the file had. */
const digestSuffix = '.digest';
const maxDigestBytes = 512;

export function createFileUploads(root: Root): Uploads {
  const { read, change, directories } = root;
  const begin = (resting: string, siblings: readonly Leftover[] = []): FileUpload => {
    return new FileUpload(root, resting, ownName(resting), siblings);
  };

  return {
    begin: (path) => change('write', path, async (resting) => begin(resting)),

    async resume(path, { maxBytes = Number.POSITIVE_INFINITY } = {}) {
      return await change('write', path, async (resting) => {
        if (!(await directories.isThere(dirname(resting)))) return undefined;
        const fitting = [];
        for (const leftover of await leftoversOf(resting)) {
          if (leftover.size <= maxBytes) fitting.push(leftover);
          else if (isFree(leftover)) await rm(leftover.file, { force: true });
        }
        for (const leftover of fitting) {
          if (!isFree(leftover)) continue;
          const siblings = fitting.filter((other) => other !== leftover && isFree(other));
          const mine = begin(resting, siblings);
          if (await mine.take(leftover.file)) return mine;
        }
        const mine = begin(resting);
        return fitting[0] !== undefined && (await mine.takeCopy(fitting[0].file)) ? mine : undefined;
      });
    },

    async find(path) {
      const [first] = (await read('look at', path, leftoversOf)) ?? [];
      return first && factsOf(path, first);
    },

    async *list(prefix) {
      const directory = root.fileOf(prefix);
      for (const path of (await read(
        'list',
        prefix,
        async () => (await directories.isThere(directory)) && restingNames(directory),
      )) || []) {
        const leftovers = (await read('look at', prefix, () => leftoversOf(join(directory, path)))) ?? [];
        for (const leftover of leftovers) yield factsOf(`${prefix}/${path}` as StorePath, leftover);
      }
    },

    async abort(path) {
      await change('remove', path, async (resting) => {
        if (!(await directories.isThere(dirname(resting)))) return;
        for (const { file } of await leftoversOf(resting)) await rm(file, { force: true });
        await rm(resting + digestSuffix, { force: true });
        await root.prune(dirname(resting));
      });
    },
  };
}

class FileUpload implements Upload {
  readonly #root: Root;
  readonly #resting: string;
  readonly #file: string;
  readonly #siblings: readonly Leftover[];
  #handle: FileHandle | undefined;
  #made = false;
  #ended = false;
  #size = 0;
  #digest: Digest | undefined;

  constructor(root: Root, resting: string, file: string, siblings: readonly Leftover[]) {
    this.#root = root;
    this.#resting = resting;
    this.#file = file;
    this.#siblings = siblings;
  }

  get size(): number {
    return this.#size;
  }

  get digest(): Digest | undefined {
    return this.#digest;
  }

  async take(leftover: string): Promise<boolean> {
    try {
      await rename(leftover, this.#file);
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return false;
      throw error;
    }
    this.#made = true;
    this.#size = (await lstat(this.#file)).size;
    this.#digest = await this.#keptDigest();
    return true;
  }

  async takeCopy(leftover: string): Promise<boolean> {
    const held = await orAbsent(openReader(leftover));
    if (held === undefined) return false;
    try {
      const buffer = new Uint8Array(copyBytes);
      for (let size = await held.read(buffer); size > 0; size = await held.read(buffer)) {
        await this.write(buffer.subarray(0, size));
      }
    } catch (error) {
      await this.abort();
      throw error;
    } finally {
      await held.close();
    }
    return true;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await attempt('write', this.#file, async () => {
      const handle = await this.#open();
      for (let written = 0; written < chunk.length; ) {
        const { bytesWritten } = await handle.write(chunk, written, chunk.length - written);
        written += bytesWritten;
        this.#size += bytesWritten;
        this.#digest = undefined;
      }
    });
  }

  async read() {
    return await attempt('open', this.#file, () => openReader(this.#file));
  }

  async commit(to: StorePath): Promise<void> {
    await this.#root.change('write', to, async (file) => {
      await (await this.#open()).sync();
      await this.#close();
      const { directories } = this.#root;
      await directories.within(dirname(file), () => this.#moveTo(file), { isNew: true });
      this.#ended = true;
      await directories.sync(dirname(file));
      for (const sibling of this.#siblings) await rm(sibling.file, { force: true });
      await rm(this.#resting + digestSuffix, { force: true });
    });
  }

  async rest({ digest }: { readonly digest?: Digest | undefined } = {}): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#close();
    if (!this.#made) return;
    await attempt('write', this.#resting, async () => {
      if (this.#size === 0) return await rm(this.#file, { force: true });
      if (digest !== undefined && digest !== this.#digest) await this.#keepDigest(digest);
      await orAbsent(rename(this.#file, this.#resting));
    });
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#close();
    if (this.#made) await attempt('remove', this.#file, () => rm(this.#file, { force: true }));
  }

  // Another file at rest, or one that was changed, has another identity. Without a digest the bytes are read again.
  async #keepDigest(digest: Digest): Promise<void> {
    try {
      const kept = await open(this.#resting + digestSuffix, digestFlags, fileMode);
      await kept.writeFile(`${digest} ${await identityOf(this.#file)}\n`).finally(() => kept.close());
    } catch {}
  }

  async #keptDigest(): Promise<Digest | undefined> {
    const text = await readWhole(this.#resting + digestSuffix, maxDigestBytes).catch(() => undefined);
    if (text === undefined) return undefined;
    const [, word, identity] = /^(\S+) (.*)\n$/.exec(Buffer.from(text).toString()) ?? [];
    return identity === (await identityOf(this.#file)) ? tryParseDigest(word) : undefined;
  }

  // A file that existed and was removed must not be created again: a part would be taken for the whole.
  async #open(): Promise<FileHandle> {
    if (this.#handle !== undefined) return this.#handle;
    if (!this.#made) {
      const { directories } = this.#root;
      this.#handle = await directories.within(dirname(this.#file), () => open(this.#file, 'ax', fileMode));
      this.#made = true;
      return this.#handle;
    }
    try {
      this.#handle = await open(this.#file, constants.O_WRONLY | constants.O_APPEND | plainFile);
      return this.#handle;
    } catch (error) {
      throw hasErrno(error, 'ENOENT') ? this.#removed() : error;
    }
  }

  // ENOENT may also mean that the target directory is missing: that is solved by creating it, a missing source is not.
  async #moveTo(file: string): Promise<void> {
    try {
      await rename(this.#file, file);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT') || (await orAbsent(lstat(this.#file))) !== undefined) throw error;
      throw this.#removed();
    }
  }

  #removed(): OciError {
    return new OciError('STORAGE', `${this.#file} was removed while it was written`, {
      hint: 'something else cleans this directory; try again',
      retryable: true,
    });
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}

// A rename keeps all of these, and a write changes the time. After a power cut bytes may be missing in a file of that size.
async function identityOf(file: string): Promise<string> {
  const { ino, size, mtimeNs } = await lstatExactly(file, { bigint: true });
  return `${ino} ${size} ${mtimeNs} ${bootWord()}`;
}

// A writer that may be alive could continue to write.
function isFree({ writer }: Leftover): boolean {
  return writer === undefined || writer === 'dead';
}

/** Files of an upload: those that can be taken first, the longest first. */
async function leftoversOf(resting: string): Promise<Leftover[]> {
  const [directory, name] = [dirname(resting), basename(resting)];
  const found: Leftover[] = [];
  for (const entry of (await orAbsent(entriesOf(directory))) ?? []) {
    const holder = entry.name.startsWith(`${name}.`) ? tryParseProcessId(entry.name.slice(name.length + 1)) : undefined;
    if (entry.kind !== 'object' || (entry.name !== name && holder === undefined)) continue;
    const file = join(directory, entry.name);
    const facts = await orAbsent(lstat(file));
    if (facts?.isFile() !== true) continue;
    const writer = holder && processState(holder);
    found.push({ file, size: facts.size, storedAt: facts.mtime, writer });
  }
  return found.sort((a, b) => Number(isFree(b)) - Number(isFree(a)) || b.size - a.size);
}

// Lock files are beside the files that they lock.
async function restingNames(directory: string): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for await (const { name } of filesBelow(directory, '')) {
    const dot = name.lastIndexOf('.');
    const holder = dot < 0 ? undefined : tryParseProcessId(name.slice(dot + 1));
    if (holder !== undefined) names.add(name.slice(0, dot));
    else if (!name.endsWith('.lock') && !name.endsWith(digestSuffix)) names.add(name);
  }
  return names;
}

function factsOf(path: StorePath, { size, storedAt, writer }: Leftover): UploadFacts {
  return { path, size, storedAt, held: writer === 'alive' };
}

function ownName(resting: string): string {
  return `${resting}.${newProcessId()}`;
}
