/** Entries of an index: those of an image or another index, and what is done with them. */

import type { Digest } from '../../model/digest.ts';
import { OciError, unlessUnknown } from '../../model/errors.ts';
import { parseJson } from '../../model/json.ts';
import { JsonList, JsonText } from '../../model/json-text.ts';
import { type Descriptor, parseDescriptor } from '../../model/manifest/descriptor.ts';
import { configPlatform } from '../../model/manifest/image-config.ts';
import type { Manifest, RawManifest } from '../../model/manifest/manifest.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { formatPlatform, type Platform, platformObject } from '../../model/platform/platform.ts';
import { attestedDigest, isAttestation, selectPlatform } from '../../model/platform/platform-selection.ts';
import { quote } from '../../model/quote.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { readConfig } from '../../registry/config.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import { noMatch, requirePlatform } from '../../transfer/platforms.ts';

/** An entry with its text. */
export interface IndexEntry {
  readonly text: string;
  readonly descriptor: Descriptor;
}

interface EntrySource {
  readonly registry: Registry;
  readonly repo: RepositoryName;
  /** Whether indexes may be here without all their images. */
  readonly sparse: boolean;
}

interface EntryOptions extends SignalOption {
  /** Which images; default all. */
  readonly platforms?: readonly Platform[] | undefined;
  /** What the only image is said to be for. */
  readonly setPlatform?: Platform | undefined;
  /** Of each entry that is not an attestation. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/**
 * The entries that an image or index becomes in another index: an index gives its own, each with its text.
 *
 * @throws OciError PLATFORM_UNKNOWN; USAGE if `setPlatform` is for several images.
 */
export async function entriesOf(
  manifest: Manifest,
  source: EntrySource,
  options: EntryOptions,
): Promise<readonly IndexEntry[]> {
  const found =
    manifest.view.kind === 'index'
      ? await chosenEntries(manifest, source, options)
      : [await entryOf(manifest, source, options)];
  const images = found.filter(({ descriptor }) => !isAttestation(descriptor));
  if (options.setPlatform && images.length > 1) {
    throw new OciError('USAGE', '--set-platform is for one image, and several would get this platform', {
      hint: 'choose one with --platform',
    });
  }
  const { setPlatform, annotations = {} } = options;
  return found.map((entry) =>
    isAttestation(entry.descriptor) ? entry : withSaid(entry, { platform: setPlatform, annotations }),
  );
}

async function entryOf(
  manifest: Manifest,
  { registry, repo }: EntrySource,
  { platforms, setPlatform, signal }: EntryOptions,
): Promise<IndexEntry> {
  const { view } = manifest;
  const { mediaType, digest, size } = manifest.descriptor;
  if (view.kind !== 'image') {
    throw new OciError('UNSUPPORTED', `${digest} cannot be in an index: it has the type ${quote(mediaType)}`);
  }
  if (platforms) await requirePlatform(registry, repo, manifest, platforms, { signal });
  const isArtifact = view.artifactType !== undefined;
  const platform =
    setPlatform || isArtifact ? undefined : configPlatform(await readConfig(registry, repo, view.config, { signal }));
  const isTold = platform !== undefined && (platform.os !== '' || platform.architecture !== '');
  const fields = {
    mediaType,
    digest,
    size,
    ...(isTold && { platform: platformObject(platform) }),
    ...(isArtifact && { artifactType: view.artifactType }),
  };
  return { text: JSON.stringify(fields), descriptor: { mediaType, digest, size, ...(isTold && { platform }) } };
}

async function chosenEntries(
  { view, bytes }: Manifest,
  { registry, repo, sparse }: EntrySource,
  { platforms, signal }: EntryOptions,
): Promise<readonly IndexEntry[]> {
  if (view.kind !== 'index') return [];
  const texts = JsonText.parse(bytes).list('manifests');
  const all = view.manifests.map((descriptor, i) => ({ descriptor, text: texts[i] ?? '' }));
  const wanted = platforms?.map((platform) => {
    const [best] = selectPlatform(view.manifests, platform);
    if (!best) throw noMatch(view, platform);
    return best;
  });
  const chosen = wanted
    ? all.filter(({ descriptor }) => wanted.includes(descriptor) || describes(descriptor, wanted))
    : all;
  if (!sparse) return chosen;
  const there = await Promise.all(
    chosen.map(({ descriptor }) => unlessUnknown(registry.statManifest(repo, descriptor.digest, { signal }))),
  );
  return chosen.filter((_, i) => there[i] !== undefined);
}

function describes(descriptor: Descriptor, images: readonly Descriptor[]): boolean {
  const attested = isAttestation(descriptor) ? attestedDigest(descriptor) : undefined;
  return images.some(({ digest }) => digest === attested);
}

/** What is said of an entry. */
interface Said {
  readonly platform?: Platform | undefined;
  /** Null removes. */
  readonly annotations?: Readonly<Record<string, string | null>> | undefined;
}

export function withSaid({ text }: IndexEntry, { platform, annotations = {} }: Said): IndexEntry {
  const entry = JsonText.parse(Buffer.from(text));
  if (platform) entry.set('platform', platformObject(platform));
  changeAnnotations(entry, annotations);
  return { text: entry.text, descriptor: parseDescriptor(parseJson(entry.text), 'manifests') };
}

/** Sets annotations of an index or entry; null removes. */
function changeAnnotations(of: JsonText, changes: Readonly<Record<string, string | null>>): void {
  if (Object.keys(changes).length === 0) return;
  const annotations = of.object('annotations');
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) annotations.delete(name);
    else annotations.set(name, value);
  }
  if (!annotations.isEmpty) of.set('annotations', annotations);
  else of.delete('annotations');
}

/** The entries of an index; none for no index. */
export function entriesIn(index: Manifest | undefined): readonly IndexEntry[] {
  if (index?.view.kind !== 'index') return [];
  const texts = JsonText.parse(index.bytes).list('manifests');
  return index.view.manifests.map((descriptor, i) => ({ descriptor, text: texts[i] ?? '' }));
}

/**
 * Adds entries to others. One that has the digest or the platform of one that is there takes its place; the attestations of an
 * image that is replaced go with it.
 */
export function addEntries(before: readonly IndexEntry[], added: readonly IndexEntry[]): readonly IndexEntry[] {
  let entries = [...before];
  for (const entry of added) {
    const at = entries.findIndex((other) => isSame(other.descriptor, entry.descriptor));
    if (at < 0) {
      entries.push(entry);
      continue;
    }
    const replaced = entries[at]?.descriptor.digest;
    entries[at] = entry;
    if (replaced !== entry.descriptor.digest) {
      entries = entries.filter(
        ({ descriptor }) => !isAttestation(descriptor) || attestedDigest(descriptor) !== replaced,
      );
    }
  }
  return entries;
}

/** The first two entries that are for one platform, if there are such. */
export function samePlatform(entries: readonly IndexEntry[]): readonly [Descriptor, Descriptor] | undefined {
  const seen = new Map<string, Descriptor>();
  for (const { descriptor } of entries) {
    if (isAttestation(descriptor) || !descriptor.platform) continue;
    const key = formatPlatform(descriptor.platform);
    const other = seen.get(key);
    if (other && other.digest !== descriptor.digest) return [other, descriptor];
    seen.set(key, descriptor);
  }
  return undefined;
}

function isSame(one: Descriptor, other: Descriptor): boolean {
  if (one.digest === other.digest) return true;
  if (isAttestation(one) || isAttestation(other) || !one.platform || !other.platform) return false;
  return one.artifactType === other.artifactType && formatPlatform(one.platform) === formatPlatform(other.platform);
}

/**
 * The digests that are named, and those of the images for platforms.
 *
 * @throws OciError MANIFEST_UNKNOWN, PLATFORM_UNKNOWN for what the index does not name.
 */
export function chosenDigests(
  { view, descriptor }: Manifest,
  { digests, platforms }: { readonly digests: readonly Digest[]; readonly platforms: readonly Platform[] },
): ReadonlySet<Digest> {
  if (view.kind !== 'index') return new Set();
  const lacking = digests.find((digest) => !view.manifests.some((entry) => entry.digest === digest));
  if (lacking !== undefined) {
    throw new OciError('MANIFEST_UNKNOWN', `the index ${descriptor.digest} does not name ${lacking}`, {
      hint: 'ocictl index list shows what it names',
    });
  }
  const found = platforms.map((platform) => selectPlatform(view.manifests, platform)[0] ?? { platform });
  for (const one of found) if (!('digest' in one)) throw noMatch(view, one.platform);
  return new Set([...digests, ...found.flatMap((one) => ('digest' in one ? [one.digest] : []))]);
}

/** The entries without some of them, and without what describes those. */
export function withoutEntries(before: readonly IndexEntry[], removed: ReadonlySet<Digest>): readonly IndexEntry[] {
  return before.filter(({ descriptor }) => {
    const attested = isAttestation(descriptor) ? attestedDigest(descriptor) : undefined;
    return !removed.has(descriptor.digest) && (attested === undefined || !removed.has(attested));
  });
}

/**
 * An index with these entries. All other fields stay as they were.
 *
 * @throws OciError UNSUPPORTED for what Docker's format does not hold.
 */
export function indexWith(
  before: Manifest | undefined,
  entries: readonly IndexEntry[],
  {
    mediaType,
    annotations = {},
  }: { readonly mediaType: string; readonly annotations?: Readonly<Record<string, string | null>> },
): RawManifest {
  const document = before ? JsonText.parse(before.bytes) : JsonText.of({ schemaVersion: 2, mediaType });
  document.set('manifests', new JsonList(entries.map(({ text }) => text)));
  changeAnnotations(document, annotations);
  if (mediaType === mediaTypes.dockerList) refuseInList(document, entries);
  return { mediaType, bytes: document.bytes };
}

/** The type of a new index: Docker's if all images are. */
export function indexTypeFor(entries: readonly IndexEntry[], annotations: object): string {
  const isDocker = ({ descriptor }: IndexEntry): boolean =>
    descriptor.mediaType === mediaTypes.dockerManifest && descriptor.annotations === undefined;
  const all = entries.length > 0 && entries.every(isDocker) && Object.keys(annotations).length === 0;
  return all ? mediaTypes.dockerList : mediaTypes.ociIndex;
}

function refuseInList(document: JsonText, entries: readonly IndexEntry[]): void {
  const refuse = (problem: string): never => {
    throw new OciError('UNSUPPORTED', `docker's image format has no ${problem}`, {
      hint: 'make an index of the format oci: --image-format oci',
    });
  };
  if (document.has('annotations')) refuse('annotations of an index');
  for (const { descriptor } of entries) {
    const { mediaType, digest } = descriptor;
    if (mediaType !== mediaTypes.dockerManifest) refuse(`entries of the type ${mediaType}, as ${digest} is`);
    if (Object.keys(descriptor.annotations ?? {}).length > 0) refuse(`annotations of entries, as ${digest} has`);
  }
}
