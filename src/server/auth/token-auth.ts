import type { Challenge } from '../../model/challenge.ts';
import { checkOptions, type Shape } from '../../model/check-arguments.ts';
import { quote } from '../../model/quote.ts';
import { type Access, type AccessRequest, type Authorize, type Decision, denied, formatScope } from './access.ts';
import { keyFor, type TokenTrust } from './token-trust.ts';

export interface TokenAuthOptions {
  /** Where clients get tokens: a URL, or a function, since it may depend on the host name of the request. */
  readonly realm: string | ((request: AccessRequest) => Promise<string>);
  /** The required audience of tokens (`aud`). */
  readonly service: string | (() => Promise<string>);
  /** The required issuer of tokens (`iss`). */
  readonly issuer: string | (() => Promise<string>);
  /** Returns the keys and certificates that are trusted now. */
  readonly trust: () => Promise<TokenTrust>;
  /** Called for a valid token, if rights may change during its lifetime. */
  readonly stillAllowed?: (user: string | undefined, access: readonly Access[]) => Promise<boolean>;
}

/** Accepted difference between clocks, as in distribution. */
const leewaySeconds = 60;
const maxTokenBytes = 16 * 1024;

/** Signatures that only the holder of a private key can make: not `none`, and no shared secrets. */
const algorithms = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'];

const createTokenAuthShape: Shape<TokenAuthOptions> = {
  realm: ['string', 'function'],
  service: ['string', 'function'],
  issuer: ['string', 'function'],
  trust: 'function',
  stillAllowed: 'function',
};

/**
 * Grants a request with a token for the access that it needs; other requests are challenged to get one.
 *
 * @see https://distribution.github.io/distribution/spec/auth/jwt/
 */
export function createTokenAuth(options: TokenAuthOptions): Authorize {
  checkOptions('createTokenAuth', options, createTokenAuthShape, ['realm', 'service', 'issuer', 'trust']);
  const { realm, service, issuer, trust, stillAllowed } = options;
  return async (request) => {
    const { headers, access } = request;
    const audience = await now(service);
    const challenge = async (error?: string, reason?: string, more?: More): Promise<Decision> => {
      const scope = formatScope(access);
      const parameters: Challenge['parameters'] = {
        realm: typeof realm === 'string' ? realm : await realm(request),
        service: audience,
        ...(scope !== undefined && { scope }),
        ...(error !== undefined && { error }),
      };
      return { outcome: 'challenge', challenges: [{ scheme: 'bearer', parameters }], reason, ...more };
    };

    const [, token] = /^bearer +(\S+) *$/i.exec(headers.authorization ?? '') ?? [];
    if (token === undefined) {
      // Docker does not get a token for a search without a login, so an anonymous search is granted if the rules allow it.
      const searches = access.length > 0 && access.every((wanted) => wanted.type === 'registry' && wanted.suffices);
      return searches && (await stillAllowed?.(undefined, access)) ? { outcome: 'grant' } : challenge();
    }
    if (token.length > maxTokenBytes) return challenge('invalid_token', 'the token is too long');
    const claims = await verify(token, { audience, issuer: await now(issuer), trust: await trust() });
    if ('reason' in claims) return challenge('invalid_token', claims.reason);
    const { user, access: held } = claims;
    const mayStill = stillAllowed === undefined || (await stillAllowed(user, access));
    if (!mayStill || !access.every((wanted) => isHeld(wanted, held))) {
      const who = user === undefined ? 'the token' : `the token of ${quote(user)}`;
      const reason = `${who} does not allow ${formatScope(access) ?? 'anything now'}`;
      const message = user === undefined ? undefined : denied;
      return challenge('insufficient_scope', reason, { message, isFinal: !mayStill });
    }
    return { outcome: 'grant', ...(user !== undefined && { user }) };
  };
}

/** Further fields of a challenge. */
type More = Pick<Extract<Decision, { readonly outcome: 'challenge' }>, 'message' | 'isFinal'>;

interface TokenAccess {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

interface Claims {
  readonly user: string | undefined;
  readonly access: readonly TokenAccess[];
}

interface Expected {
  readonly audience: string;
  readonly issuer: string;
  readonly trust: TokenTrust;
}

async function verify(
  token: string,
  { audience, issuer, trust }: Expected,
): Promise<Claims | { readonly reason: string }> {
  const { jwtVerify } = await import('jose');
  try {
    const { payload } = await jwtVerify(
      token,
      (header) => {
        const key = keyFor(header, trust, new Date());
        if (key === undefined) throw new Error('it is not signed with a trusted key');
        return key;
      },
      { algorithms, audience, issuer, clockTolerance: leewaySeconds, requiredClaims: ['exp'] },
    );
    const access = readAccess(payload['access']);
    if (access === undefined) return { reason: 'the token is refused: its access claim is malformed' };
    const { sub } = payload;
    return { user: typeof sub === 'string' && sub !== '' ? sub : undefined, access };
  } catch (error) {
    return { reason: `the token is refused: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The `access` claim; undefined if it is malformed. Without the claim, the token only identifies the user. */
function readAccess(claim: unknown): readonly TokenAccess[] | undefined {
  if (claim === undefined || claim === null) return [];
  if (!Array.isArray(claim) || !claim.every(isTokenAccess)) return undefined;
  return claim;
}

function isTokenAccess(entry: unknown): entry is TokenAccess {
  if (typeof entry !== 'object' || entry === null) return false;
  const { type, name, actions } = entry as {
    readonly type?: unknown;
    readonly name?: unknown;
    readonly actions?: unknown;
  };
  if (typeof type !== 'string' || typeof name !== 'string' || !Array.isArray(actions)) return false;
  return actions.every((action) => typeof action === 'string');
}

function isHeld(wanted: Access, held: readonly TokenAccess[]): boolean {
  const { type, name, actions } = wanted;
  const mine = new Set(held.filter((each) => each.type === type && each.name === name).flatMap((each) => each.actions));
  if (wanted.type === 'registry' && wanted.suffices !== undefined && mine.has(wanted.suffices)) return true;
  return actions.every((action) => mine.has(action));
}

async function now<T>(value: T | (() => Promise<T>)): Promise<T> {
  return value instanceof Function ? value() : value;
}
