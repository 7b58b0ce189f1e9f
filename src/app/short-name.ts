/** Expands a name without a registry to a full one as registries.conf says. Part of the composition root. */

import { isShort, resolveShortName, type ShortNameRules } from '../config/containers/short-names.ts';
import { formatOrigin } from '../config/origin.ts';
import { isOciError } from '../model/errors.ts';
import {
  defaultDomain,
  formatReference,
  manifestReference,
  type Reference,
  withDefaultTag,
} from '../model/reference/reference.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';

interface NamedImageOptions extends SignalOption {
  readonly rules: ShortNameRules;
  readonly open: (reference: Reference) => Promise<Registry>;
  readonly note: (text: string) => void;
}

/**
 * The full name of an image that will be read. If several registries are searched, the first that has the image.
 *
 * @throws OciError REFERENCE_INVALID; the last registry's error if none has it.
 */
export async function nameImage(word: string, { rules, open, note, signal }: NamedImageOptions): Promise<string> {
  if (!isShort(word)) return word;
  const meanings = resolveShortName(word, rules);
  for (const [index, { reference, origin }] of meanings.entries()) {
    const name = formatReference(reference);
    if (index < meanings.length - 1 && !(await isThere(reference, await open(reference), signal))) continue;
    note(`${word} is ${name} (${formatOrigin(origin)})`);
    return name;
  }
  return word;
}

/**
 * A registry that refuses access ends the search: otherwise an image of the same name in another registry, maybe
 * someone else's, would be used. Only Docker Hub also refuses access to what it does not have.
 */
async function isThere(reference: Reference, registry: Registry, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    const named = manifestReference(withDefaultTag(reference));
    await registry.statManifest(reference.path, named, { signal, mayBeAbsent: true });
    return true;
  } catch (error) {
    if (isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return false;
    if (reference.domain === defaultDomain && isOciError(error, 'UNAUTHORIZED', 'DENIED')) return false;
    throw error;
  }
}
