/** Deletes tags alone if the registry can do that, else together with manifests that no other tag needs. */
import type { Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { isOciError, type OciError, unlessUnknown } from '../../model/errors.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { forEveryTag, isOfOneTag } from '../moving/every-tag.ts';
import { neededDigests } from './needed-digests.ts';
import type { Candidate } from './rules.ts';

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
  signal: AbortSignal,
): AsyncGenerator<Removal> {
  const [first, ...others] = doomed;
  if (!first) return;
  const alone = await removeAlone(place, first, signal);
  if (alone === 'by digest only') return yield* removeByDigest(place, doomed, signal);
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

async function* removeByDigest(
  place: Place,
  doomed: readonly Candidate[],
  signal: AbortSignal,
): AsyncGenerator<Removal> {
  const { registry, repo } = place;
  const seenAt = new Map(doomed.map(({ tag, digest }) => [tag, digest]));
  const goes = (tag: Tag, digest: Digest): boolean => seenAt.has(tag) && (seenAt.get(tag) ?? digest) === digest;
  const { digests, needed } = await neededDigests(place, goes, signal);
  const results = new Map<string, OciError | undefined>();
  for (const { tag } of doomed) {
    const digest = digests.get(tag);
    if (digest === undefined) {
      yield { tag, outcome: 'gone' };
      continue;
    }
    if (!goes(tag, digest)) {
      yield { tag, outcome: 'kept', reason: moved };
      continue;
    }
    const need = needed.get(digest);
    if (need !== undefined) {
      yield { tag, outcome: 'kept', reason: `the registry deletes no tag alone, and ${need}` };
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
