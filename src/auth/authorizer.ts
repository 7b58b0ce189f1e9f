import type { Credential } from '../credentials/credential.ts';
import type { Challenge } from '../model/challenge.ts';
import { OciError } from '../model/errors.ts';
import { endpointOf } from '../transport/redact.ts';
import type { Transport } from '../transport/transport.ts';
import { checkedRealm } from './realm.ts';
import { ScopeSet } from './scopes.ts';
import { basicAuthorization, fetchToken, type Token } from './token-server.ts';

export interface AuthorizerOptions {
  /** The way to the registry, and to its token server, which gets neither headers nor certificate at another origin. */
  readonly transport: Transport;
  /** Looks up what is known for this registry: once, when it first asks who we are. */
  readonly credentials: () => Promise<Credential | undefined>;
  /** The registry's name in messages and in `ocictl login`. Default: host[:port] of the transport's base. */
  readonly registry?: string | undefined;
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
  /**
   * What to send along, by what is known: nothing before the first challenge, afterwards a token that serves the scopes.
   *
   * @throws OciError as `challenged`.
   */
  authorize(
    scopes: readonly string[],
    opts?: { readonly signal?: AbortSignal | undefined },
  ): Promise<string | undefined>;
  /**
   * What to send after a 401, other than what was refused.
   *
   * @throws OciError UNAUTHORIZED when there is nothing else to try; DENIED; PROTOCOL for a token server that must not
   *   be asked, or answers nonsense; what the transport throws.
   */
  challenged(refused: RefusedRequest): Promise<string>;
}

type Method =
  | { readonly kind: 'basic'; readonly authorization: string }
  | { readonly kind: 'fixed'; readonly authorization: string }
  | { readonly kind: 'bearer'; readonly realm: URL; readonly service: string | undefined };

interface Held {
  readonly key: string;
  readonly scopes: ScopeSet;
  readonly token: Token;
}

const maxHeldTokens = 500;

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  return new ChallengeAuthorizer(options);
}

class ChallengeAuthorizer implements Authorizer {
  readonly #transport: Transport;
  readonly #lookup: () => Promise<Credential | undefined>;
  readonly #registry: string;
  readonly #nowMs: () => number;
  #credential: Promise<Credential | undefined> | undefined;
  #method: Method | undefined;
  #held: Held[] = [];
  readonly #exchanges = new Map<string, Promise<Token>>();

  constructor(options: AuthorizerOptions) {
    this.#transport = options.transport;
    this.#lookup = options.credentials;
    this.#registry = options.registry ?? options.transport.base.host;
    this.#nowMs = options.nowMs ?? Date.now;
  }

  async authorize(
    scopes: readonly string[],
    opts?: { readonly signal?: AbortSignal | undefined },
  ): Promise<string | undefined> {
    const method = this.#method;
    if (method === undefined) return undefined;
    if (method.kind !== 'bearer') return method.authorization;
    return `Bearer ${await this.#token(method, ScopeSet.of(scopes), opts?.signal)}`;
  }

  async challenged({ challenges, scopes, authorization, signal }: RefusedRequest): Promise<string> {
    const credential = await this.#findCredential();
    const bearer = challenges.find(({ scheme, parameters }) => scheme === 'bearer' && parameters['realm']);
    if (credential?.kind === 'registry-token' && (bearer || challenges.length === 0)) {
      return this.#fixed(`Bearer ${credential.token}`, credential, authorization);
    }
    if (bearer) return this.#bearer(bearer, scopes, authorization, signal);
    if (!challenges.some(({ scheme }) => scheme === 'basic')) {
      const offered = challenges.map(({ scheme }) => scheme).join(', ');
      throw new OciError(
        'UNAUTHORIZED',
        `unauthorized: ${this.#registry} asks for ${offered === '' ? 'no way of logging in' : offered}, which is not known here`,
        { status: 401, endpoint: endpointOf(this.#transport.base) },
      );
    }
    if (credential?.kind !== 'password') throw this.#unauthorized('authentication required', credential);
    const next = basicAuthorization(credential);
    if (next === authorization) throw this.#refusedCredential(credential);
    this.#method = { kind: 'basic', authorization: next };
    return next;
  }

  #fixed(next: string, credential: Credential, refused: string | undefined): string {
    if (next === refused) throw this.#refusedCredential(credential);
    this.#method = { kind: 'fixed', authorization: next };
    return next;
  }

  async #bearer(
    challenge: Challenge,
    scopes: readonly string[],
    refused: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const realm = await checkedRealm(challenge.parameters['realm'] ?? '', this.#transport.base);
    const method: Method = { kind: 'bearer', realm, service: challenge.parameters['service'] };
    this.#method = method;
    this.#held = this.#held.filter(({ token }) => `Bearer ${token.value}` !== refused);
    // Some registries want other scopes than the spec's for a path, and say so here.
    const named = (challenge.parameters['scope'] ?? '').split(' ').filter((scope) => scope !== '');
    return `Bearer ${await this.#token(method, ScopeSet.of([...scopes, ...named]), signal)}`;
  }

  /** A token that serves the scopes: one that is held, one that is being fetched, or a new one. */
  async #token(
    method: Extract<Method, { kind: 'bearer' }>,
    scopes: ScopeSet,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const credential = await this.#findCredential();
    const account = credential?.kind === 'password' ? credential.username : (credential?.kind ?? '');
    const key = JSON.stringify([method.realm.href, method.service ?? '', account]);
    const nowMs = this.#nowMs();
    this.#held = this.#held.filter(({ token }) => token.expiresAtMs > nowMs).slice(-maxHeldTokens);
    const held = this.#held.find((one) => one.key === key && one.scopes.contains(scopes));
    if (held) return held.token.value;
    const exchangeKey = JSON.stringify([key, scopes.toStrings()]);
    const running = this.#exchanges.get(exchangeKey) ?? this.#exchange(method, scopes, key, exchangeKey);
    return (await abortable(running, signal)).value;
  }

  // Shared by all who want it, so no single one's signal may end it; the transport's timeouts do.
  #exchange(
    { realm, service }: Extract<Method, { kind: 'bearer' }>,
    scopes: ScopeSet,
    key: string,
    exchangeKey: string,
  ): Promise<Token> {
    const run = async (): Promise<Token> => {
      try {
        const credential = await this.#findCredential();
        const request = { realm, service, scopes: scopes.toStrings(), credential, registry: this.#registry };
        const token = await fetchToken(this.#transport, request, this.#nowMs);
        this.#held.push({ key, scopes, token });
        return token;
      } finally {
        this.#exchanges.delete(exchangeKey);
      }
    };
    const exchange = run();
    this.#exchanges.set(exchangeKey, exchange);
    return exchange;
  }

  #findCredential(): Promise<Credential | undefined> {
    this.#credential ??= this.#lookup();
    return this.#credential;
  }

  #refusedCredential(credential: Credential): OciError {
    return this.#unauthorized(`${this.#registry} refused the credentials from ${credential.source}`, credential);
  }

  #unauthorized(what: string, credential: Credential | undefined): OciError {
    const unfit = credential?.kind === 'identity-token' ? ' (the token that is stored is of no use here)' : '';
    return new OciError('UNAUTHORIZED', `unauthorized: ${what}${unfit}`, {
      status: 401,
      endpoint: endpointOf(this.#transport.base),
      hint: `log in with 'ocictl login ${this.#registry}'`,
    });
  }
}

async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  promise.catch(() => {});
  signal.throwIfAborted();
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
