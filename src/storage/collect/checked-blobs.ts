import { RecentMap } from '../../model/recent-map.ts';

const maxChecked = 10_000;

/**
 * Which files of blobs were hashed and found right. A manifest that names a wrong size makes its blobs doubtful as often as
 * it is read: each is hashed for that once, and not again while its file stays what it was.
 */
export class CheckedBlobs {
  readonly #checks = new RecentMap<string, Promise<void>>(maxChecked);

  /** @param file Names the file as it is now: another one has another name. @param check Rejects for a damaged file. */
  once(file: string, check: () => Promise<void>): Promise<void> {
    const known = this.#checks.get(file);
    if (known !== undefined) return known;
    const running = check();
    this.#checks.set(file, running);
    running.catch(() => this.#checks.delete(file));
    return running;
  }
}
