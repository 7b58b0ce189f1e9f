import { type Digest, tryParseDigest } from '../digest.ts';
import type { Descriptor } from '../manifest/descriptor.ts';
import { normalizePlatform, type Platform } from './platform.ts';

/**
 * Whether an image for `offered` runs on `wanted`: the same system and architecture, and a variant that is not above
 * the wanted one (arm/v6 runs on arm/v7, amd64/v2 on amd64/v3, arm64 = arm64/v8). A Windows image of a later build than
 * the wanted one does not run.
 *
 * @see https://github.com/containerd/platforms/blob/v1.0.0-rc.1/compare.go
 */
export function platformMatches(offered: Platform, wanted: Platform): boolean {
  return distance(offered, wanted) !== undefined;
}

/**
 * The entries of an index that run on a platform, best first: the exact variant, then lower ones; on Windows the builds that
 * start with the wanted version; last, entries without a platform, such as nested indexes. Attestations are left out.
 */
export function selectPlatform(entries: readonly Descriptor[], wanted: Platform): readonly Descriptor[] {
  const ranked = entries.flatMap((entry) => {
    if (isAttestation(entry)) return [];
    const rank = tellsPlatform(entry.platform) ? distance(entry.platform, wanted) : Number.POSITIVE_INFINITY;
    return rank === undefined ? [] : [{ entry, rank }];
  });
  // Subtracting two infinities would give NaN.
  ranked.sort((a, b) => (a.rank === b.rank ? 0 : a.rank < b.rank ? -1 : 1));
  return ranked.map(({ entry }) => entry);
}

/** The annotation that names the image that an attestation in the same index describes. */
export const attestedImage = 'vnd.docker.reference.digest';

/**
 * The image that an attestation in an index describes; undefined if it names none.
 *
 * @see https://github.com/moby/buildkit/blob/v0.16.0/docs/attestations/attestation-storage.md
 */
export function attestedDigest({ annotations }: Descriptor): Digest | undefined {
  return tryParseDigest(annotations?.[attestedImage]);
}

/** Whether an entry is an attestation: its platform is unknown/unknown, or it has BuildKit's annotation. */
export function isAttestation(entry: Descriptor): boolean {
  const { platform } = entry;
  if (entry.annotations?.['vnd.docker.reference.type'] !== undefined) return true;
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}

// Some builders write a platform whose fields are empty strings.
function tellsPlatform(platform: Platform | undefined): platform is Platform {
  return platform !== undefined && (platform.os !== '' || platform.architecture !== '');
}

/** How far the offer is below what is wanted: 0 for an exact match, undefined if it does not run there. */
function distance(offer: Platform, want: Platform): number | undefined {
  const offered = normalizePlatform(offer);
  const wanted = normalizePlatform(want);
  if (offered.os !== wanted.os || offered.architecture !== wanted.architecture) return undefined;
  const version = offered.os === 'windows' ? versionDistance(offered.osVersion, wanted.osVersion) : 0;
  const variant = variantDistance(offered.architecture, offered.variant, wanted.variant);
  return version === undefined || variant === undefined ? undefined : variant * 4 + version;
}

function variantDistance(architecture: string, offered = '', wanted = ''): number | undefined {
  if (offered === wanted) return 0;
  const baseline = baselines.get(architecture) ?? Number.NaN;
  const below = (level(wanted) ?? baseline) - (level(offered) ?? baseline);
  return below >= 0 ? below : undefined;
}

/**
 * Ordered variants as a number: v7 → 700, v8.2 → 802, rva22u64 → 2200; undefined without a variant, NaN for an unknown one.
 */
function level(variant: string): number | undefined {
  if (variant === '') return undefined;
  const match = /^(?:v(\d{1,2})(?:\.(\d{1,2}))?|rva(\d{1,2})u64)$/.exec(variant);
  return match ? Number(match[1] ?? match[3]) * 100 + Number(match[2] ?? 0) : Number.NaN;
}

const baselines: ReadonlyMap<string, number> = new Map([
  ['amd64', 100],
  ['arm64', 800],
  ['riscv64', 2000],
]);

function versionDistance(offered: string | undefined, wanted: string | undefined): number | undefined {
  if (wanted === undefined || offered === wanted) return 0;
  if (offered === undefined) return 2;
  if (offered.startsWith(`${wanted}.`)) return 1;
  const [build, host] = [buildOf(offered), buildOf(wanted)];
  if (build === host) return 1;
  return build > host ? undefined : 3;
}

/** The third number of `10.0.17763.1`; 0 where there is none. */
function buildOf(version: string): number {
  return Number(/^\d{1,9}\.\d{1,9}\.(\d{1,9})(?:\.|$)/.exec(version)?.[1] ?? 0);
}
