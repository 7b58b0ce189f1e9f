import { randomUUID } from 'node:crypto';
import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../../files/file-errors.ts';
import { processState, tryParseProcessId } from '../../files/process-id.ts';
import type { Digest, DigestAlgorithm } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { SignalOption, Writer } from '../../registry/registry.ts';
import { checkOffset, sessionWriter, type UploadBytes, UploadSession } from '../../registry/upload-session.ts';
import { BlobFile } from './blob-file.ts';
import { onFile } from './file-errors.ts';
import { blobFile, type LayoutDirectory, refuseReadOnly } from './layout-directory.ts';
import { moveIntoPlace, removeFile } from './move.ts';
import { uploadPrefix } from './work-directory.ts';

/**
 * Upload sessions as files in the layout's work directory. At rest a file has its session's name, and any process can
 * continue it; a writer renames it to a name of its own first, so that two writers never write the same file.
 */
export function createUploads(layout: LayoutDirectory): Pick<Writer, 'startUpload' | 'resumeUpload'> {
  return {
    async startUpload(_repo, opts) {
      opts?.signal?.throwIfAborted();
      refuseReadOnly(layout);
      const id = randomUUID();
      const path = layout.work.newFile(uploadPrefix + id);
      const create = (): Promise<BlobFile> => BlobFile.create(path, opts?.digestAlgorithm);
      const file = await onFile('write', path, () => layout.work.within(create));
      return sessionWriter(new UploadSession(id, new Date(), new UploadFile(layout, id, 0, file)));
    },

    async resumeUpload(_repo, id, opts) {
      opts?.signal?.throwIfAborted();
      refuseReadOnly(layout);
      // The ID comes from a client and becomes part of a path.
      if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw uploadUnknown();
      await adoptOrphan(layout, id);
      const facts = await factsOf(restingPath(layout, id));
      if (facts === undefined) throw uploadUnknown();
      const bytes = new UploadFile(layout, id, facts.size);
      checkOffset(bytes, opts?.offset);
      return sessionWriter(new UploadSession(id, facts.startedAt, bytes));
    },
  };
}

/** The bytes of one session. Only one writer uses them. */
class UploadFile implements UploadBytes {
  readonly keeper = 'layout';
  readonly unknown = uploadUnknown;
  readonly #layout: LayoutDirectory;
  readonly #id: string;
  readonly #resting: string;
  #size: number;
  #file: BlobFile | undefined;

  constructor(layout: LayoutDirectory, id: string, size: number, file?: BlobFile) {
    this.#layout = layout;
    this.#id = id;
    this.#resting = restingPath(layout, id);
    this.#size = size;
    this.#file = file;
  }

  get size(): number {
    return this.#file?.size ?? this.#size;
  }

  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  async open(): Promise<void> {
    const own = this.#layout.work.newFile(uploadPrefix + this.#id);
    this.#file = await onFile('write', this.#resting, async () => {
      try {
        await rename(this.#resting, own);
      } catch (error) {
        throw hasErrno(error, 'ENOENT') ? uploadUnknown() : error;
      }
      return await BlobFile.reopen(own);
    });
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#opened().write(chunk);
  }

  async digest(algorithm: DigestAlgorithm, opts?: SignalOption): Promise<Digest> {
    return await this.#opened().digest(algorithm, opts);
  }

  async place(digest: Digest): Promise<void> {
    const file = this.#opened();
    await file.finish();
    await moveIntoPlace(this.#layout.root, file.path, blobFile(this.#layout, digest));
  }

  async rest(): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    this.#size = file.size;
    this.#file = undefined;
    try {
      await file.flush();
    } finally {
      await file.close();
      await onFile('write', this.#resting, () => rename(file.path, this.#resting));
    }
  }

  async end(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
    await removeFile(file?.path ?? this.#resting);
    await this.#layout.work.leave();
  }

  #opened(): BlobFile {
    if (this.#file === undefined) throw uploadUnknown();
    return this.#file;
  }
}

// Renames the file of a killed writer back to its session's name.
async function adoptOrphan(layout: LayoutDirectory, id: string): Promise<void> {
  const prefix = `${uploadPrefix}${id}.`;
  const names = await readdir(layout.work.path).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(prefix))) {
    const owner = tryParseProcessId(name.slice(prefix.length));
    if (owner === undefined) continue;
    if (processState(owner) !== 'dead') throw new OciError('UNAVAILABLE', 'another writer has this upload open');
    await rename(join(layout.work.path, name), restingPath(layout, id)).catch(() => {});
  }
}

async function factsOf(file: string): Promise<{ readonly size: number; readonly startedAt: Date } | undefined> {
  return await onFile('read', file, async () => {
    try {
      const { size, birthtime } = await stat(file);
      return { size, startedAt: birthtime };
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  });
}

function restingPath({ work }: LayoutDirectory, id: string): string {
  return join(work.path, uploadPrefix + id);
}

function uploadUnknown(): OciError {
  return new OciError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload session', { hint: 'start the upload again' });
}
