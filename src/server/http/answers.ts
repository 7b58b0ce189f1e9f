import type { OutgoingHttpHeaders } from 'node:http';
import { type ErrorCode, OciError, statusOf } from '../../model/errors.ts';
import type { Content, Sink } from '../../registry/content.ts';
import { encodeErrors } from '../../wire/errors.ts';
import { headers as names } from '../../wire/headers.ts';
import type { Exchange } from './exchange.ts';

/** How much of an unwanted body is read, so that its sender gets to see the response. */
const lingerBytes = 32 * 1024 * 1024;
const lingerMs = 5000;

const sliceBytes = 256 * 1024;

/** Sends a response from memory. HEAD gets the headers only. */
export async function answer(
  exchange: Exchange,
  status: number,
  fields: OutgoingHttpHeaders = {},
  body: Uint8Array | string = '',
): Promise<void> {
  const { response } = exchange;
  const bodiless = status === 204 || status === 304;
  writeHead(exchange, status, bodiless ? fields : { 'content-length': Buffer.byteLength(body), ...fields });
  const payload = exchange.method === 'HEAD' || bodiless ? '' : body;
  if (payload.length > sliceBytes) return answerInSlices(exchange, Buffer.from(payload));
  exchange.sentBytes += Buffer.byteLength(payload);
  if (exchange.unreadBody === 'coming') {
    // Closing the connection while the client still sends would reset it, and the client would not see the response.
    if (payload.length > 0) response.write(payload);
    else response.flushHeaders();
    await discardBody(exchange);
    response.end();
  } else {
    response.end(payload);
  }
  await ended(exchange);
}

// A large body is sent in slices, so that a client that reads it slowly is noticed early.
async function answerInSlices(exchange: Exchange, bytes: Uint8Array): Promise<void> {
  const sink = new ResponseSink(exchange, bytes.length);
  try {
    for (let at = 0; at < bytes.length; at += sliceBytes) await sink.write(bytes.subarray(at, at + sliceBytes));
  } finally {
    sink.close();
  }
  if (exchange.unreadBody === 'coming') await discardBody(exchange);
  exchange.response.end();
  await ended(exchange);
}

export function answerJson(
  exchange: Exchange,
  value: unknown,
  fields: OutgoingHttpHeaders = {},
  status = 200,
): Promise<void> {
  return answer(exchange, status, { 'content-type': 'application/json', ...fields }, `${JSON.stringify(value)}\n`);
}

/**
 * Sends an error body. The message of an internal error (5xx) only goes to the log: it may name paths or upstreams.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 */
export async function answerError(exchange: Exchange, error: unknown, fields: OutgoingHttpHeaders = {}): Promise<void> {
  exchange.failure = error;
  if (exchange.response.headersSent || exchange.signal.aborted) {
    // The response has begun: only a broken connection can tell the client that it is incomplete.
    exchange.response.destroy();
    return;
  }
  const told = error instanceof OciError ? error : new OciError('INTERNAL', 'internal error');
  // For GET, HEAD and DELETE a content error means that the stored data is bad; its message may name files.
  const damaged = bodilessMethods.has(exchange.method) && contentCodes.has(told.code);
  const known = damaged ? new OciError('STORAGE_DAMAGED', told.message) : told;
  const shown = toShow(exchange, known);
  const status = shown.code === 'CANCELLED' ? 503 : statusOf(shown.code);
  const wait = known.retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(known.retryAfterMs / 1000)) };
  const body = encodeErrors(shown);
  await answer(exchange, status, { 'content-type': 'application/json', ...wait, ...fields }, body);
}

function toShow({ method }: Exchange, error: OciError): OciError {
  // Clients use HEAD to decide whether to push. Reporting a damaged manifest as missing makes them push it, which
  // repairs it.
  if (method === 'HEAD' && error.code === 'STORAGE_DAMAGED') return new OciError('MANIFEST_UNKNOWN', 'not here');
  const status = error.code === 'CANCELLED' ? 503 : statusOf(error.code);
  return status < 500 ? error : new OciError(error.code, genericMessages[status] ?? 'internal error');
}

const bodilessMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE']);
const contentCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DIGEST_MISMATCH',
  'SIZE_MISMATCH',
  'TOO_LARGE',
  'MANIFEST_INVALID',
]);

const genericMessages: Readonly<Record<number, string>> = {
  500: 'internal error',
  502: 'the registry behind this one failed',
  503: 'not available at the moment',
  504: 'the registry behind this one took too long',
  507: 'no space left for this',
};

/** Streams a blob, or `length` bytes of it. If the content is shorter or longer, the connection is broken. */
export async function answerContent(
  exchange: Exchange,
  status: number,
  fields: OutgoingHttpHeaders,
  content: Content,
  length: number,
): Promise<void> {
  const { response, signal } = exchange;
  writeHead(exchange, status, { ...fields, 'content-length': length });
  const sink = new ResponseSink(exchange, length);
  try {
    await content.drainTo(sink, { signal });
  } finally {
    sink.close();
    await content.cancel();
  }
  if (exchange.sentBytes !== length)
    throw new OciError('SIZE_MISMATCH', `only ${exchange.sentBytes} of ${length} bytes arrived`);
  response.end();
  await ended(exchange);
}

/** A write resolves once the bytes have left this process: their memory may be reused then. */
class ResponseSink implements Sink {
  readonly #exchange: Exchange;
  readonly #length: number;
  #reject: ((reason: unknown) => void) | undefined;

  constructor(exchange: Exchange, length: number) {
    this.#exchange = exchange;
    this.#length = length;
    exchange.signal.addEventListener('abort', this.#abort, { once: true });
  }

  write(chunk: Uint8Array): Promise<void> {
    const exchange = this.#exchange;
    exchange.signal.throwIfAborted();
    exchange.sentBytes += chunk.length;
    if (exchange.sentBytes > this.#length)
      throw new OciError('SIZE_MISMATCH', `more than ${this.#length} bytes arrived`);
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      exchange.awaitsClient = true;
      exchange.response.write(chunk, (error) => {
        exchange.awaitsClient = false;
        exchange.takenBytes += chunk.length;
        if (error) reject(error);
        else resolve();
      });
    });
  }

  close(): void {
    this.#exchange.signal.removeEventListener('abort', this.#abort);
  }

  readonly #abort = (): void => this.#reject?.(this.#exchange.signal.reason);
}

function writeHead(exchange: Exchange, status: number, fields: OutgoingHttpHeaders): void {
  const { headers, cors, stopping } = exchange.state;
  const { 'content-type': type } = fields;
  exchange.contentType = type === undefined ? undefined : String(type);
  const closes = stopping || exchange.unreadBody !== 'none';
  exchange.response.writeHead(status, {
    ...headers,
    ...cors?.fieldsFor(exchange.header('origin')),
    'x-request-id': exchange.context.id,
    [names.apiVersion]: 'registry/2.0',
    'x-content-type-options': 'nosniff',
    'content-security-policy': exchange.policy,
    ...fields,
    ...(closes && { connection: 'close' }),
  });
}

async function discardBody(exchange: Exchange): Promise<void> {
  const timer = setTimeout(() => exchange.request.socket.destroy(), lingerMs);
  try {
    await exchange.readBody(async () => {}, exchange.receivedBytes + lingerBytes);
  } catch {
    // Too long, or the client disconnected: the connection closes either way.
  } finally {
    clearTimeout(timer);
  }
}

// Waits until the client has taken the response.
function ended(exchange: Exchange): Promise<void> {
  const { response } = exchange;
  exchange.awaitsClient = true;
  if (response.writableFinished || exchange.signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    response.once('finish', resolve);
    exchange.signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
