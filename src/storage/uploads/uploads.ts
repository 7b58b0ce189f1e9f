import { randomUUID } from 'node:crypto';
import { createHasher } from '../../model/digest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { BlobWriter, Writer } from '../../registry/registry.ts';
import { blobDescriptor } from '../blobs/links.ts';
import { parseUploadId, type UploadId, uploadDataPath, uploadStartedAtPath, uploadUnknown } from '../paths.ts';
import type { Store } from '../store.ts';
import { outOfOrder, UploadSession } from './upload-session.ts';

/** Sessions that are remembered, with their running hash. What is forgotten lies on the disk, and is read again at commit. */
const maxSessions = 1_000;
const maxDateBytes = 100;

export type Uploads = Pick<Writer, 'startUpload' | 'resumeUpload'>;

/** Upload sessions as the wire knows them: begun, gone on with by their id, finished or given up. */
export function createUploads(store: Store): Uploads {
  const sessions = new Map<UploadId, UploadSession>();

  async function remember(session: UploadSession): Promise<void> {
    sessions.delete(session.id);
    sessions.set(session.id, session);
    for (const [id, old] of sessions) {
      if (sessions.size <= maxSessions) break;
      if (old.resting) await old.keep();
      if (old.resting) sessions.delete(id);
    }
  }

  async function load(repo: RepositoryName, id: UploadId): Promise<UploadSession> {
    const known = sessions.get(id);
    if (known !== undefined && known.repo !== repo) throw uploadUnknown();
    if (known !== undefined && !known.ended && !known.stored) return known;
    const startedAt = await store.driver.get(uploadStartedAtPath(repo, id), maxDateBytes);
    if (startedAt === undefined) throw uploadUnknown();
    if (known !== undefined && !known.ended && !known.resting) return known;
    const size = (await store.driver.uploads.find(uploadDataPath(repo, id)))?.size ?? 0;
    if (known !== undefined && !known.ended && known.size === size) return known;
    const date = new Date(Buffer.from(startedAt).toString('utf8').trim());
    const facts = { id, repo, startedAt: Number.isNaN(date.getTime()) ? new Date(0) : date };
    const hasher = size === 0 ? await createHasher() : undefined;
    return new UploadSession(store, facts, { stored: true, size, hasher });
  }

  return {
    async startUpload(repo, opts) {
      opts?.signal?.throwIfAborted();
      const id = parseUploadId(randomUUID());
      const startedAt = store.now();
      const hasher = await createHasher(opts?.digestAlgorithm);
      const session = new UploadSession(store, { id, repo, startedAt }, { stored: false, size: 0, hasher });
      // Who may not write is told now, not at the first byte.
      if (store.driver.readOnly) await session.keep();
      try {
        await remember(session);
      } catch (error) {
        sessions.delete(id);
        throw error;
      }
      return openWriter(session, () => sessions.delete(id));
    },
    async resumeUpload(repo, id, opts) {
      opts?.signal?.throwIfAborted();
      const session = await load(repo, parseUploadId(id));
      if (opts?.offset !== undefined && opts.offset !== session.size) throw outOfOrder(opts.offset, session.size);
      await remember(session);
      return openWriter(session, () => sessions.delete(session.id));
    },
  };
}

// A writer that was opened only to ask for the size disturbs nobody: it takes the session over when it first writes.
function openWriter(session: UploadSession, forget: () => void): BlobWriter {
  const owner = {};
  let size = session.size;
  return {
    id: session.id,
    startedAt: session.startedAt,
    chunkBytes: 0,
    get size() {
      return size;
    },
    async write(chunk, opts) {
      opts?.signal?.throwIfAborted();
      await session.write(owner, size, chunk);
      size += chunk.length;
    },
    async commit({ digest, size: announced }, opts) {
      opts?.signal?.throwIfAborted();
      try {
        const total = await session.commit(owner, size, digest, announced, opts);
        return blobDescriptor(digest, total);
      } finally {
        if (session.ended) forget();
      }
    },
    async cancel() {
      if (!session.ended) await session.cancel();
      forget();
    },
    async [Symbol.asyncDispose]() {
      if (!session.ended) await session.rest(owner);
    },
  };
}
