import { type ArchiveFile, readerAt } from '../../archive/envelope/archive-file.ts';
import { writeTemporary } from '../../archive/envelope/spool.ts';
import { fileContent } from '../../files/file-content.ts';
import type { Digest } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import type { Content } from '../../registry/content.ts';
import type { Registry } from '../../registry/registry.ts';
import { openLayer } from '../layer.ts';
import type { TarEntry } from '../tar/entry.ts';
import type { TarReading } from '../tar/reading.ts';
import type { ReadRange } from '../toc/locate.ts';
import type { Toc } from '../toc/toc.ts';
import type { KeptEntries } from './kept-entries.ts';
import { type LayerEntry, layerEntry } from './layer-entry.ts';

/** The content of an entry, which can be read once, and until the next one is asked for. */
export interface Reading extends Pick<TarReading, 'position' | 'content' | 'stored'> {
  readonly entry: Pick<TarEntry, 'size' | 'sparse'>;
}

interface ImageLayersOptions {
  readonly registry: Registry;
  readonly repo: RepositoryName;
  /** The lowest first. */
  readonly layers: readonly Descriptor[];
  /** What was learned of layers before. */
  readonly kept?: KeptEntries | undefined;
  /**
   * Whether a layer that is read for its entries is read for content as well: one of a registry is then kept in a temporary file
   * meanwhile, so that it comes once. Default false.
   */
  readonly reread?: boolean | undefined;
  /**
   * Whether a table of contents in a layer may be used in place of the layer. It has times without fractions, and only names in UTF-8.
   * Default false.
   */
  readonly tables?: boolean | undefined;
  /** Called for a table of contents that cannot be used: the layer is read then. */
  readonly onNote?: ((text: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** No layer has as many; each takes half a kilobyte of memory. */
const maxEntries = 2_000_000;

/** The layers of an image, each read when it is needed. Disposing it removes temporary files. */
export class ImageLayers implements Disposable {
  readonly #options: ImageLayersOptions;
  readonly #entries = new Map<number, Promise<readonly LayerEntry[]>>();
  readonly #files = new Map<number, ArchiveFile>();
  readonly #tables = new Map<number, Toc>();

  constructor(options: ImageLayersOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#options.layers.length;
  }

  /**
   * The entries of a layer, in its order.
   *
   * @param layer From 0.
   * @throws OciError as {@link openLayer}; what the registry throws.
   */
  entries(layer: number): Promise<readonly LayerEntry[]> {
    const known = this.#entries.get(layer);
    if (known) return known;
    const reading = this.#read(layer);
    this.#entries.set(layer, reading);
    return reading;
  }

  /** The digest of a file's content, where a table of contents says it; else undefined. */
  digestOf(layer: number, position: number): Digest | undefined {
    return this.#tables.get(layer)?.digests.get(position);
  }

  /**
   * Reads contents of a layer, in one pass, which ends with the last of them.
   *
   * @param positions Of the entries whose content is wanted, in order and each once.
   */
  async *contents(layer: number, positions: readonly number[]): AsyncGenerator<Reading, void, undefined> {
    if (positions.length === 0) return;
    const table = this.#tables.get(layer);
    if (table) return yield* this.#parts(layer, table, positions);
    const content = await this.#open(layer);
    let at = 0;
    try {
      for await (const reading of await openLayer(this.#descriptor(layer), content, this.#options)) {
        if (reading.position !== positions[at]) continue;
        yield reading;
        at += 1;
        if (at === positions.length) return;
      }
    } finally {
      await content.cancel();
    }
    throw new OciError('ARCHIVE_INVALID', `layer ${layer + 1} has changed while it was read`, { hint: 'try again' });
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  async #read(layer: number): Promise<readonly LayerEntry[]> {
    const descriptor = this.#descriptor(layer);
    const { kept, reread = false } = this.#options;
    const known = kept?.read(descriptor);
    if (known && !reread) return known;
    // Where content is wanted too, a table saves the layer, and what is kept does not.
    const table = await this.#table(layer);
    if (table) return table.entries;
    if (known) return known;
    if (reread) this.#files.set(layer, await this.#fetch(layer));
    const content = await this.#open(layer);
    const entries: LayerEntry[] = [];
    try {
      const reading = await openLayer(descriptor, content, this.#options);
      for await (const one of reading) {
        if (entries.length === maxEntries) {
          throw new OciError('TOO_LARGE', `layer ${layer + 1} has more than ${maxEntries} entries`, {
            hint: 'no program could run such an image',
          });
        }
        entries.push(layerEntry(one));
      }
      // The content was verified at its end: what is kept is of this digest.
      kept?.write(descriptor, reading.diffId(), entries);
    } finally {
      await content.cancel();
    }
    return entries;
  }

  /** The table of contents of a layer; undefined if it has none that can be used. */
  async #table(layer: number): Promise<Toc | undefined> {
    const descriptor = this.#descriptor(layer);
    const { tables = false, onNote } = this.#options;
    if (!tables || descriptor.mediaType.endsWith('+encrypted')) return undefined;
    const { hasToc, readTocText } = await import('../toc/locate.ts');
    if (!hasToc(descriptor)) return undefined;
    const { parseToc } = await import('../toc/toc.ts');
    try {
      const toc = parseToc(descriptor, await readTocText(descriptor, this.#range(descriptor)));
      this.#tables.set(layer, toc);
      return toc;
    } catch (error) {
      if (!isOciError(error, 'ARCHIVE_INVALID', 'DIGEST_MISMATCH', 'DIGEST_INVALID', 'TOO_LARGE', 'RANGE_INVALID'))
        throw error;
      onNote?.(`${error.message}; the layer is read as a whole`);
      return undefined;
    }
  }

  #range(descriptor: Descriptor): ReadRange {
    const { registry, repo, signal } = this.#options;
    return (range) => registry.getBlob(repo, descriptor, { range, signal });
  }

  async *#parts(layer: number, toc: Toc, positions: readonly number[]): AsyncGenerator<Reading, void, undefined> {
    const descriptor = this.#descriptor(layer);
    const { PartsReader } = await import('../toc/content.ts');
    const asked = new Set(positions);
    const wanted = toc.entries
      .filter(({ position }) => asked.has(position))
      .map(({ position, size }) => ({ position, size, chunks: toc.chunks.get(position) ?? [] }))
      .sort((a, b) => (a.chunks[0]?.offset ?? 0) - (b.chunks[0]?.offset ?? 0));
    const all = wanted.map(({ chunks }) => chunks);
    await using parts = new PartsReader(descriptor, toc.compression, this.#range(descriptor), all);
    for (const { position, size, chunks } of wanted) {
      const content = () => parts.content(chunks);
      yield { entry: { size, sparse: undefined }, position, content, stored: content };
    }
  }

  async #fetch(layer: number): Promise<ArchiveFile> {
    const descriptor = this.#descriptor(layer);
    const { registry, repo, signal } = this.#options;
    const content = await registry.getBlob(repo, descriptor, { signal });
    try {
      return await writeTemporary(content, `layer ${descriptor.digest}`, 'keep');
    } finally {
      await content.cancel();
    }
  }

  async #open(layer: number): Promise<Content> {
    const descriptor = this.#descriptor(layer);
    const { registry, repo, signal } = this.#options;
    const file = this.#files.get(layer);
    if (!file) return await registry.getBlob(repo, descriptor, { signal });
    return fileContent(descriptor, readerAt(file, { offset: 0, size: file.size }), { signal });
  }

  #descriptor(layer: number): Descriptor {
    const descriptor = this.#options.layers[layer];
    if (descriptor) return descriptor;
    throw new OciError('USAGE', `the image has ${this.count} layers, and no layer ${layer + 1}`);
  }
}
