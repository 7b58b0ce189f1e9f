import type { SingleImage } from '../archive/single-image.ts';
import type { Digest } from '../model/digest.ts';
import { type ErrorCode, isOciError } from '../model/errors.ts';
import type { SignalOption } from '../registry/registry.ts';

/** Opens an export of an image: a file that is gone when it is closed. */
export type OpenExport = (id: Digest, opts: SignalOption) => Promise<SingleImage>;

/** The images of a daemon that were exported so far, each once. */
export class Exports {
  readonly #open: OpenExport;
  readonly #opened = new Map<Digest, Promise<SingleImage>>();
  #isClosed = false;

  constructor(open: OpenExport) {
    this.#open = open;
  }

  /** @param id The image's ID. */
  async of(id: Digest, opts: SignalOption = {}): Promise<SingleImage> {
    const known = this.#opened.get(id) ?? this.#open(id, opts);
    this.#opened.set(id, known);
    known.catch(() => this.#opened.delete(id));
    const image = await known;
    if (this.#isClosed) image.close();
    return image;
  }

  /** The result for the first image that has what is asked for; undefined if none has. */
  async first<T>(ask: (image: SingleImage) => Promise<T>, ...unknown: readonly ErrorCode[]): Promise<T | undefined> {
    for (const opened of this.#opened.values()) {
      try {
        return await ask(await opened);
      } catch (error) {
        if (!isOciError(error, ...unknown)) throw error;
      }
    }
    return undefined;
  }

  /** Removes all exports. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const opened of this.#opened.values()) {
      await opened.then(
        (image) => image.close(),
        () => {},
      );
    }
  }
}
