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
  readonly #large: Slots | undefined;
  readonly #aheadBytes: number;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  /**
   * @param allAtOnce Whether all images are examined before the first is pushed, as for a destination that must know all
   * of them. Its own limit then holds.
   */
  constructor({ allAtOnce = false }: { readonly allAtOnce?: boolean } = {}) {
    this.#large = allAtOnce ? undefined : new Slots(1);
    this.#aheadBytes = allAtOnce ? Number.POSITIVE_INFINITY : aheadBytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  free(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes >= this.#aheadBytes) return;
    for (const wake of this.#waiting) wake();
    this.#waiting = [];
  }

  /** Examines an image; its manifests are held from then on. */
  walk<T>(operation: () => Promise<T>): Promise<T> {
    return this.#walks.run(async () => {
      while (this.#bytes >= this.#aheadBytes) await new Promise<void>((resolve) => this.#waiting.push(resolve));
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
  /** Undefined: nothing is waited for. */
  readonly #slots: Slots | undefined;
  #giveBack: (() => void) | undefined;

  constructor(slots: Slots | undefined) {
    this.#slots = slots;
  }

  /** @param bytes What the image holds so far. */
  async wait(bytes: number): Promise<void> {
    if (bytes > largeBytes && this.#slots) this.#giveBack ??= await this.#slots.take();
  }

  end(): void {
    this.#giveBack?.();
  }
}
