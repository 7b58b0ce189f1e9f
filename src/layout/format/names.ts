/** Names in a layout that are not tags: full references, and other names that tools write. */
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { formatReference, parseReference, type Tag, tryParseTag } from '../../model/reference/reference.ts';

/** @see https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys */
const component = '[A-Za-z0-9]+(?:(?:--|[-._:@+])[A-Za-z0-9]+)*';
const grammar = new RegExp(`^${component}(?:/${component})*$`);
const maxNameLength = 1024;

/**
 * Parses the name of an image in a layout: a tag, or a name in the annotation's grammar. A layout accepts both wherever
 * a registry accepts a tag.
 *
 * @throws OciError REFERENCE_INVALID
 */
export function parseLayoutName(text: string): Tag {
  const name = tryParseLayoutName(text);
  if (name !== undefined) return name;
  throw new OciError('REFERENCE_INVALID', `invalid tag or name of an image in a layout: ${quote(text)}`, {
    hint: 'a layout is named oci:DIRECTORY, oci:DIRECTORY:TAG or oci:DIRECTORY:team/app:TAG',
  });
}

/** The same, but undefined for an invalid name. For names in index.json, which other tools write too. */
export function tryParseLayoutName(text: string): Tag | undefined {
  const isName = text.length <= maxNameLength && grammar.test(text);
  return tryParseTag(text) ?? (isName ? (text as Tag) : undefined);
}

/**
 * The normalised full reference, such as `docker.io/library/alpine:3` for `alpine:3`; undefined if it is not a reference.
 */
export function fullName(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : formatReference(parseReference(text));
  } catch (error) {
    if (error instanceof OciError) return undefined;
    throw error;
  }
}
