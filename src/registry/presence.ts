/** Which images of an index are there, in a place that may lack some: an archive, a store, a layout. */
import type { Digest } from '../model/digest.ts';
import { OciError, unlessUnknown } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { blobsOf, childrenOf, type Manifest } from '../model/manifest/manifest.ts';
import { isForeignLayerType } from '../model/manifest/media-types.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { Registry, SignalOption } from './registry.ts';

/** The greatest depth of nested indexes: a hostile archive could nest them without end. */
const maxDepth = 16;

interface PartialImage {
  readonly entry: Descriptor;
  /** Undefined if that is missing too. */
  readonly manifest?: Manifest;
  /** Configs and layers that are missing. */
  readonly missing: readonly Descriptor[];
}

/** What is there of an image or index. */
export interface Presence {
  /** Images and artifacts with all their blobs. */
  readonly whole: readonly Manifest[];
  /** Entries that were left out: nothing is there but what whole images have too. */
  readonly absent: readonly PartialImage[];
  /** Images of which only a part is there: the place is damaged, or holds only what another place lacks. */
  readonly partial: readonly PartialImage[];
}

interface PresenceOptions extends SignalOption {
  /** Whether a missing blob is somewhere else where it will be found. Default: none is. */
  readonly elsewhere?: ((blob: Descriptor) => Promise<boolean>) | undefined;
}

/**
 * Looks for the manifests and blobs of an image, or of all images of an index. Layers that may be fetched from their URLs may be
 * missing. Blobs are looked up, not read.
 *
 * @throws OciError MANIFEST_INVALID for indexes that are nested too deeply; what the registry throws for a damaged manifest.
 */
export async function presenceOf(
  { registry, repo }: { readonly registry: Registry; readonly repo: RepositoryName },
  root: Descriptor,
  { signal, elsewhere = async () => false }: PresenceOptions = {},
): Promise<Presence> {
  const whole: Manifest[] = [];
  const absent: PartialImage[] = [];
  const others: (PartialImage & { readonly own: readonly Digest[] })[] = [];
  const seen = new Set<Digest>();

  async function visit(entry: Descriptor, depth: number): Promise<void> {
    if (seen.has(entry.digest)) return;
    seen.add(entry.digest);
    signal?.throwIfAborted();
    if (depth > maxDepth) throw new OciError('MANIFEST_INVALID', `index ${entry.digest} is nested too deeply`);
    const manifest = await unlessUnknown(registry.getManifest(repo, entry.digest, { signal }));
    if (manifest === undefined) return void absent.push({ entry, missing: [] });
    const children = childrenOf(manifest.view);
    for (const child of children) await visit(child, depth + 1);
    if (children.length === 0) await look(entry, manifest);
  }

  async function look(entry: Descriptor, manifest: Manifest): Promise<void> {
    const missing: Descriptor[] = [];
    const own: Digest[] = [];
    for (const blob of blobsOf(manifest.view)) {
      const isHere = await unlessUnknown(registry.statBlob(repo, blob.digest, { signal }), 'BLOB_UNKNOWN');
      if (isHere) own.push(blob.digest);
      else if (!isOptional(blob) && !(await elsewhere(blob))) missing.push(blob);
    }
    if (missing.length === 0) whole.push(manifest);
    else others.push({ entry, manifest, missing, own });
  }

  await visit(root, 0);
  const shared = new Set(whole.flatMap(({ view }) => blobsOf(view).map(({ digest }) => digest)));
  const partial: PartialImage[] = [];
  for (const { own, ...image } of others) {
    (own.every((digest) => shared.has(digest)) ? absent : partial).push(image);
  }
  return { whole, absent, partial };
}

function isOptional({ mediaType, urls = [], data }: Descriptor): boolean {
  return isForeignLayerType(mediaType) || urls.length > 0 || data !== undefined;
}
