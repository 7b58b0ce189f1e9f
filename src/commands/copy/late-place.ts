import type { Place } from '../../app/context.ts';

/** A place that is opened when it is needed: a source that is not there makes no destination. */
export class LatePlace implements AsyncDisposable {
  readonly #open: () => Promise<Place>;
  #place: Promise<Place> | undefined;

  constructor(open: () => Promise<Place>) {
    this.#open = open;
  }

  open(): Promise<Place> {
    this.#place ??= this.#open();
    return this.#place;
  }

  async finish(): Promise<void> {
    await (await this.#place)?.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Where it could not be opened, there is nothing to let go.
    const place = await this.#place?.catch(() => undefined);
    await place?.[Symbol.asyncDispose]();
  }
}
