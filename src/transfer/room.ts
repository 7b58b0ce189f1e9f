import { Slots } from './slots.ts';

/** As long as this many bytes of manifests wait for their push, no other image is examined. */
const aheadBytes = 8 * 1024 * 1024;
/** Of images with more bytes of manifests, only one at a time is examined and pushed. */
const largeBytes = 2 * 1024 * 1024;
/** Images with small manifests mostly wait for answers, so several run at once. */
const parallelImages = 9;

/** Limits the manifests that a batch holds in memory, however many images it has. */
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

  /** Examines an image; its manifests are held from then on. */
  walk<T>(operation: () => Promise<T>): Promise<T> {
    return this.#walks.run(async () => {
      while (this.#bytes >= aheadBytes) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      return operation();
    });
  }

  push<T>(operation: () => Promise<T>): Promise<T> {
    return this.#pushes.run(operation);
  }

  /** The turn of one image, in case its manifests are large. */
  large(): LargeTurn {
    return new LargeTurn(this.#large);
  }
}

/** What an image waits for as soon as its manifests prove to be large. */
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
