import type { Digest } from '../../../model/digest.ts';
import { type ErrorCode, isOciError, type OciError } from '../../../model/errors.ts';
import type { Tag } from '../../../model/reference/reference.ts';
import type { Registry } from '../../registry.ts';
import { asOciError, combinedError, type Failure } from './error.ts';

/** What is about to be asked of an endpoint. */
export interface FallbackRequest {
  readonly kind: 'ping' | 'manifest' | 'blob' | 'list';
  readonly reference?: Tag | Digest;
}

/** A registry that may answer for others. */
export interface FallbackEndpoint {
  /** Shown to people: host[:port], with `http://` where it is not TLS. */
  readonly name: string;
  /** `https://host[:port]`, where it has an address. */
  readonly origin?: string;
  /** Mirrors hold copies: what they lack may be elsewhere. An origin's word is final. */
  readonly kind: 'mirror' | 'origin';
  /**
   * Called when it is first needed, and once.
   *
   * @param answered To be called whenever anything comes back over HTTP, also inside a question that fails in the end:
   *   an endpoint that said 401 and then cuts the connection has answered.
   */
  open(answered: () => void): Promise<Registry>;
  /** Passes the endpoint by for some requests, as a mirror that is for digests only. */
  skipWhen?(request: FallbackRequest): boolean;
  /**
   * Name of the same host over TLS. Once that has answered anything, even an error, this endpoint is not used: whoever
   * can cut a connection must not get the next one in clear text.
   */
  readonly twinOf?: string | undefined;
  /** Absent: its own. */
  readonly state?: EndpointState | undefined;
}

/** How an endpoint was found, which registries over the same one may share. */
export interface EndpointState {
  /** Whether it has answered anything at all. */
  answered: boolean;
  failure: { readonly error: unknown; readonly atMs: number } | undefined;
}

export interface FallbackEvent {
  readonly from: string;
  readonly to: string;
  readonly error: OciError;
}

/** A program that runs for long must find a mirror again that was away for a while. */
const forgetMs = 300_000;

/** One endpoint, and what is known about it so far. */
export class Candidate {
  readonly endpoint: FallbackEndpoint;
  readonly #state: EndpointState;
  #registry: Promise<Registry> | undefined;

  constructor(endpoint: FallbackEndpoint) {
    this.endpoint = endpoint;
    this.#state = endpoint.state ?? { answered: false, failure: undefined };
  }

  get answered(): boolean {
    return this.#state.answered;
  }

  /** Why it could not be reached. It is then asked only where no other is left. */
  get unreachable(): unknown {
    const { failure } = this.#state;
    return failure && Date.now() - failure.atMs < forgetMs ? failure.error : undefined;
  }

  /** Asks it. Whatever comes back tells whether it can be reached. */
  async ask<T>(question: (registry: Registry) => Promise<T>): Promise<T> {
    this.#registry ??= this.endpoint.open(() => {
      this.#state.answered = true;
    });
    const registry = await this.#registry;
    try {
      const result = await question(registry);
      this.#state.answered = true;
      this.#state.failure = undefined;
      return result;
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  failed(error: unknown): void {
    if (isConnectionFailure(error)) this.#state.failure = { error, atMs: Date.now() };
    else if (isAnswer(error)) this.#state.answered = true;
  }
}

/** The endpoints in the order they are asked, with what each one said. */
export class Attempts {
  readonly #candidates: readonly Candidate[];
  readonly #onFallback: ((event: FallbackEvent) => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #tried = new Set<Candidate>();
  readonly #failures: Failure[] = [];

  constructor(
    candidates: readonly Candidate[],
    opts: {
      readonly signal?: AbortSignal | undefined;
      readonly onFallback?: ((event: FallbackEvent) => void) | undefined;
    },
  ) {
    this.#candidates = candidates;
    this.#signal = opts.signal;
    this.#onFallback = opts.onFallback;
  }

  /** Asks one endpoint after the other. @throws what {@link combinedError} makes of their failures. */
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
    throw combinedError(this.#failures);
  }

  /** Takes down why an endpoint did not serve. @throws the final error, where no other may be asked. */
  failed(candidate: Candidate, error: unknown): void {
    this.#failures.push({ candidate, error, asked: true });
    if (!movesOn(candidate.endpoint, error, this.#signal)) throw combinedError(this.#failures);
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

  // Where nobody could be reached before, the caller may have waited, and one is worth another try.
  #isLastHope(): boolean {
    const left = this.#candidates.some((other) => !this.#tried.has(other) && !this.#hasAnsweringTwin(other));
    return !left && !this.#failures.some(({ asked }) => asked);
  }

  #hasAnsweringTwin({ endpoint: { twinOf } }: Candidate): boolean {
    return this.#candidates.some(({ endpoint, answered }) => endpoint.name === twinOf && answered);
  }

  #announce(to: Candidate): void {
    const from = this.#failures.findLast(({ asked }) => asked);
    if (from)
      this.#onFallback?.({ from: from.candidate.endpoint.name, to: to.endpoint.name, error: asOciError(from.error) });
  }
}

const originMovesOn: readonly ErrorCode[] = ['NETWORK', 'TIMEOUT', 'TLS', 'PROTOCOL', 'UNAVAILABLE', 'UNKNOWN'];

function movesOn({ kind }: FallbackEndpoint, error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted || isOciError(error, 'CANCELLED', 'NOT_MODIFIED')) return false;
  if (kind === 'origin') return isOciError(error, ...originMovesOn) || statusOf(error) >= 500;
  // Without an HTTP status it is the image that is of no use: a format that no registry could serve better.
  return !(isOciError(error, 'UNSUPPORTED') && error.status === undefined);
}

/** Whether a body that broke with this error may go on from another endpoint. */
export function isBrokenBody(error: unknown): boolean {
  return isOciError(error) && (error.retryable || isOciError(error, 'NETWORK', 'TIMEOUT', 'TLS', 'PROTOCOL'));
}

function isConnectionFailure(error: unknown): boolean {
  return isOciError(error, 'NETWORK', 'TIMEOUT', 'TLS') && error.status === undefined;
}

function isAnswer(error: unknown): boolean {
  return isOciError(error) && (error.status !== undefined || !isOciError(error, 'PROTOCOL', 'CANCELLED'));
}

function statusOf(error: unknown): number {
  return isOciError(error) ? (error.status ?? 0) : 0;
}
