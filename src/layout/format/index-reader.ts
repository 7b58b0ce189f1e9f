import { isOciError, OciError } from '../../model/errors.ts';
import { parseJsonObject } from '../../model/json-fields.ts';
import type { LayoutFiles } from './files.ts';
import { type LayoutIndex, parseLayoutIndex } from './index-entries.ts';
import { indexPath } from './paths.ts';

/** Maximum size of an index.json in bytes, as of any manifest here. */
export const maxIndexBytes = 4 * 1024 * 1024;

/** Reads index.json. Every read returns its current, complete content. */
export class IndexReader {
  readonly #files: LayoutFiles;
  #cached: { readonly version: string; readonly index: LayoutIndex } | undefined;

  constructor(files: LayoutFiles) {
    this.#files = files;
  }

  /** @throws OciError STORAGE_DAMAGED if it does not exist, MANIFEST_INVALID, TOO_LARGE */
  async read(): Promise<LayoutIndex> {
    const facts = await this.#files.stat(indexPath);
    if (facts !== undefined && this.#cached?.version === facts.version) return this.#cached.index;
    const bytes = await this.#files.read(indexPath, maxIndexBytes);
    if (facts === undefined || bytes === undefined) {
      throw new OciError('STORAGE_DAMAGED', `the layout has no ${this.#files.shown(indexPath)}`, {
        hint: this.#files.remedy,
      });
    }
    const index = this.#parse(bytes);
    this.#cached = { version: facts.version, index };
    return index;
  }

  #parse(bytes: Uint8Array): LayoutIndex {
    try {
      return parseLayoutIndex(parseJsonObject(bytes));
    } catch (cause) {
      if (!isOciError(cause)) throw cause;
      throw new OciError('MANIFEST_INVALID', `${this.#files.shown(indexPath)}: ${cause.message}`, { cause });
    }
  }
}
