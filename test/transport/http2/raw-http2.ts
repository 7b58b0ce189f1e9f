import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import { issue } from '../../certs/issue.ts';
import { atEnd } from '../../support/sandbox.ts';
import { frame, types } from './frames.ts';

const authority = issue('An authority');
const leaf = issue('localhost', { by: authority, dnsNames: ['localhost'] });

/** The authority of all servers here, and a certificate of `localhost`. */
export const trusted = { ca: [authority.cert] };
export const identity = { cert: leaf.cert, key: leaf.key };

/** Answers a stream's request with bytes. */
export type RawAnswer = (socket: TLSSocket, stream: number) => unknown;

export interface RawHttp2 {
  readonly url: string;
  /** Requests over HTTP/1.1, all of which are answered with `hello`. */
  readonly plain: readonly string[];
  /** Connections on which HTTP/2 was chosen. */
  readonly chosen: number;
}

/**
 * A TLS server that speaks HTTP/1.1 as it should, and HTTP/2 as `answer` does.
 *
 * @param greet Called at the beginning, in place of sending empty settings.
 */
export async function startRawHttp2(t: TestContext, answer: RawAnswer, greet: RawAnswer = settings): Promise<RawHttp2> {
  const plain: string[] = [];
  const sockets = new Set<TLSSocket>();
  let chosen = 0;
  const http1 = createHttp((request, response) => {
    plain.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => response.end('hello'));
  });
  const server = createServer({ ...identity, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    if (socket.alpnProtocol !== 'h2') return http1.emit('connection', socket);
    chosen += 1;
    greet(socket, 0);
    let unread = Buffer.alloc(0);
    let isAfterPreface = false;
    socket.on('data', (bytes) => {
      unread = Buffer.concat([unread, bytes]);
      if (!isAfterPreface && unread.length >= 24) {
        isAfterPreface = true;
        unread = unread.subarray(24);
      }
      while (isAfterPreface && unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
        const [type, stream] = [unread.readUInt8(3), unread.readUInt32BE(5)];
        unread = unread.subarray(9 + unread.readUIntBE(0, 3));
        if (type === types.headers) answer(socket, stream);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}/`,
    plain,
    get chosen() {
      return chosen;
    },
  };
}

function settings(socket: TLSSocket): void {
  socket.write(frame(types.settings, 0, 0));
}
