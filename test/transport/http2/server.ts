import { once } from 'node:events';
import {
  createSecureServer,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { atEnd } from '../../support/sandbox.ts';
import { identity } from './raw-http2.ts';

export interface Http2Server {
  readonly url: string;
  readonly sessions: readonly ServerHttp2Session[];
  /** `GET /x`, as streams of HTTP/2. */
  readonly streams: readonly string[];
  /** The same over HTTP/1.1, all of which are answered with `plain`. */
  readonly plain: readonly string[];
  /** TCP connections that were opened. */
  readonly connections: number;
}

/** A server of Node that speaks both. */
export async function startHttp2(
  t: TestContext,
  answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, session: ServerHttp2Session) => unknown,
  options: SecureServerOptions = {},
): Promise<Http2Server> {
  const sessions: ServerHttp2Session[] = [];
  const streams: string[] = [];
  const plain: string[] = [];
  let connections = 0;
  const server = createSecureServer({ ...identity, allowHTTP1: true, ...options }, (request, response) => {
    if (request.httpVersionMajor === 2) return;
    plain.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => response.end('plain'));
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.on('session', (session) => {
    session.on('error', () => {});
    sessions.push(session);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    streams.push(`${headers[':method']} ${headers[':path']}`);
    answer(stream, headers, stream.session as ServerHttp2Session);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}/`,
    sessions,
    streams,
    plain,
    get connections() {
      return connections;
    },
  };
}

/** Answers a stream with text. */
export function say(stream: ServerHttp2Stream, text = 'hello', more: IncomingHttpHeaders = {}): void {
  stream.respond({ ':status': 200, 'content-length': text.length, ...more });
  stream.end(text);
}
