import { HashingWriter } from '../../files/hashing-writer.ts';
import type { Hasher } from '../../model/digest.ts';
import { createHasher, type Digest, digestAlgorithm, digestBytes } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type BlobSource, digestMismatch, sizeMismatch } from '../../registry/content.ts';
import { receiveBlob } from '../../registry/receive.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { PlacedEntry } from './envelope.ts';
import type { ArchiveOutput } from './output.ts';

/** The places of blobs in an archive. They are filled in any order, several at once, each once. */
export class BlobSlots {
  readonly #output: Pick<ArchiveOutput, 'writeAt'>;
  readonly #slots: ReadonlyMap<Digest, PlacedEntry>;
  readonly #filled = new Set<Digest>();

  constructor(output: Pick<ArchiveOutput, 'writeAt'>, slots: ReadonlyMap<Digest, PlacedEntry>) {
    this.#output = output;
    this.#slots = slots;
  }

  /** The blobs that have not come. */
  get missing(): readonly Digest[] {
    return [...this.#slots.keys()].filter((digest) => !this.#filled.has(digest));
  }

  isFilled(digest: Digest): boolean {
    return this.#filled.has(digest);
  }

  /**
   * Writes a blob while it is read and hashed. After a failure it can be written again.
   *
   * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH, STORAGE_*, and errors of the source.
   */
  async fill(descriptor: Descriptor, source: BlobSource, { signal }: SignalOption = {}): Promise<void> {
    const slot = this.#slot(descriptor);
    const hasher = await createHasher(digestAlgorithm(descriptor.digest));
    const start = slot.offset + slot.header.length;
    const file = {
      size: 0,
      write: async (chunk: Uint8Array): Promise<void> => {
        const position = start + file.size;
        file.size += chunk.length;
        await this.#output.writeAt(chunk, position);
      },
    };
    const writer = new HashingWriter(file, hasher);
    try {
      await receiveBlob(descriptor, source, writer, signal);
      await writer.flush();
    } finally {
      await writer.discard();
    }
    this.#check(descriptor.digest, hasher);
    await this.#output.writeAt(slot.header, slot.offset);
    this.#filled.add(descriptor.digest);
  }

  /** Writes a manifest. @throws OciError as {@link fill}. */
  async fillWith(descriptor: Descriptor, bytes: Uint8Array): Promise<void> {
    if (this.isFilled(descriptor.digest)) return;
    const slot = this.#slot(descriptor);
    const got = await digestBytes(bytes, digestAlgorithm(descriptor.digest));
    if (got !== descriptor.digest) throw digestMismatch(descriptor.digest, got);
    await this.#output.writeAt(Buffer.concat([slot.header, bytes]), slot.offset);
    this.#filled.add(descriptor.digest);
  }

  #slot(descriptor: Descriptor): PlacedEntry {
    const slot = this.#slots.get(descriptor.digest);
    if (slot === undefined) throw new TypeError(`${descriptor.digest} was not expected`);
    if (slot.size !== descriptor.size) throw sizeMismatch(descriptor, slot.size);
    return slot;
  }

  #check(digest: Digest, hasher: Hasher): void {
    const got = hasher.digest();
    if (got !== digest) throw digestMismatch(digest, got);
  }
}
