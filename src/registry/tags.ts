/** The digests that tags point at. */
import type { Digest } from '../model/digest.ts';
import { unlessUnknown } from '../model/errors.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import { tagHistory } from './extensions.ts';
import type { Registry, SignalOption } from './registry.ts';

/** Parallel requests, if each tag has to be looked up for its digest. */
const parallelQuestions = 8;

/** The digest that a tag points at, even if its manifest cannot be read; undefined for an unknown tag. */
export async function digestOfTag(
  registry: Registry,
  repo: RepositoryName,
  tag: Tag,
  opts: SignalOption = {},
): Promise<Digest | undefined> {
  const look = async (): Promise<Digest> => {
    for await (const digest of registry.extension(tagHistory)?.history(repo, tag, opts) ?? []) return digest;
    return (await registry.statManifest(repo, tag, opts)).digest;
  };
  return unlessUnknown(look());
}

/** Like {@link digestOfTag}, but undefined as well for a tag whose file is damaged. */
export async function soundDigest(...args: Parameters<typeof digestOfTag>): Promise<Digest | undefined> {
  return unlessUnknown(digestOfTag(...args), 'STORAGE_DAMAGED');
}

/** The tags of a repository that point at a digest, in the order of the tag list. */
export async function tagsPointingAt(
  registry: Registry,
  repo: RepositoryName,
  digest: Digest,
  opts: SignalOption = {},
): Promise<readonly Tag[]> {
  const all: Tag[] = [];
  for await (const tag of registry.tags(repo, opts)) all.push(tag);
  const found = new Set<Tag>();
  const queue = all.values();
  const look = async (): Promise<void> => {
    // By now a listed tag may be gone, or its manifest deleted.
    for (const tag of queue) if ((await soundDigest(registry, repo, tag, opts)) === digest) found.add(tag);
  };
  await Promise.all(Array.from({ length: parallelQuestions }, look));
  return all.filter((tag) => found.has(tag));
}
