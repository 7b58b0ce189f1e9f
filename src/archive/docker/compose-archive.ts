import { IndexReader } from '../../layout/format/index-reader.ts';
import { blobPath, indexPath, versionPath } from '../../layout/format/paths.ts';
import { versionDocument } from '../../layout/format/version.ts';
import type { Digest } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import type { Registry } from '../../registry/registry.ts';
import { type ArchiveFiles, withFiles } from '../files.ts';
import { type ArchivedImages, type FaultyImage, imagesOf } from '../open-archive.ts';
import { LayoutPart } from './layout-part.ts';
import type { SavedImage } from './manifest-json.ts';
import { createConfigReader, toldDigest } from './saved-config.ts';
import { checkDiffId, createLayerDescriber, type SavedLayer } from './saved-layers.ts';
import { type ComposedImage, composeImage } from './saved-manifest.ts';

/**
 * The images of an archive with a manifest.json, as a layout: the one that is there too, and what it lacks. An image that
 * cannot be read does not stop the others.
 *
 * @param name Of the archive, in messages.
 * @throws OciError the only error, if no image can be read.
 */
export async function composeArchive(
  name: string,
  files: ArchiveFiles,
  saved: readonly SavedImage[],
  isLayout: boolean,
  signal: AbortSignal | undefined,
): Promise<ArchivedImages> {
  const part = isLayout ? await LayoutPart.open(name, files) : undefined;
  const composed: ComposedImage[] = [];
  const faults: FaultyImage[] = [];
  const readConfig = createConfigReader(files);
  const describe = createLayerDescriber(files, signal);
  for (const image of saved) {
    signal?.throwIfAborted();
    try {
      const config = await readConfig(image);
      const names = part ? await part.missing(image.names, config, signal) : image.names;
      // An image without a name is one too.
      if (names === undefined) continue;
      composed.push({ ...(await composeImage(files, image, config, describe)), names });
      part?.replace(names);
    } catch (error) {
      if (!isOciError(error, 'ARCHIVE_INVALID', 'MANIFEST_INVALID', 'DIGEST_MISMATCH', 'TOO_LARGE')) throw error;
      const told = toldDigest(image);
      // What is missing in both is looked for in the store.
      if (told !== undefined && (await part?.hasPart(told, signal))) continue;
      if (await part?.tells(image.names, signal)) continue;
      faults.push({ names: image.names, error });
    }
  }
  const entries = [...(part?.entries() ?? []), ...composed.flatMap(entriesOf)];
  if (entries.length === 0 && faults[0]) throw faults[0].error;
  const layout = withFiles(files, layoutFiles(entries, composed));
  const images = await imagesOf(name, layout, new IndexReader(layout));
  return { ...images, registry: checkingLayers(images.registry, files, composed), faults };
}

/** What index.json says of an image: once for each name. */
function entriesOf({ names, descriptor }: ComposedImage): readonly unknown[] {
  if (names.length === 0) return [descriptor];
  return names.map((name) => ({ ...descriptor, annotations: { 'org.opencontainers.image.ref.name': name } }));
}

function layoutFiles(
  entries: readonly unknown[],
  composed: readonly ComposedImage[],
): Map<string, Uint8Array | string> {
  const index = { schemaVersion: 2, manifests: entries };
  const files = new Map<string, Uint8Array | string>([
    [versionPath, Buffer.from(versionDocument)],
    [indexPath, Buffer.from(JSON.stringify(index))],
  ]);
  for (const { descriptor, bytes, config, layers } of composed) {
    files.set(blobPath(descriptor.digest), bytes);
    files.set(blobPath(config.digest), config.path);
    for (const { digest, path } of layers) files.set(blobPath(digest), path);
  }
  return files;
}

/** Compressed layers are compared with their configs before they are given out, each once. */
function checkingLayers(registry: Registry, files: ArchiveFiles, composed: readonly ComposedImage[]): Registry {
  const unchecked = new Map<Digest, Map<Digest, SavedLayer>>();
  for (const layer of composed.flatMap(({ layers }) => layers)) {
    if (layer.compression === 'none') continue;
    const known = unchecked.get(layer.digest) ?? new Map<Digest, SavedLayer>();
    unchecked.set(layer.digest, known.set(layer.diffId, layer));
  }
  if (unchecked.size === 0) return registry;
  return {
    ...registry,
    async getBlob(repo, blob, opts) {
      const digest = typeof blob === 'string' ? blob : blob.digest;
      for (const layer of unchecked.get(digest)?.values() ?? []) await checkDiffId(files, layer, opts?.signal);
      unchecked.delete(digest);
      return await registry.getBlob(repo, blob, opts);
    },
  };
}
