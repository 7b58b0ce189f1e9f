/** A relay of TCP connections that puts a distance between a client and a server, and counts what passes. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { atEnd, type Scope } from '../../test/support/sandbox.ts';

/** How what a relay carries travels. The same relay delays, limits or holds by it. */
export interface Link {
  /** A connection was made to the relay of that name. */
  connect(name: string): Lane;
}

/** One connection. The relay reads from the client once it is open. */
export interface Lane {
  /** Calls `done` when the set-up of the connection has come back to the client. */
  open(done: () => void): void;
  readonly up: Way;
  readonly down: Way;
  /** Nothing more comes from the client or arrives at it. */
  close(): void;
}

/** One direction of a connection; what it carries arrives in order. */
export interface Way {
  carry(chunk: Buffer | undefined, from: Socket, to: Socket): void;
}

export interface Traffic {
  connections: number;
  /** From the client. */
  sentBytes: number;
  /** To the client. */
  receivedBytes: number;
}

export interface Relay {
  /** host:port */
  readonly host: string;
  readonly traffic: Traffic;
  /** Begins the counts anew. */
  reset(): void;
}

export interface RelayOptions {
  /** In traces. */
  readonly name: string;
  /** host:port that connections are passed on to. */
  readonly target: string;
  readonly link: Link;
  /** The address it listens on. Default 127.0.0.1. */
  readonly address?: string | undefined;
  /** Default a free one. */
  readonly port?: number;
}

export async function startRelay(scope: Scope, options: RelayOptions): Promise<Relay> {
  const { name, target, link, address = '127.0.0.1', port = 0 } = options;
  const at = new URL(`http://${target}`);
  const open = new Set<Socket>();
  const traffic: Traffic = { connections: 0, sentBytes: 0, receivedBytes: 0 };
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
    traffic.connections += 1;
    const lane = link.connect(name);
    keep(open, client).on('close', () => lane.close());
    // A client that leaves before the connection is open is noticed when it is read.
    lane.open(() => {
      if (client.destroyed) return;
      const onward = connect({ port: Number(at.port), host: at.hostname, allowHalfOpen: true, noDelay: true });
      client.on('close', () => onward.destroy());
      pass(lane.up, client, keep(open, onward), (bytes) => {
        traffic.sentBytes += bytes;
      });
      pass(lane.down, onward, client, (bytes) => {
        traffic.receivedBytes += bytes;
      });
      client.resume();
    });
  });
  server.listen(port, address);
  await once(server, 'listening');
  atEnd(scope, () => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return {
    host: `${address}:${(server.address() as AddressInfo).port}`,
    traffic,
    reset: () => void Object.assign(traffic, { connections: 0, sentBytes: 0, receivedBytes: 0 }),
  };
}

function pass(way: Way, from: Socket, to: Socket, count: (bytes: number) => void): void {
  from.on('data', (chunk: Buffer) => {
    count(chunk.length);
    way.carry(chunk, from, to);
  });
  from.on('end', () => way.carry(undefined, from, to));
  // A reset travels as an end: nobody here distinguishes them.
  from.on('error', () => way.carry(undefined, from, to));
}

function keep(open: Set<Socket>, socket: Socket): Socket {
  open.add(socket);
  return socket.on('error', () => {}).on('close', () => open.delete(socket));
}

/** Hands over what has arrived. @returns False where the receiver is to be waited for. */
export function deliver(chunk: Buffer | undefined, to: Socket): boolean {
  if (to.destroyed || to.writableEnded) return true;
  if (chunk !== undefined) return to.write(chunk);
  to.end();
  return true;
}
