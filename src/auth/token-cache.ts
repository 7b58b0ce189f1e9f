import type { Credential } from '../credentials/credential.ts';
import { checkOptions, type Shape } from '../model/check-arguments.ts';
import { isOciError } from '../model/errors.ts';
import { checkNumbers } from '../model/number-options.ts';
import { ScopeSet } from './scopes.ts';
import type { Token } from './token-server.ts';

/** The request for which a token was issued. */
export interface TokenKey {
  /** The token server. */
  readonly realm: string;
  /** The `service` parameter of the challenge. */
  readonly service: string | undefined;
  /** The identity that requested it: different for every credential and process, and useless to a reader of the cache. */
  readonly identity: string;
  /** What the token is to allow: `repository:NAME:pull`. */
  readonly scopes: readonly string[];
}

/** Keeps tokens until they expire. If it fails, it counts as empty. */
export interface TokenCache {
  /** A token for these scopes, or for more. */
  get(key: TokenKey): Promise<Token | undefined>;
  /** Keeps a token until it expires, or until there is no room. */
  set(key: TokenKey, token: Token): Promise<void>;
  /** Removes a token that a registry has refused. */
  forget(value: string): Promise<void>;
  /**
   * Requests a token. Who wants one for the same key meanwhile gets the same token, or what the token server answered instead.
   * Default: each requests its own.
   *
   * @throws what the request throws.
   */
  joined?(key: TokenKey, request: () => Promise<Token>): Promise<Token>;
  /**
   * Names an identity in keys, if the cache is shared with other processes: the same for the same credential in each of them, and
   * useless to a reader. Default, and if undefined: a name that only this process gives.
   */
  identify?(credential: Credential | undefined): Promise<string | undefined>;
}

export interface TokenCacheOptions {
  /** The oldest is removed first. Default 500. */
  readonly maxTokens?: number | undefined;
  /** Milliseconds since 1970. Tests pass their own clock. */
  readonly nowMs?: (() => number) | undefined;
}

const createTokenCacheShape: Shape<TokenCacheOptions> = {
  maxTokens: 'number',
  nowMs: 'function',
};

/**
 * A cache in memory. A whole process may share one, because a token is only returned for the credential that it was
 * issued for.
 */
export function createTokenCache(options: TokenCacheOptions = {}): TokenCache {
  checkOptions('createTokenCache', options, createTokenCacheShape);
  const { maxTokens = 500, nowMs = Date.now } = options;
  checkNumbers({ maxTokens }, { maxTokens: 0 });
  const requests = new Map<string, Promise<Token>>();
  let held: { readonly place: string; readonly scopes: ScopeSet; readonly token: Token }[] = [];
  const placeOf = ({ realm, service, identity }: TokenKey): string => JSON.stringify([realm, service ?? '', identity]);
  return {
    async get(key) {
      const [place, wanted, now] = [placeOf(key), ScopeSet.of(key.scopes), nowMs()];
      held = held.filter(({ token }) => token.expiresAtMs > now);
      return held.find((one) => one.place === place && one.scopes.contains(wanted))?.token;
    },
    async set(key, token) {
      held = [...held, { place: placeOf(key), scopes: ScopeSet.of(key.scopes), token }].slice(-maxTokens);
    },
    async forget(value) {
      held = held.filter(({ token }) => token.value !== value);
    },
    async joined(key, request) {
      const name = JSON.stringify([placeOf(key), ScopeSet.of(key.scopes).toStrings()]);
      const running = requests.get(name);
      // What is no answer may concern the connections of the other alone.
      if (running) return running.catch((error: unknown) => (isAnswer(error) ? Promise.reject(error) : request()));
      const own = request().finally(() => requests.delete(name));
      requests.set(name, own);
      return own;
    },
  };
}

function isAnswer(error: unknown): boolean {
  return isOciError(error) && error.status !== undefined;
}

let secret: Buffer | undefined;

/** The identity in a {@link TokenKey}. Two passwords of a user are two identities, because one of them may be wrong. */
export async function identityOf(credential: Credential | undefined): Promise<string> {
  if (credential === undefined) return 'anonymous';
  const { createHmac, randomBytes } = await import('node:crypto');
  secret ??= randomBytes(32);
  return createHmac('sha256', secret)
    .update(JSON.stringify(proofOf(credential)))
    .digest('hex');
}

/** The whole credential, and not where it was found: the same list for the same credential. */
export function proofOf({ source: _source, ...proof }: Credential): readonly unknown[] {
  return Object.entries(proof).sort(([one], [other]) => (one < other ? -1 : 1));
}
