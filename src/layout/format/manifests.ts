import { type Digest, digestAlgorithm, digestBytes } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import {
  blobsOf,
  childrenOf,
  detectMediaType,
  impliedMediaType,
  type Manifest,
  parseManifest,
} from '../../model/manifest/manifest.ts';
import { bareMediaType, isForeignLayerType, isManifestType } from '../../model/manifest/media-types.ts';
import { digestMismatch, sizeMismatch } from '../../registry/content.ts';
import { referrerEntry } from '../../registry/referrers.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { LayoutIndex } from './index-entries.ts';
import { findDigest } from './index-lookup.ts';
import { blobPath } from './paths.ts';
import { maxManifestBytes, type ReadableLayout } from './readable-layout.ts';

/** Deeper nesting is treated as an attack. */
const maxDepth = 16;

/**
 * Reads the manifest of a descriptor; undefined if its file is missing.
 *
 * @throws OciError DIGEST_MISMATCH, SIZE_MISMATCH, TOO_LARGE, MANIFEST_INVALID
 */
export async function loadManifest(layout: ReadableLayout, descriptor: Descriptor): Promise<Manifest | undefined> {
  const bytes = await readVerified(layout, descriptor.digest);
  if (bytes === undefined) return undefined;
  if (bytes.length !== descriptor.size) throw sizeMismatch(descriptor, bytes.length);
  return asManifest(descriptor.digest, bareMediaType(descriptor.mediaType) || detectMediaType(bytes), bytes);
}

/**
 * Reads the manifest with a digest; undefined if there is none. Its type comes from index.json, else from its bytes,
 * else from an index that contains it. A blob that no index contains only counts as a manifest if everything it
 * references is stored too: otherwise it may be the content of another artifact.
 *
 * @throws OciError as {@link loadManifest}
 */
export async function findManifest(
  layout: ReadableLayout,
  digest: Digest,
  opts?: SignalOption,
): Promise<Manifest | undefined> {
  const index = await layout.index.read();
  const entry = findDigest(index, digest);
  if (entry !== undefined) return await loadManifest(layout, entry);
  const bytes = await readVerified(layout, digest);
  if (bytes === undefined) return undefined;
  const implied = impliedManifest(digest, bytes);
  if (implied !== undefined && (await hasBlobs(layout, implied))) return implied;
  const mediaType = (await surveyOf(layout, index, opts)).mediaTypes.get(digest);
  return mediaType === undefined ? undefined : asManifest(digest, mediaType, bytes);
}

/** What all manifests that index.json leads to say of others. */
interface Survey {
  /** Of the children of indexes. If several name one, the first counts. */
  readonly mediaTypes: ReadonlyMap<Digest, string>;
  /** By subject. */
  readonly referrers: ReadonlyMap<Digest, readonly Descriptor[]>;
}

// Only of layouts that are fixed: then an archive of a thousand images is not looked through for each of them.
const surveys = new WeakMap<ReadableLayout, Promise<Survey>>();

/** What is looked through is named in memory. */
const maxSurveyed = 1_000_000;

/** Looks through all manifests, or remembers what it found. @throws OciError TOO_LARGE */
export async function surveyOf(layout: ReadableLayout, index: LayoutIndex, opts?: SignalOption): Promise<Survey> {
  if (!layout.isFixed) return await survey(layout, index, opts);
  const known = surveys.get(layout);
  if (known) return await known;
  const made = survey(layout, index, opts);
  surveys.set(layout, made);
  made.catch(() => surveys.delete(layout)); // told below; one that was stopped is made again
  return await made;
}

async function survey(layout: ReadableLayout, index: LayoutIndex, opts?: SignalOption): Promise<Survey> {
  const mediaTypes = new Map<Digest, string>();
  const referrers = new Map<Digest, Descriptor[]>();
  for await (const { descriptor, view } of reachableManifests(layout, index, opts)) {
    for (const { digest, mediaType } of childrenOf(view)) {
      if (!mediaTypes.has(digest)) mediaTypes.set(digest, bareMediaType(mediaType));
    }
    if (mediaTypes.size > maxSurveyed) {
      throw new OciError('TOO_LARGE', `the indexes in ${layout.name} name more than ${maxSurveyed} manifests`);
    }
    if (view.subject === undefined) continue;
    const known = referrers.get(view.subject.digest) ?? [];
    referrers.set(view.subject.digest, known);
    known.push(referrerEntry(descriptor, view));
  }
  return { mediaTypes, referrers };
}

/** Every readable manifest that index.json leads to, without duplicates, parents first. */
export async function* reachableManifests(
  layout: ReadableLayout,
  index: LayoutIndex,
  opts?: SignalOption,
): AsyncGenerator<Manifest> {
  const seen = new Set<Digest>();
  const visit = async function* (descriptor: Descriptor, depth: number): AsyncGenerator<Manifest> {
    if (seen.has(descriptor.digest) || depth > maxDepth) return;
    seen.add(descriptor.digest);
    opts?.signal?.throwIfAborted();
    const manifest = await unlessDamaged(() => loadManifest(layout, descriptor));
    if (manifest === undefined) return;
    yield manifest;
    for (const child of childrenOf(manifest.view)) {
      if (isManifestType(child.mediaType)) yield* visit(child, depth + 1);
    }
  };
  for (const { descriptor } of index.entries) if (descriptor !== undefined) yield* visit(descriptor, 0);
}

/** Whether a manifest needs an entry in index.json even without a tag: nothing else leads to it, or tells its type. */
export function needsEntry({ mediaType, bytes, view }: Omit<Manifest, 'descriptor'>): boolean {
  return view.subject !== undefined || impliedMediaType(bytes) !== mediaType;
}

/** Runs a read of untrusted files; undefined if they are damaged. */
export async function unlessDamaged<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const codes = ['MANIFEST_INVALID', 'DIGEST_MISMATCH', 'SIZE_MISMATCH', 'TOO_LARGE', 'STORAGE_DAMAGED'] as const;
    if (isOciError(error, ...codes)) return undefined;
    throw error;
  }
}

export async function hasBlob(layout: ReadableLayout, digest: Digest): Promise<boolean> {
  return (await unlessDamaged(() => layout.files.stat(blobPath(digest)))) !== undefined;
}

/** Whether a layer may be missing, because it can be fetched from its URLs. */
export function isElsewhere({ mediaType, urls }: Descriptor): boolean {
  return isForeignLayerType(mediaType) || (urls ?? []).length > 0;
}

async function readVerified(layout: ReadableLayout, digest: Digest): Promise<Uint8Array | undefined> {
  const file = blobPath(digest);
  const bytes = await layout.files.read(file, maxManifestBytes);
  if (bytes === undefined) return undefined;
  const got = await digestBytes(bytes, digestAlgorithm(digest));
  if (got === digest) return bytes;
  throw new OciError('DIGEST_MISMATCH', digestMismatch(digest, got).message, {
    hint: `${layout.files.shown(file)} is damaged: ${layout.files.remedy}`,
  });
}

function asManifest(digest: Digest, mediaType: string, bytes: Uint8Array): Manifest {
  const view = parseManifest({ mediaType, bytes });
  return { mediaType, bytes, view, descriptor: { mediaType, digest, size: bytes.length } };
}

// A config has a field `config` too, and any JSON may have a mediaType: only what parses as a manifest counts.
function impliedManifest(digest: Digest, bytes: Uint8Array): Manifest | undefined {
  const mediaType = impliedMediaType(bytes);
  if (mediaType === undefined || !isManifestType(mediaType)) return undefined;
  try {
    return asManifest(digest, mediaType, bytes);
  } catch (error) {
    if (isOciError(error, 'MANIFEST_INVALID')) return undefined;
    throw error;
  }
}

async function hasBlobs(layout: ReadableLayout, { view }: Manifest): Promise<boolean> {
  for (const blob of blobsOf(view)) {
    if (!isElsewhere(blob) && !(await hasBlob(layout, blob.digest))) return false;
  }
  return true;
}
