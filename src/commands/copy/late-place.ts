import type { Place } from '../../app/context.ts';
import { leases } from '../../registry/extensions.ts';

/**
 * A destination that is opened when it is needed: a missing source creates no destination. A store has a lease until
 * everything is written, so that a collection keeps what one image has brought and another will name.
 */
export class LatePlace implements AsyncDisposable {
  readonly #open: () => Promise<Place>;
  readonly #signal: AbortSignal;
  #place: Promise<Place> | undefined;
  #lease: Promise<AsyncDisposable> | undefined;
  #opened: Place | undefined;

  constructor(open: () => Promise<Place>, signal: AbortSignal) {
    this.#open = open;
    this.#signal = signal;
  }

  /** The place, once it is open. */
  get opened(): Place | undefined {
    return this.#opened;
  }

  async open(): Promise<Place> {
    this.#place ??= this.#open();
    const place = await this.#place;
    this.#opened = place;
    this.#lease ??= place.registry.extension(leases)?.lease({ signal: this.#signal });
    await this.#lease;
    return place;
  }

  async finish(): Promise<void> {
    await (await this.#place)?.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // If it could not be opened, there is nothing to release.
    const lease = await this.#lease?.catch(() => undefined);
    await lease?.[Symbol.asyncDispose]();
    const place = await this.#place?.catch(() => undefined);
    await place?.[Symbol.asyncDispose]();
  }
}

/** One of the destinations of a copy. */
export interface Destination {
  /** As given. */
  readonly word: string;
  readonly place: LatePlace;
  /** Whether it requires everything that a manifest names. */
  readonly toWhole: boolean;
  /** Whether tags that point at something else stay: a layout does not record where its tags are from. */
  readonly keepsOthers: boolean;
}
