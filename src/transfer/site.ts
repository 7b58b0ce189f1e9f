import type { Digest } from '../model/digest.ts';
import type { RepositoryName } from '../model/reference/reference.ts';

/** A registry that a batch writes to: what its repositories share. */
export class Site {
  readonly #moving = new Map<Digest, Promise<void>>();
  /** Where blobs are that the batch has moved to this registry. */
  readonly #holders = new Map<Digest, RepositoryName>();

  /** Another repository of this registry that the batch has moved a blob to. */
  holderOf(digest: Digest, other: RepositoryName): RepositoryName | undefined {
    const holder = this.#holders.get(digest);
    return holder === other ? undefined : holder;
  }

  /**
   * Runs an operation that brings a blob to one of the repositories, when no other such operation for this blob runs.
   *
   * @throws what the operation throws; the signal's reason if it is aborted before its turn.
   */
  async inTurn<T>(digest: Digest, signal: AbortSignal, operation: () => Promise<T>): Promise<T> {
    for (let other = this.#moving.get(digest); other; other = this.#moving.get(digest))
      await unlessAborted(other, signal);
    signal.throwIfAborted();
    const running = operation();
    const settled = running.then(ignored, ignored);
    this.#moving.set(digest, settled);
    settled.then(() => this.#moving.get(digest) === settled && this.#moving.delete(digest));
    return await running;
  }

  arrived(digest: Digest, at: RepositoryName): void {
    if (!this.#holders.has(digest)) this.#holders.set(digest, at);
  }
}

function ignored(): void {}

async function unlessAborted(settling: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let onAbort = ignored;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort);
  });
  try {
    await Promise.race([settling, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
