import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';

/**
 * A part of a blob. Both numbers are whole; RANGE_INVALID, before anybody is asked, for one that is negative, fractional,
 * NaN or infinite, and for an `end` that is not past `start`: no part is empty. RANGE_INVALID too for a `start` at or
 * past the end of the blob, with one exception: of an empty blob, a part that starts at 0 is the empty rest.
 */
export interface ByteRange {
  /** First byte, inclusive, from 0. */
  readonly start: number;
  /** Exclusive; the end of the blob where absent. One past the end of the blob means its end. */
  readonly end?: number | undefined;
}

/**
 * Holds a range to what {@link ByteRange} says.
 *
 * @param blob Its size counts where it is known: by a digest alone, only a range that no blob could have is refused.
 * @throws OciError RANGE_INVALID
 */
export function checkRange({ start, end }: ByteRange, blob: Digest | Descriptor): void {
  const possible = isOffset(start) && (end === undefined || (isOffset(end) && end > start));
  const { digest, size } = typeof blob === 'string' ? { digest: blob } : blob;
  if (possible && (size === undefined || start < size || start === 0)) return;
  const wanted = `bytes ${start} to ${end ?? 'the end'}`;
  const problem =
    size === undefined ? `of blob ${digest} are no range` : `are not in blob ${digest}, which has ${size} bytes`;
  throw new OciError('RANGE_INVALID', `${wanted} ${problem}`);
}

function isOffset(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
