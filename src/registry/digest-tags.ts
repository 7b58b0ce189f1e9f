/** What lies under the tags that are named after the digest of a manifest. */
import type { Digest } from '../model/digest.ts';
import { unlessUnknown } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { digestTagsOf } from '../model/reference/digest-tag.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import type { KnownTags, SignalOption } from './options.ts';
import type { Registry } from './registry.ts';

interface TaggedManifest {
  readonly tag: Tag;
  readonly node: Descriptor;
}

/**
 * Looks up signatures, attestations and SBOMs of a manifest by tag: one HEAD request for each tag there can be, unless `knownTags`
 * says that it is absent. A tag that points at the manifest itself counts as absent: some registries read such a tag as the
 * digest in it.
 */
export async function findDigestTags(
  { registry, repo }: { readonly registry: Registry; readonly repo: RepositoryName },
  subject: Digest,
  { signal, knownTags }: SignalOption & { readonly knownTags?: KnownTags | undefined } = {},
): Promise<readonly TaggedManifest[]> {
  const found = await Promise.all(
    digestTagsOf(subject).map(async (tag): Promise<readonly TaggedManifest[]> => {
      if (knownTags && !(await knownTags.mayBeThere(tag))) return [];
      const node = await unlessUnknown(registry.statManifest(repo, tag, { signal, mayBeAbsent: true }));
      if (!node || node.digest === subject) return [];
      knownTags?.found(tag);
      return [{ tag, node }];
    }),
  );
  return found.flat();
}
