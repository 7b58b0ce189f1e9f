import { type Digest, digestAlgorithm, digestBytes } from '../model/digest.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { bytesContent, type Content } from './content.ts';
import { type ByteRange, checkRange } from './range.ts';

/**
 * The content embedded in a descriptor. Every reader of blobs looks here first. Data that does not match the digest is
 * ignored, because a manifest may be wrong: the blob itself is read then.
 *
 * @throws OciError RANGE_INVALID, whether or not there is data
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#embedded-content
 */
export async function inlineContent(
  blob: Digest | Descriptor,
  range: ByteRange | undefined,
): Promise<Content | undefined> {
  if (range !== undefined) checkRange(range, blob);
  if (typeof blob === 'string' || blob.data === undefined) return undefined;
  const bytes = Buffer.from(blob.data, 'base64');
  if (bytes.length !== blob.size) return undefined;
  if ((await digestBytes(bytes, digestAlgorithm(blob.digest))) !== blob.digest) return undefined;
  return bytesContent(blob, bytes.subarray(range?.start ?? 0, range?.end));
}
