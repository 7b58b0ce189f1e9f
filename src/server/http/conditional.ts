import type { Digest } from '../../model/digest.ts';
import { tryParseDigest } from '../../model/digest.ts';
import type { Exchange } from './exchange.ts';

/** Cache-Control for content by digest, which never changes. */
export const foreverCached = 'private, max-age=31536000, immutable';

export function etagOf(digest: Digest): string {
  return `"${digest}"`;
}

/** The entity tags of `If-None-Match`. @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2 */
export function knownDigests(exchange: Exchange): readonly Digest[] {
  const words = (exchange.header('if-none-match') ?? '').split(',').map((word) => word.trim().replace(/^W\//, ''));
  return words.map((word) => tryParseDigest(word.replace(/^"(.*)"$/, '$1'))).filter((digest) => digest !== undefined);
}

/** Whether the client has this content already, according to `If-None-Match`. */
export function isKnown(exchange: Exchange, digest: Digest): boolean {
  return exchange.header('if-none-match')?.trim() === '*' || knownDigests(exchange).includes(digest);
}
