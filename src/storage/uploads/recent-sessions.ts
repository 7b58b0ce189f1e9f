import { RecentMap } from '../../model/recent-map.ts';
import type { UploadId } from '../paths.ts';

/** More than a server lets be open at once. */
const maxSessions = 10_000;

/**
 * When this process last had upload sessions in use, by a clock that nobody sets: the times of files would have them rest
 * for a year after somebody has set the machine's.
 */
export class RecentSessions {
  readonly #usedAtMs = new RecentMap<string, number>(maxSessions);

  used(id: UploadId): void {
    this.#usedAtMs.set(id, performance.now());
  }

  /** Whether it was in use here within this time. */
  isRecent(id: string, withinMs: number): boolean {
    const usedAtMs = this.#usedAtMs.get(id);
    return usedAtMs !== undefined && performance.now() - usedAtMs < withinMs;
  }

  ended(id: UploadId): void {
    this.#usedAtMs.delete(id);
  }
}
