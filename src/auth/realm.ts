import { OciError } from '../model/errors.ts';
import { endpointOf } from '../transport/redact.ts';

/**
 * The token server that a challenge names, checked: a registry may name any address, and credentials go there. That it
 * leads to what only we can reach, the transport refuses when it connects.
 *
 * @param registry The registry that sent the challenge.
 * @throws OciError PROTOCOL for what is no http(s) URL, holds a user, or is http where the registry speaks https:
 *   credentials would go in clear text.
 */
export function checkedRealm(realm: string, registry: URL): URL {
  const refuse = (why: string): OciError =>
    new OciError('PROTOCOL', `${registry.host} names a token server ${why}: refused`, {
      endpoint: endpointOf(registry),
    });
  if (!URL.canParse(realm)) throw refuse('whose address is no URL');
  const url = new URL(realm);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('that speaks neither http nor https');
  if (url.username !== '' || url.password !== '') throw refuse('with a user name in its address');
  if (registry.protocol === 'https:' && url.protocol === 'http:') throw refuse(`in plain http (${url.host})`);
  url.hash = '';
  return url;
}
