import { checkNumbers } from '../model/number-options.ts';

/** Bounds how many operations run at once, over several transfers. Who waits longest is next. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    checkNumbers({ count }, { count: 1 });
    this.#free = count;
  }

  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await operation();
    } finally {
      // Handed on, so that nobody who comes now is sooner.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
