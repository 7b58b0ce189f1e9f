/** Plans a deletion with all that hangs on what is deleted. */
import type { Place } from '../../app/context.ts';
import { referrersTree } from '../../artifacts/tree/referrers-tree.ts';
import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { fallbackTag } from '../../registry/referrers.ts';
import type { TaggedManifest } from './keep-manifests.ts';
import { neededBy, type TagDescriptors } from './needed-digests.ts';

export interface DeletionPlan {
  /** In an order in which what hangs on a manifest comes before it. */
  readonly steps: readonly DeletionStep[];
  /** What hangs on it too and stays, and why. */
  readonly kept: ReadonlyMap<Digest, string>;
}

export interface DeletionStep extends TaggedManifest {
  /**
   * `manifest`: with all its tags; `tags`: these tags alone, as another one that stays needs the manifest; `list`: a list of
   * referrers under a fallback tag.
   */
  readonly what: 'manifest' | 'tags' | 'list';
  /** Steps of one phase do not depend on each other. */
  readonly phase: number;
}

/** A manifest that is deleted, or hangs on one. */
interface Hanging {
  readonly level: number;
  readonly subjects: Set<Digest>;
  /** Digest tags, by the manifest that they are named after. */
  readonly tags: Map<Tag, Digest>;
}

/**
 * Of an index, the images stay, and what hangs on them: they are manifests of their own. What a tag or an index that stays
 * needs stays too, with what hangs on it.
 *
 * @param roots What is deleted.
 * @param tags What every tag of the repository points at.
 * @throws OciError if a list or an index cannot be read: then it is not known what may go.
 */
export async function planWithReferrers(
  place: Place,
  roots: readonly Descriptor[],
  tags: TagDescriptors,
  signal: AbortSignal,
): Promise<DeletionPlan> {
  const found = new Map<Digest, Hanging>();
  for (const { digest } of roots) found.set(digest, { level: 0, subjects: new Set(), tags: new Map() });
  const asked = new Set(found.keys());
  for (const root of roots) {
    for await (const { kind, subject, descriptor, tag, depth: level } of referrersTree(place, root, { signal })) {
      // What hangs on an image of an index stays with it.
      if (!found.has(subject) || (kind !== 'referrer' && kind !== 'digest-tag')) continue;
      const known = found.get(descriptor.digest) ?? { level, subjects: new Set(), tags: new Map() };
      found.set(descriptor.digest, known);
      known.subjects.add(subject);
      if (tag !== undefined) known.tags.set(tag, subject);
    }
  }
  let kept = new Map<Digest, string>();
  for (;;) {
    const going = goingTags(found, kept, tags);
    const needed = await neededBy(
      place,
      [...tags].filter(([tag]) => !going.has(tag)),
      signal,
    );
    const now = new Map<Digest, string>();
    for (const [digest, { subjects }] of found) {
      if (asked.has(digest)) continue;
      const why = needed.get(digest);
      if (why !== undefined) now.set(digest, why);
      else if ([...subjects].every((subject) => now.has(subject))) now.set(digest, 'what it hangs on stays');
    }
    // What stays can have tags that keep more.
    if (now.size === kept.size) return { steps: stepsFor(found, kept, tags), kept };
    kept = now;
  }
}

function goingTags(
  found: ReadonlyMap<Digest, Hanging>,
  kept: ReadonlyMap<Digest, string>,
  tags: TagDescriptors,
): ReadonlySet<Tag> {
  const going = new Set<Tag>();
  for (const [digest, { level, tags: named }] of found) {
    for (const [tag, subject] of named) if (!kept.has(subject)) going.add(tag);
    if (level === 0) for (const tag of tagsOf(digest, tags)) going.add(tag);
    if (!kept.has(digest)) going.add(fallbackTag(digest));
  }
  return going;
}

function stepsFor(
  found: ReadonlyMap<Digest, Hanging>,
  kept: ReadonlyMap<Digest, string>,
  tags: TagDescriptors,
): readonly DeletionStep[] {
  const deepest = Math.max(...[...found.values()].map(({ level }) => level));
  const withKept = new Set([...found].flatMap(([digest, { subjects }]) => (kept.has(digest) ? [...subjects] : [])));
  const steps: DeletionStep[] = [];
  for (const [digest, { level, tags: named }] of found) {
    const phase = 2 * (deepest - level) + 1;
    if (kept.has(digest)) {
      const own = [...named].flatMap(([tag, subject]) => (kept.has(subject) ? [] : [tag]));
      if (own.length > 0) steps.push({ what: 'tags', digest, tags: own, phase });
      continue;
    }
    steps.push({ what: 'manifest', digest, tags: tagsOf(digest, tags), phase });
    const list = tags.get(fallbackTag(digest));
    if (list?.mediaType !== mediaTypes.ociIndex || list.digest === digest || withKept.has(digest)) continue;
    steps.push({ what: 'list', digest: list.digest, tags: [fallbackTag(digest)], phase: phase - 1 });
  }
  return steps.sort((a, b) => a.phase - b.phase);
}

function tagsOf(digest: Digest, tags: TagDescriptors): readonly Tag[] {
  return [...tags].flatMap(([tag, descriptor]) => (descriptor.digest === digest ? [tag] : [])).sort();
}
