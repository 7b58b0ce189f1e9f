/** Formats of lists of parts, and the types under which they are kept. */
import { bareMediaType } from '../../model/manifest/media-types.ts';

export const sbomFormats = ['spdx', 'cyclonedx', 'syft'] as const;

/** SPDX, CycloneDX, or the own format of Syft. */
export type SbomFormat = (typeof sbomFormats)[number];

/** The format that a media type or artifact type names: `application/spdx+json`, `application/vnd.cyclonedx+json`, `text/spdx`. */
export function formatOfType(type: string): SbomFormat | undefined {
  const words = bareMediaType(type).split(/[^a-z0-9]+/);
  return sbomFormats.find((format) => words.includes(format));
}

// Some writers add the version of the format: https://cyclonedx.org/bom/v1.4
const predicates: readonly (readonly [RegExp, SbomFormat])[] = [
  [/^https:\/\/spdx\.dev\/Document(?:\/|$)/, 'spdx'],
  [/^https:\/\/cyclonedx\.org\/(?:bom|schema)(?:\/|$)/, 'cyclonedx'],
  [/^https:\/\/syft\.dev\/bom(?:\/|$)/, 'syft'],
];

/**
 * The format that the type of a predicate names: `https://spdx.dev/Document`.
 *
 * @see https://github.com/in-toto/attestation/tree/v1.1.0/spec/predicates
 */
export function formatOfPredicate(predicateType: string): SbomFormat | undefined {
  return predicates.find(([grammar]) => grammar.test(predicateType))?.[1];
}

/** How a blob holds a document: as it is, or as the predicate of a statement, which may be in an envelope. */
export type Envelope = 'none' | 'statement' | 'dsse' | 'bundle';

/** @see https://github.com/sigstore/cosign/blob/v2.6.0/specs/BUNDLE_SPEC.md */
const bundle = /^application\/vnd\.dev\.sigstore\.bundle(?:\.v0\.\d{1,3})?\+json$/;

/** What a blob of this type is; undefined if only its type says that it is a document. */
export function envelopeOf(mediaType: string): Envelope {
  const type = bareMediaType(mediaType);
  if (type === 'application/vnd.in-toto+json') return 'statement';
  if (type === 'application/vnd.dsse.envelope.v1+json') return 'dsse';
  return bundle.test(type) ? 'bundle' : 'none';
}
