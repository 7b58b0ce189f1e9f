import type { Socket } from 'node:net';
import { holderOf, plainAddress } from './addresses.ts';

interface Connection {
  readonly socket: Socket;
  readonly holder: string;
  /** Requests that are not answered yet. */
  requests: number;
  /** Whether it has had a request. */
  used: boolean;
}

/**
 * The connections of a server, up to a maximum. Beyond it, the connection that has been idle longest is closed, among
 * those of the address that has most: so a thousand idle connections of one client do not shut out others.
 */
export class Connections {
  readonly #max: number;
  /** By the client's address and port: under TLS the request has another socket object than the connection. */
  readonly #byPeer = new Map<string, Connection>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Adds a new connection. It is closed instead if all others are busy. */
  add(socket: Socket): void {
    const peer = peerOf(socket);
    // It has been closed already.
    if (peer === undefined) return;
    const connection: Connection = { socket, holder: holderOf(socket.remoteAddress ?? ''), requests: 0, used: false };
    if (this.#byPeer.size >= this.#max) this.#victimFor(connection).socket.destroy();
    if (socket.destroyed) return;
    this.#byPeer.set(peer, connection);
    socket.once('close', () => {
      if (this.#byPeer.get(peer) === connection) this.#byPeer.delete(peer);
    });
  }

  /** Counts a request. @returns A function to call when it is answered. */
  began(socket: Socket): () => void {
    const peer = peerOf(socket);
    const connection = peer === undefined ? undefined : this.#byPeer.get(peer);
    if (peer === undefined || connection === undefined) return () => {};
    connection.requests += 1;
    connection.used = true;
    return () => {
      connection.requests -= 1;
      if (this.#byPeer.get(peer) !== connection) return;
      // Moved to the end: it was active until now.
      this.#byPeer.delete(peer);
      this.#byPeer.set(peer, connection);
    };
  }

  /**
   * Whether a request may be under way on an idle connection: on one that is new, and on a proxy's, which sends requests
   * of others there at any time. Clients of their own send again what was not answered on an old connection.
   */
  mayBeUsed(isProxy: ((address: string) => boolean) | undefined): boolean {
    return [...this.#byPeer.values()].some(
      ({ socket, requests, used }) =>
        requests === 0 && (!used || isProxy?.(plainAddress(socket.remoteAddress ?? '')) === true),
    );
  }

  #victimFor(newcomer: Connection): Connection {
    const counts = new Map<string, number>();
    const all = [...this.#byPeer.values()].filter(({ socket }) => !socket.destroyed);
    for (const { holder } of all) counts.set(holder, (counts.get(holder) ?? 0) + 1);
    const byHolder = [...counts].toSorted(([, a], [, b]) => b - a);
    for (const [holder, count] of byHolder) {
      // A client with more connections than others does not displace theirs.
      if (count < (counts.get(newcomer.holder) ?? 0)) break;
      const silent = all.find((each) => each.holder === holder && each.requests === 0);
      if (silent !== undefined) return silent;
    }
    // All are busy. An address with more than half of all connections loses one, unless it is the newcomer's.
    const [most] = byHolder;
    if (most === undefined || most[0] === newcomer.holder || most[1] <= this.#max / 2) return newcomer;
    return all.find(({ holder }) => holder === most[0]) ?? newcomer;
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}
