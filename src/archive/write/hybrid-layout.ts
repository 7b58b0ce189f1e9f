import { blobPath } from '../../layout/format/paths.ts';
import type { Digest } from '../../model/digest.ts';
import { endBytes } from '../envelope/tar-header.ts';
import { BlobSlots } from './blob-slots.ts';
import { placeEntries } from './envelope.ts';
import type { ExpectedImages } from './expected-images.ts';
import { hybridDocuments } from './hybrid-documents.ts';
import type { ArchiveOutput } from './output.ts';

/** Where everything is in an archive. */
interface HybridLayout {
  readonly slots: BlobSlots;
  /** The size of the archive. */
  readonly totalBytes: number;
  /** Its size if it ends before the blobs that come last. */
  readonly reducedBytes: number;
}

/**
 * Gives every blob its place in an archive, and writes the documents.
 *
 * @param last Blobs that come after all others, because they may not be needed.
 */
export async function layOutHybrid(
  images: ExpectedImages,
  output: Pick<ArchiveOutput, 'writeAt'>,
  last: ReadonlySet<Digest> = new Set(),
): Promise<HybridLayout> {
  const documents = hybridDocuments(images);
  const blobs = [...images.sizes].map(([digest, size]) => ({ name: blobPath(digest), size, digest }));
  blobs.sort((a, b) => (a.name < b.name ? -1 : 1));
  blobs.sort((a, b) => Number(last.has(a.digest)) - Number(last.has(b.digest)));
  const sized = documents.map(({ name, bytes }) => ({ name, size: bytes.length }));
  const { placed, totalBytes } = await placeEntries([...sized, ...blobs]);
  for (const [i, { bytes }] of documents.entries()) {
    const entry = placed[i];
    if (entry) await output.writeAt(Buffer.concat([entry.header, bytes]), entry.offset);
  }
  const ofBlobs = placed.slice(documents.length);
  const slots = new Map(blobs.flatMap(({ digest }, i) => (ofBlobs[i] ? [[digest, ofBlobs[i]] as const] : [])));
  const firstOfLast = ofBlobs[blobs.findIndex(({ digest }) => last.has(digest))];
  const reducedBytes = firstOfLast === undefined ? totalBytes : firstOfLast.offset + endBytes;
  return { slots: new BlobSlots(output, slots), totalBytes, reducedBytes };
}
