/** The one copy engine: pull, push, copy and sync are this, with other ends. It knows interfaces only. */

import type { Digest } from '../model/digest.ts';
import { isOciError, unlessUnknown } from '../model/errors.ts';
import type { TransferEvent } from '../model/events.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { schema1Refused } from '../model/manifest/manifest.ts';
import { isIndexType } from '../model/manifest/media-types.ts';
import { checkNumbers } from '../model/number-options.ts';
import type { Tag } from '../model/reference/reference.ts';
import { transferBlobs } from './blobs.ts';
import { EventQueue } from './event-queue.ts';
import { discoverGraph, type Graph, type ManifestNode } from './graph.ts';
import type { TransferEnd, TransferOptions } from './options.ts';

export type { GraphLimits, TransferEnd, TransferOptions } from './options.ts';

export interface TransferResult {
  /** As the destination has it. */
  readonly root: Descriptor;
  /** Manifests that a transform changed: what they are at the destination, by their digest at the source. */
  readonly rewritten: ReadonlyMap<Digest, Descriptor>;
  /** False when the destination had it all, tags included. */
  readonly changed: boolean;
  /** Bytes of blobs that went over; what was there or was resumed does not count. */
  readonly transferredBytes: number;
  /** What was asked for with `referrers` and is at the destination now; their subjects come first. */
  readonly referrers: readonly Descriptor[];
  /** Entries of indexes that were left out, because another platform was asked for. */
  readonly omitted: readonly Descriptor[];
}

export interface Transfer {
  /**
   * What happens, as it happens; ends when the transfer does. May be left unread. Nodes are named as the source has them,
   * also where a transform changes them.
   */
  readonly events: AsyncIterable<TransferEvent>;
  /**
   * @throws OciError PLATFORM_UNKNOWN, UNSUPPORTED for schema 1 into a store, TOO_LARGE past `limits`, USAGE for options that
   *   are not what they have to be, and what the two registries throw. Rejects when
   *   everything has come to rest: nothing goes on behind the caller's back.
   */
  readonly result: Promise<TransferResult>;
}

/** Starts copying an image or index, with all it refers to, from one registry to another. */
export function transfer(options: TransferOptions): Transfer {
  const events = new EventQueue();
  const result = run(options, events).finally(() => events.end());
  // Whoever reads only the events must not be killed by an unhandled rejection of the result.
  result.catch(() => {});
  return { events, result };
}

async function run(options: TransferOptions, events: EventQueue): Promise<TransferResult> {
  checkNumbers(options, { parallelBlobs: 1 });
  checkNumbers(options.limits ?? {}, { nodes: 1, manifestBytes: 1 });
  const { from, signal } = options;
  const root = from.root ?? (await from.registry.statManifest(from.repo, from.reference, { signal }));
  events.push({ type: 'resolved', root, reference: from.reference });
  let graph = await discoverGraph(root, options, events);
  const image = { type: 'images', found: 1, finished: 0, failed: 0, complete: true } as const;
  events.push(image);
  if (options.transform) graph = await (await import('./rewrite.ts')).rewriteGraph(graph, options);
  // All that is told of manifests: they are gone when they are pushed.
  const lacked = [...graph.manifests, ...graph.referrers].some((node) => !node.exists);
  const referrers = graph.referrers.map(({ manifest }) => manifest.descriptor);
  const rewritten = rewrittenIn(graph);
  const transferredBytes = await transferBlobs(graph.blobs, options, events);
  const tagged = await pushManifests(graph, options, events);
  events.push({ ...image, finished: 1 });
  const changed = tagged.length > 0 || lacked || transferredBytes > 0;
  return { root: graph.root, rewritten, changed, transferredBytes, referrers, omitted: graph.omitted };
}

function rewrittenIn({ manifests, referrers }: Graph): ReadonlyMap<Digest, Descriptor> {
  return new Map(
    [...manifests, ...referrers].flatMap(({ original, manifest }) =>
      original ? [[original.digest, manifest.descriptor]] : [],
    ),
  );
}

// Children stand before their parents in the list, so a reader of the destination never sees a parent without them. The
// root comes with its tags: a registry then looks through it once.
async function pushManifests(graph: Graph, options: TransferOptions, events: EventQueue): Promise<readonly Tag[]> {
  const root = graph.manifests.at(-1);
  let tags: readonly Tag[] = [];
  // Taken out one by one: the bytes of what is pushed are let go.
  const next = (): ManifestNode | undefined => graph.manifests.shift() ?? graph.referrers.shift();
  for (let node = next(); node; node = next()) {
    const descriptor = node.original ?? node.manifest.descriptor;
    if (node === root) tags = await staleTags(node, options);
    const wanted = node === root ? tags : [];
    if (!node.exists || wanted.length > 0) await pushManifest(node, wanted, options);
    const outcome = node.exists ? 'exists' : 'transferred';
    events.push({ type: 'done', node: descriptor, kind: 'manifest', outcome });
  }
  for (const tag of tags) events.push({ type: 'tagged', root: graph.root, tag });
  return tags;
}

async function pushManifest(
  { manifest, exists }: ManifestNode,
  tags: readonly Tag[],
  { from, to, signal }: TransferOptions,
): Promise<void> {
  const { digest, mediaType } = manifest.descriptor;
  const sparse = to.sparse === true && (exists || isIndexType(mediaType));
  try {
    await to.registry.pushManifest(to.repo, manifest, { digest, tags, sparse, signal });
  } catch (error) {
    // Registries that take none say so in many ways, "unknown error" among them.
    const refused = manifest.view.kind === 'schema1' && isOciError(error, 'MANIFEST_INVALID', 'UNKNOWN');
    throw refused ? schema1Refused(String(from.reference), error) : error;
  }
}

/** The tags that do not point at the root; a root that is not there has none. */
async function staleTags({ manifest, exists }: ManifestNode, { to, signal }: TransferOptions): Promise<readonly Tag[]> {
  if (!exists) return to.tags;
  const stale: Tag[] = [];
  for (const tag of to.tags) {
    if ((await digestAt(to, tag, signal)) !== manifest.descriptor.digest) stale.push(tag);
  }
  return stale;
}

/**
 * What a destination has under a name; undefined for nothing, and for what is damaged there, which is written again.
 *
 * @throws OciError as {@link Reader.statManifest}, but for what is unknown.
 */
export async function digestAt(
  { registry, repo }: TransferEnd,
  reference: Tag | Digest,
  signal?: AbortSignal,
): Promise<Digest | undefined> {
  const look = registry.statManifest(repo, reference, { signal, mayBeAbsent: true });
  return (await unlessUnknown(look, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'STORAGE_DAMAGED'))?.digest;
}
