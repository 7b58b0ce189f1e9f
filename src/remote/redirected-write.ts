import { OciError } from '../model/errors.ts';
import { type HttpMethod, type HttpResponse, header } from '../transport/http.ts';
import { endpointOf } from '../transport/redact.ts';
import { uploadLocation } from './upload/location.ts';

const maxRedirects = 10;

/**
 * Where to send a write instead, with the same method and body; undefined if the response is not a redirect.
 *
 * @throws OciError PROTOCOL for a redirect that does not keep the method, has no Location, or is the eleventh.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.4
 */
export async function redirectedWrite(
  response: HttpResponse,
  method: HttpMethod,
  hops: number,
): Promise<URL | undefined> {
  const { status, url } = response;
  if (status < 300 || status > 399) return undefined;
  await response.body.discard();
  const refuse = (why: string, hint?: string): OciError =>
    new OciError('PROTOCOL', `${url.host} ${why}: refused`, { status, endpoint: endpointOf(url), hint });
  const doing = `redirects ${method}`;
  const location = header(response.headers, 'location');
  if (location === undefined) throw refuse(`${doing} without saying where (${status})`);
  const target = uploadLocation(location, url, doing);
  if (status !== 307 && status !== 308) {
    const hint = 'only a 307 or 308 keeps what is sent; if the registry has moved, use its new address';
    throw refuse(`${doing} to ${endpointOf(target)} with ${status}, which does not keep what is sent`, hint);
  }
  if (hops === maxRedirects) throw refuse(`redirects ${method} more than ${maxRedirects} times`);
  return target;
}
