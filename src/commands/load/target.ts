import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import {
  familiarReference,
  parseReference,
  parseRepositoryName,
  type Reference,
  tryParseTag,
  withDefaultTag,
} from '../../model/reference/reference.ts';
import type { ArchivedImage } from './choose.ts';

/** For images without a repository's name: in an archive they may have a tag alone, or no name. */
const nameless = { domain: 'localhost', path: parseRepositoryName('loaded') } as const;

/**
 * The name of an image after it is loaded: as in the archive. A tag alone is one of `localhost/loaded`, and so is an image
 * without a name, by its digest.
 *
 * @throws OciError ARCHIVE_INVALID for a name that is none.
 */
export function targetOf({ name, descriptor }: ArchivedImage): Reference {
  if (name === undefined) return { ...nameless, digest: descriptor.digest };
  const tag = tryParseTag(name);
  return tag === undefined ? withDefaultTag(referenceIn(name)) : { ...nameless, tag };
}

/** A name as the archive has it: what is wrong with it is no mistake of the user. */
function referenceIn(name: string): Reference {
  try {
    return parseReference(name);
  } catch (cause) {
    if (!(cause instanceof OciError)) throw cause;
    throw new OciError('ARCHIVE_INVALID', `the archive gives an image an invalid name: ${cause.message}`, { cause });
  }
}

/** The line that docker prints for it. @param id The image ID. */
export function loadedLine(image: ArchivedImage, target: Reference, id: Digest): string {
  return image.name === undefined ? `Loaded image ID: ${id}` : `Loaded image: ${familiarReference(target)}`;
}
