import { monotonicMs } from '../model/clock.ts';

const apartMs = 3000;
const sameApartMs = 15_000;

/**
 * Lines about waits, with time between them: many requests may wait for the same server. Of those that come too soon the
 * latest is written when it is time.
 */
export class SpacedLines {
  readonly #write: (line: string) => void;
  readonly #told = new Map<string, number>();
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #next: string | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  tell(line: string, nowMs = monotonicMs()): void {
    if (nowMs - (this.#told.get(line) ?? Number.NEGATIVE_INFINITY) < sameApartMs) return;
    const dueMs = this.#toldAtMs + apartMs;
    if (nowMs >= dueMs) return void this.#tellNow(line, nowMs);
    this.#next = line;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#next !== undefined) this.#tellNow(this.#next, dueMs);
    }, dueMs - nowMs).unref();
  }

  /** Drops the line that is due. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next = undefined;
  }

  #tellNow(line: string, nowMs: number): void {
    this.#next = undefined;
    this.#toldAtMs = nowMs;
    this.#told.set(line, nowMs);
    this.#write(line);
  }
}
