import type { IndexEntry, LayoutIndex } from '../../layout/format/index-entries.ts';
import { findName } from '../../layout/format/index-lookup.ts';
import { IndexReader } from '../../layout/format/index-reader.ts';
import { layoutRepository } from '../../layout/layout.ts';
import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { quote } from '../../model/quote.ts';
import { presenceOf } from '../../registry/presence.ts';
import type { Registry } from '../../registry/registry.ts';
import { invalidArchive } from '../envelope/errors.ts';
import type { ArchiveFiles } from '../files.ts';
import { readOnlyRegistry } from '../read-only.ts';
import type { SavedConfig } from './saved-config.ts';

/** An image of the layout, as far as a manifest.json tells of it. */
interface LaidImage {
  readonly config: Digest | undefined;
  readonly layers: number;
  /** Whether all its blobs are there. */
  readonly isWhole: boolean;
}

/** With the entry of index.json that leads to each. */
type ImagesByConfig = ReadonlyMap<Digest, readonly (LaidImage & { readonly descriptor: Descriptor })[]>;

/**
 * The layout beside a manifest.json. Its images keep their digests and may be for several platforms, so they go first; but
 * not those that are incomplete there: Docker 25.0.0 wrote manifests without layers (moby#47065).
 */
export class LayoutPart {
  readonly #files: ArchiveFiles;
  readonly #registry: Registry;
  readonly #index: LayoutIndex;
  readonly #replaced = new Set<IndexEntry>();
  readonly #named: unknown[] = [];
  readonly #images = new Map<Digest, readonly LaidImage[]>();
  #byConfig: ImagesByConfig | undefined;

  private constructor(files: ArchiveFiles, registry: Registry, index: LayoutIndex) {
    this.#files = files;
    this.#registry = registry;
    this.#index = index;
  }

  static async open(name: string, files: ArchiveFiles): Promise<LayoutPart> {
    const index = new IndexReader(files);
    return new LayoutPart(files, readOnlyRegistry({ name, files, index }), await index.read());
  }

  /**
   * The names under which the layout lacks a saved image; undefined if it lacks none.
   *
   * @param names Empty for an image without a name.
   * @throws OciError ARCHIVE_INVALID if it has another image under a name: programs disagree about which one counts.
   */
  async missing(
    names: readonly string[],
    config: SavedConfig,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[] | undefined> {
    if (names.length === 0) return (await this.#find(config, signal)) ? undefined : [];
    const missing: string[] = [];
    for (const name of names) if (!(await this.#has(name, config, signal))) missing.push(name);
    return missing.length === 0 ? undefined : missing;
  }

  /** Whether it has the manifest of a config, but not all that belongs to it: an archive of what another one lacks. */
  async hasPart(config: Digest, signal: AbortSignal | undefined): Promise<boolean> {
    return ((await this.#configs(signal)).get(config) ?? []).some(({ isWhole }) => !isWhole);
  }

  /** Whether it has an image under each of these names of which something is missing: that is told where it is read. */
  async tells(names: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
    for (const name of names) {
      const entry = findName(this.#index, name);
      if (entry === undefined || this.#replaced.has(entry)) return false;
      if ((await this.#imagesOf(entry.descriptor, signal)).some(({ isWhole }) => isWhole)) return false;
    }
    return names.length > 0;
  }

  /** An image was found in manifest.json that is not whole here under these names. */
  replace(names: readonly string[]): void {
    for (const name of names) {
      const entry = findName(this.#index, name);
      if (entry) this.#replaced.add(entry);
    }
  }

  /** The entries of its index.json that stay, with names that only manifest.json has. */
  entries(): readonly unknown[] {
    const staying = this.#index.entries.filter((entry) => !this.#replaced.has(entry));
    return [...staying.map(({ raw }) => raw), ...this.#named];
  }

  async #has(name: string, config: SavedConfig, signal: AbortSignal | undefined): Promise<boolean> {
    const entry = findName(this.#index, name);
    if (entry === undefined) {
      const other = await this.#find(config, signal);
      if (other === undefined) return false;
      const { mediaType, digest, size } = other;
      this.#named.push({ mediaType, digest, size, annotations: { 'org.opencontainers.image.ref.name': name } });
      return true;
    }
    const images = await this.#imagesOf(entry.descriptor, signal);
    if (images.some((image) => isSaved(image, config))) return true;
    if (images.length > 0 && !images.some((image) => image.config === config.digest)) {
      this.#replaced.add(entry);
      const problem = `contradicts itself: manifest.json and index.json have different images as ${quote(name)}`;
      throw invalidArchive(this.#files.archive, problem);
    }
    return false;
  }

  /** An entry with the whole image of a config. */
  async #find(config: SavedConfig, signal: AbortSignal | undefined): Promise<Descriptor | undefined> {
    const known = (await this.#configs(signal)).get(config.digest) ?? [];
    return known.find((image) => isSaved(image, config))?.descriptor;
  }

  async #configs(signal: AbortSignal | undefined): Promise<ImagesByConfig> {
    if (this.#byConfig) return this.#byConfig;
    const found = new Map<Digest, (LaidImage & { readonly descriptor: Descriptor })[]>();
    const seen = new Set<Digest>();
    for (const { descriptor } of this.#index.entries) {
      if (descriptor === undefined || seen.has(descriptor.digest)) continue;
      seen.add(descriptor.digest);
      for (const image of await this.#imagesOf(descriptor, signal)) {
        if (image.config === undefined) continue;
        const known = found.get(image.config) ?? [];
        found.set(image.config, known);
        known.push({ ...image, descriptor });
      }
    }
    this.#byConfig = found;
    return found;
  }

  /** The images of an entry whose manifests are there. */
  async #imagesOf(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<readonly LaidImage[]> {
    const known = this.#images.get(descriptor.digest);
    if (known) return known;
    const end = { registry: this.#registry, repo: layoutRepository };
    const { whole, partial, absent } = await presenceOf(end, descriptor, { signal });
    const images = [
      ...whole.map((manifest) => laidImage(manifest, true)),
      ...[...partial, ...absent].flatMap(({ manifest }) => (manifest ? [laidImage(manifest, false)] : [])),
    ];
    this.#images.set(descriptor.digest, images);
    return images;
  }
}

function laidImage({ view }: Manifest, isWhole: boolean): LaidImage {
  if (view.kind !== 'image') return { config: undefined, layers: 0, isWhole };
  return { config: view.config.digest, layers: view.layers.length, isWhole };
}

function isSaved({ config, layers, isWhole }: LaidImage, saved: SavedConfig): boolean {
  return isWhole && config === saved.digest && layers === saved.diffIds.length;
}
