import { readTar } from '../../image/tar/read.ts';

/**
 * Passes a stream on while its entries are read beside it: what is no tar archive is noticed at its first wrong block, and a whole one
 * at its end.
 *
 * @param shown Its name in messages. @throws OciError ARCHIVE_INVALID for what is no tar archive, or is cut off.
 */
export async function* checkedTar(
  source: AsyncIterable<Uint8Array>,
  shown: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const feed = new Feed();
  const checking = readAll(feed, shown);
  checking.catch(() => {}); // reported below
  try {
    for await (const chunk of source) {
      await Promise.race([feed.give(chunk), checking]);
      yield chunk;
    }
    feed.end();
    await checking;
  } finally {
    feed.end();
  }
}

async function readAll(source: AsyncIterable<Uint8Array>, shown: string): Promise<void> {
  const entries = readTar(source, { shown });
  for (let next = await entries.next(); !next.done; next = await entries.next());
}

/** Chunks that one side gives and the other takes, one at a time. */
class Feed implements AsyncIterable<Uint8Array> {
  #chunk: Uint8Array | undefined;
  #isOver = false;
  #given: (() => void) | undefined;
  #taken: (() => void) | undefined;

  /** Resolves when the chunk is no longer needed. */
  give(chunk: Uint8Array): Promise<void> {
    if (chunk.length === 0) return Promise.resolve();
    this.#chunk = chunk;
    return new Promise((resolve) => {
      this.#taken = resolve;
      this.#given?.();
    });
  }

  end(): void {
    this.#isOver = true;
    this.#given?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    while (true) {
      while (!this.#chunk && !this.#isOver) await new Promise<void>((resolve) => (this.#given = resolve));
      const chunk = this.#chunk;
      if (!chunk) return;
      yield chunk;
      this.#chunk = undefined;
      this.#taken?.();
    }
  }
}
