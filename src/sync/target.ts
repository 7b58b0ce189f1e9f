/** Where one image goes. */
import { at, configError } from '../config/documents/config-error.ts';
import type { Digest } from '../model/digest.ts';
import { quote } from '../model/quote.ts';
import {
  familiarName,
  formatReference,
  isDigestReference,
  parseReference,
  type RepositoryName,
  type Tag,
} from '../model/reference/reference.ts';
import { isRepositoryName } from '../places/file-word.ts';
import { isReference, kindOf, splitName } from '../places/places.ts';
import { imageName, type NameRule } from './file/name-rule.ts';

export interface Target {
  readonly rule: NameRule;
  /** The word for what is opened: a repository, or a place that holds several images. */
  readonly place: string;
  /** The name of the image in a place that holds several. */
  readonly name: string | undefined;
  /** Undefined if the image is found by its digest alone. */
  readonly tag: Tag | undefined;
  /** Equal for words that name the same image. */
  readonly fullName: string;
}

interface SourceImage {
  readonly host: string;
  readonly path: RepositoryName;
  readonly reference: Tag | Digest;
}

/** Applies a rule to an image. @throws OciError CONFIG_INVALID if the result is not the name of an image. */
export function targetOf(rule: NameRule, { host, path, reference }: SourceImage): Target {
  const tag = isDigestReference(reference) ? undefined : reference;
  const named = rule.nameOf(imageName(host, path, tag));
  // What is left of NAME:{{.Tag}}.
  const word = tag === undefined ? named.replace(/:$/, '') : named;
  if (kindOf(word).converts) {
    const hint = 'ocictl copy writes there';
    throw configError(rule.origin, `${quote(word)} keeps no digests, so nothing shows whether an image is there`, hint);
  }
  if (kindOf(word).single) {
    throw configError(rule.origin, `${quote(word)} takes one image, without its tag`, 'write a layout: oci:DIR');
  }
  const parts = at(rule.origin, () => splitName(word));
  if (!parts) return at(rule.origin, () => inRepository(rule, word, reference));
  if (tag === undefined) {
    throw configError(rule.origin, `${quote(word)} keeps no image without a name, and ${reference} is a digest`);
  }
  const name = nameIn(parts.name, tag);
  return { rule, place: parts.place, name, tag, fullName: `${parts.place}:${name}` };
}

function inRepository(rule: NameRule, word: string, reference: Tag | Digest): Target {
  const { prefix } = kindOf(word);
  const { domain, path, tag, digest } = parseReference(word.slice(prefix.length));
  const image = isDigestReference(reference);
  if (digest !== undefined) throw configError(rule.origin, `${quote(word)} has a digest: nothing is written to one`);
  if (image && !isReference(word)) {
    throw configError(rule.origin, `${quote(word)} keeps no image without a name, and ${reference} is a digest`);
  }
  const own = tag ?? (image ? undefined : reference);
  const full = formatReference({
    domain,
    path,
    ...(own === undefined ? { digest: reference as Digest } : { tag: own }),
  });
  const place = `${prefix}${familiarName({ domain, path })}`;
  return { rule, place, name: undefined, tag: own, fullName: `${prefix}${full}` };
}

/** `3`, `base/app:3` for `base/app`, and what has a tag already as it is. */
function nameIn(name: string | undefined, tag: Tag): string {
  if (name === undefined) return tag;
  return isRepositoryName(name) ? `${name}:${tag}` : name;
}
