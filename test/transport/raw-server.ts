import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { atEnd } from '../support/sandbox.ts';

export interface RawServer {
  readonly url: string;
  /** Request lines, in the order of arrival. */
  readonly requests: readonly string[];
  readonly connections: number;
}

/** A server that writes raw bytes: `answer` is called for every request, with its number on its connection, from 0. */
export async function startRawServer(
  t: TestContext,
  answer: (socket: Socket, nth: number, connection: number) => unknown,
): Promise<RawServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const connection = connections;
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    let asked = '';
    let nth = 0;
    socket.on('data', (data) => {
      asked += data.toString('latin1');
      for (let end = asked.indexOf('\r\n\r\n'); end >= 0; end = asked.indexOf('\r\n\r\n')) {
        requests.push(asked.slice(0, asked.indexOf('\r\n')));
        asked = asked.slice(end + 4);
        answer(socket, nth, connection);
        nth += 1;
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
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    get connections() {
      return connections;
    },
  };
}
