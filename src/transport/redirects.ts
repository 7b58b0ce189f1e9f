import { OciError } from '../model/errors.ts';
import { endpointOf } from './redact.ts';

/** Whether a status redirects a GET or HEAD. */
export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/**
 * The target of a `Location`.
 *
 * @throws OciError PROTOCOL if it is not an http(s) URL, contains a user and password, or leads from https to http,
 * where others could read and change what is sent.
 */
export function redirectTarget(location: string, from: URL): URL {
  const refuse = (why: string): OciError =>
    new OciError('PROTOCOL', `${from.host} redirects to ${why}: refused`, { endpoint: endpointOf(from) });
  // Header bytes arrive as latin1; a URL is ASCII or UTF-8.
  const text = Buffer.from(location, 'latin1').toString('utf8');
  if (!URL.canParse(text, from.href)) throw refuse('an invalid URL');
  const target = new URL(text, from);
  if (target.protocol !== 'https:' && target.protocol !== 'http:') throw refuse('another protocol than http');
  if (target.username !== '' || target.password !== '') throw refuse('a URL with a user name');
  if (from.protocol === 'https:' && target.protocol === 'http:') throw refuse(`plain http (${target.host})`);
  target.hash = '';
  return target;
}
