import { digestAlgorithm, digestBytes } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { bytesContent, type Content } from './content.ts';
import type { ByteRange } from './registry.ts';

/**
 * The content that a descriptor carries with it. Data that is not what the digest says is passed over: a manifest may lie,
 * and the blob itself decides.
 *
 * @throws OciError RANGE_INVALID
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#embedded-content
 */
export async function inlineContent(
  descriptor: Descriptor,
  range: ByteRange | undefined,
): Promise<Content | undefined> {
  if (descriptor.data === undefined) return undefined;
  const bytes = Buffer.from(descriptor.data, 'base64');
  if (bytes.length !== descriptor.size) return undefined;
  if ((await digestBytes(bytes, digestAlgorithm(descriptor.digest))) !== descriptor.digest) return undefined;
  if (range !== undefined) checkRange(range, descriptor);
  return bytesContent(descriptor, bytes.subarray(range?.start ?? 0, range?.end));
}

/** @throws OciError RANGE_INVALID for a range that does not lie in the blob. */
export function checkRange({ start, end }: ByteRange, { digest, size }: Descriptor): void {
  const startsInside = start < size || (start === 0 && size === 0);
  const endsBehind = end === undefined || end > start || size === 0;
  if (Number.isSafeInteger(start) && start >= 0 && startsInside && endsBehind) return;
  const wanted = `bytes ${start} to ${end ?? 'the end'}`;
  throw new OciError('RANGE_INVALID', `${wanted} are not in blob ${digest}, which has ${size} bytes`);
}
