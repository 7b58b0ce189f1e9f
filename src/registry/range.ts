import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';

/**
 * A part of a blob. Both numbers must be non-negative integers, and `end` must be greater than `start`: anything else
 * is RANGE_INVALID before a request is made. A `start` at or past the end of the blob is RANGE_INVALID too, except that
 * an empty blob has an empty range from 0.
 */
export interface ByteRange {
  /** The first byte, counted from 0. */
  readonly start: number;
  /** The end, exclusive; the end of the blob if absent or larger. */
  readonly end?: number | undefined;
}

/**
 * Checks a range against the rules of {@link ByteRange}.
 *
 * @param blob With a descriptor the size is checked too. With a digest only a range that no blob could have is refused.
 * @throws OciError RANGE_INVALID
 */
export function checkRange({ start, end }: ByteRange, blob: Digest | Descriptor): void {
  const possible = isOffset(start) && (end === undefined || (isOffset(end) && end > start));
  const { digest, size } = typeof blob === 'string' ? { digest: blob } : blob;
  if (possible && (size === undefined || start < size || start === 0)) return;
  const wanted = `bytes ${start} to ${end ?? 'the end'}`;
  const problem =
    size === undefined
      ? `of blob ${digest} are not a valid range`
      : `are not in blob ${digest}, which has ${size} bytes`;
  throw new OciError('RANGE_INVALID', `${wanted} ${problem}`);
}

function isOffset(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
