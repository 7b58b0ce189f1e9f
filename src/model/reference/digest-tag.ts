import { type Digest, digestAlgorithm, digestHex } from '../digest.ts';
import { parseTag, type Tag } from './reference.ts';

/** What cosign keeps of a manifest under a tag: signatures, attestations, lists of parts. */
const digestTagSuffixes = ['sig', 'att', 'sbom'] as const;

const grammar = new RegExp(`^sha(?:256-[0-9a-f]{64}|512-[0-9a-f]{128})\\.(?:${digestTagSuffixes.join('|')})$`);

/**
 * Whether a tag is named after the digest of a manifest, and holds what belongs to that.
 *
 * @see https://github.com/sigstore/cosign/blob/v2.6.0/specs/SIGNATURE_SPEC.md#tag-based-discovery
 */
export function isDigestTag(tag: string): boolean {
  return grammar.test(tag);
}

/**
 * The tags under which cosign keeps what belongs to a manifest: `sha256-<hex>.sig`, `.att`, `.sbom`.
 *
 * @see https://github.com/sigstore/cosign/blob/v2.6.0/specs/SIGNATURE_SPEC.md#tag-based-discovery
 */
export function digestTagsOf(digest: Digest): readonly Tag[] {
  return digestTagSuffixes.map((suffix) => digestTag(digest, suffix));
}

/** One of these tags: `sha256-<hex>.sig`. */
export function digestTag(digest: Digest, suffix: (typeof digestTagSuffixes)[number]): Tag {
  return parseTag(`${digestAlgorithm(digest)}-${digestHex(digest)}.${suffix}`);
}
