/** What was made for an image as it was, and does not hold for the changed one: signatures, attestations, lists of parts. */
import type { Digest } from '../model/digest.ts';
import { OciError, unlessUnknown } from '../model/errors.ts';
import { inOrder } from '../model/in-order.ts';
import { digestTagsOf } from '../model/reference/digest-tag.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';

/** One such thing. */
export interface Orphan {
  /** The manifest that it is about, as it was. */
  readonly subject: Digest;
  /** A tag, or a digest. */
  readonly name: string;
  /** Of a referrer, if it has one. */
  readonly artifactType?: string | undefined;
}

interface Orphans {
  readonly found: readonly Orphan[];
  /** Why some could not be looked for. */
  readonly failure?: OciError | undefined;
}

/** Of an index, more images are not looked up for the sake of a note. */
const mostManifests = 20;
const mostReferrers = 100;
const atOnce = 8;

/** Looks for what refers to manifests that were replaced. A failure is told, and is none of the edit. */
export async function findOrphans(
  { registry, repo }: { readonly registry: Registry; readonly repo: RepositoryName },
  replaced: Iterable<Digest>,
  { signal }: SignalOption,
): Promise<Orphans> {
  const subjects = [...replaced].slice(0, mostManifests);
  const look = async (subject: Digest): Promise<readonly Orphan[]> => {
    const [referrers, tags] = await Promise.all([
      referrersOf(registry, repo, subject, { signal }),
      Promise.all(
        digestTagsOf(subject).map(async (tag) => {
          const there = await unlessUnknown(registry.statManifest(repo, tag, { signal, mayBeAbsent: true }));
          return there ? [{ subject, name: tag }] : [];
        }),
      ),
    ]);
    return [...tags.flat(), ...referrers];
  };
  const found: Orphan[] = [];
  try {
    for await (const some of inOrder(subjects, atOnce, look)) found.push(...some);
  } catch (error) {
    if (!(error instanceof OciError) || signal?.aborted) throw error;
    return { found, failure: error };
  }
  return { found };
}

async function referrersOf(
  registry: Registry,
  repo: RepositoryName,
  subject: Digest,
  { signal }: SignalOption,
): Promise<readonly Orphan[]> {
  const found: Orphan[] = [];
  for await (const { digest, artifactType } of registry.referrers(repo, subject, { signal, limit: mostReferrers })) {
    found.push({ subject, name: digest, artifactType });
  }
  return found;
}
