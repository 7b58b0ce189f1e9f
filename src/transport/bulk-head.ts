/** The head of an answer as the plainest of servers send it. Whatever else is HTTP is left to undici. */

export interface BulkHead {
  readonly status: number;
  /** Names in lower case; a field that came several times is a list. */
  readonly headers: Record<string, string | string[]>;
  readonly bodyBytes: number;
  /** How long the connection may rest before its next request; 0 where there is none. */
  readonly restMs: number;
}

const statusLine = /^HTTP\/1\.1 ([2-5]\d\d)(?: [\t\x20-\x7e]*)?$/;
const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const plainText = /^[\t\x20-\x7e]*$/;
/** Statuses whose answers have no body, whatever their Content-Length says. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);
/** Fields after which the bytes that follow are not simply the content. */
const framing = ['transfer-encoding', 'content-encoding', 'trailer', 'upgrade'];
/** A server closes a connection that rests as long as it said; a request must not meet that. */
const keepAliveMarginMs = 1000;

/**
 * Reads a head, without the empty line that ends it.
 *
 * @param text As latin1.
 * @param hasBody Whether a body follows; a HEAD's answer may leave out how long it would have been.
 * @returns Undefined for everything that is not strictly a final HTTP/1.1 answer with one Content-Length.
 */
export function parseBulkHead(text: string, keepAliveMs: number, hasBody: boolean): BulkHead | undefined {
  const [first = '', ...lines] = text.split('\r\n');
  const status = Number(statusLine.exec(first)?.[1] ?? 0);
  if (status === 0 || bodiless.has(status)) return undefined;
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    // A bare CR or LF, a folded line and a blank before the colon are where parsers disagree.
    if (colon < 1 || !fieldName.test(line.slice(0, colon)) || !plainText.test(line)) return undefined;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = headers[name];
    if (earlier === undefined) headers[name] = value;
    // A list grows in place: one made anew for each line costs the square of a field that is repeated.
    else if (Array.isArray(earlier)) earlier.push(value);
    else headers[name] = [earlier, value];
  }
  const length = headers['content-length'] ?? (hasBody ? undefined : '0');
  if (typeof length !== 'string' || !/^\d{1,15}$/.test(length)) return undefined;
  if (framing.some((name) => headers[name] !== undefined)) return undefined;
  const connection = headers['connection'] ?? 'keep-alive';
  if (typeof connection !== 'string' || !/^(?:keep-alive|close)$/i.test(connection)) return undefined;
  const restMs = connection.toLowerCase() === 'close' ? 0 : restOf(headers['keep-alive'], keepAliveMs);
  return { status, headers, bodyBytes: hasBody ? Number(length) : 0, restMs };
}

function restOf(field: string | string[] | undefined, usualMs: number): number {
  const seconds = /(?:^|[,\s])timeout=(\d{1,9})/i.exec(String(field ?? ''))?.[1];
  return seconds === undefined ? usualMs : Math.max(0, Math.min(usualMs, Number(seconds) * 1000 - keepAliveMarginMs));
}
