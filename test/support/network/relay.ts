/** A relay of TCP connections on loopback that counts them. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { atEnd, type Scope } from '../sandbox.ts';

export interface Relay {
  /** host:port */
  readonly host: string;
  /** Connections that carried requests. */
  readonly connections: number;
  /** Connections that began with a TLS handshake. */
  readonly handshakes: number;
}

/**
 * @param target host:port that connections are passed on to.
 * @param met Called with each connection of a client.
 */
export async function startRelay(t: Scope, target: string, met?: (client: Socket) => void): Promise<Relay> {
  const { hostname, port } = new URL(`http://${target}`);
  const open = new Set<Socket>();
  let [connections, handshakes] = [0, 0];
  const server = createServer((client) => {
    met?.(client);
    const onward = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, onward],
      [onward, client],
    ] as const) {
      open.add(from);
      from.on('error', () => to.destroy()).on('close', () => to.destroy());
      from.pipe(to);
    }
    client.once('data', (first: Buffer) => {
      if (first[0] === 0x16) handshakes += 1;
      else connections += 1;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, async () => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    get handshakes() {
      return handshakes;
    },
  };
}
