/** Large sets of digests: some 55 bytes for each of sha256, where a `Set` of texts takes 150. */
import { randomBytes } from 'node:crypto';
import {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestAlgorithms,
  digestHex,
  parseDigest,
} from '../../model/digest.ts';

const algorithms = Object.keys(digestAlgorithms) as DigestAlgorithm[];
const chunkBytes = 1024 * 1024;
const firstChunkBytes = 256;
const free = 0;
/** What is looked for: shared, since a collection keeps tables of tens of thousands of repositories, most of them with few digests. */
const probe = Buffer.alloc(65);
// Whoever pushes content can choose digests with the same beginning, but not the same slot.
// Made when it is first needed: most commands need no node:crypto.
let madeKey: Uint32Array | undefined;

function hashKey(): Uint32Array {
  madeKey ??= new Uint32Array(Uint8Array.from(randomBytes(12)).buffer);
  return madeKey;
}

/** A set of digests in the order in which they were added. Each has a number, from 0. */
export class DigestTable implements Iterable<Digest> {
  // An entry is the number of its algorithm and the bytes of the hash. It lies in one chunk.
  readonly #chunks: Buffer[] = [];
  #used = 0;
  /** Where each entry begins: the chunk's number times its size, and the place in it. */
  #places = new Float64Array(8);
  /** Open addressing: the number of an entry plus 1. */
  #slots = new Uint32Array(16);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a digest, if it is not there. @returns Its number. */
  add(digest: Digest): number {
    const length = this.#read(digest);
    const slot = this.#slotOf(length);
    const known = this.#slots[slot] ?? free;
    if (known !== free) return known - 1;
    const number = this.#size;
    this.#size += 1;
    this.#slots[slot] = this.#size;
    if (number === this.#places.length) this.#places = grown(this.#places, Float64Array);
    this.#places[number] = this.#append(length);
    if (this.#size * 4 > this.#slots.length * 3) this.#rehash();
    return number;
  }

  has(digest: Digest): boolean {
    return this.numberOf(digest) !== undefined;
  }

  /** The number of a digest; undefined if it is not there. */
  numberOf(digest: Digest): number | undefined {
    const known = this.#slots[this.#slotOf(this.#read(digest))] ?? free;
    return known === free ? undefined : known - 1;
  }

  /** The digest with a number. */
  at(number: number): Digest {
    const place = this.#places[number] ?? 0;
    const chunk = this.#chunks[Math.floor(place / chunkBytes)];
    const start = place % chunkBytes;
    const algorithm = algorithms[chunk?.[start] ?? -1];
    if (chunk === undefined || algorithm === undefined || number >= this.#size) throw new RangeError(`no ${number}`);
    return parseDigest(`${algorithm}:${chunk.toString('hex', start + 1, start + lengthOf(algorithm))}`);
  }

  /** The digests with these numbers. */
  *each(numbers: Iterable<number>): Generator<Digest> {
    for (const number of numbers) yield this.at(number);
  }

  *[Symbol.iterator](): Generator<Digest> {
    for (let number = 0; number < this.#size; number += 1) yield this.at(number);
  }

  /** @returns The length of the entry, which is in `probe` then. */
  #read(digest: Digest): number {
    const algorithm = digestAlgorithm(digest);
    probe[0] = algorithms.indexOf(algorithm);
    probe.write(digestHex(digest), 1, 'hex');
    return lengthOf(algorithm);
  }

  #slotOf(length: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(probe, 0) & mask; ; slot = (slot + 1) & mask) {
      const known = this.#slots[slot] ?? free;
      if (known === free || this.#isProbe(known - 1, length)) return slot;
    }
  }

  #isProbe(number: number, length: number): boolean {
    const place = this.#places[number] ?? 0;
    const start = place % chunkBytes;
    const chunk = this.#chunks[Math.floor(place / chunkBytes)];
    return chunk?.[start] === probe[0] && chunk?.compare(probe, 0, length, start, start + length) === 0;
  }

  #hash(bytes: Buffer, at: number): number {
    const [a = 0, b = 0, c = 0] = hashKey();
    const [low, high] = [bytes.readUInt32LE(at + 1), bytes.readUInt32LE(at + 5)];
    const mixed = Math.imul(low ^ a, b | 1) ^ Math.imul(high ^ b, c | 1);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  }

  #append(length: number): number {
    let last = this.#chunks.at(-1);
    if (last === undefined || this.#used + length > chunkBytes) {
      // Not from the pool, of which a small chunk would keep eight KiB.
      last = Buffer.allocUnsafeSlow(this.#chunks.length === 0 ? firstChunkBytes : chunkBytes);
      this.#chunks.push(last);
      this.#used = 0;
    } else if (this.#used + length > last.length) {
      // Most tables are small: only the first chunk begins small.
      const larger = Buffer.allocUnsafeSlow(Math.min(chunkBytes, last.length * 4));
      last.copy(larger);
      last = larger;
      this.#chunks[this.#chunks.length - 1] = last;
    }
    probe.copy(last, this.#used, 0, length);
    this.#used += length;
    return (this.#chunks.length - 1) * chunkBytes + this.#used - length;
  }

  #rehash(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let number = 0; number < this.#size; number += 1) {
      const place = this.#places[number] ?? 0;
      const chunk = this.#chunks[Math.floor(place / chunkBytes)];
      if (chunk === undefined) continue;
      let slot = this.#hash(chunk, place % chunkBytes) & mask;
      while (this.#slots[slot] !== free) slot = (slot + 1) & mask;
      this.#slots[slot] = number + 1;
    }
  }
}

function lengthOf(algorithm: DigestAlgorithm): number {
  return 1 + digestAlgorithms[algorithm] / 2;
}

/** A typed array of twice the length, with the same content. */
export function grown<T extends Float64Array | Uint32Array | Uint8Array>(array: T, kind: new (length: number) => T): T {
  const next = new kind(array.length * 2);
  next.set(array);
  return next;
}
