import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { encodeHeader } from './encode.ts';
import { blockBytes, paddingOf, storedBytes, type TarEntry } from './entry.ts';
import { writeContentMap } from './sparse.ts';

/** An entry to be written. What is left out is that of a file of root, of 1970. */
export type NewEntry = Pick<TarEntry, 'path' | 'type'> & Partial<TarEntry>;

/** An entry with its content. */
export interface TarPart {
  readonly entry: NewEntry;
  /** The bytes of its content, as many as its size says; of a sparse file those that are stored. */
  readonly content?: AsyncIterable<Uint8Array> | Iterable<Uint8Array> | undefined;
}

/**
 * Writes a tar archive: the same bytes for the same entries. It is ustar, with PAX records where that is not enough, and with sparse
 * files in version 1.0 of GNU tar. A chunk is valid until the next one.
 *
 * @throws OciError USAGE for an entry that no archive can hold; SIZE_MISMATCH for content of another size than its entry says; what
 *   the parts throw.
 */
export async function* writeTar(
  parts: AsyncIterable<TarPart> | Iterable<TarPart>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { entry, content = [] } of parts) {
    const map = entry.sparse && writeContentMap(entry.sparse);
    yield encodeHeader(entry, map?.length);
    if (map) yield map;
    const size = storedBytes({ size: entry.size ?? 0, sparse: entry.sparse });
    let written = 0;
    for await (const chunk of content) {
      written += chunk.length;
      if (written > size) throw wrongSize(entry, size, 'more');
      yield chunk;
    }
    if (written < size) throw wrongSize(entry, size, `only ${written}`);
    if (paddingOf(size) > 0) yield Buffer.alloc(paddingOf(size));
  }
  yield Buffer.alloc(2 * blockBytes);
}

function wrongSize({ path }: NewEntry, size: number, got: string): OciError {
  return new OciError('SIZE_MISMATCH', `${quote(path)} has ${size} bytes by its entry, and ${got} were given`);
}
