import type { LoadableArchive } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { quote, visible } from '../../model/quote.ts';
import { isDigestTag } from '../../model/reference/digest-tag.ts';
import { formatReference, parseReference, withDefaultTag } from '../../model/reference/reference.ts';

export type ArchivedImage = LoadableArchive['images'][number];

const maxNamesShown = 20;

/** The images that are loaded, and those that cannot be. */
interface Chosen {
  readonly images: readonly ArchivedImage[];
  /** By name. */
  readonly failures: ReadonlyMap<string, OciError>;
  /** Whether something in the archive refers to other images: that is loaded with them. */
  readonly hasReferrers: boolean;
  /** The same for what is named after the digest of another image, as signatures are. */
  readonly hasDigestTags: boolean;
}

/**
 * Chooses images of an archive by name or digest; all of them for no words. What refers to an image and has no name of its own,
 * or is named after an image's digest, is left to that image.
 *
 * @throws OciError MANIFEST_UNKNOWN for a word that names none, and for an archive without images.
 */
export async function chooseImages(
  archive: LoadableArchive,
  words: readonly string[],
  signal: AbortSignal,
): Promise<Chosen> {
  const images: ArchivedImage[] = [];
  let hasReferrers = false;
  const hasDigestTags = archive.images.some(isOfAnother) && !archive.images.every(isOfAnother);
  for (const image of archive.images) {
    if (hasDigestTags && isOfAnother(image)) continue;
    const isReferrer = image.name === undefined && (await refersTo(archive, image, signal));
    hasReferrers ||= isReferrer;
    if (!isReferrer) images.push(image);
  }
  const failures = new Map(archive.faults.map(({ names, error }) => [names.join(', ') || archive.shown, error]));
  if (words.length === 0) {
    if (images.length === 0 && failures.size === 0) {
      throw new OciError('MANIFEST_UNKNOWN', `${archive.shown} holds no images`, {
        hint: 'it lists none: nothing to do',
      });
    }
    return { images, failures, hasReferrers, hasDigestTags };
  }
  const chosen = new Set<ArchivedImage>();
  const failed = new Map<string, OciError>();
  for (const word of words) {
    const found = images.filter((image) => isMeant(word, image));
    for (const image of found) chosen.add(image);
    const fault = archive.faults.find(({ names }) => names.some((name) => isSame(word, name)));
    if (fault) failed.set(word, fault.error);
    else if (found.length === 0) throw notThere(archive, word);
  }
  return { images: [...chosen], failures: failed, hasReferrers, hasDigestTags };
}

function isOfAnother({ name }: ArchivedImage): boolean {
  return name !== undefined && isDigestTag(name);
}

async function refersTo(
  { registry, repo }: LoadableArchive,
  image: ArchivedImage,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await registry.getManifest(repo, image.descriptor.digest, { signal })).view.subject !== undefined;
  } catch (error) {
    // Its own turn tells what is wrong.
    if (error instanceof OciError) return false;
    throw error;
  }
}

function isMeant(word: string, { name, descriptor }: ArchivedImage): boolean {
  return descriptor.digest === word || (name !== undefined && isSame(word, name));
}

function isSame(word: string, name: string): boolean {
  const full = fullOf(word);
  return word === name || (full !== undefined && fullOf(name) === full);
}

function fullOf(text: string): string | undefined {
  try {
    return formatReference(withDefaultTag(parseReference(text)));
  } catch (error) {
    if (error instanceof OciError) return undefined;
    throw error;
  }
}

function notThere({ shown, images }: LoadableArchive, word: string): OciError {
  const names = images.map(({ name, descriptor }) => (name === undefined ? descriptor.digest : visible(name)));
  const more = names.length > maxNamesShown ? ` and ${names.length - maxNamesShown} more` : '';
  return new OciError('MANIFEST_UNKNOWN', `${shown} has no image ${quote(word)}`, {
    hint: `it has ${names.slice(0, maxNamesShown).join(', ')}${more}`,
  });
}
