import type { Dispatcher, Pool } from 'undici';

/** undici's pool for one origin. It is loaded by the first request that needs it, because that takes 20 ms. */
export class LatePool implements Pick<Dispatcher, 'dispatch'> {
  readonly #origin: string;
  readonly #options: Pool.Options;
  #opening: Promise<Pool> | undefined;
  #pool: Pool | undefined;
  #destroyed = false;

  constructor(origin: string, options: Pool.Options) {
    this.#origin = origin;
    this.#options = options;
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

  async destroy(): Promise<void> {
    this.#destroyed = true;
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
