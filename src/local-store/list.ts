/** Lists the images of the local store by reference. It is a storage registry whose repositories are store names. */

import type { Digest } from '../model/digest.ts';
import { isOciError, OciError, unlessUnknown } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { type ConfigGlimpse, glimpseConfig } from '../model/manifest/image-config.ts';
import { blobsOf, childrenOf, type ImageView, type Manifest } from '../model/manifest/manifest.ts';
import { isForeignLayerType } from '../model/manifest/media-types.ts';
import { hostPlatform, type Platform } from '../model/platform/platform.ts';
import { selectPlatform } from '../model/platform/platform-selection.ts';
import { familiarName, fromStoreName, type StoreName, type Tag } from '../model/reference/reference.ts';
import { readConfig } from '../registry/config.ts';
import { blobSizes, manifestEnumerator } from '../registry/extensions.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { digestOfTag } from '../registry/tags.ts';
import { entriesWhileThere } from './vanished.ts';

/** One line of `ocictl images`. */
export interface LocalImage {
  readonly repo: StoreName;
  /** The familiar name: `alpine`, `localhost:5000/app`. */
  readonly name: string;
  readonly tag: Tag | undefined;
  /** The index or manifest that the tag points at. */
  readonly root: Descriptor;
  /** The image ID, as in Docker: the digest of the platform's config. For other artifacts the manifest's digest. */
  readonly id: Digest;
  readonly created: Date | undefined;
  /** Size of all blobs of the images that are here, in bytes. Each blob is counted once. */
  readonly sizeBytes: number;
  /** Layers and configs that are missing or incomplete. */
  readonly missing: readonly Digest[];
  /** Every platform in the index, and whether its image is stored. A single entry for a plain image. */
  readonly platforms: readonly { readonly platform: Platform; readonly digest: Digest; readonly present: boolean }[];
}

interface ListImagesOptions extends SignalOption {
  /** Only the repository with this familiar name; the others are not read. */
  readonly name?: string | undefined;
  /** The platform whose config gives an index its ID and date; default: the host's. */
  readonly platform?: Platform | undefined;
  /** Called for each damaged image. It is left out of the list if nothing can be shown of it. */
  readonly onDamage?: ((name: string, error: OciError) => void) | undefined;
}

/** Lists images by repository; in each, tags first, then untagged images. */
export async function* listImages(
  registry: Registry,
  opts: ListImagesOptions = {},
): AsyncGenerator<LocalImage, void, undefined> {
  for await (const repo of registry.repositories(opts)) {
    const origin = fromStoreName(repo);
    const name = origin && familiarName(origin);
    if (name === undefined || (opts.name !== undefined && name !== opts.name)) continue;
    yield* new RepositoryReader(registry, repo as StoreName, name, opts).images();
  }
}

class RepositoryReader {
  readonly #registry: Registry;
  readonly #repo: StoreName;
  readonly #name: string;
  readonly #platform: Platform;
  readonly #signal: SignalOption;
  readonly #onDamage: ListImagesOptions['onDamage'];
  /** The image that is being read, for reports of damage. */
  #current = '';
  readonly #told = new Set<string>();

  constructor(registry: Registry, repo: StoreName, name: string, { platform, signal, onDamage }: ListImagesOptions) {
    this.#registry = registry;
    this.#repo = repo;
    this.#name = name;
    this.#platform = platform ?? hostPlatform();
    this.#signal = { signal };
    this.#onDamage = onDamage;
  }

  async *images(): AsyncGenerator<LocalImage, void, undefined> {
    const tagged = new Set<Digest>();
    const children = new Set<Digest>();
    for await (const tag of entriesWhileThere(this.#registry.tags(this.#repo, this.#signal))) {
      this.#current = `${this.#name}:${tag}`;
      const manifest = await this.#get(tag);
      if (!manifest) {
        await this.#tellLost(tag);
        continue;
      }
      tagged.add(manifest.descriptor.digest);
      for (const child of childrenOf(manifest.view)) children.add(child.digest);
      yield await this.#describe(manifest, tag);
    }
    for (const manifest of await this.#untagged(tagged, children)) yield await this.#describe(manifest, undefined);
  }

  // Reports a tag whose manifest is missing, unless another process has removed both.
  async #tellLost(tag: Tag): Promise<void> {
    if (this.#told.has(this.#current)) return;
    const digest = await digestOfTag(this.#registry, this.#repo, tag, this.#signal);
    if (digest === undefined) return;
    this.#tell(new OciError('STORAGE_DAMAGED', `manifest ${digest} is missing`));
  }

  // Reports one problem per image, and each problem once if several images share it.
  #tell(error: OciError): void {
    if (this.#told.has(this.#current) || this.#told.has(error.message)) return;
    this.#told.add(this.#current).add(error.message);
    this.#onDamage?.(this.#current, error);
  }

  // Manifests that no tag, index or subject leads to: images that lost their tag or were pulled by digest.
  async #untagged(tagged: ReadonlySet<Digest>, children: Set<Digest>): Promise<readonly Manifest[]> {
    const enumerator = this.#registry.extension(manifestEnumerator);
    if (!enumerator) return [];
    const loose = new Map<Digest, Manifest>();
    for await (const digest of entriesWhileThere(enumerator.manifests(this.#repo, this.#signal))) {
      if (tagged.has(digest)) continue;
      this.#current = `${this.#name}@${digest}`;
      const manifest = await this.#get(digest);
      if (!manifest) continue;
      for (const child of childrenOf(manifest.view)) children.add(child.digest);
      if (!manifest.view.subject) loose.set(digest, manifest);
    }
    return [...loose.values()].filter(({ descriptor }) => !children.has(descriptor.digest));
  }

  async #describe(root: Manifest, tag: Tag | undefined): Promise<LocalImage> {
    this.#current = this.#name + (tag === undefined ? `@${root.descriptor.digest}` : `:${tag}`);
    const images = new Map<Digest, Manifest>();
    await this.#collect(root, images);
    const entries = childrenOf(root.view);
    const best = selectPlatform(entries, this.#platform).find(({ digest }) => images.has(digest));
    const main = images.get(best?.digest ?? root.descriptor.digest) ?? images.values().next().value;
    const config = main?.view.kind === 'image' ? await this.#config(main.view) : undefined;
    return {
      repo: this.#repo,
      name: this.#name,
      tag,
      root: root.descriptor,
      id: main?.view.kind === 'image' ? main.view.config.digest : root.descriptor.digest,
      created: config?.created,
      sizeBytes: sizeOf(images.values()),
      missing: await this.#missing(images.values()),
      platforms: platformsOf(entries, images, root.descriptor.digest, config?.platform),
    };
  }

  // The stored images of an index, including nested ones.
  async #collect(manifest: Manifest, images: Map<Digest, Manifest>, seen = new Set<Digest>()): Promise<void> {
    if (manifest.view.kind !== 'index') {
      images.set(manifest.descriptor.digest, manifest);
      return;
    }
    for (const child of manifest.view.manifests) {
      if (seen.has(child.digest)) continue;
      seen.add(child.digest);
      const found = await this.#get(child.digest);
      if (found) await this.#collect(found, images, seen);
    }
  }

  async #missing(images: Iterable<Manifest>): Promise<readonly Digest[]> {
    const missing = new Set<Digest>();
    const sizes = this.#registry.extension(blobSizes);
    if (sizes === undefined) return [];
    const seen = new Set<Digest>();
    for (const { view } of images) {
      for (const { digest, size, urls = [], mediaType } of blobsOf(view)) {
        if (seen.has(digest) || urls.length > 0 || isForeignLayerType(mediaType)) continue;
        seen.add(digest);
        if ((await unlessUnknown(sizes.sizeOf(this.#repo, digest), 'STORAGE_DAMAGED')) !== size) missing.add(digest);
      }
    }
    if (missing.size > 0 && !this.#told.has(this.#current)) {
      this.#told.add(this.#current);
      const problem = `${missing.size} of its ${seen.size} layers and configs are missing or not whole`;
      this.#onDamage?.(this.#current, new OciError('STORAGE_DAMAGED', problem));
    }
    return [...missing];
  }

  async #get(reference: Tag | Digest): Promise<Manifest | undefined> {
    try {
      return await this.#registry.getManifest(this.#repo, reference, this.#signal);
    } catch (error) {
      // Another process may remove an image while the list is read.
      if (isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN')) return undefined;
      if (!isOciError(error, 'STORAGE_DAMAGED', 'MANIFEST_INVALID')) throw error;
      this.#tell(error);
      return undefined;
    }
  }

  async #config(view: ImageView): Promise<ConfigGlimpse> {
    try {
      return glimpseConfig(await readConfig(this.#registry, this.#repo, view.config, this.#signal));
    } catch (error) {
      if (isOciError(error, 'STORAGE_DAMAGED', 'BLOB_UNKNOWN')) this.#tell(error);
      return {};
    }
  }
}

function sizeOf(images: Iterable<Manifest>): number {
  const blobs = new Map<Digest, number>();
  for (const image of images) {
    for (const { digest, size } of blobsOf(image.view)) blobs.set(digest, size);
  }
  return [...blobs.values()].reduce((sum, size) => sum + size, 0);
}

function platformsOf(
  entries: readonly Descriptor[],
  images: ReadonlyMap<Digest, Manifest>,
  root: Digest,
  own: Platform | undefined,
): LocalImage['platforms'] {
  if (entries.length === 0) return own ? [{ platform: own, digest: root, present: true }] : [];
  return entries.flatMap(({ platform, digest }) =>
    platform && platform.os !== 'unknown' ? [{ platform, digest, present: images.has(digest) }] : [],
  );
}
