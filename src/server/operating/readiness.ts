import { OciError } from '../../model/errors.ts';

/** How long an answer of the storage counts, good or bad. */
const freshMs = 10_000;
/** The time that the storage has for its answer. */
const limitMs = 5_000;
/** Whether somebody balances load by `/readyz` is seen by its questions: the slowest usual interval, twice. */
const watchedMs = 60_000;

interface ReadinessTimes {
  readonly freshMs?: number;
  readonly limitMs?: number;
}

/** Why a server should get no requests. */
interface Unready {
  /** Of the error, or `STOPPING`. */
  readonly code: string;
  /** Names no path, host or upstream. */
  readonly reason: string;
  /** The error for the log, once for each time that the storage was asked. */
  readonly failure?: unknown;
}

/**
 * Whether the storage answers. It is asked at most every 10 seconds, once for all who ask meanwhile, and not again
 * before it has answered: calls to a dead network file system would pile up.
 */
export class Readiness {
  readonly #check: (() => Promise<void>) | undefined;
  readonly #times: Required<ReadinessTimes>;
  #asking: Promise<Unready | undefined> | undefined;
  #pending = false;
  #last: Unready | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;
  #askedMs = Number.NEGATIVE_INFINITY;

  /** @param check Asks the storage, and rejects if that cannot be used. If absent, it is always ready. */
  constructor(check: (() => Promise<void>) | undefined, times: ReadinessTimes = {}) {
    this.#check = check;
    this.#times = { freshMs, limitMs, ...times };
  }

  /** Whether somebody has asked within the last minute, and so would notice. */
  get isWatched(): boolean {
    return performance.now() - this.#askedMs < watchedMs;
  }

  /** @returns Undefined if the storage can be used. */
  async ask(): Promise<Unready | undefined> {
    this.#askedMs = performance.now();
    const check = this.#check;
    if (check === undefined) return undefined;
    if (this.#asking !== undefined) return told(await this.#asking);
    const isFresh = performance.now() - this.#lastMs < this.#times.freshMs;
    if (isFresh || this.#pending) return told(this.#last);
    this.#asking = this.#bounded(check);
    return this.#asking;
  }

  async #bounded(check: () => Promise<void>): Promise<Unready | undefined> {
    const { limitMs: most } = this.#times;
    this.#pending = true;
    const answered = check()
      .then(
        () => undefined,
        (error: unknown) => unreadyFor(error),
      )
      .finally(() => {
        this.#pending = false;
      });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Unready>((resolve) => {
      const error = new OciError('TIMEOUT', `the storage did not answer within ${most / 1000} s`);
      timer = setTimeout(() => resolve(unreadyFor(error)), most);
    });
    const found = await Promise.race([answered, late]);
    clearTimeout(timer);
    this.#last = found;
    this.#lastMs = performance.now();
    this.#asking = undefined;
    return found;
  }
}

function told(found: Unready | undefined): Unready | undefined {
  return found === undefined ? undefined : { code: found.code, reason: found.reason };
}

function unreadyFor(failure: unknown): Unready {
  const code = failure instanceof OciError ? failure.code : 'INTERNAL';
  const reason = code === 'TIMEOUT' ? 'the storage does not answer' : 'the storage cannot be used';
  return { code, reason, failure };
}
