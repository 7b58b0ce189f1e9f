/** Reads and changes the entries of an index.json. Entries of other tools are kept unchanged. */

import type { Digest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import { asArray, asObject } from '../../model/json-fields.ts';
import { type Descriptor, parseDescriptor } from '../../model/manifest/descriptor.ts';
import { parseReference, type Tag, tryParseTag } from '../../model/reference/reference.ts';
import { fullName, tryParseLayoutName } from './names.ts';

/** @see https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md#pre-defined-annotation-keys */
const refNameAnnotation = 'org.opencontainers.image.ref.name';
/** The full reference, which containerd and buildx write. */
const imageNameAnnotation = 'io.containerd.image.name';

export interface IndexEntry {
  /** As in the file. */
  readonly raw: unknown;
  /** Undefined if the entry is not a valid descriptor. */
  readonly descriptor?: Descriptor;
  readonly refName?: string;
  readonly imageName?: string;
}

export interface LayoutIndex {
  readonly document: Readonly<Record<string, unknown>>;
  readonly entries: readonly IndexEntry[];
}

/** Parses index.json. @throws OciError MANIFEST_INVALID if it is not an object, or `manifests` is not a list. */
export function parseLayoutIndex(document: unknown): LayoutIndex {
  const fields = asObject(document, 'the document');
  const entries = asArray(fields['manifests'] ?? [], 'manifests').map(parseEntry);
  return { document: fields, entries };
}

/** The document with other entries. The order of its fields is kept. */
export function withEntries({ document }: LayoutIndex, entries: readonly IndexEntry[]): Record<string, unknown> {
  return { ...document, manifests: entries.map(({ raw }) => raw) };
}

export function newEntry(descriptor: Descriptor, artifactType: string | undefined, tag?: Tag): IndexEntry {
  const { mediaType, digest, size } = descriptor;
  return parseEntry({
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(tag !== undefined && { annotations: { [refNameAnnotation]: tag } }),
  });
}

/** The names of all entries, as in the file. */
export function namesOf({ entries }: LayoutIndex): readonly string[] {
  const named = entries.filter(({ descriptor }) => descriptor !== undefined);
  return named.flatMap(({ refName, imageName }) => tryParseLayoutName(refName ?? imageName ?? '') ?? []);
}

/** @param keep Digests that must keep an entry even without a tag. */
export function addTag(
  index: LayoutIndex,
  tag: Tag,
  descriptor: Descriptor,
  artifactType: string | undefined,
  keep: ReadonlySet<Digest>,
): readonly IndexEntry[] {
  const { digest } = descriptor;
  const present = index.entries.find((entry) => entry.refName === tag && entry.descriptor?.digest === digest);
  const others = release(index.entries, (entry) => entry.refName === tag && entry !== present, keep);
  if (present !== undefined) return others;
  const untagged = others.findIndex((entry) => entry.descriptor?.digest === digest && isUnnamed(entry));
  if (untagged === -1) return [...others, newEntry(descriptor, artifactType, tag)];
  return others.map((entry, i) => (i === untagged ? named(entry, tag) : entry));
}

/** Removes a tag in any form in which entries have it. @param keep See {@link addTag}. */
export function removeTag(index: LayoutIndex, tag: Tag, keep: ReadonlySet<Digest>): readonly IndexEntry[] {
  return release(index.entries, (entry) => bears(entry, tag), keep);
}

/** All descriptors with a tag, by name or by a full reference, including those hidden by another entry's name. */
export function bearersOf({ entries }: LayoutIndex, tag: Tag): readonly Descriptor[] {
  return entries.filter((entry) => bears(entry, tag)).flatMap(({ descriptor }) => descriptor ?? []);
}

// An entry that loses its tag is removed, as in skopeo, unless it is the only entry of a manifest that must be found.
function release(
  entries: readonly IndexEntry[],
  isReleased: (entry: IndexEntry) => boolean,
  keep: ReadonlySet<Digest>,
): readonly IndexEntry[] {
  const left = entries.filter((entry) => !isReleased(entry));
  const held = new Set(left.map(({ descriptor }) => descriptor?.digest));
  return entries.flatMap((entry) => {
    if (!isReleased(entry)) return [entry];
    const digest = entry.descriptor?.digest;
    if (digest === undefined || !keep.has(digest) || held.has(digest)) return [];
    held.add(digest);
    return [named(entry, undefined)];
  });
}

function bears(entry: IndexEntry, tag: Tag): boolean {
  return entry.refName === tag || impliedTag(entry) === tag || (tryParseTag(tag) === undefined && isNamed(entry, tag));
}

/** Whether a name is that of an entry, in whatever spelling. */
function isNamed({ refName, imageName }: IndexEntry, name: string): boolean {
  if (refName === name || imageName === name) return true;
  const full = fullName(name);
  return full !== undefined && (fullName(refName) === full || fullName(imageName) === full);
}

function isUnnamed({ refName, imageName }: IndexEntry): boolean {
  return refName === undefined && imageName === undefined;
}

function named(entry: IndexEntry, tag: Tag | undefined): IndexEntry {
  const raw = asObject(entry.raw, 'the entry');
  const { [refNameAnnotation]: _name, [imageNameAnnotation]: _image, ...rest } = annotationsOf(raw);
  const annotations = tag === undefined ? rest : { ...rest, [refNameAnnotation]: tag };
  const { annotations: _, ...bare } = raw;
  return parseEntry(Object.keys(annotations).length === 0 ? bare : { ...raw, annotations });
}

function parseEntry(raw: unknown): IndexEntry {
  const annotations = typeof raw === 'object' && raw !== null ? annotationsOf(raw as Record<string, unknown>) : {};
  const refName = annotations[refNameAnnotation];
  const imageName = annotations[imageNameAnnotation];
  const descriptor = tryParseDescriptor(raw);
  return {
    raw,
    ...(descriptor && { descriptor }),
    ...(typeof refName === 'string' && { refName }),
    ...(typeof imageName === 'string' && { imageName }),
  };
}

function annotationsOf(raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const annotations = raw['annotations'];
  return typeof annotations === 'object' && annotations !== null ? (annotations as Record<string, unknown>) : {};
}

// Other tools write this file too: an entry that cannot be parsed is left alone.
function tryParseDescriptor(raw: unknown): Descriptor | undefined {
  try {
    return parseDescriptor(raw, 'manifests');
  } catch (error) {
    if (error instanceof OciError) return undefined;
    throw error;
  }
}

/** The tag of a full reference that is the name of an entry. */
export function impliedTag({ refName, imageName }: IndexEntry): Tag | undefined {
  if (tryParseTag(refName) !== undefined) return undefined;
  return fullReferenceTag(refName) ?? fullReferenceTag(imageName);
}

function fullReferenceTag(text: string | undefined): Tag | undefined {
  try {
    return text === undefined ? undefined : parseReference(text).tag;
  } catch (error) {
    if (error instanceof OciError) return undefined;
    throw error;
  }
}
