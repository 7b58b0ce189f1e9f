/** Finds entries of an index.json by digest and by name: an index may have ten thousands of them, and each is looked for. */
import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type Tag, tryParseTag } from '../../model/reference/reference.ts';
import { type IndexEntry, impliedTag, type LayoutIndex } from './index-entries.ts';
import { fullName } from './names.ts';

type ReadableEntry = IndexEntry & { readonly descriptor: Descriptor };

/** What the entries of an index are found by. Each part is made when it is first needed. */
class Lookup {
  readonly #entries: readonly ReadableEntry[];
  #digests: ReadonlyMap<Digest, Descriptor> | undefined;
  #tags: ReadonlyMap<Tag, Descriptor> | undefined;
  #names: readonly ReadonlyMap<string, ReadableEntry>[] | undefined;
  #fullNames: ReadonlyMap<string, ReadableEntry> | undefined;

  constructor({ entries }: LayoutIndex) {
    this.#entries = entries.filter((entry): entry is ReadableEntry => entry.descriptor !== undefined);
  }

  get digests(): ReadonlyMap<Digest, Descriptor> {
    this.#digests ??= firstBy(this.#entries, ({ descriptor }) => [[descriptor.digest, descriptor]]);
    return this.#digests;
  }

  get tags(): ReadonlyMap<Tag, Descriptor> {
    this.#tags ??= tagsIn(this.#entries);
    return this.#tags;
  }

  named(name: string): ReadableEntry | undefined {
    this.#names ??= [
      firstBy(this.#entries, (entry) => (entry.refName === undefined ? [] : [[entry.refName, entry]])),
      firstBy(this.#entries, (entry) => (entry.imageName === undefined ? [] : [[entry.imageName, entry]])),
    ];
    for (const names of this.#names) {
      const found = names.get(name);
      if (found) return found;
    }
    const full = fullName(name);
    if (full === undefined) return undefined;
    this.#fullNames ??= firstBy(this.#entries, (entry) =>
      [entry.refName, entry.imageName].flatMap((each) => {
        const known = fullName(each);
        return known === undefined ? [] : [[known, entry] as const];
      }),
    );
    return this.#fullNames.get(full);
  }
}

// An index is never changed, only replaced.
const lookups = new WeakMap<LayoutIndex, Lookup>();

function lookupOf(index: LayoutIndex): Lookup {
  const known = lookups.get(index);
  if (known) return known;
  const made = new Lookup(index);
  lookups.set(index, made);
  return made;
}

/** The descriptor with this digest in index.json. */
export function findDigest(index: LayoutIndex, digest: Digest): Descriptor | undefined {
  return lookupOf(index).digests.get(digest);
}

/**
 * The entry with a name that is not a tag: by an annotation with this text, else by containerd's annotation, else by another
 * spelling of the same reference. If several match, the first counts.
 */
export function findName(index: LayoutIndex, name: string): ReadableEntry | undefined {
  return lookupOf(index).named(name);
}

/**
 * All tags with their descriptors. The name of an entry is its tag. If the name is a full reference, the reference's
 * tag counts too, unless an entry has exactly that name, or two references with that tag have different content. If
 * several entries have the same name, the first counts, as in skopeo.
 */
export function tagsOf(index: LayoutIndex): ReadonlyMap<Tag, Descriptor> {
  return lookupOf(index).tags;
}

function tagsIn(entries: readonly ReadableEntry[]): ReadonlyMap<Tag, Descriptor> {
  const tags = new Map<Tag, Descriptor>();
  for (const { refName, descriptor } of entries) {
    const tag = tryParseTag(refName);
    if (tag !== undefined && !tags.has(tag)) tags.set(tag, descriptor);
  }
  const implied = new Map<Tag, Descriptor | 'several'>();
  for (const entry of entries) {
    const tag = impliedTag(entry);
    if (tag === undefined || tags.has(tag)) continue;
    const other = implied.get(tag) ?? entry.descriptor;
    implied.set(tag, other !== 'several' && other.digest === entry.descriptor.digest ? other : 'several');
  }
  for (const [tag, descriptor] of implied) if (descriptor !== 'several') tags.set(tag, descriptor);
  return tags;
}

/** A map in which the first of equal keys counts. */
function firstBy<K, V>(
  entries: readonly ReadableEntry[],
  pairs: (entry: ReadableEntry) => readonly (readonly [K, V])[],
): ReadonlyMap<K, V> {
  const map = new Map<K, V>();
  for (const entry of entries) for (const [key, value] of pairs(entry)) if (!map.has(key)) map.set(key, value);
  return map;
}
