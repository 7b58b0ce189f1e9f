import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { NodeKind } from '../model/events.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { blobsOf, childrenOf, type IndexView, type Manifest, schema1Refused } from '../model/manifest/manifest.ts';
import { isForeignLayerType, mediaTypes } from '../model/manifest/media-types.ts';
import { schema1Layers } from '../model/manifest/schema1.ts';
import { formatPlatform, type Platform } from '../model/platform/platform.ts';
import { admitted, isJudged } from './admission.ts';
import { type Attached, takesAttached, walkAttached } from './attached.ts';
import type { EventQueue } from './event-queue.ts';
import type { Share } from './fan-out/branch.ts';
import { NodeReader, unlessLost } from './node-reader.ts';
import type { ChangedBlob, TransferOptions } from './options.ts';
import { checkType, findEntry, maxIndexDepth, noMatch, requirePlatform } from './platforms.ts';
import type { LargeTurn } from './room.ts';
import type { Hold, ManifestNode, Target } from './target.ts';

export interface BlobNode {
  /** As in the source. */
  readonly descriptor: Descriptor;
  /** What is pushed in its place. */
  readonly changed?: ChangedBlob;
  readonly kind: Exclude<NodeKind, 'manifest'>;
  readonly foreign: boolean;
}

/** Everything that must be at the destination. Every node is listed once; children before parents, the root last. */
export interface Graph {
  readonly root: Descriptor;
  /** Pushing removes them from this list. */
  readonly manifests: ManifestNode[];
  /** What belongs to these manifests, with its own children: subjects before referrers. */
  readonly others: ManifestNode[];
  readonly attached: Attached;
  readonly blobs: readonly BlobNode[];
  readonly omitted: readonly Descriptor[];
  /**
   * Whether the destination has the root under another name, where that is still being asked. The root is then not
   * marked as existing. Never rejects.
   */
  readonly rootIsThere?: Promise<boolean> | undefined;
}

/** What a transfer shares with others of its batch, and what it holds itself. */
export interface Sharing {
  readonly target: Target;
  readonly hold: Hold;
  readonly large: LargeTurn;
  readonly events: EventQueue;
  /** If the image is copied to several destinations at once. */
  readonly share?: Share | undefined;
}

/**
 * Walks from the root to all that is wanted. Manifests that a sparse destination already has are read from there, which
 * costs no request.
 */
export async function discoverGraph(root: Descriptor, options: TransferOptions, sharing: Sharing): Promise<Graph> {
  const walk = new Walk(root, options, sharing);
  try {
    const from = { ...options.from, root };
    return (await admitted({ ...options, from }, (found) => walkAll(walk, root, options, sharing, found))).walked;
  } catch (error) {
    await walk.nodes.rootIsThere;
    throw error;
  } finally {
    await walk.nodes.settled();
  }
}

async function walkAll(
  walk: Walk,
  root: Descriptor,
  options: TransferOptions,
  sharing: Sharing,
  found: (manifests: readonly Manifest[]) => void,
): Promise<Graph> {
  const { from, platforms, signal } = options;
  await walk.visit(root, platforms, 0);
  walk.refuseAbsent();
  const rootNode = walk.manifests.get(root.digest);
  if (options.requirePlatform && platforms && rootNode) {
    await requirePlatform(from.registry, from.repo, rootNode.manifest, platforms, { signal });
  }
  const manifests = [...walk.manifests.values()];
  found(manifests.map(({ manifest }) => manifest));
  const attached = await walkAttached(walk, options, sharing.events);
  return {
    root: rootNode?.manifest.descriptor ?? root,
    manifests,
    others: [...walk.manifests.values()].slice(manifests.length),
    attached,
    blobs: [...walk.blobs.values()],
    omitted: [...walk.omitted.values()].filter((entry) => !walk.manifests.has(entry.digest)),
    rootIsThere: walk.nodes.rootIsThere,
  };
}

const defaultNodes = 100_000;
const defaultManifestBytes = 64 * 1024 * 1024;

class Walk {
  #heldBytes = 0;
  /** In the order in which their visits ended: children first. */
  readonly manifests = new Map<Digest, ManifestNode>();
  readonly blobs = new Map<Digest, BlobNode>();
  readonly omitted = new Map<Digest, Descriptor>();
  /** Entries that the source does not have. */
  readonly #absent = new Map<Digest, Descriptor>();
  readonly nodes: NodeReader;
  readonly #options: TransferOptions;
  readonly #sharing: Sharing;

  constructor(root: Descriptor, options: TransferOptions, sharing: Sharing) {
    this.nodes = new NodeReader(root.digest, options, sharing);
    this.#options = options;
    this.#sharing = sharing;
  }

  async visit(
    node: Descriptor,
    wanted: readonly Platform[] | undefined,
    depth: number,
    parent?: Digest,
  ): Promise<void> {
    if (this.manifests.has(node.digest)) return;
    if (depth > maxIndexDepth) throw new OciError('MANIFEST_INVALID', `index ${node.digest} is nested too deeply`);
    if (parent && !wanted && this.#hasArrived(node)) return;
    const read = await this.nodes.get(node);
    const { manifest, exists } = read;
    this.#heldBytes += manifest.bytes.length;
    this.#refuseExcess();
    await this.#sharing.large.wait(this.#heldBytes);
    if (parent) checkType(node, manifest);
    // Stores refuse schema 1; each registry decides for itself.
    if (manifest.view.kind === 'schema1' && this.#options.to.sparse) {
      throw schema1Refused(String(this.#options.from.reference));
    }
    this.#tell(manifest.descriptor, 'manifest', parent);
    // A registry that refuses sparse indexes has everything below an index it holds, but may lack what belongs to it.
    const isComplete = exists && !this.#options.to.sparse && !visitsAll(this.#options);
    if (manifest.view.kind === 'index' && !isComplete)
      await this.#visitChildren(manifest.view, wanted, depth, node.digest);
    else if (manifest.view.kind === 'other' && !isComplete) {
      const children = childrenOf(manifest.view);
      for (const [i, entry] of children.entries()) {
        this.nodes.readAhead(children, i);
        await this.visit(entry, undefined, depth + 1, node.digest);
      }
    }
    await this.#addBlobs(manifest, exists);
    this.manifests.set(node.digest, read);
  }

  // If another transfer of this batch has pushed a manifest, the registry has everything that it names. This does not
  // hold for indexes that may be incomplete or that a transform changes, and says nothing about referrers.
  #hasArrived(node: Descriptor): boolean {
    const { from, to, transform } = this.#options;
    if (from.sparse || to.sparse || visitsAll(this.#options) || transform) return false;
    const mediaType = this.#sharing.target.there.get(node.digest);
    if (mediaType === undefined) return false;
    checkType(node, { mediaType });
    return true;
  }

  #tell(node: Descriptor, kind: NodeKind, parent: Digest | undefined): void {
    const { target, events } = this.#sharing;
    if (target.discovered.has(node.digest)) return;
    target.discovered.add(node.digest);
    events.push({ type: 'discovered', node, kind, ...(parent && { parent }) });
  }

  #refuseExcess(): void {
    const { from, limits = {} } = this.#options;
    const { nodes = defaultNodes, manifestBytes = defaultManifestBytes } = limits;
    const refuse = (what: string): never => {
      throw new OciError('TOO_LARGE', `${from.reference} is too large to copy: ${what}`, {
        hint: 'choose some of its platforms with --platform',
      });
    };
    if (this.manifests.size + this.blobs.size > nodes) refuse(`it has more than ${nodes} manifests and blobs`);
    if (this.#heldBytes > manifestBytes) refuse(`its manifests have more than ${manifestBytes} bytes in all`);
  }

  /** @throws OciError MANIFEST_UNKNOWN naming every entry that the source lacks, if all are required. */
  refuseAbsent(): void {
    const { to, whole = !to.sparse } = this.#options;
    if (this.#absent.size === 0 || !whole) return;
    const names = naming([...this.#absent.values()]);
    throw new OciError('MANIFEST_UNKNOWN', `the index names images that are not there: ${names}`, {
      hint: 'pull them too, with ocictl pull --platform all, or name one platform with --platform',
    });
  }

  async #visitChildren(
    view: IndexView,
    wanted: readonly Platform[] | undefined,
    depth: number,
    parent: Digest,
  ): Promise<void> {
    const choices = wanted ? await this.#choose(view, wanted, depth) : view.manifests.map(whole);
    const entries = choices.map(({ entry }) => entry);
    for (const [i, { entry, platforms }] of choices.entries()) {
      this.nodes.readAhead(entries, i);
      try {
        await this.visit(entry, platforms, depth + 1, parent);
      } catch (error) {
        // An entry that was chosen by platform must be present.
        if (wanted || !this.#options.from.sparse || !isUnknown(error)) throw error;
        this.#absent.set(entry.digest, entry);
        this.omitted.set(entry.digest, entry);
      }
    }
  }

  async #choose(view: IndexView, wanted: readonly Platform[], depth: number): Promise<readonly Choice[]> {
    const chosen = new Map<Digest, { entry: Descriptor; platforms: Platform[] | undefined }>();
    const get = async (entry: Descriptor): Promise<Manifest> => {
      const { manifest } = await this.nodes.get(entry);
      checkType(entry, manifest);
      return manifest;
    };
    for (const platform of wanted) {
      const entry = await findEntry(view, platform, get, depth);
      if (!entry) throw noMatch(view, platform);
      // An entry with a platform is taken whole; in an index without one, the platform is chosen again.
      const choice = chosen.get(entry.digest) ?? { entry, platforms: entry.platform ? undefined : [] };
      choice.platforms?.push(platform);
      chosen.set(entry.digest, choice);
    }
    for (const entry of view.manifests) {
      if (chosen.has(entry.digest)) continue;
      this.omitted.set(entry.digest, entry);
      this.#sharing.events.push({ type: 'skipped', node: entry, ...(entry.platform && { platform: entry.platform }) });
    }
    return [...chosen.values()];
  }

  // A local store may have lost a blob of a manifest to disk damage; a registry has what its manifests name.
  async #addBlobs(manifest: Manifest, exists: boolean): Promise<void> {
    const { to, foreignLayers } = this.#options;
    if (exists && !to.sparse) return;
    const config = manifest.view.kind === 'image' ? manifest.view.config.digest : undefined;
    for (const descriptor of await this.#blobsOf(manifest)) {
      if (this.blobs.has(descriptor.digest)) continue;
      const kind = descriptor.digest === config ? 'config' : 'layer';
      const foreign = isForeignLayerType(descriptor.mediaType);
      if (exists && ((foreign && foreignLayers === 'skip') || (await this.#isThere(descriptor)))) continue;
      this.blobs.set(descriptor.digest, { descriptor, kind, foreign });
      this.#refuseExcess();
      this.#tell(descriptor, kind, manifest.descriptor.digest);
    }
  }

  // Schema 1 does not contain the sizes of its layers.
  async #blobsOf({ view, bytes }: Manifest): Promise<readonly Descriptor[]> {
    if (view.kind !== 'schema1') return blobsOf(view);
    const { from, signal } = this.#options;
    const found: Descriptor[] = [];
    for (const digest of schema1Layers(bytes)) {
      const { size } = await from.registry.statBlob(from.repo, digest, { signal });
      found.push({ mediaType: mediaTypes.dockerLayer, digest, size });
    }
    return found;
  }

  async #isThere({ digest, size }: Descriptor): Promise<boolean> {
    const { to, signal } = this.#options;
    return (await unlessLost(to.registry.statBlob(to.repo, digest, { signal })))?.size === size;
  }
}

/** Whether manifests matter that the destination has: what belongs to them is copied too, or a policy judges them. */
function visitsAll(options: TransferOptions): boolean {
  return takesAttached(options) || isJudged(options);
}

/** An entry to visit; `platforms`: which to choose inside it, undefined for all. */
interface Choice {
  readonly entry: Descriptor;
  readonly platforms: readonly Platform[] | undefined;
}

/** Names entries of an index for messages: by platform, or by digest if they have none. */
export function naming(entries: readonly Descriptor[]): string {
  return entries.map(({ platform, digest }) => (platform ? formatPlatform(platform) : digest)).join(', ');
}

function whole(entry: Descriptor): Choice {
  return { entry, platforms: undefined };
}

function isUnknown(error: unknown): boolean {
  return isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN');
}
