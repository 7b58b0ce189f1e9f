/** One request to a daemon, over its socket or over TCP. */
import { type IncomingMessage, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { DaemonEndpoint } from '../config/docker/daemon-endpoint.ts';
import type { Sink } from '../registry/content.ts';
import { connectionError } from './errors.ts';

interface DaemonRequest {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly body?: RequestBody | undefined;
  /** How long the answer may be waited for, in milliseconds. Default: without end, since daemons prepare exports first. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What is sent. */
export interface RequestBody {
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  /** Writes all of them. It is stopped by an error of the sink where the daemon answers before it has everything. */
  writeTo(sink: Sink): Promise<void>;
}

export interface DaemonAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  /** Its body. An answer that stops midway is an error. @throws OciError NETWORK */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the connection. Idempotent. */
  discard(): void;
}

/**
 * Sends a request, each over a connection of its own.
 *
 * @throws OciError NETWORK, TLS, TIMEOUT, DENIED for a socket that this user may not use; the signal's reason.
 */
export async function send(endpoint: DaemonEndpoint, wanted: DaemonRequest): Promise<DaemonAnswer> {
  const { body, signal, timeoutMs } = wanted;
  signal?.throwIfAborted();
  const explain = (error: unknown): unknown => (signal?.aborted ? signal.reason : connectionError(error, endpoint));
  const late = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const stops = [signal, late].filter((each) => each !== undefined);
  const options: RequestOptions = {
    ...optionsOf(endpoint, wanted),
    ...(stops.length > 0 && { signal: AbortSignal.any(stops) }),
  };
  const sending = endpoint.tls === undefined ? requestPlain(options) : requestTls(options);
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sending.once('response', resolve);
    sending.on('error', reject);
  });
  answered.catch(() => {}); // awaited below
  try {
    if (body === undefined) sending.end();
    else await sendBody(sending, body, answered);
    return answerOf(await answered, explain);
  } catch (error) {
    sending.destroy();
    throw explain(error);
  }
}

function optionsOf({ address, tls }: DaemonEndpoint, { method, path, body }: DaemonRequest): RequestOptions {
  const headers = {
    // Docker's daemon accepts any host over its socket.
    Host: address.kind === 'tcp' ? `${address.host}:${address.port}` : 'docker',
    'User-Agent': 'ocictl',
    ...(body && { 'Content-Type': body.contentType, 'Content-Length': String(body.size) }),
  };
  const common = { method, headers, agent: false as const };
  if (address.kind === 'socket') return { ...common, socketPath: address.path, path };
  const { host, port, prefix } = address;
  return { ...common, host, port, path: prefix + path, ...(tls && tlsOptions(tls)) };
}

function tlsOptions({ verify, ca, cert, key }: NonNullable<DaemonEndpoint['tls']>) {
  return {
    rejectUnauthorized: verify,
    minVersion: 'TLSv1.2' as const,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

/** Sends until all is sent, or the daemon answers: it does so early where it refuses. */
async function sendBody(
  sending: ReturnType<typeof requestPlain>,
  body: RequestBody,
  answered: Promise<IncomingMessage>,
): Promise<void> {
  let isAnswered = false;
  const early = answered.then(() => {
    isAnswered = true;
  });
  const sink: Sink = {
    async write(chunk) {
      if (isAnswered) throw new AnsweredEarly();
      // A copy: the socket may send it after this memory was used again.
      if (sending.write(Uint8Array.from(chunk))) return;
      await Promise.race([new Promise<void>((resolve) => void sending.once('drain', resolve)), early]);
    },
  };
  try {
    await body.writeTo(sink);
    sending.end();
  } catch (error) {
    if (!(error instanceof AnsweredEarly)) throw error;
  }
}

class AnsweredEarly extends Error {}

function answerOf(message: IncomingMessage, explain: (error: unknown) => unknown): DaemonAnswer {
  return {
    status: message.statusCode ?? 0,
    header: (name) => {
      const value = message.headers[name.toLowerCase()];
      return Array.isArray(value) ? value[0] : value;
    },
    body: {
      async *[Symbol.asyncIterator]() {
        try {
          for await (const chunk of message) yield chunk as Uint8Array;
          if (!message.complete) throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
        } catch (error) {
          throw explain(error);
        } finally {
          message.destroy();
        }
      },
    },
    discard: () => message.destroy(),
  };
}
