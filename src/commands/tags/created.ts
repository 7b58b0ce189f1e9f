/** Finds out when the images of tags were built. */
import type { Place } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { glimpseConfig, hasImageConfig } from '../../model/manifest/image-config.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { isAttestation } from '../../model/platform/platform-selection.ts';
import type { Tag } from '../../model/reference/reference.ts';
import { readConfig } from '../../registry/config.ts';
import type { SignalOption } from '../../registry/registry.ts';
import { forEveryTag, isOfOneTag } from '../moving/every-tag.ts';

/** The image of a tag, as far as it can be read. */
interface DatedTag {
  readonly tag: Tag;
  readonly digest: Digest | undefined;
  /** When the image was built; undefined if nothing usable says so. */
  readonly created: Date | undefined;
}

/** Builders of reproducible images write 1970 or 1980: that is not a time. */
const earliestYear = 1981;
const createdAnnotation = 'org.opencontainers.image.created';
/** A hostile registry could nest indexes without end. */
const maxIndexDepth = 4;

/**
 * Reads when the images of tags were built, in the order of the tags: from the image's config, for an index from that
 * of its first image, or otherwise from the annotation `org.opencontainers.image.created`. Each tag takes a GET for the
 * manifest, one more for an index, and one for the config; what several tags have in common is read once. Several tags
 * are read at once.
 */
export async function* readCreated(
  { registry, repo }: Pick<Place, 'registry' | 'repo'>,
  tags: Iterable<Tag>,
  { signal }: SignalOption = {},
): AsyncGenerator<DatedTag> {
  const known = new Map<Digest, Promise<Date | undefined>>();
  const once = (digest: Digest, read: () => Promise<Date | undefined>): Promise<Date | undefined> => {
    const date = known.get(digest) ?? read().catch(unlessOfOneTag);
    known.set(digest, date);
    return date;
  };
  const ofManifest = ({ view, descriptor }: Manifest, depth: number): Promise<Date | undefined> =>
    once(descriptor.digest, async () => (await ofContent(view, depth)) ?? usable(view.annotations[createdAnnotation]));
  const ofContent = async (view: Manifest['view'], depth: number): Promise<Date | undefined> => {
    if (view.kind === 'image' && hasImageConfig(view)) {
      const { config } = view;
      return once(config.digest, async () => {
        const { created } = glimpseConfig(await readConfig(registry, repo, config, { signal }));
        return usable(created);
      });
    }
    if (view.kind !== 'index' || depth >= maxIndexDepth) return undefined;
    const first = view.manifests.find((entry) => !isAttestation(entry));
    return first && ofManifest(await registry.getManifest(repo, first.digest, { signal }), depth + 1);
  };
  const ofTag = async (tag: Tag): Promise<DatedTag> => {
    const manifest = await registry.getManifest(repo, tag, { signal });
    return { tag, digest: manifest.descriptor.digest, created: await ofManifest(manifest, 0) };
  };
  for await (const outcome of forEveryTag(tags, ofTag)) {
    yield outcome.error ? { tag: outcome.tag, digest: undefined, created: undefined } : outcome.result;
  }
}

function unlessOfOneTag(error: unknown): undefined {
  if (!isOfOneTag(error)) throw error;
  return undefined;
}

function usable(time: Date | string | undefined): Date | undefined {
  const date = time === undefined ? undefined : new Date(time);
  return date && date.getUTCFullYear() >= earliestYear ? date : undefined;
}
