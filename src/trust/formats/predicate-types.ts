/**
 * Types of predicates: what an attestation says of an image. cosign has short names for some.
 *
 * @see https://github.com/sigstore/cosign/blob/v2.6.0/specs/COSIGN_PREDICATE_SPEC.md
 * @see https://github.com/in-toto/attestation/tree/v1.1.1/spec/predicates
 */
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';

const [slsa02, spdx] = ['https://slsa.dev/provenance/v0.2', 'https://spdx.dev/Document'];

/** cosign's short names. `slsaprovenance` is version 0.2, as it is there. */
const shortNames = {
  slsaprovenance: slsa02,
  slsaprovenance02: slsa02,
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
  spdx,
  spdxjson: spdx,
  cyclonedx: 'https://cyclonedx.org/bom',
  link: 'https://in-toto.io/Link/v1',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  openvex: 'https://openvex.dev/ns',
  custom: 'https://cosign.sigstore.dev/attestation/v1',
} as const satisfies Readonly<Record<string, string>>;

export type ShortName = keyof typeof shortNames;

/** Some writers add the version of the format: `https://spdx.dev/Document/v2.3`. */
const withVersions: readonly string[] = [spdx, shortNames.cyclonedx, shortNames.openvex];
const version = /^\/v\d+(?:\.\d+)*$/;

/**
 * The type that a word of users stands for.
 *
 * @param word A short name of cosign, or a URI.
 * @throws OciError USAGE for anything else
 */
export function parsePredicateType(word: string): string {
  if (isShortName(word)) return shortNames[word];
  if (/^[a-z][a-z0-9+.-]*:[^\s\p{C}]+$/iu.test(word)) return word;
  throw new OciError('USAGE', `${quote(word)} is no type of attestation`, {
    hint: `choose ${Object.keys(shortNames).join(', ')}, or write a URI`,
  });
}

/** Whether a type is the one that a word of {@link parsePredicateType} asks for: a short name takes versions of the format too. */
export function isPredicateType(type: string, word: string): boolean {
  const wanted = parsePredicateType(word);
  if (type === wanted) return true;
  return (
    isShortName(word) &&
    withVersions.includes(wanted) &&
    type.startsWith(wanted) &&
    version.test(type.slice(wanted.length))
  );
}

function isShortName(word: string): word is ShortName {
  return Object.hasOwn(shortNames, word);
}
