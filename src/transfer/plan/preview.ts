/** Finds out what a transfer would do. Manifests are read, blobs are looked up, and nothing is written. */
import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { RepositoryName, Tag } from '../../model/reference/reference.ts';
import { isThere } from '../batch.ts';
import { digestAt } from '../digest-at.ts';
import { EventQueue } from '../event-queue.ts';
import { type BlobNode, discoverGraph, type Graph } from '../graph.ts';
import { type Looked, lookAtEnds } from '../look.ts';
import { unlessLost } from '../node-reader.ts';
import type { TransferOptions } from '../options.ts';
import { Room } from '../room.ts';
import { Site } from '../site.ts';
import { Slots } from '../slots.ts';
import { Hold, Target } from '../target.ts';

const looksAtOnce = 16;

/** `present`: it is at the destination; `mount`: another repository there has it; `copy`: its bytes move. */
type PreviewAction = 'present' | 'mount' | 'copy';

interface PreviewNode {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly action: PreviewAction;
  /** The repository it can be mounted from. */
  readonly mountFrom?: RepositoryName | undefined;
}

interface PreviewTag {
  readonly tag: Tag;
  /** What it points at now; null if it does not exist. */
  readonly from: Digest | null;
  readonly to: Digest;
}

/** What a transfer would do, if nothing changes meanwhile. */
export interface Preview {
  readonly root: Descriptor;
  /** Whether anything would be written. */
  readonly changes: boolean;
  /** Of blobs and manifests that would move. */
  readonly bytes: number;
  /** About how many requests would write. */
  readonly writes: number;
  readonly manifests: readonly PreviewNode[];
  readonly blobs: readonly PreviewNode[];
  /** Those that would be set or moved. */
  readonly tags: readonly PreviewTag[];
  readonly referrers: readonly Digest[];
  readonly digestTags: readonly Tag[];
}

/** @throws OciError as a transfer does before it writes. */
export async function previewTransfer(asked: TransferOptions): Promise<Preview> {
  const room = new Room();
  const target = new Target(room, new Site());
  const sharing = { target, hold: new Hold(target), large: room.large(), events: new EventQueue() };
  try {
    const options = await lookAtEnds(asked);
    const { root } = options.from;
    const graph = isThere(root, options) ? undefined : await discoverGraph(root, options, sharing);
    const isRootThere = (await graph?.rootIsThere) === true;
    const nodes = graph ? [...graph.manifests, ...graph.others] : [];
    const manifests = nodes.map(({ manifest: { descriptor }, exists }) => {
      const present = exists || (isRootThere && descriptor.digest === root.digest);
      return previewOf(descriptor, present ? 'present' : 'copy');
    });
    const slots = new Slots(looksAtOnce);
    const blobs = await Promise.all(
      (graph?.blobs ?? []).filter(isMoved(options)).map((blob) => slots.run(() => lookAtBlob(blob, options))),
    );
    const tags = [...(await rootTags(options)), ...(graph ? await digestTags(graph, options) : [])];
    const moved = [...manifests, ...blobs].filter(({ action }) => action === 'copy');
    const copied = blobs.filter(({ action }) => action === 'copy').length;
    const mounted = blobs.filter(({ action }) => action === 'mount').length;
    const pushed = manifests.filter(({ action }) => action === 'copy').length;
    return {
      root,
      changes: moved.length + mounted + tags.length > 0,
      bytes: moved.reduce((sum, { size }) => sum + size, 0),
      // A manifest that gets a tag is put under it; an upload is opened and sent.
      writes: 2 * copied + mounted + Math.max(pushed, tags.length),
      manifests,
      blobs,
      tags,
      referrers: graph?.attached.referrers.map(({ digest }) => digest) ?? [],
      digestTags: graph?.attached.digestTags ?? [],
    };
  } finally {
    sharing.hold.letAllGo();
    sharing.large.end();
  }
}

function isMoved({ foreignLayers }: TransferOptions): (blob: BlobNode) => boolean {
  return ({ foreign }) => !(foreign && foreignLayers === 'skip');
}

async function lookAtBlob({ descriptor }: BlobNode, options: Looked): Promise<PreviewNode> {
  const { to, from, mountFrom, signal } = options;
  const isAt = async (repo: RepositoryName): Promise<boolean> =>
    (await unlessLost(to.registry.statBlob(repo, descriptor.digest, { signal })))?.size === descriptor.size;
  if (await isAt(to.repo)) return previewOf(descriptor, 'present');
  const other = typeof mountFrom === 'function' ? await mountFrom(descriptor.digest) : mountFrom;
  // The source has what its manifests name; of another repository it is only likely.
  if (other !== undefined && other !== to.repo && ((other === from.repo && !from.sparse) || (await isAt(other)))) {
    return { ...previewOf(descriptor, 'mount'), mountFrom: other };
  }
  return previewOf(descriptor, 'copy');
}

async function rootTags({ from, to, signal }: Looked): Promise<readonly PreviewTag[]> {
  const changed: PreviewTag[] = [];
  for (const tag of to.tags) {
    const there = to.seen ? to.seen.digest : await digestAt(to, tag, signal);
    if (there !== from.root.digest) changed.push({ tag, from: there ?? null, to: from.root.digest });
  }
  return changed;
}

async function digestTags({ attached }: Graph, { to, signal }: Looked): Promise<readonly PreviewTag[]> {
  const changed: PreviewTag[] = [];
  for (const [digest, tags] of attached.tags) {
    for (const tag of tags) changed.push({ tag, from: (await digestAt(to, tag, signal)) ?? null, to: digest });
  }
  return changed;
}

function previewOf({ digest, mediaType, size }: Descriptor, action: PreviewAction): PreviewNode {
  return { digest, mediaType, size, action };
}
