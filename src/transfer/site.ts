import type { Digest } from '../model/digest.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import { unlessAborted } from '../model/signals/when-aborted.ts';
import type { Registry } from '../registry/registry.ts';
import type { TransferRoot } from './options.ts';

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

/** The registries that are written to: by their host where it has one, so that all who write there share what is known. */
export class Sites {
  readonly #sites = new Map<Registry | string, Site>();

  of({ host, registry }: Pick<TransferRoot['to'], 'host' | 'registry'>): Site {
    const key = host ?? registry;
    const site = this.#sites.get(key) ?? new Site();
    this.#sites.set(key, site);
    return site;
  }
}

function ignored(): void {}
