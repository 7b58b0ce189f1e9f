import { type Digest, digestAlgorithm, digestBytes } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import {
  blobsOf,
  childrenOf,
  detectMediaType,
  type Manifest,
  parseManifest,
  type RawManifest,
  schema1Refused,
} from '../../model/manifest/manifest.ts';
import { bareMediaType } from '../../model/manifest/media-types.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { digestMismatch } from '../../registry/content.ts';
import type { PushManifestOptions } from '../../registry/registry.ts';
import { addTag, bearersOf, type LayoutIndex, newEntry } from '../format/index-entries.ts';
import { findDigest } from '../format/index-lookup.ts';
import { hasBlob, isElsewhere, loadManifest, needsEntry, unlessDamaged } from '../format/manifests.ts';
import { blobPath } from '../format/paths.ts';
import { maxManifestBytes } from '../format/readable-layout.ts';
import { blobFile, type LayoutDirectory, refuseReadOnly } from './layout-directory.ts';
import type { Held } from './lock.ts';

/**
 * Stores a manifest as a blob, then points its tags at it in index.json, with one entry per tag.
 *
 * Without a tag it is only a blob: index.json lists the roots of a layout, and most untagged manifests are children of
 * an index that follows. It gets an untagged entry only if it has a `subject`, so that referrers are found, or a type
 * that its bytes do not tell. Children may be missing with `sparse: true`: a layout may be incomplete.
 *
 * @throws OciError MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN, DIGEST_MISMATCH, TOO_LARGE, DENIED
 */
export async function pushManifest(
  layout: LayoutDirectory,
  raw: RawManifest,
  opts?: PushManifestOptions,
): Promise<Descriptor> {
  opts?.signal?.throwIfAborted();
  refuseReadOnly(layout);
  const manifest = await readPushed(raw, opts?.digest);
  const sparse = opts?.sparse === true;
  // Under the lock, so that no referenced blob is deleted between the check and the new entry.
  await layout.lock.exclusively(async (held) => {
    await refuseMissing(layout, manifest, sparse, opts?.signal);
    await storeBytes(layout, manifest);
    await list(layout, manifest, opts?.tags ?? [], held, opts?.signal);
  }, opts);
  return manifest.descriptor;
}

/** Of the digests that have these tags now, those that must stay in index.json without a tag. */
export async function keptWithoutTag(
  layout: LayoutDirectory,
  index: LayoutIndex,
  tags: readonly Tag[],
): Promise<ReadonlySet<Digest>> {
  const kept = new Set<Digest>();
  for (const descriptor of tags.flatMap((tag) => bearersOf(index, tag))) {
    const manifest = await unlessDamaged(() => loadManifest(layout, descriptor));
    if (manifest !== undefined && needsEntry(manifest)) kept.add(descriptor.digest);
  }
  return kept;
}

async function readPushed({ mediaType: told, bytes }: RawManifest, expected: Digest | undefined): Promise<Manifest> {
  if (bytes.length > maxManifestBytes) {
    throw new OciError('TOO_LARGE', `the manifest has ${bytes.length} bytes; at most ${maxManifestBytes} are accepted`);
  }
  const mediaType = bareMediaType(told) || detectMediaType(bytes);
  const view = parseManifest({ mediaType, bytes });
  if (view.kind === 'schema1') throw schema1Refused('the manifest');
  const digest = await digestBytes(bytes, expected === undefined ? 'sha256' : digestAlgorithm(expected));
  if (expected !== undefined && expected !== digest) throw digestMismatch(expected, digest);
  return { mediaType, bytes, view, descriptor: { mediaType, digest, size: bytes.length } };
}

async function refuseMissing(
  layout: LayoutDirectory,
  { view }: Manifest,
  sparse: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const needed = [...blobsOf(view).filter((blob) => !isElsewhere(blob)), ...(sparse ? [] : childrenOf(view))];
  const missing: Digest[] = [];
  for (const digest of new Set(needed.map((entry) => entry.digest))) {
    signal?.throwIfAborted();
    if (!(await hasBlob(layout, digest))) missing.push(digest);
  }
  if (missing.length === 0) return;
  const more = missing.length > 1 ? ` and ${missing.length - 1} more` : '';
  throw new OciError(
    'MANIFEST_BLOB_UNKNOWN',
    `the manifest references ${missing[0]}${more}, which ${layout.name} does not have`,
    {
      detail: missing.map((digest) => ({ digest })),
      hint: 'push the blobs and child manifests of a manifest before the manifest',
    },
  );
}

async function storeBytes(layout: LayoutDirectory, { descriptor, bytes }: Manifest): Promise<void> {
  const present = await unlessDamaged(() => layout.files.stat(blobPath(descriptor.digest)));
  if (present?.size !== bytes.length) await layout.work.writeSmall(blobFile(layout, descriptor.digest), bytes);
}

async function list(
  layout: LayoutDirectory,
  manifest: Manifest,
  tags: readonly Tag[],
  held: Held,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (tags.length === 0 && !needsEntry(manifest)) return;
  const before = await layout.index.read();
  const { descriptor, view } = manifest;
  const keep = await keptWithoutTag(layout, before, tags);
  let index = before;
  for (const tag of tags) {
    index = { document: index.document, entries: addTag(index, tag, descriptor, view.artifactType, keep) };
  }
  if (findDigest(index, descriptor.digest) === undefined) {
    index = { ...index, entries: [...index.entries, newEntry(descriptor, view.artifactType)] };
  }
  signal?.throwIfAborted();
  await layout.index.replace(before, index.entries, held);
}
