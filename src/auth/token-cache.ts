import type { Credential } from '../credentials/credential.ts';
import { checkNumbers } from '../model/number-options.ts';
import { ScopeSet } from './scopes.ts';
import type { Token } from './token-server.ts';

/** What a token was asked for with. */
export interface TokenKey {
  /** The token server. */
  readonly realm: string;
  readonly service: string | undefined;
  /** Who asked: another text for every credential, in every process, and of no use to anybody who reads it. */
  readonly identity: string;
  readonly scopes: readonly string[];
}

/** Keeps tokens while they are good. An error of it is the same as holding none. */
export interface TokenCache {
  /** A token for these scopes, or for more than these. */
  get(key: TokenKey): Promise<Token | undefined>;
  set(key: TokenKey, token: Token): Promise<void>;
  /** Drops a token that a registry has refused. */
  forget(value: string): Promise<void>;
}

export interface TokenCacheOptions {
  /** The oldest goes first. Default 500. */
  readonly maxTokens?: number | undefined;
  /** Milliseconds since 1970. Tests give their own. */
  readonly nowMs?: (() => number) | undefined;
}

/** One in memory. May be shared by everything in a process: nobody gets a token that another credential has earned. */
export function createTokenCache({ maxTokens = 500, nowMs = Date.now }: TokenCacheOptions = {}): TokenCache {
  checkNumbers({ maxTokens }, { maxTokens: 0 });
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
  };
}

let secret: Buffer | undefined;

/** What {@link TokenKey} calls an identity. Two passwords of one user are two of them: one may be wrong. */
export async function identityOf(credential: Credential | undefined): Promise<string> {
  if (credential === undefined) return 'anonymous';
  const { createHmac, randomBytes } = await import('node:crypto');
  secret ??= randomBytes(32);
  const { source: _source, ...proof } = credential;
  return createHmac('sha256', secret).update(JSON.stringify(proof)).digest('hex');
}
