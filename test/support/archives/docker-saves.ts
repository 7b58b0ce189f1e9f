/** Archives as the versions of Docker, skopeo and crane write them, made by hand: entries for `tarOf`. */
import { type Digest, digestHex } from '../../../src/model/digest.ts';
import { parseReference } from '../../../src/model/reference/reference.ts';
import { readContent } from '../../../src/registry/content.ts';
import { type Built, type BuiltImage, blobsIn } from '../images.ts';
import type { BuiltBlob } from '../layer.ts';
import type { RawEntry } from './tar.ts';

/** An image and its names. Layers are uncompressed where the program unpacks them. */
export interface Saved {
  readonly image: BuiltImage;
  readonly names: readonly string[];
}

export async function bytesOf({ descriptor, source }: BuiltBlob): Promise<Uint8Array> {
  return await readContent(await source.open(0), descriptor.size);
}

export function json(name: string, document: unknown): RawEntry {
  return { name, content: JSON.stringify(document) };
}

function hexOf({ descriptor }: BuiltBlob | Built): string {
  return digestHex(descriptor.digest);
}

/** Docker up to 24: a directory for each layer; a layer that is there again is a link. */
export async function classicSave(saves: readonly Saved[]): Promise<RawEntry[]> {
  const entries: RawEntry[] = [];
  const first = new Map<string, string>();
  const manifest: unknown[] = [];
  for (const [i, { image, names }] of saves.entries()) {
    const layers: string[] = [];
    for (const [j, layer] of image.layers.entries()) {
      const id = `${i}${j}`.padStart(64, '0');
      const path = `${id}/layer.tar`;
      const known = first.get(hexOf(layer));
      entries.push(
        { name: `${id}/`, flag: '5' },
        { name: `${id}/VERSION`, content: '1.0' },
        json(`${id}/json`, { id }),
      );
      if (known === undefined) entries.push({ name: path, content: await bytesOf(layer) });
      else entries.push({ name: path, flag: '2', linkName: `../${known}` });
      first.set(hexOf(layer), known ?? path);
      layers.push(path);
    }
    const config = `${hexOf(image.config)}.json`;
    entries.push({ name: config, content: await bytesOf(image.config) });
    manifest.push({ Config: config, RepoTags: names.length > 0 ? names : null, Layers: layers });
  }
  return [...entries, json('manifest.json', manifest), json('repositories', {})];
}

/** crane: compressed layers under their digests, the config with a colon in its name, manifest.json last. */
export async function craneSave({ image, names }: Saved): Promise<RawEntry[]> {
  const config = image.config.descriptor.digest;
  const layers = image.layers.map((layer) => `${hexOf(layer)}.tar.gz`);
  return [
    { name: config, content: await bytesOf(image.config) },
    ...(await Promise.all(
      image.layers.map(async (layer, i) => ({ name: layers[i] ?? '', content: await bytesOf(layer) })),
    )),
    json('manifest.json', [{ Config: config, RepoTags: names, Layers: layers }]),
  ];
}

/** The blobs of a layout, and its version. */
export async function layoutEntries(built: readonly Built[], without: readonly Digest[] = []): Promise<RawEntry[]> {
  const blobs = new Map<Digest, Uint8Array>();
  for (const image of built) {
    for (const blob of blobsIn(image)) blobs.set(blob.descriptor.digest, await bytesOf(blob));
    for (const { descriptor, manifest } of manifestsIn(image)) blobs.set(descriptor.digest, manifest.bytes);
  }
  for (const digest of without) blobs.delete(digest);
  return [
    json('oci-layout', { imageLayoutVersion: '1.0.0' }),
    ...[...blobs].map(([digest, content]) => ({ name: `blobs/sha256/${digestHex(digest)}`, content })),
  ];
}

/** index.json, with an entry for each name as containerd and Docker write it. */
export function namedIndex(images: readonly { readonly image: Built; readonly names: readonly string[] }[]): RawEntry {
  const manifests = images.flatMap(({ image, names }) => {
    const { mediaType, digest, size } = image.descriptor;
    if (names.length === 0) return [{ mediaType, digest, size }];
    return names.map((name) => {
      const { domain, path, tag } = parseReference(name);
      const annotations = {
        'io.containerd.image.name': `${domain}/${path}:${tag}`,
        'org.opencontainers.image.ref.name': tag,
      };
      return { mediaType, digest, size, annotations };
    });
  });
  return json('index.json', { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests });
}

/** manifest.json over the blobs of a layout. */
export function blobManifestJson(saves: readonly Saved[]): RawEntry {
  const path = (blob: BuiltBlob): string => `blobs/sha256/${hexOf(blob)}`;
  const images = saves.map(({ image, names }) => ({
    Config: path(image.config),
    RepoTags: names.length > 0 ? names : null,
    Layers: image.layers.map(path),
  }));
  return json('manifest.json', images);
}

/** Docker 25 and later without containerd: a layout with uncompressed layers, and manifest.json over its blobs. */
export async function hybridSave(saves: readonly Saved[]): Promise<RawEntry[]> {
  const layout = await layoutEntries(saves.map(({ image }) => image));
  return [...layout, namedIndex(saves), blobManifestJson(saves), json('repositories', {})];
}

/**
 * Docker with containerd's store, and `ctr images export`: blobs as they were pulled, the whole index, and manifest.json for
 * one platform. What was not pulled is not there.
 */
export async function containerdSave(
  index: Built,
  { image, names }: Saved,
  without: readonly Digest[],
): Promise<RawEntry[]> {
  const layout = await layoutEntries([index], without);
  return [...layout, namedIndex([{ image: index, names }]), blobManifestJson([{ image, names }])];
}

function manifestsIn(built: Built): Built[] {
  return [built, ...built.children.flatMap(manifestsIn)];
}
