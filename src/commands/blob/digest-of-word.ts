import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { splitDigest } from '../../places/split-digest.ts';

/** The digest in `NAME@DIGEST`. @throws OciError USAGE if there is none; DIGEST_INVALID */
export function requireDigest(word: string): Digest {
  const { digest } = splitDigest(word);
  if (digest !== undefined) return digest;
  throw new OciError('USAGE', `${quote(word)} names no blob`, {
    hint: 'a blob is named NAME@DIGEST; ocictl manifest get NAME:TAG prints the digests of an image',
  });
}
