import type { Credential } from '../credentials/credential.ts';
import type { Challenge } from '../model/challenge.ts';
import type { OciError } from '../model/errors.ts';
import type { Transport } from '../transport/transport.ts';
import type { ChallengeCache } from './challenge-cache.ts';
import type { LateChallenges } from './late-challenges.ts';
import type { TokenCache } from './token-cache.ts';
import type { TokenOptions } from './token-server.ts';

export interface AuthorizerOptions {
  /** The way to the registry, and to its token server, which gets neither headers nor certificate at another origin. */
  readonly transport: Transport;
  /** Looks up what is known for this registry: when it first asks who we are, and when it refuses what it has taken. */
  readonly credentials: (opts?: { readonly fresh?: boolean }) => Promise<Credential | undefined>;
  /** The registry's name in messages and in `ocictl login`. Default: host[:port] of the transport's base. */
  readonly registry?: string | undefined;
  readonly tokens?: TokenOptions | undefined;
  /** Default: one of its own, in memory. */
  readonly tokenCache?: TokenCache | undefined;
  /** Default: one of its own, in memory. */
  readonly challengeCache?: ChallengeCache | undefined;
  /** Default: one of its own. */
  readonly lateChallenges?: LateChallenges | undefined;
  /** Milliseconds since 1970. Tests give their own. */
  readonly nowMs?: (() => number) | undefined;
}

export interface RefusedRequest {
  /** What the registry wants to see. */
  readonly challenges: readonly Challenge[];
  readonly scopes: readonly string[];
  /** The `Authorization` that was refused, where one was sent. */
  readonly authorization: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Decides what `Authorization` a request to one registry carries. */
export interface Authorizer {
  /** Where the credentials were found that it has shown; undefined while it has shown none. */
  readonly source: string | undefined;
  /** Whether {@link late} has found what to show. */
  readonly isLate: boolean;
  /** Why a login that {@link late} found could not be shown. */
  readonly lateRefusal: OciError | undefined;
  /**
   * What to send along, by what is known: nothing before the first challenge, afterwards a token that serves the scopes.
   * A challenge that was met before, and is remembered, counts.
   *
   * @param opts.refused An `Authorization` that was not taken: its token is not given again.
   * @throws OciError as `challenged`.
   */
  authorize(
    scopes: readonly string[],
    opts?: { readonly signal?: AbortSignal | undefined; readonly refused?: string | undefined },
  ): Promise<string | undefined>;
  /**
   * What to send after a 401, other than what was refused.
   *
   * @throws OciError UNAUTHORIZED when there is nothing else to try; DENIED; PROTOCOL for a token server that must not
   *   be asked, or answers nonsense; what the transport throws.
   */
  challenged(refused: RefusedRequest): Promise<string>;
  /**
   * What to send after a request that showed nothing was answered 403 or 404 without a challenge, as some registries answer
   * all strangers: where a login is stored, the registry's `/v2/` is asked once for its challenge, which decides as ever.
   *
   * @returns Undefined where there is nothing to show. What a token server answers is then in {@link lateRefusal}.
   * @throws the signal's reason.
   */
  late(scopes: readonly string[], opts?: { readonly signal?: AbortSignal | undefined }): Promise<string | undefined>;
}
