import { RecentMap } from '../../model/recent-map.ts';
import type { UploadId } from '../paths.ts';

/** More than a server allows to be open at the same time. */
const maxSessions = 10_000;

/**
 * When this process last used each upload session, by a monotonic clock. File times would make sessions look idle after
 * the system clock was set forward.
 */
export class RecentSessions {
  readonly #usedAtMs = new RecentMap<string, number>(maxSessions);

  used(id: UploadId): void {
    this.#usedAtMs.set(id, performance.now());
  }

  /** Whether this process used the session within this time. */
  isRecent(id: string, withinMs: number): boolean {
    const usedAtMs = this.#usedAtMs.get(id);
    return usedAtMs !== undefined && performance.now() - usedAtMs < withinMs;
  }

  ended(id: UploadId): void {
    this.#usedAtMs.delete(id);
  }
}
