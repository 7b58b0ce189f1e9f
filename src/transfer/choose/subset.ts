/** Makes an index that names only the images of some platforms, for destinations that take no index without its images. */
import { digestAlgorithm } from '../../model/digest.ts';
import { parseJsonObject } from '../../model/json-fields.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type IndexView, type Manifest, readManifest } from '../../model/manifest/manifest.ts';
import type { Platform } from '../../model/platform/platform.ts';
import { attestedImage, isAttestation } from '../../model/platform/platform-selection.ts';
import { checkType, findEntry, noMatch } from '../platforms.ts';

type GetManifest = (entry: Descriptor) => Promise<Manifest>;

interface Subset {
  /** The index itself if it names nothing else. */
  readonly root: Manifest;
  /** All indexes that were made: the root, and nested ones. */
  readonly made: readonly Manifest[];
}

/**
 * The index with the entries for some platforms, in their order, and the attestations of these. All other fields stay.
 *
 * @param platforms A platform that matches nothing is an error.
 * @throws OciError PLATFORM_UNKNOWN, and what `get` throws.
 */
export async function subsetOf(
  index: Manifest & { readonly view: IndexView },
  platforms: readonly Platform[],
  get: GetManifest,
  depth = 0,
): Promise<Subset> {
  const { manifests } = index.view;
  const chosen = new Map<Descriptor, Platform[]>();
  for (const platform of platforms) {
    const entry = await findEntry(index.view, platform, get, depth);
    if (!entry) throw noMatch(index.view, platform);
    chosen.set(entry, [...(chosen.get(entry) ?? []), platform]);
  }
  const kept = new Set<unknown>([...chosen.keys()].map(({ digest }) => digest));
  const replaced = new Map<Descriptor, Descriptor>();
  const made: Manifest[] = [];
  for (const [entry, wanted] of chosen) {
    // An entry with a platform is taken whole; in an index without one, the platform is chosen again.
    const inner = entry.platform ? undefined : await get(entry);
    if (!inner || !isIndex(inner)) continue;
    checkType(entry, inner);
    const subset = await subsetOf(inner, wanted, get, depth + 1);
    if (subset.root !== inner) replaced.set(entry, subset.root.descriptor);
    made.push(...subset.made);
  }
  const stays = (entry: Descriptor): boolean =>
    chosen.has(entry) || (isAttestation(entry) && kept.has(entry.annotations?.[attestedImage]));
  if (replaced.size === 0 && manifests.every(stays)) return { root: index, made };
  const root = await withEntries(index, (raw, i) => {
    const entry = manifests[i];
    if (!entry || !stays(entry)) return undefined;
    const { digest, size } = replaced.get(entry) ?? entry;
    return { ...raw, digest, size };
  });
  return { root, made: [...made, root] };
}

export function isIndex(manifest: Manifest): manifest is Manifest & { readonly view: IndexView } {
  return manifest.view.kind === 'index';
}

type RawEntry = Readonly<Record<string, unknown>>;

/** The index with other entries. @param edit The new entry; undefined leaves it out. */
async function withEntries(
  { mediaType, bytes, descriptor }: Manifest,
  edit: (entry: RawEntry, i: number) => RawEntry | undefined,
): Promise<Manifest> {
  const document = parseJsonObject(bytes);
  const entries = document['manifests'] as readonly RawEntry[];
  const manifests = entries.flatMap((entry, i) => edit(entry, i) ?? []);
  const raw = { mediaType, bytes: Buffer.from(JSON.stringify({ ...document, manifests })) };
  return await readManifest(raw, digestAlgorithm(descriptor.digest));
}
