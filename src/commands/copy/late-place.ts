import type { Place } from '../../app/context.ts';
import { leases } from '../../registry/extensions.ts';

/**
 * A place to write to that is opened when it is needed: a source that is not there makes no destination. A store is leased
 * until all is written, so that a collection leaves alone what one image has brought and another is still to name.
 */
export class LatePlace implements AsyncDisposable {
  readonly #open: () => Promise<Place>;
  readonly #signal: AbortSignal;
  #place: Promise<Place> | undefined;
  #lease: Promise<AsyncDisposable> | undefined;
  #name: string | undefined;

  constructor(open: () => Promise<Place>, signal: AbortSignal) {
    this.#open = open;
    this.#signal = signal;
  }

  /** What it is called, once it is open. */
  get name(): string | undefined {
    return this.#name;
  }

  async open(): Promise<Place> {
    this.#place ??= this.#open();
    const place = await this.#place;
    this.#name = place.name;
    this.#lease ??= place.registry.extension(leases)?.lease({ signal: this.#signal });
    await this.#lease;
    return place;
  }

  async finish(): Promise<void> {
    await (await this.#place)?.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Where it could not be opened, there is nothing to let go.
    const lease = await this.#lease?.catch(() => undefined);
    await lease?.[Symbol.asyncDispose]();
    const place = await this.#place?.catch(() => undefined);
    await place?.[Symbol.asyncDispose]();
  }
}
