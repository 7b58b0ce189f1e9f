import type { Credential } from '../credentials/credential.ts';
import type { Challenge } from '../model/challenge.ts';
import type { OciError } from '../model/errors.ts';
import type { Transport } from '../transport/transport.ts';
import type { ChallengeCache } from './challenge-cache.ts';
import type { LateChallenges } from './late-challenges.ts';
import type { TokenCache } from './token-cache.ts';
import type { TokenOptions } from './token-server.ts';

export interface AuthorizerOptions {
  /**
   * The connection to the registry and its token server. At another origin its extra headers and client certificate are
   * not sent.
   */
  readonly transport: Transport;
  /**
   * Looks up the credential of this registry: when it first requires one, and again when it refuses one it had accepted.
   */
  readonly credentials: (opts?: { readonly fresh?: boolean }) => Promise<Credential | undefined>;
  /** The registry's name in messages and for `ocictl login`. Default: host[:port] of the transport's base. */
  readonly registry?: string | undefined;
  readonly tokens?: TokenOptions | undefined;
  /** Default: a new one in memory. */
  readonly tokenCache?: TokenCache | undefined;
  /** Default: a new one in memory. */
  readonly challengeCache?: ChallengeCache | undefined;
  /** Default: a new one. */
  readonly lateChallenges?: LateChallenges | undefined;
  /** Milliseconds since 1970. Tests pass their own clock. */
  readonly nowMs?: (() => number) | undefined;
}

export interface RefusedRequest {
  /** The registry's challenges. */
  readonly challenges: readonly Challenge[];
  readonly scopes: readonly string[];
  /** The `Authorization` that was refused, if one was sent. */
  readonly authorization: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Decides which `Authorization` header requests to one registry get. */
export interface Authorizer {
  /** Where the credentials that were used come from; undefined if none were used yet. */
  readonly source: string | undefined;
  /** Whether {@link late} has found credentials. */
  readonly isLate: boolean;
  /** Why the credentials that {@link late} found could not be used. */
  readonly lateRefusal: OciError | undefined;
  /** Whether {@link authorize} answers a remembered challenge, and the registry has neither sent one nor taken the answer yet. */
  readonly isUnasked: boolean;
  /**
   * The header for a request, as far as known: none before the first challenge, then a token that covers the scopes. A
   * challenge in the cache counts as well.
   *
   * @param opts.refused An `Authorization` that was refused: its token is not returned again.
   * @throws OciError as `challenged`.
   */
  authorize(
    scopes: readonly string[],
    opts?: { readonly signal?: AbortSignal | undefined; readonly refused?: string | undefined },
  ): Promise<string | undefined>;
  /** Whether its token is from a cache, and was not requested here: it may allow less than a new one, or nothing. */
  isKept(authorization: string): boolean;
  /** The registry has taken an unasked authorization. */
  taken(): void;
  /** The registry has refused an unasked authorization, and answers the same request without any. */
  unwanted(): Promise<void>;
  /**
   * The header to send after a 401, different from the refused one.
   *
   * @throws OciError UNAUTHORIZED if there is nothing else to try; DENIED; PROTOCOL for a token server that must not be
   * used, or whose answer is invalid; errors of the transport.
   */
  challenged(refused: RefusedRequest): Promise<string>;
  /**
   * The header to send after an anonymous request got 403 or 404 without a challenge, as some registries answer all
   * anonymous clients. If there is a stored login, the registry's `/v2/` is asked once for its challenge, which is
   * answered as usual.
   *
   * @returns Undefined if there is nothing to send. An error of the token server is then in {@link lateRefusal}.
   * @throws the signal's reason.
   */
  late(scopes: readonly string[], opts?: { readonly signal?: AbortSignal | undefined }): Promise<string | undefined>;
}
