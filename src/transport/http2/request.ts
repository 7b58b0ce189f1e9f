import type { OutgoingHttpHeaders } from 'node:http2';
import type { Dispatcher } from 'undici';

/** A request as a stream carries it. */
export interface StreamRequest {
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  readonly bodyBytes: number;
}

/** Fields that concern a connection, which HTTP/2 forbids, or that are written here. */
const connectionFields =
  /^(?:host|connection|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-connection)$/i;
const none = new Uint8Array(0);

/**
 * @returns Undefined for a request that HTTP/1.1 must carry: its body has no known length.
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-8.3.1
 */
export function streamRequest(options: Dispatcher.DispatchOptions, url: URL): StreamRequest | undefined {
  const { method, path } = options;
  const { 'content-length': length, ...headers } = (options.headers ?? {}) as Record<string, unknown>;
  const body = (options.body ?? none) as StreamRequest['body'];
  const bodyBytes = body instanceof Uint8Array ? body.length : Number(length);
  if (!Number.isSafeInteger(bodyBytes) || !/^\/[\x21-\x7e]*$/.test(path)) return undefined;
  const fields: OutgoingHttpHeaders = {
    ':method': method,
    ':scheme': url.protocol.slice(0, -1),
    ':authority': url.host,
    ':path': path,
  };
  for (const [name, value] of Object.entries(headers)) {
    const plain = typeof value === 'string' && /^[\t\x20-\x7e]*$/.test(value) && /^[A-Za-z0-9-]+$/.test(name);
    if (!plain || connectionFields.test(name)) return undefined;
    fields[name.toLowerCase()] = value;
  }
  if (options.body) fields['content-length'] = String(bodyBytes);
  return { headers: fields, body, bodyBytes };
}
