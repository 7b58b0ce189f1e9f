/** The access control of `ocictl serve --auth`. Part of the composition root, loaded by that command only. */
import { resolve } from 'node:path';
import { openHtpasswd } from '../../config/ocictl/htpasswd.ts';
import { openReloaded } from '../../config/reloaded.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { Authorize } from '../../server/auth/access.ts';
import { createBasicAuth } from '../../server/auth/basic-auth.ts';
import { createTokenAuth } from '../../server/auth/token-auth.ts';
import { readJwks, readRoots, type TokenTrust } from '../../server/auth/token-trust.ts';
import { isLoopbackAddress } from '../../server/http/browsers.ts';

type Warn = (text: string) => void;

/**
 * @param word `htpasswd=FILE`, `token=REALM,service=NAME,issuer=NAME,cert=FILE`, with `jwks=FILE` in addition or
 * instead, or `none`.
 * @throws OciError USAGE; CONFIG_INVALID for invalid files.
 */
export async function openAuth(word: string | undefined, warn: Warn): Promise<Authorize | undefined> {
  if (word === undefined || word === 'none') return undefined;
  const [, kind, rest = ''] = /^(htpasswd|token)=(.+)$/s.exec(word) ?? [];
  if (kind === 'htpasswd') {
    return createBasicAuth({ accounts: await openHtpasswd(resolve(rest), { warn }), realm: 'ocictl' });
  }
  if (kind === 'token') return openTokenAuth(rest, warn);
  throw new OciError('USAGE', `invalid --auth ${quote(word)}`, {
    hint: `it is htpasswd=FILE, ${tokenForm}, or none`,
  });
}

const tokenForm = 'token=REALM,service=NAME,issuer=NAME,cert=FILE';
const tokenWords = ['service', 'issuer', 'cert', 'jwks'] as const;

async function openTokenAuth(text: string, warn: Warn): Promise<Authorize> {
  const [address = '', ...words] = text.split(',');
  const realm = checkRealm(address, refused);
  const given = new Map<string, string>();
  for (const word of words) {
    const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
    if (!tokenWords.some((known) => known === key) || value === '' || given.has(key)) {
      throw refused(`${quote(word)} is not allowed here`);
    }
    given.set(key, value);
  }
  const need = (key: string): string => {
    const value = given.get(key);
    if (value === undefined) throw refused(`${key} is missing`);
    return value;
  };
  const [service, issuer] = [need('service'), need('issuer')];
  if (!given.has('cert') && !given.has('jwks')) throw refused('it names no keys that tokens are verified with');
  const sources = await Promise.all(
    [...given]
      .filter(([key]) => key === 'cert' || key === 'jwks')
      .map(([key, file]) => openTrust(resolve(file), key === 'cert' ? readRoots : readJwks, warn)),
  );
  const trust = async (): Promise<TokenTrust> => {
    const all = await Promise.all(sources.map((source) => source()));
    return { roots: all.flatMap(({ roots }) => roots), keys: all.flatMap(({ keys }) => keys) };
  };
  return createTokenAuth({ realm, service, issuer, trust });
}

function openTrust(
  file: string,
  parse: (text: string, file: string) => TokenTrust,
  warn: Warn,
): Promise<() => Promise<TokenTrust>> {
  return openReloaded(file, {
    what: 'file of trusted keys',
    hint: 'it is what the token server signs with: certificates in PEM (cert=), or a JSON Web Key Set (jwks=)',
    parse: (text) => parse(text, file),
    meanwhile: 'the earlier keys stay in effect',
    warn,
  });
}

/**
 * Checks the address that clients send their passwords to: it must be https, except on this machine.
 *
 * @returns The address as it was written.
 */
export function checkRealm(realm: string, refuse: (reason: string) => Error): string {
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw refuse(`${quote(realm.replace(/\/\/[^/]*@/, '//…@'))} is not the address of a token server`);
  }
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    throw refuse('the address of the token server has a user name, a password or a fragment');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const here = host === 'localhost' || host.endsWith('.localhost') || isLoopbackAddress(host);
  if (url.protocol === 'http:' && !here) {
    throw refuse(`passwords would go to ${url.host} in clear text: the address of a token server is https`);
  }
  return realm;
}

function refused(reason: string): OciError {
  return new OciError('USAGE', `invalid --auth: ${reason}`, {
    hint: `it is ${tokenForm}, where REALM is the https address that gives tokens; jwks=FILE in place of cert=FILE`,
  });
}
