import type { Credential } from '../credentials/credential.ts';
import type { Challenge } from '../model/challenge.ts';
import { isOciError, type OciError } from '../model/errors.ts';
import { RecentMap } from '../model/recent-map.ts';
import { unlessAborted } from '../model/signals/when-aborted.ts';
import type { Transport } from '../transport/transport.ts';
import { type ChallengeCache, createChallengeCache, lasting } from './challenge-cache.ts';
import type { Authorizer, AuthorizerOptions, RefusedRequest } from './contract.ts';
import { LateChallenges } from './late-challenges.ts';
import { checkedRealm } from './realm.ts';
import { ScopeSet } from './scopes.ts';
import { createTokenCache, identityOf, type TokenCache, type TokenKey } from './token-cache.ts';
import { basicAuthorization, fetchToken, type Token } from './token-server.ts';
import { refusedCredential, unauthorized, unsupportedChallenges } from './unauthorized.ts';

type Method =
  | { readonly kind: 'basic'; readonly authorization: string }
  | { readonly kind: 'fixed'; readonly authorization: string }
  | Bearer;

interface Bearer {
  readonly kind: 'bearer';
  readonly realm: URL;
  readonly service: string | undefined;
}

const maxKept = 100;

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  return new ChallengeAuthorizer(options);
}

class ChallengeAuthorizer implements Authorizer {
  readonly #transport: Transport;
  readonly #lookup: AuthorizerOptions['credentials'];
  readonly #asking: { readonly registry: string; readonly base: URL };
  readonly #nowMs: () => number;
  #credential: Promise<Credential | undefined> | undefined;
  #source: string | undefined;
  #renewed: { readonly token?: string } = {};
  /** Whether a token server has accepted the credential before. */
  #taken = false;
  #method: Method | undefined;
  #recalled: Promise<readonly Challenge[] | undefined> | undefined;
  readonly #options: AuthorizerOptions;
  readonly #tokens: TokenCache;
  readonly #challenges: ChallengeCache;
  readonly #late: LateChallenges;
  #isLate = false;
  #isUnasked = false;
  /** What a token server has refused unasked: it is not asked the same again when the registry does ask. */
  #refusal: { readonly exchangeKey: string; readonly error: OciError } | undefined;
  #lateRefusal: OciError | undefined;
  /** Tokens that were requested here, and the headers with others. */
  readonly #requested = new WeakSet<Token>();
  readonly #kept = new RecentMap<string, true>(maxKept);
  readonly #exchanges = new Map<string, Promise<Token>>();

  constructor(options: AuthorizerOptions) {
    this.#transport = options.transport;
    this.#lookup = options.credentials;
    const { base } = options.transport;
    this.#asking = { registry: options.registry ?? base.host, base };
    this.#nowMs = options.nowMs ?? Date.now;
    this.#options = options;
    this.#tokens = options.tokenCache ?? createTokenCache({ nowMs: options.nowMs });
    this.#challenges = options.challengeCache ?? createChallengeCache();
    this.#late = options.lateChallenges ?? new LateChallenges();
  }

  get source(): string | undefined {
    // Before a challenge the credential may have been looked up, but it was not used.
    return this.#method === undefined ? undefined : this.#source;
  }

  get isLate(): boolean {
    return this.#isLate;
  }

  get lateRefusal(): OciError | undefined {
    return this.#lateRefusal;
  }

  get isUnasked(): boolean {
    return this.#isUnasked;
  }

  isKept(authorization: string): boolean {
    return this.#kept.has(authorization);
  }

  taken(): void {
    this.#isUnasked = false;
  }

  async unwanted(): Promise<void> {
    if (!this.#isUnasked) return;
    this.#stopRecalling();
    await this.#challenges.set(this.#transport.base.href, []).catch(() => {});
  }

  async authorize(
    scopes: readonly string[],
    opts?: { readonly signal?: AbortSignal | undefined; readonly refused?: string | undefined },
  ): Promise<string | undefined> {
    this.#refusal = undefined;
    await this.#forget(opts?.refused);
    const method = this.#method;
    if (method === undefined) {
      const recalled = await this.#recall(scopes, opts?.signal);
      return recalled ?? (this.#late.known(this.#transport) && this.late(scopes, opts));
    }
    if (method.kind !== 'bearer') return method.authorization;
    return `Bearer ${await this.#token(method, ScopeSet.of(scopes), opts?.signal)}`;
  }

  async challenged(refused: RefusedRequest): Promise<string> {
    this.#isUnasked = false;
    const next = await this.#meet(refused);
    if (refused.challenges.length > 0) {
      await this.#challenges.set(this.#transport.base.href, refused.challenges.map(lasting)).catch(() => {});
    }
    return next;
  }

  async late(
    scopes: readonly string[],
    opts?: { readonly signal?: AbortSignal | undefined },
  ): Promise<string | undefined> {
    const signal = opts?.signal;
    if (this.#method !== undefined) return this.authorize(scopes, opts);
    // A failing helper is reported only if the registry requires credentials; so far it has not.
    const found = this.#lateRefusal ? undefined : await this.#findCredential().catch(() => undefined);
    if (found === undefined) return undefined;
    const challenges = await unlessAborted(this.#late.ask(this.#transport), signal);
    if (challenges.length === 0) return undefined;
    try {
      const next = await this.challenged({ challenges, scopes, authorization: undefined, signal });
      this.#isLate = true;
      return next;
    } catch (error) {
      signal?.throwIfAborted();
      if (!isOciError(error)) throw error;
      this.#method = undefined;
      this.#lateRefusal = error;
      return undefined;
    }
  }

  /**
   * Answers a challenge from the cache. If that fails, the error is dropped: the registry will send a current challenge.
   */
  async #recall(scopes: readonly string[], signal: AbortSignal | undefined): Promise<string | undefined> {
    this.#recalled ??= this.#challenges.get(this.#transport.base.href).catch(() => undefined);
    const challenges = await this.#recalled;
    if (challenges === undefined || challenges.length === 0) return undefined;
    // The connection is made while a token is asked for.
    this.#transport.open();
    try {
      this.#isUnasked = true;
      return await this.#meet({ challenges, scopes, authorization: undefined, signal });
    } catch (error) {
      if (!isOciError(error) || signal?.aborted) throw error;
      if (this.#method?.kind === 'bearer' && (error.code === 'UNAUTHORIZED' || error.code === 'DENIED')) {
        this.#refusal = { exchangeKey: exchangeKeyOf(this.#method, ScopeSet.of(scopes)), error };
      }
      this.#stopRecalling();
      return undefined;
    }
  }

  #stopRecalling(): void {
    this.#isUnasked = false;
    this.#method = undefined;
    this.#recalled = Promise.resolve(undefined);
  }

  async #meet({ challenges, scopes, authorization, signal }: RefusedRequest): Promise<string> {
    const credential = await this.#findCredential();
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters['realm']);
    if (credential?.kind === 'registry-token' && (bearer || challenges.length === 0)) {
      return this.#fixed(`Bearer ${credential.token}`, credential, authorization);
    }
    if (bearer) return this.#bearer(bearer, scopes, authorization, signal);
    if (!challenges.some(({ scheme }) => scheme === 'basic')) throw unsupportedChallenges(this.#asking, challenges);
    if (credential?.kind !== 'password') throw unauthorized(this.#asking, 'authentication required', credential);
    const next = basicAuthorization(credential);
    if (next === authorization) {
      if (!(await this.#hasChanged(credential))) throw refusedCredential(this.#asking, credential);
      return this.#meet({ challenges, scopes, authorization, signal });
    }
    this.#method = { kind: 'basic', authorization: next };
    return next;
  }

  #fixed(next: string, credential: Credential, refused: string | undefined): string {
    if (next === refused) throw refusedCredential(this.#asking, credential);
    this.#method = { kind: 'fixed', authorization: next };
    return next;
  }

  async #bearer(
    challenge: Challenge,
    scopes: readonly string[],
    refused: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const realm = checkedRealm(challenge.parameters['realm'] ?? '', this.#transport.base);
    const method: Bearer = { kind: 'bearer', realm, service: challenge.parameters['service'] };
    this.#method = method;
    await this.#forget(refused);
    // Some registries require other scopes than the spec's, and name them in the challenge.
    const named = (challenge.parameters['scope'] ?? '').split(' ').filter((scope) => scope !== '');
    return `Bearer ${await this.#token(method, ScopeSet.of([...scopes, ...named]), signal)}`;
  }

  async #forget(refused: string | undefined): Promise<void> {
    if (refused?.startsWith('Bearer ')) await this.#tokens.forget(refused.slice('Bearer '.length)).catch(() => {});
  }

  /** A token that covers the scopes: a cached one, one that is being fetched, or a new one. */
  async #token(method: Bearer, scopes: ScopeSet, signal: AbortSignal | undefined): Promise<string> {
    const exchangeKey = exchangeKeyOf(method, scopes);
    const refusal = this.#refusal;
    this.#refusal = undefined;
    if (refusal?.exchangeKey === exchangeKey) throw refusal.error;
    const running = this.#exchanges.get(exchangeKey) ?? this.#exchange(method, scopes.toStrings(), exchangeKey);
    return (await unlessAborted(running, signal)).value;
  }

  // Several requests share it, so it is not bound to the signal of one; the transport's timeouts end it.
  #exchange(method: Bearer, scopes: readonly string[], exchangeKey: string): Promise<Token> {
    const run = async (): Promise<Token> => {
      const credential = await this.#findCredential();
      try {
        return await this.#fetch(method, scopes, credential);
      } catch (error) {
        const stale = credential && this.#taken && isOciError(error, 'UNAUTHORIZED');
        if (!stale || !(await this.#hasChanged(credential))) throw error;
        return await this.#fetch(method, scopes, await this.#findCredential());
      } finally {
        this.#exchanges.delete(exchangeKey);
      }
    };
    const exchange = run();
    this.#exchanges.set(exchangeKey, exchange);
    return exchange;
  }

  async #fetch(
    { realm, service }: Bearer,
    scopes: readonly string[],
    credential: Credential | undefined,
  ): Promise<Token> {
    const identity = (await this.#tokens.identify?.(credential)) ?? (await identityOf(credential));
    const key: TokenKey = { realm: realm.href, service, identity, scopes };
    const held = await this.#tokens.get(key).catch(() => undefined);
    const isGood = held && held.expiresAtMs > this.#nowMs();
    if (isGood && !this.#requested.has(held)) this.#kept.set(`Bearer ${held.value}`, true);
    if (isGood) return held;
    const request = {
      ...{ realm, service, scopes, registry: this.#asking.registry, options: this.#options.tokens },
      credential: credential?.kind === 'identity-token' ? { ...credential, ...this.#renewed } : credential,
    };
    const ask = async (): Promise<Token> => {
      const got = await fetchToken(this.#transport, request, this.#nowMs);
      // Some servers accept an identity token only once, and return the next one in the response.
      if (got.identityToken !== undefined) this.#renewed = { token: got.identityToken };
      await this.#tokens.set(key, got).catch(() => {});
      return got;
    };
    const token = await (this.#tokens.joined?.(key, ask) ?? ask());
    this.#taken = true;
    this.#requested.add(token);
    return token;
  }

  /** Whether another credential is stored by now: some helpers give passwords for hours, or the user may have logged in. */
  async #hasChanged(refused: Credential): Promise<boolean> {
    const found = await this.#lookup({ fresh: true });
    if (!found || (await identityOf(found)) === (await identityOf(refused))) return false;
    this.#credential = Promise.resolve(found);
    this.#source = found.source;
    this.#renewed = {};
    return true;
  }

  #findCredential(): Promise<Credential | undefined> {
    this.#credential ??= this.#lookup().then((found) => {
      this.#source = found?.source;
      return found;
    });
    return this.#credential;
  }
}

function exchangeKeyOf({ realm, service }: Bearer, scopes: ScopeSet): string {
  return JSON.stringify([realm.href, service ?? '', scopes.toStrings()]);
}
