/** Runs operations with the same key one after the other, in the order of the calls; those with different keys at once. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(key: string, operation: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    // The next begins whatever became of the one before.
    const running = before ? before.then(operation, operation) : operation();
    this.#last.set(key, running);
    return running;
  }
}
