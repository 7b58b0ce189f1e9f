/** Deletes tags alone if the registry can do that, else together with manifests that no other tag needs. */
import type { Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { isOciError, type OciError, unlessUnknown } from '../../model/errors.ts';
import { inOrder } from '../../model/in-order.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { forEveryTag, isOfOneTag } from '../moving/every-tag.ts';
import { type Hanging, whatHangsOn } from './hanging.ts';
import { describeTags, neededBy, type TagDescriptors } from './needed-digests.ts';
import type { Candidate } from './rules.ts';
import { type DeletionPlan, planWithReferrers } from './with-referrers.ts';

const lookedAtOnce = 4;

interface RemovalOptions {
  /** Told what hangs on manifests that are deleted, before they are; without it, nobody looks. */
  readonly onHanging?: (all: readonly Hanging[]) => void;
  readonly signal: AbortSignal;
}

/** The outcome for a tag. */
type Removal =
  | { readonly tag: Tag; readonly outcome: 'deleted' | 'gone' }
  | { readonly tag: Tag; readonly outcome: 'kept'; readonly reason: string }
  | { readonly tag: Tag; readonly outcome: 'failed'; readonly error: OciError };

/**
 * Deletes tags of a repository. A tag that was moved after its age was read is kept.
 *
 * The answer for the first tag shows whether the registry deletes by digest only. Then a manifest is deleted with its tags,
 * unless a tag that stays points at it or at an index that contains it.
 *
 * @throws OciError for a failure that concerns more than one tag.
 */
export async function* removeTags(
  place: Place,
  doomed: readonly Candidate[],
  how: RemovalOptions,
): AsyncGenerator<Removal> {
  const { signal } = how;
  const [first, ...others] = doomed;
  if (!first) return;
  const alone = await removeAlone(place, first, signal);
  if (alone === 'by digest only') return yield* removeByDigest(place, doomed, how);
  yield alone;
  const byTag = new Map(others.map((candidate) => [candidate.tag, candidate]));
  const remove = async (tag: Tag): Promise<Removal> => {
    const removal = await removeAlone(place, byTag.get(tag) ?? { tag }, signal);
    return removal === 'by digest only' ? { tag, outcome: 'kept', reason: 'the registry did not delete it' } : removal;
  };
  for await (const each of forEveryTag(byTag.keys(), remove)) {
    yield each.error ? { tag: each.tag, outcome: 'failed', error: each.error } : each.result;
  }
}

async function removeAlone(
  { registry, repo }: Place,
  { tag, digest }: Candidate,
  signal: AbortSignal,
): Promise<Removal | 'by digest only'> {
  if (digest !== undefined) {
    const now = await unlessUnknown(registry.statManifest(repo, tag, { signal }));
    if (!now) return { tag, outcome: 'gone' };
    if (now.digest !== digest) return { tag, outcome: 'kept', reason: moved };
  }
  try {
    await registry.deleteTag(repo, tag, { signal });
    return { tag, outcome: 'deleted' };
  } catch (error) {
    // distribution 2 accepts DELETE only by digest, and reports a tag as an invalid digest.
    if (isOciError(error, 'UNSUPPORTED', 'DIGEST_INVALID')) return 'by digest only';
    if (isOciError(error, 'MANIFEST_UNKNOWN')) return { tag, outcome: 'gone' };
    if (!isOfOneTag(error)) throw error;
    return { tag, outcome: 'failed', error };
  }
}

const moved = 'it points at another image by now';

/** What becomes of tags where manifests are deleted. */
interface Verdicts {
  /** Of those that are gone or stay. */
  readonly settled: ReadonlyMap<Tag, Removal>;
  /** The manifests that go, with their tags. */
  readonly roots: ReadonlyMap<Digest, Descriptor>;
  /** What every tag of the repository points at. */
  readonly tags: TagDescriptors;
}

/**
 * A manifest goes with its tags, unless a tag that stays points at it or at an index that contains it.
 *
 * @param why Why a tag does not go alone.
 */
async function judge(place: Place, doomed: readonly Candidate[], why: string, signal: AbortSignal): Promise<Verdicts> {
  const seenAt = new Map(doomed.map(({ tag, digest }) => [tag, digest]));
  const goes = (tag: Tag, digest: Digest): boolean => seenAt.has(tag) && (seenAt.get(tag) ?? digest) === digest;
  const tags = await describeTags(place, signal);
  const staying = [...tags].filter(([tag, { digest }]) => !goes(tag, digest));
  const needed = await neededBy(place, staying, signal);
  const settled = new Map<Tag, Removal>();
  const roots = new Map<Digest, Descriptor>();
  for (const { tag } of doomed) {
    const root = tags.get(tag);
    const need = root && needed.get(root.digest);
    if (!root) settled.set(tag, { tag, outcome: 'gone' });
    else if (!goes(tag, root.digest)) settled.set(tag, { tag, outcome: 'kept', reason: moved });
    else if (need === undefined) roots.set(root.digest, root);
    else settled.set(tag, { tag, outcome: 'kept', reason: `${why}, and ${need}` });
  }
  return { settled, roots, tags };
}

/** At a registry that deletes by digest only. What hangs on the manifests stays behind. */
async function* removeByDigest(
  place: Place,
  doomed: readonly Candidate[],
  { onHanging, signal }: RemovalOptions,
): AsyncGenerator<Removal> {
  const { registry, repo } = place;
  const { settled, roots, tags } = await judge(place, doomed, 'the registry deletes no tag alone', signal);
  if (onHanging) {
    const behind: Hanging[] = [];
    const look = (root: Descriptor): Promise<Hanging> => whatHangsOn(place, root, signal);
    for await (const one of inOrder(roots.values(), lookedAtOnce, look)) behind.push(one);
    onHanging(behind);
  }
  const results = new Map<Digest, OciError | undefined>();
  for (const { tag } of doomed) {
    const verdict = settled.get(tag);
    const digest = tags.get(tag)?.digest;
    if (verdict || digest === undefined) {
      yield verdict ?? { tag, outcome: 'gone' };
      continue;
    }
    if (!results.has(digest)) {
      const error = await registry.deleteManifest(repo, digest, { signal }).then(
        () => undefined,
        (thrown: unknown) => {
          if (!isOfOneTag(thrown)) throw thrown;
          return thrown;
        },
      );
      results.set(digest, error);
    }
    const error = results.get(digest);
    yield error ? { tag, outcome: 'failed', error } : { tag, outcome: 'deleted' };
  }
}

/** Tags that go with their manifests, and with all that hangs on these. */
export interface RemovalWithReferrers {
  readonly removals: readonly Removal[];
  readonly plan: DeletionPlan;
}

/** Plans `--referrers` for tags: then manifests are deleted at every registry. */
export async function planRemovals(
  place: Place,
  doomed: readonly Candidate[],
  signal: AbortSignal,
): Promise<RemovalWithReferrers> {
  const { settled, roots, tags } = await judge(place, doomed, '--referrers deletes manifests', signal);
  const removals = doomed.map(({ tag }): Removal => settled.get(tag) ?? { tag, outcome: 'deleted' });
  return { removals, plan: await planWithReferrers(place, [...roots.values()], tags, signal) };
}
