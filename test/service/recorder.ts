import { createServer, type IncomingHttpHeaders, type RequestListener, request as send } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Scope } from '../support/sandbox.ts';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Recorder {
  readonly url: string;
  readonly host: string;
  /** Every request, in order. */
  readonly seen: readonly Seen[];
  /** Whether connections are cut without an answer from now on. */
  hangUp(hangsUp: boolean): void;
}

export interface RecorderOptions {
  /** Where requests are passed on to. */
  readonly target?: string;
  /** Answers with this status instead. */
  readonly status?: number;
  /** Accepts only this `Authorization`, and answers all other requests with a Basic challenge. */
  readonly authorization?: string;
  /** PEM. If given, it speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A server on loopback that records its requests. */
export async function startRecorder(t: Scope, options: RecorderOptions): Promise<Recorder> {
  const seen: Seen[] = [];
  let hangsUp = false;
  const listener: RequestListener = (request, response) => {
    const { method = '', url: path = '', headers } = request;
    if (hangsUp) return void response.destroy();
    seen.push({ method, path, headers });
    if (options.authorization !== undefined && headers.authorization !== options.authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
    } else if (options.target === undefined) {
      response.writeHead(options.status ?? 503, { 'retry-after': '0' }).end();
    } else {
      const onward = send(new URL(path, options.target), { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      request.pipe(onward);
    }
  };
  const server = options.tls ? createTlsServer({ ...options.tls }, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${options.tls ? 'https' : 'http'}://${host}`,
    host,
    seen,
    hangUp: (value) => {
      hangsUp = value;
    },
  };
}
