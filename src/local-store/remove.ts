import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { childrenOf, type ManifestView } from '../model/manifest/manifest.ts';
import type { StoreName, Tag } from '../model/reference/reference.ts';
import { garbageCollector, tagRemover, untaggedRemover } from '../registry/extensions.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { soundDigest } from '../registry/tags.ts';
import { type DamagedTag, type FoundImage, findImagesOrDamage, noSuchImage } from './find.ts';
import { type KeptLayers, keptLayers, readAll } from './kept.ts';
import { entriesWhileThere, removedHere } from './vanished.ts';

export interface RemovedImage {
  /** Names that were removed, such as `alpine:3.20` and `alpine@sha256:…`. */
  readonly untagged: readonly string[];
  /** Manifests and blobs that were removed because no repository uses them, including those of earlier removals. */
  readonly deleted: readonly Digest[];
  readonly freedBytes: number;
  /** Other names of an image that was kept for them: tags, and indexes that contain it. */
  readonly stillNamed: readonly string[];
  /** Layers of the removed images that were kept. */
  readonly kept: readonly KeptLayers[];
}

export interface RemoveOptions extends SignalOption {
  /** Removes all tags of an ID or digest, and accepts a name that does not exist. */
  readonly force?: boolean | undefined;
}

/**
 * Removes the image with a name, digest or image ID, and every blob that nothing else needs.
 *
 * @throws OciError IMAGE_UNKNOWN; REFUSED if an ID or digest has several tags and `force` is not set.
 */
export async function removeImage(registry: Registry, word: string, opts: RemoveOptions = {}): Promise<RemovedImage> {
  const victims = await findImagesOrDamage(registry, word, opts);
  if (victims.length === 0) {
    if (opts.force) return { ...nothingRemoved, untagged: [] };
    throw noSuchImage(word);
  }
  if (!opts.force) refuseSeveral(word, victims);
  const untagged: string[] = [];
  const manifests = new Map<Digest, ManifestView | undefined>();
  const stillNamed: string[] = [];
  for (const victim of victims) {
    const { repo, name, tag, digest } = victim;
    if (tag !== undefined && (await removeTag(registry, victim, tag, opts))) untagged.push(`${name}:${tag}`);
    if (digest === undefined) continue;
    const { deleted, names } = await removeUnneeded(registry, repo, digest, opts);
    if (deleted.size > 0) untagged.push(`${name}@${digest}`);
    for (const [gone, view] of deleted) manifests.set(gone, view);
    stillNamed.push(...names.map((rest) => name + rest));
  }
  if (manifests.size === 0) return { ...nothingRemoved, untagged, stillNamed };
  const swept = await registry.extension(garbageCollector)?.collect({ signal: opts.signal });
  const removed = swept?.removed ?? [];
  const gone = new Set(removed.map(({ digest }) => digest));
  const views = [...manifests.values()].filter((view) => view !== undefined);
  const used = await keptLayers(registry, { views, gone, opts: { signal: opts.signal } });
  const inUse = swept?.kept.inUse ?? { count: 0, bytes: 0 };
  // Docker lists the image before its layers.
  const first = [...manifests.keys()].filter((digest) => gone.has(digest));
  return {
    untagged,
    deleted: [...new Set([...first, ...gone])],
    freedBytes: removed.reduce((sum, { size }) => sum + size, 0),
    stillNamed: [],
    kept: [...used, ...(inUse.count > 0 ? [{ ...inUse, usedBy: undefined }] : [])],
  };
}

const nothingRemoved = { deleted: [], freedBytes: 0, stillNamed: [], kept: [] };

function refuseSeveral(word: string, victims: readonly Pick<FoundImage, 'name' | 'tag'>[]): void {
  const names = victims.flatMap(({ name, tag }) => (tag === undefined ? [] : [`${name}:${tag}`]));
  if (names.length <= 1) return;
  throw new OciError('REFUSED', `unable to delete ${word}: it has several names: ${names.join(', ')}`, {
    hint: 'remove the names you no longer need, or all of them with --force',
  });
}

/** Removes a tag. If the image was not named by it, only while the tag still points at it. @returns Whether it was removed. */
async function removeTag(
  registry: Registry,
  { repo, digest, byTag }: FoundImage | DamagedTag,
  tag: Tag,
  opts: SignalOption,
): Promise<boolean> {
  const remover = byTag ? undefined : registry.extension(tagRemover);
  if (remover && digest !== undefined) return await remover.removeTag(repo, tag, digest, opts);
  return (await removedHere(registry.deleteTag(repo, tag, opts))) !== false;
}

/** Deletes a manifest that no tag and no index of its repository needs, then its children if they are not needed either. */
async function removeUnneeded(
  registry: Registry,
  repo: StoreName,
  digest: Digest,
  opts: SignalOption,
): Promise<{ readonly deleted: ReadonlyMap<Digest, ManifestView | undefined>; readonly names: readonly string[] }> {
  const manifests = await readAll(registry, repo, opts);
  const tagged = new Map<Digest, string>();
  for await (const tag of entriesWhileThere(registry.tags(repo, opts))) {
    const pointsAt = await soundDigest(registry, repo, tag, opts);
    if (pointsAt !== undefined) tagged.set(pointsAt, `:${tag}`);
  }
  const deleted = new Map<Digest, ManifestView | undefined>();
  const remover = registry.extension(untaggedRemover);
  const visit = async (target: Digest): Promise<void> => {
    const isChild = [...manifests.values()].some((view) => childrenIn(view).some((child) => child.digest === target));
    if (!manifests.has(target) || isChild || tagged.has(target)) return;
    const view = manifests.get(target);
    const removal = remover?.removeUntagged(repo, target, opts) ?? registry.deleteManifest(repo, target, opts);
    const removed = await removedHere(removal);
    if (removed === 'needed') return; // a tag was written meanwhile
    if (removed) deleted.set(target, view);
    manifests.delete(target);
    for (const child of childrenIn(view)) await visit(child.digest);
    // Its referrers (signatures, attestations) are deleted with it.
    for (const [referrer, other] of manifests) if (other?.subject?.digest === target) await visit(referrer);
  };
  await visit(digest);
  if (!manifests.has(digest)) return { deleted, names: [] };
  const parents = [...manifests].filter(([, view]) => childrenIn(view).some((child) => child.digest === digest));
  const tag = tagged.get(digest);
  return { deleted, names: [...(tag === undefined ? [] : [tag]), ...parents.map(([parent]) => `@${parent}`)] };
}

function childrenIn(view: ManifestView | undefined): readonly Descriptor[] {
  return view === undefined ? [] : childrenOf(view);
}
