import { join } from 'node:path';
import { isOciError, OciError } from '../../model/errors.ts';
import { parseJsonObject } from '../../model/json-fields.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import { type IndexEntry, type LayoutIndex, parseLayoutIndex, withEntries } from '../format/index-entries.ts';
import { indexFileName } from '../format/paths.ts';
import { readConfined, statConfined } from './confined-files.ts';
import type { Held } from './lock.ts';
import type { WorkDirectory } from './work-directory.ts';

/** Most bytes of an index.json, as of any manifest here. */
export const maxIndexBytes = 4 * 1024 * 1024;

/** The index.json of a layout. Every read sees it whole, as it is now. */
export class IndexFile {
  readonly path: string;
  readonly #root: string;
  readonly #work: WorkDirectory;
  #cached: { readonly version: string; readonly index: LayoutIndex } | undefined;

  constructor(root: string, work: WorkDirectory) {
    this.#root = root;
    this.#work = work;
    this.path = join(root, indexFileName);
  }

  /** @throws OciError STORAGE_DAMAGED when there is none, MANIFEST_INVALID, TOO_LARGE */
  async read(): Promise<LayoutIndex> {
    const facts = await statConfined(this.#root, this.path);
    if (facts !== undefined && this.#cached?.version === facts.version) return this.#cached.index;
    const bytes = await readConfined(this.#root, this.path, maxIndexBytes);
    if (facts === undefined || bytes === undefined) {
      throw new OciError('STORAGE_DAMAGED', `the layout has no ${this.path}`, {
        hint: 'copy the whole directory, or write the image to it again',
      });
    }
    const index = this.#parse(bytes);
    this.#cached = { version: facts.version, index };
    return index;
  }

  async exists(): Promise<boolean> {
    return (await statConfined(this.#root, this.path)) !== undefined;
  }

  /** Writes an index without entries. To be called under the lock. */
  async create(held: Held): Promise<void> {
    await this.#write({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] }, held);
  }

  /** Replaces the entries of an index that was read under the same lock, if they are others. */
  async replace(index: LayoutIndex, entries: readonly IndexEntry[], held: Held): Promise<void> {
    const same = entries.length === index.entries.length && entries.every((entry, i) => entry === index.entries[i]);
    if (!same) await this.#write(withEntries(index, entries), held);
  }

  async #write(document: Readonly<Record<string, unknown>>, held: Held): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(document));
    if (bytes.length > maxIndexBytes) {
      throw new OciError('TOO_LARGE', `${this.path} would have more than ${maxIndexBytes} bytes`, {
        hint: 'remove tags that are not needed, or use another directory',
      });
    }
    await this.#work.writeSmall(this.path, bytes, () => held.check());
  }

  #parse(bytes: Uint8Array): LayoutIndex {
    try {
      return parseLayoutIndex(parseJsonObject(bytes));
    } catch (cause) {
      if (!isOciError(cause)) throw cause;
      throw new OciError('MANIFEST_INVALID', `${this.path}: ${cause.message}`, { cause });
    }
  }
}
