import { type Digest, parseDigest } from '../model/digest.ts';

/** The parts of `NAME@DIGEST`. @throws OciError DIGEST_INVALID */
export function splitDigest(word: string): { readonly name: string; readonly digest: Digest | undefined } {
  const at = word.lastIndexOf('@');
  return at < 0
    ? { name: word, digest: undefined }
    : { name: word.slice(0, at), digest: parseDigest(word.slice(at + 1)) };
}
