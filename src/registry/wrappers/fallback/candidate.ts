import type { Digest } from '../../../model/digest.ts';
import { isOciError } from '../../../model/errors.ts';
import type { Tag } from '../../../model/reference/reference.ts';
import type { Registry } from '../../registry.ts';

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

function isConnectionFailure(error: unknown): boolean {
  return isOciError(error, 'NETWORK', 'TIMEOUT', 'TLS') && error.status === undefined;
}

function isAnswer(error: unknown): boolean {
  return isOciError(error) && (error.status !== undefined || !isOciError(error, 'PROTOCOL', 'CANCELLED'));
}
