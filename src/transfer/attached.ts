/** Finds what belongs to the manifests of a graph: their referrers, and what tags named after their digests hold. */
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Platform } from '../model/platform/platform.ts';
import type { Tag } from '../model/reference/reference.ts';
import { findDigestTags } from '../registry/digest-tags.ts';
import { TagsByDigest } from '../registry/known-tags.ts';
import type { KnownTags } from '../registry/options.ts';
import { digestAt } from './digest-at.ts';
import type { EventQueue } from './event-queue.ts';
import type { NodeReader } from './node-reader.ts';
import type { TransferOptions } from './options.ts';
import type { ManifestNode } from './target.ts';

/** How many manifests are asked about at once: each is up to four requests. */
const subjectsAtOnce = 4;

/** The walk over a graph, of which the manifests are known. */
interface KnownWalk {
  /** Grows while what belongs to the manifests is visited. */
  readonly manifests: ReadonlyMap<Digest, ManifestNode>;
  readonly nodes: NodeReader;
  visit(node: Descriptor, wanted: readonly Platform[] | undefined, depth: number): Promise<void>;
}

/** Whether a transfer takes along what belongs to the image, so that an image that is there may still lack something. */
export function takesAttached({ referrers, digestTags }: TransferOptions): boolean {
  return Boolean(referrers) || Boolean(digestTags);
}

/** What belongs to an image. */
export interface Attached {
  readonly referrers: readonly Descriptor[];
  /** Named after digests; each holds one of the manifests of the graph. */
  readonly digestTags: readonly Tag[];
  /** Those of them that must be set at the destination, by manifest. */
  readonly tags: ReadonlyMap<Digest, readonly Tag[]>;
}

export const nothingAttached: Attached = { referrers: [], digestTags: [], tags: new Map() };

/**
 * Visits what belongs to the manifests of a walk, and to what was found in this way.
 *
 * @throws OciError REFUSED for a tag that points at something else there, if `digestTags` has `ifAbsent`.
 */
export async function walkAttached(walk: KnownWalk, options: TransferOptions, events: EventQueue): Promise<Attached> {
  if (!takesAttached(options)) return nothingAttached;
  const referrers: Descriptor[] = [];
  const digestTags: Tag[] = [];
  const tags = new Map<Digest, Tag[]>();
  // A map's iterator also reaches entries that are added later, unless it was told that there are no more.
  const subjects = walk.manifests.keys();
  const knownTags = new TagsByDigest(options.from, options);
  for (let asked = 0; asked < walk.manifests.size; ) {
    const count = Math.min(subjectsAtOnce, walk.manifests.size - asked);
    knownTags.expect(walk.manifests.size);
    asked += count;
    // All of them end before an error is thrown: nothing continues in the background.
    const settled = await Promise.allSettled(
      Array.from({ length: count }, () => look(subjects.next().value as Digest, options, knownTags)),
    );
    for (const one of settled) if (one.status === 'rejected') throw one.reason;
    for (const one of settled) {
      if (one.status === 'rejected') continue;
      referrers.push(...(await visitReferrers(one.value, walk, events)));
      for (const { tag, node, isSet } of one.value.tagged) {
        await walk.visit(node, undefined, 0);
        digestTags.push(tag);
        if (!isSet) tags.set(node.digest, [...(tags.get(node.digest) ?? []), tag]);
      }
    }
  }
  return { referrers, digestTags, tags };
}

interface Found {
  readonly subject: Digest;
  readonly referrers: readonly Descriptor[];
  readonly tagged: readonly Tagged[];
}

interface Tagged {
  readonly tag: Tag;
  readonly node: Descriptor;
  /** Whether the destination has the tag already. */
  readonly isSet: boolean;
}

async function look(subject: Digest, options: TransferOptions, knownTags: KnownTags): Promise<Found> {
  const [referrers, tagged] = await Promise.all([
    listReferrers(subject, options, knownTags),
    options.digestTags ? listDigestTags(subject, options, knownTags) : [],
  ]);
  return { subject, referrers, tagged };
}

async function listReferrers(
  subject: Digest,
  { from, referrers, signal }: TransferOptions,
  knownTags: KnownTags,
): Promise<Descriptor[]> {
  const found: Descriptor[] = [];
  if (!referrers) return found;
  const types = referrers === true ? undefined : referrers.artifactTypes;
  // By the types that manifests have: a list under a fallback tag may have others, or none.
  const checked = types !== undefined;
  for await (const entry of from.registry.referrers(from.repo, subject, { checked, knownTags, signal })) {
    if (!types || types.includes(entry.artifactType ?? '')) found.push(entry);
  }
  return found;
}

async function listDigestTags(
  subject: Digest,
  options: TransferOptions,
  knownTags: KnownTags,
): Promise<readonly Tagged[]> {
  const { from, to, digestTags, signal } = options;
  const keeps = typeof digestTags === 'object' && digestTags.ifAbsent;
  const found = await findDigestTags(from, subject, { signal, knownTags });
  return Promise.all(
    found.map(async ({ tag, node }) => {
      const there = await digestAt(to, tag, signal);
      if (keeps && there !== undefined && there !== node.digest) {
        throw new OciError('REFUSED', `${tag} exists already at the destination, as ${there}`, {
          hint: 'leave --if-absent out to overwrite it, or --digest-tags to leave it behind',
        });
      }
      return { tag, node, isSet: there === node.digest };
    }),
  );
}

/**
 * A list under a fallback tag is written by clients: it may name manifests that are gone, or, at registries that show
 * the image itself under such a tag, manifests that do not refer to the subject.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
 */
async function visitReferrers(
  { subject, referrers }: Found,
  walk: KnownWalk,
  events: EventQueue,
): Promise<readonly Descriptor[]> {
  const visited: Descriptor[] = [];
  for (const [i, entry] of referrers.entries()) {
    walk.nodes.readAhead(referrers, i);
    try {
      const { manifest } = walk.manifests.get(entry.digest) ?? (await walk.nodes.get(entry));
      if (manifest.view.subject?.digest !== subject) events.push({ type: 'skipped', node: entry });
      else {
        await walk.visit(entry, undefined, 0);
        visited.push(entry);
      }
    } catch (error) {
      if (!isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) throw error;
      events.push({ type: 'skipped', node: entry });
    }
  }
  return visited;
}
