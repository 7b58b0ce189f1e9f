import { RecentMap } from '../../model/recent-map.ts';

const maxChecked = 10_000;

/**
 * Remembers which blob files were hashed and found intact. A manifest with a wrong size makes its blobs suspicious each
 * time it is read: each file is hashed once for that, and not again while it is unchanged.
 */
export class CheckedBlobs {
  readonly #checks = new RecentMap<string, Promise<void>>(maxChecked);

  /**
   * @param file Identifies the file in its current state; a changed file has another name.
   *
   * @param check Rejects if it is damaged.
   */
  once(file: string, check: () => Promise<void>): Promise<void> {
    const known = this.#checks.get(file);
    if (known !== undefined) return known;
    const running = check();
    this.#checks.set(file, running);
    running.catch(() => this.#checks.delete(file));
    return running;
  }
}
