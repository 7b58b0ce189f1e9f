import { checkNumbers } from '../model/number-options.ts';

/** Limits how many operations run at once. The one that has waited longest is next. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    checkNumbers({ count }, { count: 1 });
    this.#free = count;
  }

  /** Waits for a slot. @returns A function that gives it back. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return () => {
      // Pass the slot on directly, so that a new caller cannot take it first.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    };
  }

  async run<T>(operation: () => Promise<T>): Promise<T> {
    const giveBack = await this.take();
    try {
      return await operation();
    } finally {
      giveBack();
    }
  }
}
