/** Pushes the manifests of a graph, and points tags at its root. */
import type { Digest } from '../model/digest.ts';
import { isOciError } from '../model/errors.ts';
import { childrenOf, schema1Refused } from '../model/manifest/manifest.ts';
import { isIndexType } from '../model/manifest/media-types.ts';
import type { Tag } from '../model/reference/reference.ts';
import { digestAt } from './digest-at.ts';
import type { Graph, Sharing } from './graph.ts';
import type { TransferOptions } from './options.ts';
import type { ManifestNode } from './target.ts';

/** Manifests that are pushed at once. */
const parallelManifests = 8;

/**
 * Pushes children before their parents, so a reader of the destination never sees a parent without them. The root is
 * pushed together with its tags: the registry then checks it only once.
 *
 * @returns The tags that did not point at the root before.
 */
export async function pushManifests(graph: Graph, options: TransferOptions, sharing: Sharing): Promise<readonly Tag[]> {
  const root = graph.manifests.at(-1);
  const children = options.to.sparse && graph.manifests.length > 1 ? graph.manifests.slice(0, -1) : [];
  const tags = root ? await staleTags(root, options) : [];
  const tagsOf = (node: ManifestNode): readonly Tag[] =>
    node === root ? tags : (graph.attached.tags.get(node.manifest.descriptor.digest) ?? []);
  const bringOne = async (node: ManifestNode): Promise<void> => {
    await bring(node, tagsOf(node), options, sharing);
    if (!options.to.sparse) sharing.hold.letGo((node.original ?? node.manifest.descriptor).digest);
  };
  while (graph.manifests.length + graph.others.length > 0) {
    // All of them end before an error is thrown: nothing continues in the background.
    const settled = await Promise.allSettled(nextWave(graph).map(bringOne));
    const failed = settled.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }
  await bringAgain(children, options, sharing);
  for (const tag of tags) sharing.events.push({ type: 'tagged', root: graph.root, tag });
  return tags;
}

/**
 * Takes manifests that do not name each other from the front of the graph: they are pushed at once. They are removed
 * from it, so that their bytes can be freed after the push.
 */
function nextWave(graph: Graph): ManifestNode[] {
  const wave: ManifestNode[] = [];
  const digests = new Set<Digest>();
  for (const list of [graph.manifests, graph.others]) {
    for (let node = list[0]; node && wave.length < parallelManifests; node = list[0]) {
      const { descriptor, view } = node.manifest;
      const named = view.subject ? [...childrenOf(view), view.subject] : childrenOf(view);
      if (named.some(({ digest }) => digests.has(digest))) return wave;
      digests.add(descriptor.digest);
      wave.push(node);
      list.shift();
    }
    if (list.length > 0) return wave;
  }
  return wave;
}

/** Pushes a manifest, unless the destination has it by now and no tag must be set. */
async function bring(
  node: ManifestNode,
  tags: readonly Tag[],
  options: TransferOptions,
  { target, events }: Sharing,
): Promise<void> {
  const { manifest, exists } = node;
  const { digest, mediaType } = manifest.descriptor;
  if (!exists || tags.length > 0) {
    await target.inTurn(manifest, async () => {
      if (tags.length > 0 || !target.there.has(digest)) await push(node, tags, options);
    });
  }
  if (target.there.has(digest)) return;
  target.there.set(digest, mediaType);
  const outcome = exists ? 'exists' : 'transferred';
  events.push({ type: 'done', node: node.original ?? manifest.descriptor, kind: 'manifest', outcome });
}

/**
 * Pushes what is gone of the images of an index that is there now. Who removed another index with the same image, before this
 * one was there to be seen, took that image for unneeded; who does so later sees it (`removeUntagged`).
 */
async function bringAgain(
  nodes: readonly ManifestNode[],
  options: TransferOptions,
  { target }: Sharing,
): Promise<void> {
  for (const { manifest } of nodes) {
    const { digest } = manifest.descriptor;
    if ((await digestAt(options.to, digest, options.signal)) !== undefined) continue;
    await target.inTurn(manifest, () => push({ manifest, exists: false }, [], options));
  }
}

async function push(
  { manifest, exists }: ManifestNode,
  tags: readonly Tag[],
  { from, to, signal }: TransferOptions,
): Promise<void> {
  const { digest, mediaType } = manifest.descriptor;
  const sparse = to.sparse === true && (exists || isIndexType(mediaType));
  try {
    await to.registry.pushManifest(to.repo, manifest, { digest, tags, sparse, signal });
  } catch (error) {
    // Registries that refuse schema 1 say so in many ways, "unknown error" among them.
    const refused = manifest.view.kind === 'schema1' && isOciError(error, 'MANIFEST_INVALID', 'UNKNOWN');
    throw refused ? schema1Refused(String(from.reference), error) : error;
  }
}

/** The tags that do not point at the root yet; all of them if the root is not at the destination. */
async function staleTags({ manifest, exists }: ManifestNode, { to, signal }: TransferOptions): Promise<readonly Tag[]> {
  const { digest } = manifest.descriptor;
  if (to.seen) return to.seen.digest === digest ? [] : to.tags;
  if (!exists) return to.tags;
  const stale: Tag[] = [];
  for (const tag of to.tags) if ((await digestAt(to, tag, signal)) !== digest) stale.push(tag);
  return stale;
}
