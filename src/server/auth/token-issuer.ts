import { type KeyObject, randomUUID, type X509Certificate } from 'node:crypto';
import { type AccessRule, actionsIn, mayList, repositoryActions } from '../../model/access-rules.ts';
import { checkOptions, type Shape } from '../../model/check-arguments.ts';
import { OciError } from '../../model/errors.ts';
import { libtrustId } from '../../model/libtrust-id.ts';
import { parseRepositoryName } from '../../model/reference/reference.ts';
import type { Access } from './access.ts';
import { checkLogins, type Login } from './logins.ts';
import { RefreshTokens } from './refresh-tokens.ts';

/** The rules that apply at one moment. */
export interface IssuerRules {
  /** Registries that tokens are issued for. The first is the default. */
  readonly services: readonly [string, ...string[]];
  /** The `iss` of tokens, by which registries trust them. */
  readonly issuer: string;
  /** How long a token is valid, in milliseconds. */
  readonly expiresMs: number;
  /** How long a refresh token is valid, in milliseconds. */
  readonly refreshExpiresMs: number;
  /** Everything that one of them allows is allowed. */
  readonly rules: readonly AccessRule[];
  /** bcrypt hashes by user name. */
  accounts(): Promise<ReadonlyMap<string, string>>;
}

export interface TokenIssuerOptions {
  /** Called for each token, so that rules may change. */
  readonly rules: () => Promise<IssuerRules>;
  /** A key on P-256. */
  readonly privateKey: KeyObject;
  /** The certificate by which registries know the key. Every token contains it. */
  readonly certificate: X509Certificate;
}

/** How a client identifies itself: not at all, with a password, or with a refresh token. */
export type Asker =
  /** No credentials: what anonymous clients may do. */
  | { readonly kind: 'nobody' }
  /** Basic credentials; undefined if the header was malformed. */
  | { readonly kind: 'password'; readonly login: Login | undefined }
  /** A refresh token that this issuer gave. */
  | { readonly kind: 'refresh-token'; readonly token: string };

export interface TokenQuestion {
  /** Who asks. */
  readonly asker: Asker;
  /** The registry that the token is for; undefined: the first one. */
  readonly service: string | undefined;
  /** `repository:NAME:pull,push`, `registry:catalog:*`. */
  readonly scopes: readonly string[];
  /** Whether a refresh token is requested too. */
  readonly offline: boolean;
  /** Address of the client: logins of one address wait for each other. */
  readonly remoteAddress?: string | undefined;
  /** Ends the waiting for a login. */
  readonly signal?: AbortSignal | undefined;
}

export interface IssuedToken {
  /** Signed (JWT). A secret. */
  readonly token: string;
  /** Undefined for a client that gave no credentials. */
  readonly user: string | undefined;
  /** How long it is valid. */
  readonly expiresInSeconds: number;
  /** When it was made. */
  readonly issuedAt: Date;
  /** What the token allows, out of the requested scopes. */
  readonly scopes: readonly string[];
  /** If one was requested, and the client is known. A secret. */
  readonly refreshToken: string | undefined;
}

export interface TokenIssuer {
  /**
   * @throws OciError UNAUTHORIZED for a wrong password or an invalid token; TOOMANYREQUESTS; USAGE for an unknown
   * service or too many scopes.
   */
  issue(question: TokenQuestion): Promise<IssuedToken>;
  /** Whether a token for this access would still be issued to a user, or to an anonymous client. */
  allows(user: string | undefined, access: readonly Access[]): Promise<boolean>;
}

// With this many long names, the token is still small enough for registries.
const maxScopes = 24;

const createTokenIssuerShape: Shape<TokenIssuerOptions> = {
  rules: 'function',
  privateKey: 'object',
  certificate: 'object',
};

/** Issues tokens for the part of the requested access that the rules allow. */
export function createTokenIssuer(options: TokenIssuerOptions): TokenIssuer {
  checkOptions('createTokenIssuer', options, createTokenIssuerShape, ['rules', 'privateKey', 'certificate']);
  const { rules, privateKey, certificate } = options;
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
    throw new OciError('UNAUTHORIZED', 'the refresh token is invalid or expired: log in again');
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
      if (!now.services.includes(service)) throw new OciError('USAGE', 'this server issues no tokens for this service');
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

/** The action for listing, and the one that Docker requests for a search. */
const catalogActions = ['*', 'search'];

interface Granted {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

// What is not allowed is left out. The registry then tells the client what its request needs.
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
