import { OciError } from '../../model/errors.ts';
import { mediaTypes } from '../../model/manifest/media-types.ts';
import type { LayoutFiles } from '../format/files.ts';
import { type IndexEntry, type LayoutIndex, withEntries } from '../format/index-entries.ts';
import { IndexReader, maxIndexBytes } from '../format/index-reader.ts';
import { indexPath } from '../format/paths.ts';
import type { Held } from './lock.ts';
import type { WorkDirectory } from './work-directory.ts';

/** The index.json of a directory. */
export class IndexFile extends IndexReader {
  readonly #files: LayoutFiles;
  readonly #work: WorkDirectory;

  constructor(files: LayoutFiles, work: WorkDirectory) {
    super(files);
    this.#files = files;
    this.#work = work;
  }

  async exists(): Promise<boolean> {
    return (await this.#files.stat(indexPath)) !== undefined;
  }

  /** Writes an index without entries. The lock must be held. */
  async create(held: Held): Promise<void> {
    await this.#write({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] }, held);
  }

  /** Replaces the entries of an index, if they have changed. It must have been read under the same lock. */
  async replace(index: LayoutIndex, entries: readonly IndexEntry[], held: Held): Promise<void> {
    const same = entries.length === index.entries.length && entries.every((entry, i) => entry === index.entries[i]);
    if (!same) await this.#write(withEntries(index, entries), held);
  }

  async #write(document: Readonly<Record<string, unknown>>, held: Held): Promise<void> {
    const file = this.#files.shown(indexPath);
    const bytes = Buffer.from(JSON.stringify(document));
    if (bytes.length > maxIndexBytes) {
      throw new OciError('TOO_LARGE', `${file} would have more than ${maxIndexBytes} bytes`, {
        hint: 'remove tags that are not needed, or use another directory',
      });
    }
    await this.#work.writeSmall(file, bytes, () => held.check());
  }
}
