/** Reads a stream by counts of bytes. Where they are in memory already, it does not wait. */
export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #before = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** How many bytes were read. */
  get position(): number {
    return this.#before + this.#at;
  }

  /** The next bytes, valid until the next call; fewer only at the end. */
  read(count: number): Buffer | Promise<Buffer> {
    const end = this.#at + count;
    if (end > this.#chunk.length) return this.#gather(count);
    const bytes = this.#chunk.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** What is there of the next bytes, at least one; empty at the end. */
  some(count: number): Buffer | Promise<Buffer> {
    const there = Math.min(count, this.#chunk.length - this.#at);
    return there > 0 || count === 0 ? this.read(there) : this.#refilled(count);
  }

  /** Passes over bytes. @returns How many: fewer only at the end. */
  skip(count: number): number | Promise<number> {
    const there = Math.min(count, this.#chunk.length - this.#at);
    this.#at += there;
    return there === count ? count : this.#skipMore(count, there);
  }

  /** Stops reading. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #skipMore(count: number, done: number): Promise<number> {
    while (done < count && (await this.#refill())) {
      const there = Math.min(count - done, this.#chunk.length);
      this.#at = there;
      done += there;
    }
    return done;
  }

  async #refilled(count: number): Promise<Buffer> {
    return (await this.#refill()) ? await this.some(count) : Buffer.alloc(0);
  }

  async #gather(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = count;
    while (missing > 0) {
      const there = Math.min(missing, this.#chunk.length - this.#at);
      // A copy: the source may use its memory again.
      parts.push(Buffer.from(this.#chunk.subarray(this.#at, this.#at + there)));
      this.#at += there;
      missing -= there;
      if (missing > 0 && !(await this.#refill())) break;
    }
    return Buffer.concat(parts);
  }

  /** Takes the next chunk that has bytes. */
  async #refill(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#source.next();
      if (done) return false;
      if (value.length === 0) continue;
      this.#before += this.#chunk.length;
      this.#chunk = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      this.#at = 0;
      return true;
    }
  }
}
