import { createHmac, hkdfSync, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { parseJson } from '../../model/json.ts';

/** The content of a refresh token. */
interface Content {
  readonly user: string;
  readonly service: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
}

const prefix = 'ocictl-refresh';
const maxLength = 4096;

/**
 * Tokens that represent a user until the password changes. The signing key is derived from the hash of the password, so
 * nothing has to be stored, and a new password or the removal of the account invalidates them.
 */
export class RefreshTokens {
  readonly #secret: Buffer;

  /** @param signingKey The key of access tokens. With another key, earlier refresh tokens are invalid. */
  constructor(signingKey: KeyObject) {
    const bytes = signingKey.export({ type: 'pkcs8', format: 'der' });
    this.#secret = Buffer.from(hkdfSync('sha256', bytes, '', prefix, 32));
  }

  make(user: string, service: string, passwordHash: string, nowMs: number): string {
    // Random, so that two logins get different tokens.
    const content = [user, service, Math.floor(nowMs / 1000), randomBytes(9).toString('base64url')];
    const text = Buffer.from(JSON.stringify(content)).toString('base64url');
    return `${prefix}.${text}.${this.#sign(text, user, passwordHash).toString('base64url')}`;
  }

  /** @returns The user; undefined if the token is invalid or expired, or is for another service. */
  verify(
    token: string,
    service: string,
    accounts: ReadonlyMap<string, string>,
    { nowMs, lifeMs }: { readonly nowMs: number; readonly lifeMs: number },
  ): string | undefined {
    const [head, text = '', signature = '', more] = token.length > maxLength ? [] : token.split('.');
    const content = readContent(text);
    if (head !== prefix || more !== undefined || content === undefined) return undefined;
    const hash = accounts.get(content.user);
    // The signature is also computed for an unknown user, so that it takes as long.
    const right = this.#sign(text, content.user, hash ?? '');
    const given = Buffer.from(signature, 'base64url');
    if (given.length !== right.length || !timingSafeEqual(given, right) || hash === undefined) return undefined;
    const ageMs = nowMs - content.issuedAt * 1000;
    return content.service === service && ageMs < lifeMs ? content.user : undefined;
  }

  #sign(text: string, user: string, passwordHash: string): Buffer {
    const key = createHmac('sha256', this.#secret)
      .update(JSON.stringify([user, passwordHash]))
      .digest();
    return createHmac('sha256', key).update(text).digest();
  }
}

function readContent(text: string): Content | undefined {
  try {
    const content = parseJson(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(content)) return undefined;
    const [user, service, issuedAt]: readonly unknown[] = content;
    if (typeof user !== 'string' || typeof service !== 'string' || typeof issuedAt !== 'number') return undefined;
    return { user, service, issuedAt };
  } catch {
    return undefined;
  }
}
