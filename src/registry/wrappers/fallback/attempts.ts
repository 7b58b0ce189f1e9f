import { isOciError, type OciError } from '../../../model/errors.ts';
import type { Registry } from '../../registry.ts';
import { type Candidate, type FallbackEndpoint, mayBeElsewhere } from './candidate.ts';
import { asOciError, combinedError, type Failure } from './error.ts';
import { clauseOf, nameInSentence } from './wording.ts';

export interface FallbackEvent {
  /** The endpoint that failed: `host[:port]`, with `http://` if it is not TLS. */
  readonly from: string;
  /** The endpoint that is asked next. */
  readonly to: string;
  /** Why the first one failed. */
  readonly error: OciError;
  /** For people, without secrets: `mirror m:5000 has no library/alpine:nope, trying Docker Hub`. */
  readonly text: string;
}

/** The endpoints in the order in which they are asked, with their failures. */
export class Attempts {
  readonly #candidates: readonly Candidate[];
  readonly #onFallback: ((event: FallbackEvent) => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #subject: string | undefined;
  readonly #tried = new Set<Candidate>();
  readonly #failures: Failure[] = [];

  constructor(
    candidates: readonly Candidate[],
    opts: {
      readonly signal?: AbortSignal | undefined;
      readonly onFallback?: ((event: FallbackEvent) => void) | undefined;
      /** What is asked for, for messages; absent if it is not one thing. */
      readonly subject?: string | undefined;
    },
  ) {
    this.#candidates = candidates;
    this.#signal = opts.signal;
    this.#onFallback = opts.onFallback;
    this.#subject = opts.subject;
  }

  /** Asks one endpoint after the other. @throws the error that {@link combinedError} makes of their failures. */
  async first<T>(question: (registry: Registry, candidate: Candidate) => Promise<T>): Promise<T> {
    for (let next = this.#next(); next; next = this.#next()) {
      const candidate = next;
      this.#announce(candidate);
      try {
        return await candidate.ask((registry) => question(registry, candidate));
      } catch (error) {
        this.failed(candidate, error);
      }
    }
    throw combinedError(this.#failures, { subject: this.#subject });
  }

  /** Records why an endpoint failed. @throws the final error if no other endpoint may be asked. */
  failed(candidate: Candidate, error: unknown): void {
    this.#failures.push({ candidate, error, asked: true });
    if (movesOn(candidate.endpoint, error, this.#signal)) return;
    throw combinedError(this.#failures, { subject: this.#subject, isFinal: true });
  }

  #next(): Candidate | undefined {
    for (const candidate of this.#candidates) {
      if (this.#tried.has(candidate) || this.#hasAnsweringTwin(candidate)) continue;
      this.#tried.add(candidate);
      if (candidate.unreachable === undefined || this.#isLastHope()) return candidate;
      this.#failures.push({ candidate, error: candidate.unreachable, asked: false });
    }
    return undefined;
  }

  // If none could be reached before, time may have passed since: an endpoint is worth another try.
  #isLastHope(): boolean {
    const left = this.#candidates.some((other) => !this.#tried.has(other) && !this.#hasAnsweringTwin(other));
    return !left && !this.#failures.some(({ asked }) => asked);
  }

  #hasAnsweringTwin({ endpoint: { twinOf } }: Candidate): boolean {
    return this.#candidates.some(({ endpoint, answered }) => endpoint.name === twinOf && answered);
  }

  #announce(to: Candidate): void {
    const from = this.#failures.findLast(({ asked }) => asked);
    if (!from) return;
    const { candidate } = from;
    const error = asOciError(from.error);
    const text = `${clauseOf({ candidate, error }, this.#subject)}, trying ${nameInSentence(to.endpoint)}`;
    this.#onFallback?.({ from: candidate.endpoint.name, to: to.endpoint.name, error, text });
  }
}

function movesOn({ kind }: FallbackEndpoint, error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted || isOciError(error, 'CANCELLED', 'NOT_MODIFIED')) return false;
  if (kind === 'origin') return mayBeElsewhere(error);
  // An UNSUPPORTED without an HTTP status is about the image's format: no other endpoint could serve it better.
  return !(isOciError(error, 'UNSUPPORTED') && error.status === undefined);
}

/** Whether a body that broke with this error may be continued from another endpoint. */
export function isBrokenBody(error: unknown): boolean {
  return isOciError(error) && (error.retryable || isOciError(error, 'NETWORK', 'TIMEOUT', 'TLS', 'PROTOCOL'));
}
