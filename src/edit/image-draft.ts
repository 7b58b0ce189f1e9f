/** An image that is being changed: its manifest and config as texts, of which only what changes is written anew. */
import type { ImageFormat } from '../convert/layer-types.ts';
import { type Digest, digestAlgorithm, digestBytes } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { JsonList, JsonText } from '../model/json-text.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { hasImageConfig, type ImageConfig, readImageConfig } from '../model/manifest/image-config.ts';
import { type ImageView, type Manifest, readManifest } from '../model/manifest/manifest.ts';
import { mediaTypes } from '../model/manifest/media-types.ts';
import { type Platform, platformObject } from '../model/platform/platform.ts';
import { quote } from '../model/quote.ts';
import { type BlobSource, bytesSource } from '../registry/content.ts';

/** A blob that an edit made. */
export interface MadeBlob {
  readonly descriptor: Descriptor;
  readonly source: BlobSource;
  /** Removes its temporary file, if it has one. */
  close(): void;
}

/** A layer of an image: the text of its descriptor, and the digest of its tar. */
export interface DraftLayer {
  readonly text: string;
  readonly descriptor: Descriptor;
  readonly diffId: string;
}

/** What an edit has of an image. */
interface Original {
  readonly manifest: Manifest;
  readonly config: Uint8Array;
}

/** What became of an image. */
interface Finished {
  readonly manifest: Manifest;
  /** Its config, if that has changed. */
  readonly config?: MadeBlob;
}

export class ImageDraft {
  /** As it was. */
  readonly original: Manifest;
  /** What its config said before. */
  readonly before: ImageConfig;
  /** The manifest. Its config and layers are set by this class. */
  readonly manifest: JsonText;
  /** The config. */
  readonly config: JsonText;
  readonly format: ImageFormat;
  readonly #view: ImageView;
  /** The blobs of layers that were made. */
  readonly made: MadeBlob[] = [];
  /** What the image is said to be for, where that was set. */
  platform?: Platform;
  #layers: readonly DraftLayer[];

  /** @throws OciError UNSUPPORTED for what is no image; MANIFEST_INVALID for a config that does not fit the manifest. */
  constructor({ manifest, config }: Original) {
    const { view, mediaType, descriptor } = manifest;
    if (view.kind !== 'image' || !hasImageConfig(view)) {
      const type = view.kind === 'image' ? view.config.mediaType : mediaType;
      throw new OciError('UNSUPPORTED', `${descriptor.digest} is no image: it has the type ${quote(type)}`, {
        hint: 'artifacts are made by ocictl artifact push, indexes changed by ocictl index add',
      });
    }
    this.original = manifest;
    this.#view = view;
    this.before = readImageConfig(config);
    this.manifest = JsonText.parse(manifest.bytes);
    this.config = JsonText.parse(config);
    this.format = mediaType === mediaTypes.dockerManifest ? 'docker' : 'oci';
    const { diffIds } = this.before;
    if (diffIds.length !== view.layers.length) {
      throw new OciError(
        'MANIFEST_INVALID',
        `malformed image ${descriptor.digest}: its config names ${diffIds.length} layers, its manifest ${view.layers.length}`,
        { hint: 'ocictl validate tells more; build the image again' },
      );
    }
    const texts = this.manifest.list('layers');
    this.#layers = view.layers.map((layer, i) => ({
      text: texts[i] ?? '',
      descriptor: layer,
      diffId: diffIds[i] ?? '',
    }));
  }

  get layers(): readonly DraftLayer[] {
    return this.#layers;
  }

  /** Lines of history, as texts. */
  get history(): readonly string[] {
    return this.config.list('history');
  }

  /** Says what the image is for: its config, and the index that it is in. */
  setPlatform(platform: Platform): void {
    const fields = Object.entries(platformObject(platform));
    for (const name of ['variant', 'os.version', 'os.features']) {
      if (!fields.some(([field]) => field === name)) this.config.delete(name);
    }
    for (const [name, value] of fields) this.config.set(name, value);
    this.platform = platform;
  }

  /** Changes the part of the config that says how a container runs. */
  editRun(change: (run: JsonText) => void): void {
    this.editConfig('config', change);
  }

  /** Changes an object of the config; one that is empty afterwards and was not there is not added. */
  editConfig(name: string, change: (object: JsonText) => void): void {
    editObject(this.config, name, change);
  }

  /** @throws OciError UNSUPPORTED where Docker's format has no annotations. */
  editAnnotations(change: (annotations: JsonText) => void): void {
    const before = this.manifest.text;
    editObject(this.manifest, 'annotations', change);
    if (this.format !== 'docker' || this.manifest.text === before) return;
    throw new OciError('UNSUPPORTED', `docker's image format has no annotations: ${this.original.descriptor.digest}`, {
      hint: 'use --label, or change the format first: ocictl copy --image-format oci',
    });
  }

  /**
   * Puts layers in place of all, with the history that belongs to them.
   *
   * @param history One text for each line; undefined: none is written.
   */
  setLayers(layers: readonly DraftLayer[], history: readonly string[] | undefined): void {
    this.#layers = layers;
    this.manifest.set('layers', new JsonList(layers.map(({ text }) => text)));
    this.editConfig('rootfs', (rootfs) => {
      if (!rootfs.has('type')) rootfs.set('type', 'layers');
      rootfs.set('diff_ids', new JsonList(layers.map(({ diffId }) => JSON.stringify(diffId))));
    });
    if (history === undefined) this.config.delete('history');
    else this.config.set('history', new JsonList(history));
  }

  /** A layer that was made for this image. Its blob is pushed with it. */
  madeLayer(blob: MadeBlob, diffId: Digest): DraftLayer {
    this.made.push(blob);
    return { text: JSON.stringify(blob.descriptor), descriptor: blob.descriptor, diffId };
  }

  /** @returns The image as it is now; the original one if nothing has changed. */
  async finish(): Promise<Finished> {
    const { mediaType, descriptor } = this.original;
    const config = await this.#finishedConfig();
    const bytes = this.manifest.bytes;
    if (Buffer.compare(bytes, this.original.bytes) === 0) return { manifest: this.original };
    const manifest = await readManifest({ mediaType, bytes }, digestAlgorithm(descriptor.digest));
    return { manifest, ...(config && { config }) };
  }

  async #finishedConfig(): Promise<MadeBlob | undefined> {
    const { bytes } = this.config;
    const digest = await digestBytes(bytes, digestAlgorithm(this.#view.config.digest));
    if (digest === this.#view.config.digest) return undefined;
    const entry = this.manifest.object('config');
    entry.set('digest', digest);
    entry.set('size', bytes.length);
    for (const stale of ['data', 'urls']) entry.delete(stale);
    this.manifest.set('config', entry);
    const descriptor = { mediaType: this.#view.config.mediaType, digest, size: bytes.length };
    return { descriptor, source: bytesSource(descriptor, bytes), close: () => {} };
  }
}

function editObject(of: JsonText, name: string, change: (object: JsonText) => void): void {
  const object = of.object(name);
  change(object);
  if (object.isEmpty && !of.has(name)) return;
  of.set(name, object);
}
