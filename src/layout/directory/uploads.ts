import { randomUUID } from 'node:crypto';
import { readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '../../files/file-errors.ts';
import { processState, tryParseProcessId } from '../../files/process-id.ts';
import { type Digest, digestAlgorithm } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { digestMismatch } from '../../registry/content.ts';
import type { BlobWriter, SignalOption, Writer } from '../../registry/registry.ts';
import { blobDescriptor } from '../format/reader.ts';
import { BlobFile } from './blob-file.ts';
import { onFile } from './file-errors.ts';
import { blobFile, type LayoutDirectory, refuseReadOnly } from './layout-directory.ts';
import { moveIntoPlace, removeFile } from './move.ts';
import { uploadPrefix } from './work-directory.ts';

/**
 * Upload sessions as files in the layout's work directory. At rest a file has its session's name, and any process can go
 * on with it; whoever writes first gives it a name of its own, so that no two ever write one file.
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
      return openWriter(layout, { id, startedAt: new Date(), size: 0 }, file);
    },

    async resumeUpload(_repo, id, opts) {
      opts?.signal?.throwIfAborted();
      refuseReadOnly(layout);
      // The id is a client's and becomes a path.
      if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw uploadUnknown();
      await adoptOrphan(layout, id);
      const facts = await factsOf(restingPath(layout, id));
      if (facts === undefined) throw uploadUnknown();
      if (opts?.offset !== undefined && opts.offset !== facts.size) throw outOfOrder(opts.offset, facts.size);
      return openWriter(layout, { id, ...facts }, undefined);
    },
  };
}

function openWriter(
  layout: LayoutDirectory,
  session: { readonly id: string; readonly startedAt: Date; readonly size: number },
  opened: BlobFile | undefined,
): BlobWriter {
  const resting = restingPath(layout, session.id);
  let file = opened;
  let { size } = session;
  let ended = false;

  async function take(): Promise<BlobFile> {
    if (ended) throw uploadUnknown();
    file ??= await takeFile(layout, session.id, size);
    return file;
  }

  async function end(): Promise<void> {
    const path = file?.path ?? resting;
    ended = true;
    await file?.close();
    file = undefined;
    await removeFile(path);
    await layout.work.leave();
  }

  async function rest(): Promise<void> {
    const resumable = file;
    if (resumable === undefined) return;
    file = undefined;
    try {
      await resumable.flush();
    } finally {
      await resumable.close();
      await onFile('write', resting, () => rename(resumable.path, resting));
    }
  }

  return {
    id: session.id,
    startedAt: session.startedAt,
    chunkBytes: 0,
    get size() {
      return size;
    },
    async write(chunk, opts) {
      opts?.signal?.throwIfAborted();
      const taken = await take();
      try {
        await taken.write(chunk);
        size = taken.size;
      } catch (error) {
        await rest().catch(() => {});
        throw error;
      }
    },
    async commit(expected, opts) {
      opts?.signal?.throwIfAborted();
      const taken = await take();
      try {
        await finish(layout, taken, expected, opts);
      } catch (error) {
        const isWrong = error instanceof OciError && /^(?:SIZE|DIGEST)_MISMATCH$/.test(error.code);
        await (isWrong ? end() : rest()).catch(() => {});
        throw error;
      }
      ended = true;
      file = undefined;
      await layout.work.leave();
      return blobDescriptor(expected.digest, taken.size);
    },
    async cancel() {
      if (!ended) await end();
    },
    async [Symbol.asyncDispose]() {
      if (!ended) await rest();
    },
  };
}

async function finish(
  layout: LayoutDirectory,
  file: BlobFile,
  expected: { readonly digest: Digest; readonly size?: number | undefined },
  opts?: SignalOption,
): Promise<void> {
  const { digest, size } = expected;
  await file.flush();
  if (size !== undefined && size !== file.size) {
    throw new OciError('SIZE_MISMATCH', `the upload has ${file.size} bytes, not the ${size} announced`);
  }
  const got = await file.digest(digestAlgorithm(digest), opts);
  if (got !== digest) throw digestMismatch(digest, got);
  await file.finish();
  await moveIntoPlace(layout.root, file.path, blobFile(layout, digest));
}

async function takeFile(layout: LayoutDirectory, id: string, size: number): Promise<BlobFile> {
  const resting = restingPath(layout, id);
  const own = layout.work.newFile(uploadPrefix + id);
  const file = await onFile('write', resting, async () => {
    try {
      await rename(resting, own);
    } catch (error) {
      throw hasErrno(error, 'ENOENT') ? uploadUnknown() : error;
    }
    return await BlobFile.reopen(own);
  });
  if (file.size === size) return file;
  const now = file.size;
  await file.close();
  await onFile('write', resting, () => rename(own, resting));
  throw outOfOrder(size, now);
}

// What a writer left that was killed goes back to its session's name.
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

function outOfOrder(offset: number, size: number): OciError {
  return new OciError('RANGE_INVALID', `the upload has ${size} bytes, so a chunk cannot start at ${offset}`, {
    detail: { size },
    hint: 'go on from where the layout is, or start the upload again',
  });
}
