import type { buildConnector, Dispatcher, Pool } from 'undici';
import type { Http1, Http1Place } from './http2/http1.ts';
import { SpareSockets } from './spare-sockets.ts';

interface LatePoolOptions extends Pool.Options {
  readonly connect: buildConnector.connector;
}

/** undici's pool for one origin. It is loaded by the first request that needs it, because that takes 20 ms. */
export class LatePool implements Http1 {
  readonly #origin: string;
  readonly #options: Pool.Options;
  readonly #spares: SpareSockets;
  #opening: Promise<Pool> | undefined;
  #pool: Pool | undefined;
  /** How many requests with a body were announced. */
  #expected = 0;
  #destroyed = false;

  constructor(origin: string, options: LatePoolOptions) {
    this.#origin = origin;
    this.#spares = new SpareSockets(new URL(origin), options.connect, options.keepAliveTimeout ?? 0);
    this.#options = { ...options, connect: this.#spares.connect };
  }

  /** Whether a request would be sent at once, or as soon as a connection is made that was begun for it. */
  get ready(): boolean {
    return (this.#pool?.stats.free ?? 0) > 0 || this.#spares.has;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (options.body) this.#expected = Math.max(0, this.#expected - 1);
    if (this.#pool) return this.#pool.dispatch(options, handler);
    this.#opening ??= this.#open();
    this.#opening
      .then((pool) => pool.dispatch(options, handler))
      .catch((error: Error) => handler.onResponseError?.(undefined as never, error));
    return true;
  }

  /** Opens connections for requests that will follow. Their failures are left to those requests. */
  open(count: number): void {
    if (this.#destroyed) return;
    // It is needed soon, and the connections take longer.
    this.#opening ??= this.#open();
    this.#opening.catch(() => {});
    this.#spares.open(count - (this.#pool?.stats.free ?? 0));
  }

  /** Has a connection for one more request with a body, which will follow. */
  expectBody(): void {
    this.#expected += 1;
    this.open(this.#expected);
  }

  reserve(): Http1Place {
    return { take: (socket) => this.#spares.adopt(socket), drop: () => {} };
  }

  async destroy(): Promise<void> {
    this.#destroyed = true;
    this.#spares.close();
    await this.#pool?.destroy();
  }

  async #open(): Promise<Pool> {
    const { Pool } = await import('undici');
    const pool = new Pool(this.#origin, this.#options);
    // Requests then fail because it is closed.
    if (this.#destroyed) await pool.destroy();
    this.#pool = pool;
    return pool;
  }
}
