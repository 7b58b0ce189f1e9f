import { OciError } from '../model/errors.ts';
import { endpointOf } from './redact.ts';

/** The statuses that send a GET or HEAD elsewhere. */
export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/**
 * Where a `Location` leads.
 *
 * @throws OciError PROTOCOL for what is no http(s) URL, holds a user and password, or leads from https to http, where
 *   anyone on the way could read and change what is sent.
 */
export function redirectTarget(location: string, from: URL): URL {
  const refuse = (why: string): OciError =>
    new OciError('PROTOCOL', `${from.host} redirects to ${why}: refused`, { endpoint: endpointOf(from) });
  // A header's bytes arrive as latin1; URLs in it are ASCII or UTF-8.
  const text = Buffer.from(location, 'latin1').toString('utf8');
  if (!URL.canParse(text, from.href)) throw refuse('something that is no URL');
  const target = new URL(text, from);
  if (target.protocol !== 'https:' && target.protocol !== 'http:') throw refuse('another protocol than http');
  if (target.username !== '' || target.password !== '') throw refuse('a URL with a user name in it');
  if (from.protocol === 'https:' && target.protocol === 'http:') throw refuse(`plain http (${target.host})`);
  target.hash = '';
  return target;
}
