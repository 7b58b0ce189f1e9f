/** Parses response headers in the form that most servers send. Everything else in HTTP is left to undici. */

export interface ReadHead {
  readonly status: number;
  /** Names in lower case. A field that occurs several times is a list. */
  readonly headers: Record<string, string | string[]>;
  /** Undefined for a chunked body. */
  readonly bodyBytes: number | undefined;
  /** How long the connection may stay idle; 0 if it cannot be reused. */
  readonly restMs: number;
}

const statusLine = /^HTTP\/1\.1 ([2-5]\d\d)(?: [\t\x20-\x7e]*)?$/;
const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const plainText = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Statuses whose responses have no body, whatever their Content-Length says. */
const bodiless: ReadonlySet<number> = new Set([204, 304]);
/** Fields with which the following bytes are not just the content. */
const framing = ['content-encoding', 'upgrade'];
/** The server closes an idle connection after the announced time. Stop using it this much earlier. */
const keepAliveMarginMs = 1000;

/**
 * Parses a response's header without the empty line at its end.
 *
 * @param text As latin1.
 * @param asked Whether a body was asked for. A response to HEAD has none, and may omit its length.
 * @returns Undefined for everything that is not strictly a final HTTP/1.1 response with either one Content-Length or chunks.
 */
export function parseReadHead(text: string, keepAliveMs: number, asked: boolean): ReadHead | undefined {
  const [first = '', ...lines] = text.split('\r\n');
  const status = Number(statusLine.exec(first)?.[1] ?? 0);
  // Parsers disagree about the body of a 205.
  if (status === 0 || status === 205) return undefined;
  const hasBody = asked && !bodiless.has(status);
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    // Parsers disagree about a bare CR or LF, folded lines, and a space before the colon.
    if (colon < 1 || !fieldName.test(line.slice(0, colon)) || !plainText.test(line)) return undefined;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = headers[name];
    if (earlier === undefined) headers[name] = value;
    // Appended in place: copying the list for each line would be quadratic for a repeated field.
    else if (Array.isArray(earlier)) earlier.push(value);
    else headers[name] = [earlier, value];
  }
  const coding = headers['transfer-encoding'];
  const isChunked = typeof coding === 'string' && coding.toLowerCase() === 'chunked';
  // With both, parsers disagree about which counts.
  if (coding !== undefined && (!isChunked || headers['content-length'] !== undefined)) return undefined;
  const length = headers['content-length'] ?? (hasBody && !isChunked ? undefined : '0');
  if (typeof length !== 'string' || !/^\d{1,15}$/.test(length)) return undefined;
  if (framing.some((name) => headers[name] !== undefined)) return undefined;
  // Parsers disagree about a body that must not be there.
  if (asked && !hasBody && Number(length) > 0) return undefined;
  const connection = headers['connection'] ?? 'keep-alive';
  if (typeof connection !== 'string' || !/^(?:keep-alive|close)$/i.test(connection)) return undefined;
  const restMs = connection.toLowerCase() === 'close' ? 0 : restOf(headers['keep-alive'], keepAliveMs);
  return { status, headers, bodyBytes: hasBody ? (isChunked ? undefined : Number(length)) : 0, restMs };
}

function restOf(field: string | string[] | undefined, usualMs: number): number {
  const seconds = /(?:^|[,\s])timeout=(\d{1,9})/i.exec(String(field ?? ''))?.[1];
  return seconds === undefined ? usualMs : Math.max(0, Math.min(usualMs, Number(seconds) * 1000 - keepAliveMarginMs));
}
