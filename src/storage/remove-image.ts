import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { childrenOf, type Manifest } from '../model/manifest.ts';
import type { StoreName } from '../model/reference.ts';
import { garbageCollector, manifestEnumerator } from '../registry/extensions.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { type FoundImage, findImages, noSuchImage } from './find-image.ts';

export interface RemovedImage {
  /** Names that are gone, as `alpine:3.20` and `alpine@sha256:…`. */
  readonly untagged: readonly string[];
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
  const victims = await findImages(registry, word, opts);
  if (victims.length === 0) {
    if (opts.force) return { untagged: [], deleted: [], freedBytes: 0 };
    throw noSuchImage(word);
  }
  if (!opts.force) refuseSeveral(word, victims);
  const untagged: string[] = [];
  const deleted: Digest[] = [];
  for (const { repo, name, tag, digest } of victims) {
    if (tag !== undefined) {
      await registry.deleteTag(repo, tag, opts);
      untagged.push(`${name}:${tag}`);
    }
    const gone = await removeUnneeded(registry, repo, digest, opts);
    if (gone.length > 0) untagged.push(`${name}@${digest}`);
    deleted.push(...gone);
  }
  if (deleted.length === 0) return { untagged, deleted, freedBytes: 0 };
  const swept = await registry.extension(garbageCollector)?.collect({ signal: opts.signal });
  const removed = swept?.removed ?? [];
  return {
    untagged,
    deleted: [...new Set([...deleted, ...removed.map(({ digest }) => digest)])],
    freedBytes: removed.reduce((sum, { size }) => sum + size, 0),
  };
}

function refuseSeveral(word: string, victims: readonly FoundImage[]): void {
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
  for await (const tag of registry.tags(repo, opts)) tagged.add((await registry.statManifest(repo, tag, opts)).digest);
  const deleted: Digest[] = [];
  const visit = async (target: Digest): Promise<void> => {
    const manifest = manifests.get(target);
    const isChild = [...manifests.values()].some(({ view }) =>
      childrenOf(view).some((child) => child.digest === target),
    );
    if (!manifest || isChild || tagged.has(target)) return;
    await registry.deleteManifest(repo, target, opts);
    manifests.delete(target);
    deleted.push(target);
    for (const child of childrenOf(manifest.view)) await visit(child.digest);
    // What was said about it (signatures, attestations) goes with it.
    for (const [referrer, { view }] of manifests) if (view.subject?.digest === target) await visit(referrer);
  };
  await visit(digest);
  return deleted;
}

async function readAll(registry: Registry, repo: StoreName, opts: SignalOption): Promise<Map<Digest, Manifest>> {
  const manifests = new Map<Digest, Manifest>();
  for await (const digest of registry.extension(manifestEnumerator)?.manifests(repo, opts) ?? []) {
    manifests.set(digest, await registry.getManifest(repo, digest, opts));
  }
  return manifests;
}
