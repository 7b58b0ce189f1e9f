// STUB: signatures are fixed; the bodies are being written.
import type { Descriptor } from './descriptor.ts';

/** @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly osVersion?: string;
  readonly osFeatures?: readonly string[];
}

/** Reads the JSON object of a descriptor. @throws OciError MANIFEST_INVALID */
export declare function parsePlatformObject(value: unknown, where: string): Platform;
/** Reads `os[/arch[/variant]]` or `arch`, normalised (aarch64 → arm64 …). @throws OciError USAGE */
export declare function parsePlatform(text: string): Platform;
export declare function normalizePlatform(platform: Platform): Platform;
export declare function formatPlatform(platform: Platform): string;
/** The platform asked for on this machine: its architecture, and linux on every OS but Windows containers. */
export declare function hostPlatform(facts?: { readonly os?: string; readonly architecture?: string }): Platform;
/** Whether an image for `offered` runs where `wanted` is asked for (arm/v6 runs on arm/v7, arm64 = arm64/v8). */
export declare function platformMatches(offered: Platform, wanted: Platform): boolean;
/** The entries of an index that serve a platform, best first; entries without a platform last; attestations never. */
export declare function selectPlatform(entries: readonly Descriptor[], wanted: Platform): readonly Descriptor[];
/** An attestation's entry: platform unknown/unknown and the annotation vnd.docker.reference.type. */
export declare function isAttestation(entry: Descriptor): boolean;
