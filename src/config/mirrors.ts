import { checkArgument } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { withoutTrailing } from '../model/without-trailing.ts';

/**
 * Checks the address of a registry mirror: http or https, a host, optionally a path, and nothing else.
 *
 * @returns The address with the scheme in lower case and exactly one slash at the end. A path is kept.
 * @throws OciError CONFIG_INVALID. A password is masked in the message.
 * @see https://docs.docker.com/docker-hub/mirror/#configure-the-docker-daemon
 */
export function validateMirror(text: string): string {
  checkArgument('validateMirror', 'the mirror', text, 'string');
  const [, scheme = '', rest = ''] = /^([^:/?#]*):\/\/(.*)$/s.exec(text) ?? [];
  const shown = quote(mask(text));
  if (scheme === '') return refuse(`no scheme in ${shown}, it must begin with https:// or http://`);
  if (!/^https?$/i.test(scheme)) return refuse(`unsupported scheme ${quote(scheme)} in ${shown}`);
  if (/[?#]/.test(rest)) return refuse(`query or fragment after ${shown}`);
  if (/^[^/]*@/.test(rest)) return refuse(`username or password in ${shown}`);
  // The WHATWG parser would skip to the next host, convert backslashes, or encode characters that Go's parser refuses.
  if (!/^[^/]/.test(rest)) return refuse(`no host in ${shown}`);
  if (/[\s\\\p{Cc}]|%(?![0-9a-f]{2})/iu.test(rest)) return refuse(`${shown} is not a valid URI`);
  const normal = `${scheme.toLowerCase()}://${withoutTrailing(rest, '/')}/`;
  if (!URL.canParse(normal)) return refuse(`${shown} is not a valid URI`);
  return normal;
}

// Passwords, and tokens in a query, must not get into terminals or logs.
function mask(text: string): string {
  return text.replace(/[?#].*$/s, '').replace(/^(\w+:\/\/)?([^:@/]*):.*@/s, '$1$2:xxxxx@');
}

function refuse(reason: string): never {
  throw new OciError('CONFIG_INVALID', `invalid mirror: ${reason}`, {
    hint: 'write a mirror as https://mirror.example.com, without user, query or fragment; log in to it with `ocictl login`',
  });
}
