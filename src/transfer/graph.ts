import type { Descriptor } from '../model/descriptor.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { NodeKind } from '../model/events.ts';
import { blobsOf, childrenOf, type IndexView, type Manifest, schema1Refused } from '../model/manifest.ts';
import { isForeignLayerType, isIndexType } from '../model/media-types.ts';
import {
  formatPlatform,
  isAttestation,
  type Platform,
  parsePlatformObject,
  platformMatches,
  selectPlatform,
} from '../model/platform.ts';
import { readContent } from '../registry/content.ts';
import type { EventQueue } from './event-queue.ts';
import type { TransferOptions } from './transfer.ts';

/** A manifest of the graph; `exists`: the destination has it. */
export interface ManifestNode {
  readonly manifest: Manifest;
  readonly exists: boolean;
}

export interface BlobNode {
  readonly descriptor: Descriptor;
  readonly kind: Exclude<NodeKind, 'manifest'>;
  readonly foreign: boolean;
}

/** All that must be at the destination. Every node stands once; children before parents, the root last. */
export interface Graph {
  readonly root: Descriptor;
  readonly manifests: readonly ManifestNode[];
  readonly blobs: readonly BlobNode[];
  readonly omitted: readonly Descriptor[];
}

const maxDepth = 16;
const maxConfigBytes = 4 * 1024 * 1024;

/** Walks from the root to all that is wanted, reading what the destination has from there: it costs no request. */
export async function discoverGraph(root: Descriptor, options: TransferOptions, events: EventQueue): Promise<Graph> {
  const walk = new Walk(options, events);
  const wanted = options.platforms;
  await walk.visit(root, wanted, 0);
  const rootNode = walk.manifests.get(root.digest);
  if (options.requirePlatform && wanted && rootNode?.manifest.view.kind === 'image') {
    await requirePlatform(rootNode.manifest, wanted, options);
  }
  return {
    root: rootNode?.manifest.descriptor ?? root,
    manifests: [...walk.manifests.values()],
    blobs: [...walk.blobs.values()],
    omitted: [...walk.omitted.values()].filter((entry) => !walk.manifests.has(entry.digest)),
  };
}

class Walk {
  /** In the order in which they were finished: children first. */
  readonly manifests = new Map<Digest, ManifestNode>();
  readonly blobs = new Map<Digest, BlobNode>();
  readonly omitted = new Map<Digest, Descriptor>();
  readonly #options: TransferOptions;
  readonly #events: EventQueue;
  readonly #read = new Map<Digest, Promise<ManifestNode>>();

  constructor(options: TransferOptions, events: EventQueue) {
    this.#options = options;
    this.#events = events;
  }

  async visit(
    node: Descriptor,
    wanted: readonly Platform[] | undefined,
    depth: number,
    parent?: Digest,
  ): Promise<void> {
    if (this.manifests.has(node.digest)) return;
    // A hostile registry could nest indexes without end.
    if (depth > maxDepth) throw new OciError('MANIFEST_INVALID', `index ${node.digest} is nested too deeply`);
    const read = await this.#get(node);
    const { manifest, exists } = read;
    if (manifest.view.kind === 'schema1') throw schema1Refused(String(this.#options.from.reference));
    this.#events.push({
      type: 'discovered',
      node: manifest.descriptor,
      kind: 'manifest',
      ...(parent && { parent }),
    });
    // A registry that refuses sparse indexes has everything below one it holds.
    const whole = exists && !this.#options.to.sparse;
    if (manifest.view.kind === 'index' && !whole) {
      const chosen = wanted ? await this.#choose(manifest.view, wanted, depth) : childrenOf(manifest.view);
      for (const child of chosen) {
        // An entry chosen by its own platform is whole; only an index in it is asked for the platform again.
        await this.visit(child, child.platform === undefined ? wanted : undefined, depth + 1, node.digest);
      }
    } else if (!exists) {
      this.#addBlobs(manifest);
    }
    this.manifests.set(node.digest, read);
  }

  // A sparse destination is the local store, which is read first: that costs no request.
  #get(node: Descriptor): Promise<ManifestNode> {
    const { from, to, signal } = this.#options;
    const known = this.#read.get(node.digest);
    if (known) return known;
    const reading = (async (): Promise<ManifestNode> => {
      const fetch = (): Promise<Manifest> => from.registry.getManifest(from.repo, node.digest, { signal });
      if (to.sparse) {
        const there = await unlessUnknown(to.registry.getManifest(to.repo, node.digest, { signal }));
        return there ? { manifest: there, exists: true } : { manifest: await fetch(), exists: false };
      }
      const there = unlessUnknown(to.registry.statManifest(to.repo, node.digest, { signal }));
      const [manifest, stat] = await Promise.all([fetch(), there]);
      return { manifest, exists: stat !== undefined };
    })();
    this.#read.set(node.digest, reading);
    return reading;
  }

  async #choose(view: IndexView, wanted: readonly Platform[], depth: number): Promise<readonly Descriptor[]> {
    const chosen = new Map<Digest, Descriptor>();
    for (const platform of wanted) {
      const found = await this.#find(view, platform, depth);
      if (!found) throw noMatch(view, platform);
      chosen.set(found.digest, found);
    }
    for (const entry of view.manifests) {
      if (chosen.has(entry.digest)) continue;
      this.omitted.set(entry.digest, entry);
      this.#events.push({ type: 'skipped', node: entry, ...(entry.platform && { platform: entry.platform }) });
    }
    return [...chosen.values()];
  }

  // The best entry; one without a platform may be an index, which serves if something in it does.
  async #find(view: IndexView, platform: Platform, depth: number): Promise<Descriptor | undefined> {
    for (const entry of selectPlatform(view.manifests, platform)) {
      if (entry.platform !== undefined || !isIndexType(entry.mediaType)) return entry;
      if (depth >= maxDepth) continue;
      const { manifest } = await this.#get(entry);
      if (manifest.view.kind === 'index' && (await this.#find(manifest.view, platform, depth + 1))) return entry;
    }
    return undefined;
  }

  #addBlobs(manifest: Manifest): void {
    const config = manifest.view.kind === 'image' ? manifest.view.config.digest : undefined;
    for (const descriptor of blobsOf(manifest.view)) {
      if (this.blobs.has(descriptor.digest)) continue;
      const kind = descriptor.digest === config ? 'config' : 'layer';
      const foreign = isForeignLayerType(descriptor.mediaType);
      this.blobs.set(descriptor.digest, { descriptor, kind, foreign });
      this.#events.push({ type: 'discovered', node: descriptor, kind, parent: manifest.descriptor.digest });
    }
  }
}

// An image that is no index says in its config what it is for.
async function requirePlatform(image: Manifest, wanted: readonly Platform[], options: TransferOptions): Promise<void> {
  if (image.view.kind !== 'image') return;
  const { from, signal } = options;
  const content = await from.registry.getBlob(from.repo, image.view.config, { signal });
  const actual = configPlatform(await readContent(content, maxConfigBytes));
  if (!actual || wanted.some((platform) => platformMatches(actual, platform))) return;
  throw new OciError(
    'PLATFORM_UNKNOWN',
    `the image is for ${formatPlatform(actual)} alone, not for ${wanted.map(formatPlatform).join(', ')}`,
    { hint: `leave --platform out, or ask for ${formatPlatform(actual)}` },
  );
}

function configPlatform(bytes: Uint8Array): Platform | undefined {
  try {
    return parsePlatformObject(JSON.parse(Buffer.from(bytes).toString()), 'config');
  } catch {
    // The config of an artifact is no image config: it has no platform to disagree with.
    return undefined;
  }
}

function noMatch(view: IndexView, platform: Platform): OciError {
  const offered = view.manifests.filter((entry) => !isAttestation(entry) && entry.platform);
  const names = [...new Set(offered.map((entry) => (entry.platform ? formatPlatform(entry.platform) : '')))];
  return new OciError(
    'PLATFORM_UNKNOWN',
    `no matching manifest for ${formatPlatform(platform)} in the manifest list entries`,
    { hint: names.length === 0 ? undefined : `the image is there for ${names.join(', ')}: choose one with --platform` },
  );
}

async function unlessUnknown<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return undefined;
    throw error;
  }
}
