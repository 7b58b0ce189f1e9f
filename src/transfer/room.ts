import { Slots } from './slots.ts';

/** While so many bytes of manifests wait for their push, no other image is looked through. */
const aheadBytes = 8 * 1024 * 1024;
/** Of images whose manifests are larger, one is looked through and pushed at a time. */
const largeBytes = 2 * 1024 * 1024;
/** Small images are mostly waiting for answers. */
const parallelImages = 9;

/** Bounds the manifests that a batch holds in memory, however many images it has. */
export class Room {
  readonly #walks = new Slots(parallelImages);
  readonly #pushes = new Slots(parallelImages);
  readonly #large = new Slots(1);
  #bytes = 0;
  #waiting: (() => void)[] = [];

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  free(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes >= aheadBytes) return;
    for (const wake of this.#waiting) wake();
    this.#waiting = [];
  }

  /** Looks through an image, whose manifests are held from then on. */
  walk<T>(operation: () => Promise<T>): Promise<T> {
    return this.#walks.run(async () => {
      while (this.#bytes >= aheadBytes) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      return operation();
    });
  }

  push<T>(operation: () => Promise<T>): Promise<T> {
    return this.#pushes.run(operation);
  }

  /** The turn of one large image. */
  large(): LargeTurn {
    return new LargeTurn(this.#large);
  }
}

/** What an image waits for whose manifests turn out to be large. */
export class LargeTurn {
  readonly #slots: Slots;
  #giveBack: (() => void) | undefined;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** @param bytes What the image holds so far. */
  async wait(bytes: number): Promise<void> {
    if (bytes > largeBytes) this.#giveBack ??= await this.#slots.take();
  }

  end(): void {
    this.#giveBack?.();
  }
}
