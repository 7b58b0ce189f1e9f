/** Finds images of the local store by a name, a digest, or an image ID. */
import { type Digest, tryParseDigest } from '../model/digest.ts';
import { isOciError, OciError, unlessUnknown } from '../model/errors.ts';
import {
  familiarName,
  familiarReference,
  parseReference,
  type Reference,
  type StoreName,
  type Tag,
  toStoreName,
  withDefaultTag,
} from '../model/reference/reference.ts';
import { manifestEnumerator } from '../registry/extensions.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { digestOfTag, tagsPointingAt } from '../registry/tags.ts';
import { listImages } from './list.ts';
import { entriesWhileThere } from './vanished.ts';

/** A tag, or a manifest without a tag. */
export interface FoundImage {
  readonly repo: StoreName;
  /** The familiar name: `alpine`, `localhost:5000/app`. */
  readonly name: string;
  readonly tag: Tag | undefined;
  readonly digest: Digest;
  /** Whether the tag was named, and not the image: then it is meant whatever it points at. */
  readonly byTag: boolean;
}

/** A tag whose link is damaged, so that its manifest is unknown. */
export type DamagedTag = Omit<FoundImage, 'digest'> & { readonly digest?: undefined };

/**
 * Finds everything in the store that a word refers to: one tag by name, or all tags of a digest or image ID.
 *
 * @throws OciError REFERENCE_INVALID if it is none of these, REFUSED if several IDs begin with it.
 */
export async function findImages(
  registry: Registry,
  word: string,
  opts: SignalOption = {},
): Promise<readonly FoundImage[]> {
  return (await byName(registry, word, opts)) ?? (await byId(registry, word, opts));
}

/** The same, and a tag that cannot be read, if that is what the word names. */
export async function findImagesOrDamage(
  registry: Registry,
  word: string,
  opts: SignalOption,
): Promise<readonly (FoundImage | DamagedTag)[]> {
  try {
    return await findImages(registry, word, opts);
  } catch (error) {
    if (!isOciError(error, 'STORAGE_DAMAGED')) throw error;
    return damagedTag(word, error);
  }
}

/** The tag that a word names, although it could not be read. @throws the read error if the word names no tag */
function damagedTag(word: string, error: unknown): readonly DamagedTag[] {
  if (isId(word)) throw error;
  const { tag, digest, ...place } = withDefaultTag(parseReference(word));
  if (tag === undefined || digest !== undefined) throw error;
  return [{ repo: toStoreName(place), name: familiarName(place), tag, byTag: true }];
}

/** The error in Docker's words. */
export function noSuchImage(word: string): OciError {
  return new OciError('IMAGE_UNKNOWN', `No such image: ${nameOf(word)}`, {
    hint: 'ocictl images lists what is in the local store',
  });
}

// Undefined if no image has this name, but it may be an ID.
async function byName(registry: Registry, word: string, opts: SignalOption): Promise<FoundImage[] | undefined> {
  let reference: Reference;
  try {
    reference = withDefaultTag(parseReference(word));
  } catch (error) {
    if (isId(word)) return undefined;
    throw error;
  }
  const repo = toStoreName(reference);
  const name = familiarName(reference);
  if (reference.digest !== undefined) return namesOf(registry, { repo, name, digest: reference.digest }, opts);
  const { tag } = reference;
  if (tag === undefined) return undefined;
  const digest = await digestOfTag(registry, repo, tag, opts);
  if (digest !== undefined) return [{ repo, name, tag, digest, byTag: true }];
  return isId(word) ? undefined : [];
}

async function byId(registry: Registry, word: string, opts: SignalOption): Promise<FoundImage[]> {
  const prefix = word.includes(':') ? word : `sha256:${word}`;
  const found: FoundImage[] = [];
  const ids = new Set<Digest>();
  for await (const { repo, name, tag, root, id } of listImages(registry, opts)) {
    if (!id.startsWith(prefix) && !root.digest.startsWith(prefix)) continue;
    ids.add(id);
    found.push({ repo, name, tag, digest: root.digest, byTag: false });
  }
  if (ids.size > 1) {
    throw new OciError('REFUSED', `${word} is the beginning of ${ids.size} image IDs`, {
      hint: 'give more of its digits',
    });
  }
  return found;
}

async function namesOf(
  registry: Registry,
  image: { readonly repo: StoreName; readonly name: string; readonly digest: Digest },
  opts: SignalOption,
): Promise<FoundImage[]> {
  const { repo, digest } = image;
  const byTag = false;
  if (!(await isHere(registry, repo, digest, opts))) return [];
  const tags = (await unlessUnknown(tagsPointingAt(registry, repo, digest, opts))) ?? [];
  return tags.length > 0 ? tags.map((tag) => ({ ...image, tag, byTag })) : [{ ...image, tag: undefined, byTag }];
}

// Manifests are listed, not read: damaged ones count as well, so that they can be removed.
async function isHere(registry: Registry, repo: StoreName, digest: Digest, opts: SignalOption): Promise<boolean> {
  const enumerator = registry.extension(manifestEnumerator);
  if (enumerator === undefined) return false;
  for await (const known of entriesWhileThere(enumerator.manifests(repo, opts))) {
    if (known === digest) return true;
  }
  return false;
}

function isId(word: string): boolean {
  return /^(?:sha256:)?[0-9a-f]{4,64}$/.test(word) || tryParseDigest(word) !== undefined;
}

function nameOf(word: string): string {
  try {
    return familiarReference(withDefaultTag(parseReference(word)));
  } catch {
    return word;
  }
}
