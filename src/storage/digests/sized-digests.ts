import type { Digest } from '../../model/digest.ts';
import { DigestTable, grown } from './digest-table.ts';

/** A large set of blobs with their sizes, and how many repositories have each. */
export class SizedDigests {
  readonly table = new DigestTable();
  #sizes = new Float64Array(64);
  #holders = new Uint32Array(64);

  /** @param size In bytes. */
  set(digest: Digest, size: number): void {
    const number = this.table.add(digest);
    if (number >= this.#sizes.length) {
      this.#sizes = grown(this.#sizes, Float64Array);
      this.#holders = grown(this.#holders, Uint32Array);
    }
    this.#sizes[number] = size;
  }

  /** In bytes; undefined for a digest that is not there. */
  sizeOf(digest: Digest): number | undefined {
    const number = this.table.numberOf(digest);
    return number === undefined ? undefined : this.#sizes[number];
  }

  /** Counts a repository that has a blob, if the blob is there. */
  hold(digest: Digest): void {
    const number = this.table.numberOf(digest);
    if (number !== undefined) this.#holders[number] = (this.#holders[number] ?? 0) + 1;
  }

  *entries(): Generator<{ readonly digest: Digest; readonly size: number; readonly holders: number }> {
    for (let number = 0; number < this.table.size; number += 1) {
      yield { digest: this.table.at(number), size: this.#sizes[number] ?? 0, holders: this.#holders[number] ?? 0 };
    }
  }
}
