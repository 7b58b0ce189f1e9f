/** Zstandard without a compressor, for versions of Node without one: frames whose blocks are stored uncompressed. */

const magic = [0x28, 0xb5, 0x2f, 0xfd];
const maxBlockBytes = 128 * 1024;

/**
 * One frame of raw blocks, which every decompressor reads.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1
 */
export function zstdFrame(content: Uint8Array): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(content.length);
  // Descriptor: a content size of four bytes, and a single segment, so no window follows.
  const parts: Uint8Array[] = [Uint8Array.from([...magic, 0b1010_0000]), size];
  for (let at = 0; ; at += maxBlockBytes) {
    const block = content.subarray(at, at + maxBlockBytes);
    const isLast = at + maxBlockBytes >= content.length;
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | (isLast ? 1 : 0), 0, 3);
    parts.push(header, block);
    if (isLast) return Buffer.concat(parts);
  }
}
