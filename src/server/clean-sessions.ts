import { uploadSweeper } from '../registry/extensions.ts';
import type { Registry } from '../registry/registry.ts';
import type { UploadSessions } from './sessions.ts';

/** Idle sessions are looked for at least this often. */
const maxIntervalMs = 60 * 60_000;

/**
 * Gives up idle upload sessions, at the start and then periodically: those of this run in any registry, and those of
 * earlier runs where the registry can find them.
 *
 * @returns A function that ends it.
 */
export function cleanSessions(registry: Registry, sessions: UploadSessions, idleMs: number): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  const clean = async (): Promise<void> => {
    await sessions.expire();
    await registry.extension(uploadSweeper)?.sweepUploads({ idleMs, signal });
  };
  // A failure is met again by whoever uploads, and then it is told.
  const attempt = (): void => void clean().catch(() => {});
  attempt();
  const timer = setInterval(attempt, Math.min(Math.max(idleMs / 4, 10), maxIntervalMs)).unref();
  return () => {
    clearInterval(timer);
    ending.abort();
  };
}
