import { isOciError, type OciError } from '../model/errors.ts';

/** Called for each failure that does not end the run. */
type Tell = (name: string, error: OciError) => void;

/** What failed in a run: the first failure ends it, or, with `keepGoing`, it is told and the others go on. */
export class Failures {
  readonly #keepGoing: boolean;
  readonly #tell: Tell;
  readonly #stop = new AbortController();
  readonly #found: { readonly name: string; readonly error: OciError }[] = [];

  constructor({ keepGoing, tell }: { readonly keepGoing: boolean; readonly tell: Tell }) {
    this.#keepGoing = keepGoing;
    this.#tell = tell;
  }

  /** Aborted by the failure that ends the run, which is its reason. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get found(): readonly { readonly name: string; readonly error: OciError }[] {
    return this.#found;
  }

  /** Records a failure. @throws the failure, if it ends the run. */
  add(name: string, error: unknown): void {
    if (!this.#keepGoing || !isOciError(error) || error.code === 'CANCELLED') {
      this.#stop.abort(error);
      throw error;
    }
    this.#found.push({ name, error });
    this.#tell(name, error);
  }

  /** @returns Undefined if it failed, and the run goes on. @throws the failure that ends the run. */
  async attempt<T>(name: string, operation: () => Promise<T>): Promise<T | undefined> {
    try {
      this.#stop.signal.throwIfAborted();
      return await operation();
    } catch (error) {
      // Only the first failure counts: others may be its consequences.
      this.#stop.signal.throwIfAborted();
      this.add(name, error);
      return undefined;
    }
  }

  /** Runs operations at the same time. Rejects only after all of them have ended. */
  async all<T>(operations: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
    const settled = await Promise.allSettled(operations.map((operation) => operation()));
    this.#stop.signal.throwIfAborted();
    return settled.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
  }
}
