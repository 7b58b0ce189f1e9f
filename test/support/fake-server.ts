/** A server on loopback that a test programs to misbehave, and that records its requests. */
import { once } from 'node:events';
import {
  createServer as createHttp,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps, type ServerOptions } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { atEnd, type Scope } from './sandbox.ts';

export interface AskedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Empty if the answer does not wait for it. */
  readonly body: Buffer;
  /** Its number, from 0, among the requests of the same method and path. */
  readonly nth: number;
}

export type Answer = (request: AskedRequest, response: ServerResponse, incoming: IncomingMessage) => unknown;

export interface FakeServer {
  readonly url: string;
  readonly host: string;
  readonly requests: readonly AskedRequest[];
  /** `GET /v2/`, … in the order of arrival. */
  readonly lines: readonly string[];
  /** Connections that were opened. */
  readonly connections: number;
  close(): void;
}

/** Of servers: Node's own 5 s of rest end connections on a slow machine, and so change how many are opened. */
export const patient = { keepAliveTimeout: 60_000 };

/**
 * Starts a server.
 *
 * @param options.tls Makes it an https server, with the host name localhost unless an address is given.
 * @param options.address Where it listens, in place of 127.0.0.1.
 * @param options.port Default: a free one.
 * @param options.early Answers before the request's body has arrived.
 */
export async function startFakeServer(
  t: Scope,
  answer: Answer,
  options: {
    readonly tls?: ServerOptions;
    readonly early?: boolean;
    readonly address?: string;
    readonly port?: number;
  } = {},
): Promise<FakeServer> {
  const requests: AskedRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    incoming.on('error', () => {});
    response.on('error', () => {});
    const url = new URL(incoming.url ?? '/', 'http://server');
    const chunks: Buffer[] = [];
    if (!options.early) for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const method = incoming.method ?? '';
    const nth = requests.filter((other) => other.method === method && other.path === url.pathname).length;
    const request = {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: Buffer.concat(chunks),
      nth,
    };
    requests.push(request);
    await answer(request, response, incoming);
  };
  const listen = (incoming: IncomingMessage, response: ServerResponse): void => {
    handle(incoming, response).catch((error: unknown) => response.destroy(error as Error));
  };
  const server: Server = options.tls
    ? createHttps({ ...patient, ...options.tls }, listen)
    : createHttp(patient, listen);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  const { address, port = 0 } = options;
  server.listen(port, address ?? '127.0.0.1');
  await once(server, 'listening');
  const host = `${address ?? (options.tls ? 'localhost' : '127.0.0.1')}:${(server.address() as AddressInfo).port}`;
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  atEnd(t, close);
  return {
    url: `${options.tls ? 'https' : 'http'}://${host}/`,
    host,
    requests,
    get lines() {
      return requests.map(({ method, path }) => `${method} ${path}`);
    },
    get connections() {
      return connections;
    },
    close,
  };
}

/** Answers with JSON. */
export function json(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  const body = Buffer.from(JSON.stringify(value));
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': body.length, ...headers })
    .end(body);
}
