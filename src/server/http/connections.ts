import type { Socket } from 'node:net';
import { holderOf } from './addresses.ts';

interface Connection {
  readonly socket: Socket;
  readonly holder: string;
  /** Requests that are not answered yet. */
  requests: number;
}

/**
 * The connections of a server, a bounded number. Past it the one closes that has been silent longest, of the address that
 * has most: a thousand connections that say nothing keep nobody else out.
 */
export class Connections {
  readonly #max: number;
  /** Under TLS a request names another object than the connection: both know the client's address and port. */
  readonly #byPeer = new Map<string, Connection>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes in a new connection, or closes it where all others work. */
  add(socket: Socket): void {
    const peer = peerOf(socket);
    // It has closed already.
    if (peer === undefined) return;
    const connection: Connection = { socket, holder: holderOf(socket.remoteAddress ?? ''), requests: 0 };
    if (this.#byPeer.size >= this.#max) this.#victimFor(connection).socket.destroy();
    if (socket.destroyed) return;
    this.#byPeer.set(peer, connection);
    socket.once('close', () => {
      if (this.#byPeer.get(peer) === connection) this.#byPeer.delete(peer);
    });
  }

  /** A request has come. @returns A function to call when it is answered. */
  began(socket: Socket): () => void {
    const peer = peerOf(socket);
    const connection = peer === undefined ? undefined : this.#byPeer.get(peer);
    if (peer === undefined || connection === undefined) return () => {};
    connection.requests += 1;
    return () => {
      connection.requests -= 1;
      if (this.#byPeer.get(peer) !== connection) return;
      // To the end: it was not silent until now.
      this.#byPeer.delete(peer);
      this.#byPeer.set(peer, connection);
    };
  }

  #victimFor(newcomer: Connection): Connection {
    const counts = new Map<string, number>();
    const all = [...this.#byPeer.values()].filter(({ socket }) => !socket.destroyed);
    for (const { holder } of all) counts.set(holder, (counts.get(holder) ?? 0) + 1);
    const byHolder = [...counts].toSorted(([, a], [, b]) => b - a);
    for (const [holder, count] of byHolder) {
      // Who has more than others does not get their places.
      if (count < (counts.get(newcomer.holder) ?? 0)) break;
      const silent = all.find((each) => each.holder === holder && each.requests === 0);
      if (silent !== undefined) return silent;
    }
    // All work. Nobody has more than half where others find no place.
    const [most] = byHolder;
    if (most === undefined || most[0] === newcomer.holder || most[1] <= this.#max / 2) return newcomer;
    return all.find(({ holder }) => holder === most[0]) ?? newcomer;
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort}`;
}
