/** Forward proxies on loopback. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, request as send } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { patient } from '../fake-server.ts';
import { atEnd, type Scope } from '../sandbox.ts';

export interface TestProxy {
  readonly url: string;
  readonly host: string;
  /** `CONNECT host:port` and `GET http://…`, in order, with the headers. */
  readonly asked: readonly { readonly line: string; readonly headers: IncomingHttpHeaders }[];
}

export interface TestProxyOptions {
  /** Answers every request with this status. */
  readonly status?: number;
  /** Accepts only requests with this `Proxy-Authorization`. */
  readonly authorization?: string;
  /** Speaks TLS to its clients. */
  readonly tls?: ServerOptions;
  /** Where all connections go, whatever was requested: the test's host names then need no DNS. */
  readonly to?: string;
}

/** A proxy that records its requests. */
export async function startTestProxy(t: Scope, options: TestProxyOptions = {}): Promise<TestProxy> {
  const asked: { line: string; headers: IncomingHttpHeaders }[] = [];
  const sockets = new Set<Duplex>();
  const refused = (headers: IncomingHttpHeaders): number | undefined => {
    if (options.status !== undefined) return options.status;
    const { authorization } = options;
    return authorization !== undefined && headers['proxy-authorization'] !== authorization ? 407 : undefined;
  };
  const server = options.tls ? createTlsServer({ ...patient, ...options.tls }) : createServer(patient);
  server.on('request', (request, response) => {
    const { method = '', url = '', headers } = request;
    asked.push({ line: `${method} ${url}`, headers });
    const status = refused(headers);
    if (status !== undefined) return response.writeHead(status).end('<html>no</html>');
    const { 'proxy-authorization': _, ...onward } = headers;
    const target = new URL(url);
    if (options.to !== undefined) target.host = options.to;
    const forwarded = send(target, { method, headers: onward }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    request.pipe(forwarded);
  });
  server.on('connect', ({ url = '', headers }, client: Duplex, head: Buffer) => {
    asked.push({ line: `CONNECT ${url}`, headers });
    client.on('error', () => {});
    const status = refused(headers);
    if (status !== undefined) return client.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`);
    const { hostname, port } = new URL(`http://${options.to ?? url}`);
    const upstream = connect(Number(port), hostname.replace(/^\[|\]$/g, ''), () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
  });
  server.on('connection', (socket: Duplex) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const host = `${options.tls ? 'localhost' : '127.0.0.1'}:${(server.address() as AddressInfo).port}`;
  return { url: `${options.tls ? 'https' : 'http'}://${host}`, host, asked };
}
