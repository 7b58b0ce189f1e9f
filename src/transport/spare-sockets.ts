import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { coded, errorCode } from './error-code.ts';

interface Spare {
  readonly made: Promise<Socket>;
}

/** Connections that are opened before the requests that will use them. */
export class SpareSockets {
  readonly #url: URL;
  readonly #connect: buildConnector.connector;
  readonly #idleMs: number;
  #spares: readonly Spare[] = [];
  #closed = false;

  /** @param idleMs How long an unused one stays open. */
  constructor(url: URL, connect: buildConnector.connector, idleMs: number) {
    this.#url = url;
    this.#connect = connect;
    this.#idleMs = idleMs;
  }

  /** Whether there is one, or will be. */
  get has(): boolean {
    return this.#spares.length > 0;
  }

  /** Has at least this many open or opening. */
  open(count: number): void {
    while (this.#spares.length < count) this.#add();
  }

  /** Takes one that somebody else has made. */
  adopt(socket: Socket): void {
    this.#keep(Promise.resolve(socket));
  }

  /** A connector that gives away a spare one, if there is one. */
  readonly connect: buildConnector.connector = (options, callback) => {
    const [spare, ...others] = this.#spares;
    this.#spares = others;
    if (!spare || options.httpSocket) return this.#connect(options, callback);
    spare.made.then(
      (socket) => {
        if (socket.destroyed) this.#connect(options, callback);
        else callback(null, taken(socket));
      },
      (error: Error) => {
        // A silent host would be waited for twice.
        if (errorCode(error) === 'UND_ERR_CONNECT_TIMEOUT') callback(error, null);
        else this.#connect(options, callback);
      },
    );
  };

  close(): void {
    this.#closed = true;
    for (const { made } of this.#spares) made.then((socket) => socket.destroy()).catch(() => {});
    this.#spares = [];
  }

  #add(): void {
    const { host, protocol, port, hostname } = this.#url;
    const goal = { host, hostname: hostname.replace(/^\[|\]$/g, ''), protocol, port };
    const made = new Promise<Socket>((resolve, reject) => {
      this.#connect(goal, (error: Error | null, socket: Socket | null) => {
        if (socket) resolve(socket);
        else reject(error ?? coded('UND_ERR_SOCKET'));
      });
    });
    this.#keep(made);
  }

  #keep(made: Promise<Socket>): void {
    const spare: Spare = { made };
    this.#spares = [...this.#spares, spare];
    const gone = (): void => {
      this.#spares = this.#spares.filter((other) => other !== spare);
    };
    made.then((socket) => {
      if (this.#closed) socket.destroy();
      // Nobody waits for one that is unused.
      if (!this.#spares.includes(spare)) return;
      // Only a socket that is read notices its end. Whatever comes on an unused one is no answer.
      socket.unref().on('data', endUnused).once('close', gone);
      setTimeout(() => this.#spares.includes(spare) && socket.destroy(), this.#idleMs).unref();
    }, gone);
  }
}

function endUnused(this: Socket): void {
  this.destroy();
}

function taken(socket: Socket): Socket {
  return socket.off('data', endUnused).pause().ref();
}
