import type { Digest } from '../model/digest.ts';
import { isOciError, OciError, unlessUnknown } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { childrenOf, type ManifestView } from '../model/manifest/manifest.ts';
import type { StoreName } from '../model/reference/reference.ts';
import { garbageCollector, manifestEnumerator } from '../registry/extensions.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { soundDigest } from '../registry/tags.ts';
import { type DamagedTag, damagedTag, type FoundImage, findImages, noSuchImage } from './find.ts';
import { entriesWhileThere, removedHere } from './vanished.ts';

export interface RemovedImage {
  /** Names that are gone, as `alpine:3.20` and `alpine@sha256:…`. */
  readonly untagged: readonly string[];
  /** Manifests and blobs that are gone because no repository of the store has them, those of earlier removals included. */
  readonly deleted: readonly Digest[];
  readonly freedBytes: number;
}

export interface RemoveOptions extends SignalOption {
  /** Removes all tags of an ID or digest; what is not there is no error. */
  readonly force?: boolean | undefined;
}

/**
 * Removes what a name, a digest or an image ID stands for, and every blob that nothing else needs.
 *
 * @throws OciError IMAGE_UNKNOWN; REFUSED where an ID or a digest stands for several tags and `force` is not set.
 */
export async function removeImage(registry: Registry, word: string, opts: RemoveOptions = {}): Promise<RemovedImage> {
  const victims = await findVictims(registry, word, opts);
  if (victims.length === 0) {
    if (opts.force) return { untagged: [], deleted: [], freedBytes: 0 };
    throw noSuchImage(word);
  }
  if (!opts.force) refuseSeveral(word, victims);
  const untagged: string[] = [];
  const manifests: Digest[] = [];
  for (const { repo, name, tag, digest } of victims) {
    if (tag !== undefined && (await removedHere(registry.deleteTag(repo, tag, opts)))) untagged.push(`${name}:${tag}`);
    const gone = digest === undefined ? [] : await removeUnneeded(registry, repo, digest, opts);
    if (gone.length > 0) untagged.push(`${name}@${digest}`);
    manifests.push(...gone);
  }
  if (manifests.length === 0) return { untagged, deleted: [], freedBytes: 0 };
  const swept = await registry.extension(garbageCollector)?.collect({ signal: opts.signal });
  const removed = swept?.removed ?? [];
  const gone = new Set(removed.map(({ digest }) => digest));
  // Docker names the image before its layers.
  const first = manifests.filter((digest) => gone.has(digest));
  return {
    untagged,
    deleted: [...new Set([...first, ...gone])],
    freedBytes: removed.reduce((sum, { size }) => sum + size, 0),
  };
}

async function findVictims(
  registry: Registry,
  word: string,
  opts: SignalOption,
): Promise<readonly (FoundImage | DamagedTag)[]> {
  try {
    return await findImages(registry, word, opts);
  } catch (error) {
    if (!isOciError(error, 'STORAGE_DAMAGED')) throw error;
    return damagedTag(word, error);
  }
}

function refuseSeveral(word: string, victims: readonly Pick<FoundImage, 'name' | 'tag'>[]): void {
  const names = victims.flatMap(({ name, tag }) => (tag === undefined ? [] : [`${name}:${tag}`]));
  if (names.length <= 1) return;
  throw new OciError('REFUSED', `unable to delete ${word}: it has several names: ${names.join(', ')}`, {
    hint: 'remove the names you no longer need, or all of them with --force',
  });
}

/** Deletes a manifest that no tag and no index of its repository needs any more, then its children likewise. */
async function removeUnneeded(
  registry: Registry,
  repo: StoreName,
  digest: Digest,
  opts: SignalOption,
): Promise<Digest[]> {
  const manifests = await readAll(registry, repo, opts);
  const tagged = new Set<Digest>();
  for await (const tag of entriesWhileThere(registry.tags(repo, opts))) {
    const pointsAt = await soundDigest(registry, repo, tag, opts);
    if (pointsAt !== undefined) tagged.add(pointsAt);
  }
  const deleted: Digest[] = [];
  const visit = async (target: Digest): Promise<void> => {
    const isChild = [...manifests.values()].some((view) => childrenIn(view).some((child) => child.digest === target));
    if (!manifests.has(target) || isChild || tagged.has(target)) return;
    const view = manifests.get(target);
    if (await removedHere(registry.deleteManifest(repo, target, opts))) deleted.push(target);
    manifests.delete(target);
    for (const child of childrenIn(view)) await visit(child.digest);
    // What was said about it (signatures, attestations) goes with it.
    for (const [referrer, other] of manifests) if (other?.subject?.digest === target) await visit(referrer);
  };
  await visit(digest);
  return deleted;
}

// Undefined stands for what the disk has damaged: it needs nothing, and goes when it is named.
async function readAll(
  registry: Registry,
  repo: StoreName,
  opts: SignalOption,
): Promise<Map<Digest, ManifestView | undefined>> {
  const manifests = new Map<Digest, ManifestView | undefined>();
  const enumerator = registry.extension(manifestEnumerator);
  if (enumerator === undefined) return manifests;
  for await (const digest of entriesWhileThere(enumerator.manifests(repo, opts))) {
    manifests.set(digest, (await unlessDamaged(registry.getManifest(repo, digest, opts)))?.view);
  }
  return manifests;
}

function childrenIn(view: ManifestView | undefined): readonly Descriptor[] {
  return view === undefined ? [] : childrenOf(view);
}

function unlessDamaged<T>(promise: Promise<T>): Promise<T | undefined> {
  return unlessUnknown(promise, 'STORAGE_DAMAGED', 'MANIFEST_INVALID', 'MANIFEST_UNKNOWN');
}
