import { type KeyObject, randomUUID, type X509Certificate } from 'node:crypto';
import { type AccessRule, actionsIn, mayList, repositoryActions } from '../../model/access-rules.ts';
import { OciError } from '../../model/errors.ts';
import { libtrustId } from '../../model/libtrust-id.ts';
import { parseRepositoryName } from '../../model/reference/reference.ts';
import type { Access } from './access.ts';
import { checkLogins, type Login } from './logins.ts';
import { RefreshTokens } from './refresh-tokens.ts';

/** Who may do what, at a moment. */
export interface IssuerRules {
  /** Registries that tokens are made for; the first is meant where none is named. */
  readonly services: readonly [string, ...string[]];
  readonly issuer: string;
  readonly expiresMs: number;
  readonly refreshExpiresMs: number;
  readonly rules: readonly AccessRule[];
  /** bcrypt hashes by user. */
  accounts(): Promise<ReadonlyMap<string, string>>;
}

export interface TokenIssuerOptions {
  readonly rules: () => Promise<IssuerRules>;
  /** Of a key on P-256. */
  readonly privateKey: KeyObject;
  /** By which registries know the key; it goes into every token. */
  readonly certificate: X509Certificate;
}

/** Who asks, as whom: nobody, with a password, or with a refresh token. */
export type Asker =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'password'; readonly login: Login | undefined }
  | { readonly kind: 'refresh-token'; readonly token: string };

export interface TokenQuestion {
  readonly asker: Asker;
  readonly service: string | undefined;
  /** `repository:NAME:pull,push`, `registry:catalog:*`. */
  readonly scopes: readonly string[];
  /** Whether a refresh token is wanted too. */
  readonly offline: boolean;
  /** Where it comes from: logins of one address wait for each other. */
  readonly remoteAddress?: string | undefined;
  /** Ends the wait for a login. */
  readonly signal?: AbortSignal | undefined;
}

export interface IssuedToken {
  readonly token: string;
  readonly user: string | undefined;
  readonly expiresInSeconds: number;
  readonly issuedAt: Date;
  /** What it allows of what was asked. */
  readonly scopes: readonly string[];
  readonly refreshToken: string | undefined;
}

export interface TokenIssuer {
  /**
   * @throws OciError UNAUTHORIZED where the password or token does not do; TOOMANYREQUESTS; USAGE for a service that is
   *   not known, or too many scopes.
   */
  issue(question: TokenQuestion): Promise<IssuedToken>;
  /** Whether a token for this would still be given to a user, or to nobody. */
  allows(user: string | undefined, access: readonly Access[]): Promise<boolean>;
}

// So many long names fit into a token that registries still take.
const maxScopes = 24;

/** Makes tokens that allow what the rules allow of what was asked. */
export function tokenIssuer({ rules, privateKey, certificate }: TokenIssuerOptions): TokenIssuer {
  const isRight = checkLogins(async () => (await rules()).accounts());
  const refreshTokens = new RefreshTokens(privateKey);
  const header = {
    alg: 'ES256',
    typ: 'JWT',
    kid: libtrustId(certificate.publicKey),
    x5c: [certificate.raw.toString('base64')],
  };
  const userOf = async (
    { asker, remoteAddress = '', signal }: TokenQuestion,
    service: string,
    now: IssuerRules,
  ): Promise<string | undefined> => {
    if (asker.kind === 'nobody') {
      if (now.rules.some(({ who }) => who === 'anybody')) return undefined;
      throw new OciError('UNAUTHORIZED', 'authentication required');
    }
    if (asker.kind === 'password') {
      if (asker.login !== undefined && (await isRight(asker.login, { remoteAddress, signal }))) {
        return asker.login.user;
      }
      throw new OciError('UNAUTHORIZED', 'incorrect username or password');
    }
    const life = { nowMs: Date.now(), lifeMs: now.refreshExpiresMs };
    const user = refreshTokens.verify(asker.token, service, await now.accounts(), life);
    if (user !== undefined) return user;
    throw new OciError('UNAUTHORIZED', 'the refresh token does not count, or no longer: log in again');
  };
  return {
    async allows(user, access) {
      const now = await rules();
      if (user !== undefined && !(await now.accounts()).has(user)) return false;
      return access.every(({ type, name, actions }) => {
        if (type === 'registry') return mayList(now.rules, user);
        const may = actionsIn(now.rules, user, name);
        return actions.every((action) => may.has(action));
      });
    },
    async issue(question) {
      const { service: named, scopes, offline } = question;
      const now = await rules();
      const service = named ?? now.services[0];
      if (!now.services.includes(service)) throw new OciError('USAGE', 'no tokens are made for this service');
      if (scopes.length > maxScopes) throw new OciError('USAGE', `more than ${maxScopes} scopes in one token`);
      const user = await userOf(question, service, now);
      const access = grant(scopes, now.rules, user);
      const issuedAt = new Date(Math.floor(Date.now() / 1000) * 1000);
      const [start, life] = [issuedAt.getTime() / 1000, Math.floor(now.expiresMs / 1000)];
      const { SignJWT } = await import('jose');
      const token = await new SignJWT({ access })
        .setProtectedHeader(header)
        .setIssuer(now.issuer)
        .setSubject(user ?? '')
        .setAudience(service)
        .setIssuedAt(start)
        .setNotBefore(start)
        .setExpirationTime(start + life)
        .setJti(randomUUID())
        .sign(privateKey);
      const hash = user === undefined || !offline ? undefined : (await now.accounts()).get(user);
      return {
        token,
        user,
        expiresInSeconds: life,
        issuedAt,
        scopes: access.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`),
        refreshToken:
          user === undefined || hash === undefined
            ? undefined
            : refreshTokens.make(user, service, hash, issuedAt.getTime()),
      };
    },
  };
}

/** To list all, and what Docker asks for to search. */
const catalogActions = ['*', 'search'];

interface Granted {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

// What is not allowed is left out; the registry then says what its request would have needed.
function grant(scopes: readonly string[], rules: readonly AccessRule[], user: string | undefined): readonly Granted[] {
  const granted = new Map<string, Set<string>>();
  for (const scope of scopes) {
    const [, type, name = '', list = ''] = /^([^:]+):(.+):([^:]*)$/.exec(scope) ?? [];
    const wanted = new Set(list.split(','));
    const allowed = type === 'repository' ? allowedIn(name, wanted, rules, user) : [];
    if (type === 'registry' && name === 'catalog' && mayList(rules, user)) {
      allowed.push(...catalogActions.filter((action) => wanted.has(action)));
    }
    if (allowed.length === 0) continue;
    const resource = `${type}:${name}`;
    granted.set(resource, new Set([...(granted.get(resource) ?? []), ...allowed]));
  }
  return [...granted].map(([resource, actions]) => {
    const colon = resource.indexOf(':');
    return { type: resource.slice(0, colon), name: resource.slice(colon + 1), actions: [...actions] };
  });
}

function allowedIn(
  name: string,
  wanted: ReadonlySet<string>,
  rules: readonly AccessRule[],
  user: string | undefined,
): string[] {
  if (!isRepositoryName(name)) return [];
  const may = actionsIn(rules, user, name);
  return repositoryActions.filter((action) => may.has(action) && (wanted.has(action) || wanted.has('*')));
}

function isRepositoryName(name: string): boolean {
  try {
    return parseRepositoryName(name) === name;
  } catch {
    return false;
  }
}
