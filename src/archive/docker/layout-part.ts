import { type IndexEntry, isNamed, type LayoutIndex } from '../../layout/format/index-entries.ts';
import { IndexReader } from '../../layout/format/index-reader.ts';
import { layoutRepository } from '../../layout/layout.ts';
import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { quote } from '../../model/quote.ts';
import { type Presence, presenceOf } from '../../registry/presence.ts';
import type { Registry } from '../../registry/registry.ts';
import { invalidArchive } from '../envelope/errors.ts';
import type { ArchiveFiles } from '../files.ts';
import { readOnlyRegistry } from '../read-only.ts';
import type { SavedConfig } from './saved-config.ts';

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
  readonly #present = new Map<Digest, Presence>();

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
    for (const { descriptor } of this.#index.entries) {
      if (descriptor === undefined) continue;
      const { partial, absent } = await this.#presence(descriptor, signal);
      if ([...partial, ...absent].some(({ manifest }) => manifest && configOf(manifest) === config)) return true;
    }
    return false;
  }

  /** An image was found in manifest.json that is not whole here under these names. */
  replace(names: readonly string[]): void {
    for (const name of names) {
      const entry = this.#entryOf(name);
      if (entry) this.#replaced.add(entry);
    }
  }

  /** The entries of its index.json that stay, with names that only manifest.json has. */
  entries(): readonly unknown[] {
    const staying = this.#index.entries.filter((entry) => !this.#replaced.has(entry));
    return [...staying.map(({ raw }) => raw), ...this.#named];
  }

  async #has(name: string, config: SavedConfig, signal: AbortSignal | undefined): Promise<boolean> {
    const entry = this.#entryOf(name);
    if (entry?.descriptor === undefined) {
      const other = await this.#find(config, signal);
      if (other === undefined) return false;
      const { mediaType, digest, size } = other;
      this.#named.push({ mediaType, digest, size, annotations: { 'org.opencontainers.image.ref.name': name } });
      return true;
    }
    const { whole, partial, absent } = await this.#presence(entry.descriptor, signal);
    if (whole.some((image) => isSaved(image, config))) return true;
    const isThere = [...whole, ...[...partial, ...absent].flatMap(({ manifest }) => manifest ?? [])];
    if (isThere.length > 0 && !isThere.some((image) => configOf(image) === config.digest)) {
      this.#replaced.add(entry);
      const problem = `contradicts itself: manifest.json and index.json have different images as ${quote(name)}`;
      throw invalidArchive(this.#files.archive, problem);
    }
    return false;
  }

  #entryOf(name: string): IndexEntry | undefined {
    return this.#index.entries.find((one) => one.descriptor !== undefined && isNamed(one, name));
  }

  /** An entry with the whole image of a config. */
  async #find(config: SavedConfig, signal: AbortSignal | undefined): Promise<Descriptor | undefined> {
    for (const { descriptor } of this.#index.entries) {
      if (descriptor === undefined) continue;
      const { whole } = await this.#presence(descriptor, signal);
      if (whole.some((image) => isSaved(image, config))) return descriptor;
    }
    return undefined;
  }

  async #presence(descriptor: Descriptor, signal: AbortSignal | undefined): Promise<Presence> {
    const known = this.#present.get(descriptor.digest);
    if (known) return known;
    const end = { registry: this.#registry, repo: layoutRepository };
    const found = await presenceOf(end, descriptor, { signal });
    this.#present.set(descriptor.digest, found);
    return found;
  }
}

function configOf({ view }: Manifest): Digest | undefined {
  return view.kind === 'image' ? view.config.digest : undefined;
}

function isSaved(image: Manifest, { digest, diffIds }: SavedConfig): boolean {
  return configOf(image) === digest && image.view.kind === 'image' && image.view.layers.length === diffIds.length;
}
