import { uploadSweeper } from '../registry/extensions.ts';
import type { Registry } from '../registry/registry.ts';
import type { UploadSessions } from './sessions.ts';

/** Maximum interval between checks for idle sessions. */
const maxIntervalMs = 60 * 60_000;

/**
 * Cancels idle upload sessions, at the start and then periodically: those of this run in any registry, and those of
 * earlier runs if the registry can find them.
 *
 * @returns A function that stops it.
 */
export function cleanSessions(registry: Registry, sessions: UploadSessions, idleMs: number): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  const clean = async (): Promise<void> => {
    await sessions.expire();
    await registry.extension(uploadSweeper)?.sweepUploads({ idleMs, signal });
  };
  // A failure is not reported here: the next upload meets it and reports it.
  const attempt = (): void => void clean().catch(() => {});
  attempt();
  const timer = setInterval(attempt, Math.min(Math.max(idleMs / 4, 10), maxIntervalMs)).unref();
  return () => {
    clearInterval(timer);
    ending.abort();
  };
}
