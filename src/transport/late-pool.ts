import type { buildConnector, Dispatcher, Pool } from 'undici';
import { SpareSockets } from './spare-sockets.ts';

interface LatePoolOptions extends Pool.Options {
  readonly connect: buildConnector.connector;
}

/** undici's pool for one origin. It is loaded by the first request that needs it, because that takes 20 ms. */
export class LatePool implements Pick<Dispatcher, 'dispatch'> {
  readonly #origin: string;
  readonly #options: Pool.Options;
  readonly #spares: SpareSockets;
  #opening: Promise<Pool> | undefined;
  #pool: Pool | undefined;
  #destroyed = false;

  constructor(origin: string, options: LatePoolOptions) {
    this.#origin = origin;
    this.#spares = new SpareSockets(new URL(origin), options.connect, options.keepAliveTimeout ?? 0);
    this.#options = { ...options, connect: this.#spares.connect };
  }

  /** Whether a request would be sent at once. */
  get ready(): boolean {
    return (this.#pool?.stats.free ?? 0) > 0;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
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
