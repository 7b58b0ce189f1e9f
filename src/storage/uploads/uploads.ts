import { randomUUID } from 'node:crypto';
import { createHasher } from '../../model/digest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { Writer } from '../../registry/registry.ts';
import { checkOffset, sessionWriter, UploadSession } from '../../registry/upload-session.ts';
import { parseUploadId, type UploadId, uploadDataPath, uploadStartedAtPath, uploadUnknown } from '../paths.ts';
import type { Store } from '../store.ts';
import { StoredBytes, type UploadFacts } from './stored-bytes.ts';

type Session = UploadSession<StoredBytes>;

/** Sessions that are remembered with their running hash. The bytes of others are on disk, and are read again at commit. */
const maxSessions = 1_000;
const maxDateBytes = 100;

type Uploads = Pick<Writer, 'startUpload' | 'resumeUpload'>;

/** Upload sessions: started, resumed by id, finished or cancelled. */
export function createUploads(store: Store): Uploads {
  const sessions = new Map<string, Session>();

  const sessionOf = (facts: UploadFacts, known: ConstructorParameters<typeof StoredBytes>[2]): Session => {
    return new UploadSession(facts.id, facts.startedAt, new StoredBytes(store, facts, known));
  };

  async function remember(session: Session): Promise<void> {
    sessions.delete(session.id);
    sessions.set(session.id, session);
    for (const [id, old] of sessions) {
      if (sessions.size <= maxSessions) break;
      if (!old.bytes.isOpen) await keep(old);
      if (!old.bytes.isOpen) sessions.delete(id);
    }
  }

  async function load(repo: RepositoryName, id: UploadId): Promise<Session> {
    const known = sessions.get(id);
    if (known !== undefined && known.bytes.repo !== repo) throw uploadUnknown();
    if (known !== undefined && !known.ended && !known.bytes.stored) return known;
    const startedAt = await store.driver.get(uploadStartedAtPath(repo, id), maxDateBytes);
    if (startedAt === undefined) throw uploadUnknown();
    if (known !== undefined && !known.ended && known.bytes.isOpen) return known;
    const size = (await store.driver.uploads.find(uploadDataPath(repo, id)))?.size ?? 0;
    if (known !== undefined && !known.ended && known.bytes.size === size) return known;
    // If the session was swept between the two reads, it must not begin again.
    if ((await store.driver.stat(uploadStartedAtPath(repo, id))) === undefined) throw uploadUnknown();
    const date = new Date(Buffer.from(startedAt).toString('utf8').trim());
    const facts = { id, repo, startedAt: Number.isNaN(date.getTime()) ? new Date(0) : date };
    const hasher = size === 0 ? await createHasher() : undefined;
    return sessionOf(facts, { stored: true, size, hasher });
  }

  return {
    async startUpload(repo, opts) {
      opts?.signal?.throwIfAborted();
      const id = parseUploadId(randomUUID());
      const startedAt = store.now();
      const hasher = await createHasher(opts?.digestAlgorithm);
      const session = sessionOf({ id, repo, startedAt }, { stored: false, size: 0, hasher });
      // A read-only store refuses the session now, not at the first byte.
      if (store.driver.readOnly) await session.bytes.keep();
      try {
        await remember(session);
      } catch (error) {
        sessions.delete(id);
        throw error;
      }
      return sessionWriter(session, () => sessions.delete(id));
    },
    async resumeUpload(repo, id, opts) {
      opts?.signal?.throwIfAborted();
      const session = await load(repo, parseUploadId(id));
      checkOffset(session.bytes, opts?.offset);
      await remember(session);
      return sessionWriter(session, () => sessions.delete(session.id));
    },
  };
}

async function keep(session: Session): Promise<void> {
  await session.inTurn(async () => {
    if (!session.ended) await session.bytes.keep();
  });
}
