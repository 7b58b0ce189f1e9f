import { checkArgument, checkOptions, type Shape } from '../model/check-arguments.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { TransferEvent } from '../model/events.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { checkBounds, checkNumbers } from '../model/number-options.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import { expectedContent } from '../registry/expected-content.ts';
import type { Registry } from '../registry/registry.ts';
import { isJudged } from './admission.ts';
import { nothingAttached, takesAttached } from './attached.ts';
import { BlobMover } from './blobs.ts';
import { checkRoot } from './check-root.ts';
import { EventQueue } from './event-queue.ts';
import type { Share } from './fan-out/branch.ts';
import { discoverGraph, type Graph, type Sharing } from './graph.ts';
import { type Looked, lookAtEnds } from './look.ts';
import { pushManifests } from './manifests.ts';
import type { BatchOptions, TransferOptions, TransferResult, TransferRoot } from './options.ts';
import { Room } from './room.ts';
import { Sites } from './site.ts';
import { Hold, Target } from './target.ts';
import { tellProgress } from './tell-progress.ts';

/**
 * Transfers of several images that run together. Each blob and manifest is transferred to a repository once, however
 * many images need it, and one limit holds for all blobs in transfer. An image that fails does not stop the others.
 */
export interface TransferBatch {
  /**
   * The events of all transfers as they happen; ends after `end` was called and all transfers have ended. It need not
   * be read. Nodes are named as in the source, even if a transform changes them.
   */
  readonly events: AsyncIterable<TransferEvent>;
  /**
   * Copies one image. Any number may be started: a few are examined at once, and the others wait as long as the
   * manifests of these take much memory.
   *
   * @throws OciError PLATFORM_UNKNOWN, UNSUPPORTED for schema 1 into a store, TOO_LARGE past `limits`, and what the two
   * registries throw. Rejects only after all work for this image alone has ended.
   */
  transfer(root: TransferRoot): Promise<TransferResult>;
  /** Call it after the last `transfer` has begun, as soon as that is known: then the total is. */
  end(): void;
}

/** Makes a batch; this makes no request. @throws OciError USAGE for invalid options. */
export function createBatch(options: BatchOptions = {}): TransferBatch {
  checkOptions('createBatch', options, batchShape);
  const batch = startBatch(options, new EventQueue());
  return {
    events: batch.events,
    async transfer(root) {
      checkArgument('transfer', 'the root', root, 'object');
      checkRoot('transfer', root);
      return batch.transfer(root);
    },
    end: () => batch.end(),
  };
}

const batchShape: Shape<BatchOptions> = {
  parallelBlobs: 'number',
  transform: 'object',
  limits: 'object',
  onProgress: 'function',
  signal: 'object',
};

/** A batch for one of several destinations. */
interface SharedBatch extends TransferBatch {
  /** @param share If the image is copied to several destinations at once, each by a batch of its own. */
  transfer(root: TransferRoot, share?: Share): Promise<TransferResult>;
}

/** @param sites What the batches for several destinations share. */
export function startBatch(options: BatchOptions, events: EventQueue, sites = new Sites()): SharedBatch {
  checkNumbers(options, { parallelBlobs: 1 });
  checkBounds(options.limits ?? {}, { nodes: 1, manifestBytes: 1 });
  return new Batch(options, events, sites);
}

class Batch implements SharedBatch {
  readonly events: EventQueue;
  readonly #options: BatchOptions;
  readonly #blobs: BlobMover;
  readonly #room = new Room();
  /** For destinations that must know all images before the first byte. */
  readonly #roomForAll = new Room({ allAtOnce: true });
  readonly #targets = new Map<Registry, Map<RepositoryName, Target>>();
  readonly #sites: Sites;
  readonly #images = { found: 0, finished: 0, failed: 0, complete: false };
  #lookedThrough = 0;
  #ended = false;

  readonly #told: ReturnType<typeof tellProgress> | undefined;

  constructor(options: BatchOptions, events: EventQueue, sites: Sites) {
    this.#sites = sites;
    const { onProgress, signal } = options;
    this.events = events;
    this.#told = onProgress && tellProgress(onProgress, signal);
    events.tap = this.#told?.event;
    this.#options = this.#told ? { ...options, signal: this.#told.signal } : options;
    this.#blobs = new BlobMover(this.#options, events);
  }

  async transfer(root: TransferRoot, share?: Share): Promise<TransferResult> {
    this.#images.found += 1;
    this.#tell();
    try {
      const result = await this.#run({ ...root, ...this.#options }, share);
      this.#images.finished += 1;
      return result;
    } catch (error) {
      this.#images.failed += 1;
      throw error;
    } finally {
      this.#tell();
      this.#endWhenDone();
    }
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#completeWhenKnown();
    this.#endWhenDone();
  }

  async #run(asked: TransferOptions, share: Share | undefined): Promise<TransferResult> {
    if (asked.transform && asked.digestTags) {
      throw new OciError('USAGE', 'the options digestTags and transform exclude each other', {
        hint: 'a transform changes the digests that such tags are named after, and a signature is for the old ones',
      });
    }
    const target = this.#target(asked.to);
    const room = this.#roomOf(asked.to);
    const sharing: Sharing = {
      target,
      hold: new Hold(target),
      large: room.large(),
      events: this.events,
      share,
    };
    try {
      const [options, graph] = await room
        .walk(async () => {
          const looked = await lookAtEnds(asked);
          const found = await this.#lookThrough(looked, sharing);
          announce(found, looked);
          return [looked, found] as const;
        })
        .finally(() => {
          this.#lookedThrough += 1;
          this.#completeWhenKnown();
        });
      // Read all of this first: pushing removes the manifests from the graph.
      const { digestTags, tags } = graph.attached;
      const referrers = referrersIn(graph);
      const rewritten = rewrittenIn(graph);
      const hasAllBlobs = graph.manifests.length + graph.others.length === 1 ? graph.rootIsThere : undefined;
      share?.needs(
        options.to,
        graph.blobs.map(({ descriptor }) => descriptor.digest),
      );
      const moved = await this.#blobs.move(graph.blobs, options, { target, share, isThere: hasAllBlobs });
      if (await graph.rootIsThere) markRootAsThere(graph);
      const lacked = [...graph.manifests, ...graph.others].some((node) => !node.exists);
      const tagged = await room.push(() => pushManifests(graph, options, sharing));
      const changed = tagged.length > 0 || tags.size > 0 || lacked || moved.transferredBytes > 0;
      const { root, omitted } = graph;
      return { root, rewritten, tagged: new Set(tagged), changed, ...moved, referrers, digestTags, omitted };
    } finally {
      sharing.hold.letAllGo();
      sharing.large.end();
    }
  }

  async #lookThrough(options: Looked, sharing: Sharing): Promise<Graph> {
    const { from, transform } = options;
    const { root } = from;
    this.events.push({ type: 'resolved', root, reference: from.reference });
    if (isThere(root, options)) {
      return { root, manifests: [], others: [], attached: nothingAttached, blobs: [], omitted: [] };
    }
    const graph = await discoverGraph(root, options, sharing);
    if (!transform) return graph;
    return (await import('./rewrite.ts')).rewriteGraph(graph, options, sharing);
  }

  #target({ registry, repo, host }: TransferRoot['to']): Target {
    const targets = this.#targets.get(registry) ?? new Map<RepositoryName, Target>();
    const target = targets.get(repo) ?? new Target(this.#roomOf({ registry }), this.#sites.of({ registry, host }));
    this.#targets.set(registry, targets.set(repo, target));
    return target;
  }

  #roomOf({ registry }: Pick<TransferRoot['to'], 'registry'>): Room {
    return registry.extension(expectedContent) ? this.#roomForAll : this.#room;
  }

  #completeWhenKnown(): void {
    const images = this.#images;
    if (!this.#ended || this.#lookedThrough < images.found || images.complete) return;
    images.complete = true;
    for (const registry of this.#targets.keys()) registry.extension(expectedContent)?.complete();
    this.#tell();
  }

  #endWhenDone(): void {
    const { found, finished, failed } = this.#images;
    if (!this.#ended || finished + failed < found) return;
    this.#blobs.close();
    this.#told?.end(failed === 0);
    this.events.end();
  }

  #tell(): void {
    this.events.push({ type: 'images', ...this.#images });
  }
}

/** Whether the tags are known to point at the image already. A registry then has everything that it names. */
export function isThere({ digest }: Descriptor, options: TransferOptions): boolean {
  const { to, transform, requirePlatform } = options;
  const isLookedThrough = takesAttached(options) || isJudged(options) || transform || requirePlatform;
  return to.seen?.digest === digest && !to.sparse && !isLookedThrough;
}

/** Tells a destination that must know it what this image will bring. @throws OciError if it cannot hold that. */
function announce(graph: Graph, { from, to, foreignLayers }: TransferOptions): void {
  const { root, manifests, others, attached } = graph;
  const blobs = graph.blobs.filter(({ foreign }) => !(foreign && foreignLayers === 'skip'));
  to.registry.extension(expectedContent)?.expect({
    root,
    names: new Map([...attached.tags, [root.digest, to.tags]]),
    manifests: [...manifests, ...others].map(({ manifest }) => manifest),
    blobs: blobs.map(({ descriptor, changed }) => changed?.descriptor ?? descriptor),
    open(wanted, opts) {
      const changed = blobs.find((blob) => blob.changed?.descriptor.digest === wanted.digest)?.changed;
      return changed ? changed.source.open(0, opts) : from.registry.getBlob(from.repo, wanted, opts);
    },
  });
}

function markRootAsThere({ manifests }: Graph): void {
  const root = manifests.pop();
  if (root) manifests.push({ ...root, exists: true });
}

function referrersIn({ others, attached }: Graph): readonly Descriptor[] {
  const listed = new Set(attached.referrers.map(({ digest }) => digest));
  return others.flatMap(({ manifest: { descriptor }, original }) =>
    listed.has((original ?? descriptor).digest) ? [descriptor] : [],
  );
}

function rewrittenIn({ manifests, others }: Graph): ReadonlyMap<Digest, Descriptor> {
  return new Map(
    [...manifests, ...others].flatMap(({ original, manifest }) =>
      original ? [[original.digest, manifest.descriptor]] : [],
    ),
  );
}
