import { OciError } from '../model/errors.ts';
import { endpointOf } from '../transport/redact.ts';

/**
 * Checks the token server in a challenge, because credentials are sent to the address that the registry names. The
 * transport refuses private addresses when it connects.
 *
 * @param registry The registry that sent the challenge.
 * @throws OciError PROTOCOL if it is not an http(s) URL, contains a user, or is http while the registry is https:
 * credentials would be sent in clear text.
 */
export function checkedRealm(realm: string, registry: URL): URL {
  const refuse = (why: string): OciError =>
    new OciError('PROTOCOL', `${registry.host} names a token server ${why}: refused`, {
      endpoint: endpointOf(registry),
    });
  if (!URL.canParse(realm)) throw refuse('with an invalid address');
  const url = new URL(realm);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('that is neither http nor https');
  if (url.username !== '' || url.password !== '') throw refuse('with a user name in its address');
  if (registry.protocol === 'https:' && url.protocol === 'http:') throw refuse(`in plain http (${url.host})`);
  url.hash = '';
  return url;
}
