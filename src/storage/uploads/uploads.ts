import { randomUUID } from 'node:crypto';
import { createHasher, type Hasher } from '../../model/digest.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { Writer } from '../../registry/registry.ts';
import { checkOffset, sessionWriter, UploadSession } from '../../registry/upload-session.ts';
import type { FoundSession } from '../driver.ts';
import { parseUploadId, type UploadId, uploadPath, uploadUnknown } from '../paths.ts';
import type { Store } from '../store.ts';
import { findSession } from './sessions.ts';
import { StoredBytes, type UploadFacts } from './stored-bytes.ts';

type Session = UploadSession<StoredBytes>;

/** Sessions that are remembered with their running hash. All else about a stored session is asked of the store each time. */
const maxSessions = 1_000;

type Uploads = Pick<Writer, 'startUpload' | 'resumeUpload'>;

/** Upload sessions: started, resumed by id, finished or cancelled. */
export function createUploads(store: Store): Uploads {
  const sessions = new Map<string, Session>();

  const sessionOf = (facts: UploadFacts, ...bytes: [hasher: Hasher | undefined, found?: FoundSession]): Session => {
    return new UploadSession(facts.id, facts.startedAt, new StoredBytes(store, facts, ...bytes));
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
    const found = await findSession(store.driver, uploadPath(repo, id));
    if (found === undefined) throw uploadUnknown();
    if (known === undefined || known.ended) {
      return sessionOf({ id, repo, startedAt: found.begunAt }, undefined, found);
    }
    if (!known.bytes.isOpen) known.bytes.see(found);
    return known;
  }

  return {
    async startUpload(repo, opts) {
      opts?.signal?.throwIfAborted();
      const id = parseUploadId(randomUUID());
      const startedAt = store.now();
      const hasher = await createHasher(opts?.digestAlgorithm);
      const session = sessionOf({ id, repo, startedAt }, hasher);
      session.bytes.expect(opts?.digest);
      // A read-only store refuses the session now, not at the first byte.
      const mayMove = store.driver.isShared && opts?.digest === undefined;
      if (mayMove || store.driver.readOnly) await session.bytes.keep();
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
      session.bytes.expect(opts?.digest);
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
