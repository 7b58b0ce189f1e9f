import type { Digest } from '../../../model/digest.ts';
import { isOciError } from '../../../model/errors.ts';
import type { Tag } from '../../../model/reference/reference.ts';
import type { Registry } from '../../registry.ts';

/** The request that an endpoint is about to get. */
export interface FallbackRequest {
  /** What is requested; `list`: tags, repositories or referrers. */
  readonly kind: 'ping' | 'manifest' | 'blob' | 'list';
  /** The tag or digest of a manifest, or the digest of a blob. */
  readonly reference?: Tag | Digest;
}

/** A registry that serves as one of several. */
export interface FallbackEndpoint {
  /** For messages: host[:port], with `http://` if it is not TLS. */
  readonly name: string;
  /** What people call it, if not by its host: `Docker Hub`. */
  readonly title?: string | undefined;
  /** `https://host[:port]`, if it has an address. */
  readonly origin?: string;
  /** A mirror holds copies: what it lacks, another endpoint may have. The answer of an origin is final. */
  readonly kind: 'mirror' | 'origin';
  /**
   * Called once, on first use.
   *
   * @param answered Call it whenever an HTTP response arrives, even if the operation fails in the end: an endpoint that
   * sent 401 and then cut the connection has answered.
   */
  open(answered: () => void): Promise<Registry>;
  /** Skips the endpoint for some requests, such as a mirror that is for digests only. */
  skipWhen?(request: FallbackRequest): boolean;
  /**
   * Name of the endpoint for the same host over TLS. Once that one has answered anything, even an error, this one is
   * not used: an attacker who can cut connections must not get the next request in clear text.
   */
  readonly twinOf?: string | undefined;
  /** If absent, the endpoint has a state of its own. */
  readonly state?: EndpointState | undefined;
}

/** How reachable an endpoint was. Registries over the same endpoint may share it. */
export interface EndpointState {
  /** Whether it has answered anything at all. */
  answered: boolean;
  /** Why it could not be reached, and when that was (milliseconds since 1970); undefined if it could. */
  failure: { readonly error: unknown; readonly atMs: number } | undefined;
}

/** After this time an unreachable endpoint is tried again: a process that runs for long must find a mirror that is back. */
const forgetMs = 300_000;

/** An endpoint, and what is known about it so far. */
export class Candidate {
  readonly endpoint: FallbackEndpoint;
  readonly #state: EndpointState;
  #registry: Promise<Registry> | undefined;
  #works = false;

  constructor(endpoint: FallbackEndpoint) {
    this.endpoint = endpoint;
    this.#state = endpoint.state ?? { answered: false, failure: undefined };
  }

  get answered(): boolean {
    return this.#state.answered;
  }

  /** Whether its last answer was a registry's, so a ping would find it: a result, or an error that is final. */
  get works(): boolean {
    return this.#works;
  }

  /** Why it could not be reached. Such an endpoint is asked only if no other is left. */
  get unreachable(): unknown {
    const { failure } = this.#state;
    return failure && Date.now() - failure.atMs < forgetMs ? failure.error : undefined;
  }

  /** The endpoint as a registry. Nothing is sent yet. */
  open(): Promise<Registry> {
    this.#registry ??= this.endpoint.open(() => {
      this.#state.answered = true;
    });
    return this.#registry;
  }

  /** Asks the endpoint. Any answer shows that it can be reached. */
  async ask<T>(question: (registry: Registry) => Promise<T>): Promise<T> {
    const registry = await this.open();
    try {
      const result = await question(registry);
      this.#state.answered = true;
      this.#state.failure = undefined;
      this.#works = true;
      return result;
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  failed(error: unknown): void {
    if (mayBeElsewhere(error)) this.#works = false;
    else if (isOciError(error) && error.status !== undefined) this.#works = true;
    if (isConnectionFailure(error)) this.#state.failure = { error, atMs: Date.now() };
    else if (isAnswer(error)) this.#state.answered = true;
  }
}

/** Whether another origin is asked after this error of an origin. */
export function mayBeElsewhere(error: unknown): boolean {
  const unclear = ['NETWORK', 'TIMEOUT', 'TLS', 'PROTOCOL', 'UNAVAILABLE', 'UNKNOWN'] as const;
  return isOciError(error, ...unclear) || (isOciError(error) && (error.status ?? 0) >= 500);
}

function isConnectionFailure(error: unknown): boolean {
  return isOciError(error, 'NETWORK', 'TIMEOUT', 'TLS') && error.status === undefined;
}

function isAnswer(error: unknown): boolean {
  return isOciError(error) && (error.status !== undefined || !isOciError(error, 'PROTOCOL', 'CANCELLED'));
}
