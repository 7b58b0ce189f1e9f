import { ByteReader } from './byte-reader.ts';
import { blockBytes, maxHeaderBytes, paddingOf, type TarEntry, typeOfFlag } from './entry.ts';
import { type Ahead, entryOf } from './entry-of.ts';
import { damagedTar, tooLongHeader } from './errors.ts';
import { isZeros, type RawHeader, readHeader, untilZero } from './header.ts';
import { decimal } from './numbers.ts';
import { type PaxRecord, readRecords } from './pax.ts';
import { StreamedReading, type TarReading } from './reading.ts';
import {
  isMapInContent,
  isPossible,
  oldRealSize,
  oldSpans,
  readContentMap,
  recordedMap,
  type SparseMap,
} from './sparse.ts';

interface ReadTarOptions {
  /** The name of the archive in messages: `layer sha256:…`. */
  readonly shown: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the entries of a tar archive, in the order and as often as they are in it. What nobody reads of their content is passed
 * over. At the end the whole source was read, also what follows the end of the archive: its digest is known then.
 *
 * Formats: POSIX (ustar and pax), GNU, star, Unix V7; sparse files in all formats of GNU tar.
 *
 * @throws OciError ARCHIVE_INVALID for what is no tar archive or is cut off; TOO_LARGE for headers of more than 1 MiB; what the
 *   source throws.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  { shown, signal }: ReadTarOptions,
): AsyncGenerator<TarReading, void, undefined> {
  const bytes = new ByteReader(source);
  const archive = new TarArchive(bytes, shown);
  try {
    for (let reading = await archive.next(); reading; reading = await archive.next()) {
      signal?.throwIfAborted();
      yield reading;
      await reading.pass();
    }
    while ((await bytes.some(Number.MAX_SAFE_INTEGER)).length > 0) signal?.throwIfAborted();
  } finally {
    await bytes.close();
  }
}

class TarArchive {
  readonly #bytes: ByteReader;
  readonly #shown: string;

  constructor(bytes: ByteReader, shown: string) {
    this.#bytes = bytes;
    this.#shown = shown;
  }

  /** The next entry, with all headers before it. */
  async next(): Promise<StreamedReading | undefined> {
    const ahead: Ahead = {};
    const start = this.#bytes.position;
    for (;;) {
      const at = this.#bytes.position;
      const block = await this.#block();
      if (!block && at === start) return undefined;
      if (!block) throw damagedTar(this.#shown, `is cut off: no entry follows the header at byte ${start}`);
      const raw = readHeader(block);
      if (!raw) throw damagedTar(this.#shown, at === 0 ? 'is no tar archive' : `has no header at byte ${at}`);
      if (typeOfFlag(raw.flag) === 'global') {
        const records = await this.#records(raw, at);
        return new StreamedReading(
          this.#bytes,
          entryOf({ ...raw, size: 0 }, { records }, this.#shown),
          at,
          this.#shown,
        );
      }
      if (raw.flag === 'L') ahead.longName = untilZero(await this.#said(raw, start));
      else if (raw.flag === 'K') ahead.longLink = untilZero(await this.#said(raw, start));
      else if (raw.flag === 'x') ahead.records = await this.#records(raw, start);
      else return await this.#entry(raw, block, ahead, start);
    }
  }

  /** The next header; undefined at the end, which is two blocks of zeros, or the end of the file. */
  async #block(): Promise<Buffer | undefined> {
    const at = this.#bytes.position;
    const block = await this.#bytes.read(blockBytes);
    if (block.length === 0 && at > 0) return undefined;
    if (block.length < blockBytes)
      throw damagedTar(this.#shown, at === 0 ? 'is no tar archive' : 'is cut off in a header');
    if (!isZeros(block)) return block;
    const next = await this.#bytes.read(blockBytes);
    if (next.length < blockBytes || isZeros(next)) return undefined;
    throw damagedTar(this.#shown, `has a gap in it at byte ${at}`);
  }

  async #records(raw: RawHeader, start: number): Promise<readonly PaxRecord[]> {
    const records = readRecords(await this.#said(raw, start));
    if (records) return records;
    throw damagedTar(this.#shown, `has malformed records in the header at byte ${start}`);
  }

  /** The content of a header. @param start Where the first header of its entry begins. */
  async #said({ size = -1 }: RawHeader, start: number): Promise<Buffer> {
    if (size < 0) throw damagedTar(this.#shown, `has a header without a size at byte ${start}`);
    if (this.#bytes.position + size - start > maxHeaderBytes) throw tooLongHeader(this.#shown, start);
    const said = await this.#bytes.read(size + paddingOf(size));
    if (said.length < size) throw damagedTar(this.#shown, `is cut off in the header at byte ${start}`);
    return said.subarray(0, size);
  }

  async #entry(raw: RawHeader, block: Buffer, ahead: Ahead, start: number): Promise<StreamedReading> {
    const entry = entryOf(raw, ahead, this.#shown);
    const found = entry.type === 'file' ? await this.#sparse(raw, block, ahead.records, entry) : undefined;
    if (found && !isPossible(found.map, found.stored)) {
      throw damagedTar(this.#shown, `has a sparse file whose map is wrong at byte ${start}`);
    }
    const whole = found ? { ...entry, size: found.map.size, sparse: found.map.spans } : entry;
    return new StreamedReading(this.#bytes, whole, start, this.#shown);
  }

  /** The map of a sparse file, and how many bytes of it are stored; undefined for others. */
  async #sparse(
    { flag }: RawHeader,
    block: Buffer,
    records: readonly PaxRecord[] | undefined,
    { size }: TarEntry,
  ): Promise<{ readonly map: SparseMap; readonly stored: number } | undefined> {
    if (flag === 'S') return { map: await this.#oldSparse(block), stored: size };
    if (!records) return undefined;
    const said = new Map(records);
    if (isMapInContent(said)) {
      const at = this.#bytes.position;
      const map = await readContentMap((count) => this.#bytes.read(count));
      if (!map || map.bytes > size) throw damagedTar(this.#shown, `has a malformed sparse file at byte ${at}`);
      const realSize = decimal(said.get('GNU.sparse.realsize') ?? '') ?? Number.NaN;
      return { map: { spans: map.spans, size: realSize }, stored: size - map.bytes };
    }
    const map = recordedMap(records);
    return map && { map, stored: size };
  }

  async #oldSparse(header: Buffer): Promise<SparseMap> {
    const start = this.#bytes.position;
    // Read before the next block: it is in memory that is used again.
    const size = oldRealSize(header);
    const first = oldSpans(header, true);
    const spans = [...first.spans];
    for (let { more } = first; more; ) {
      if (this.#bytes.position - start > maxHeaderBytes) throw tooLongHeader(this.#shown, start);
      const block = await this.#bytes.read(blockBytes);
      if (block.length < blockBytes) throw damagedTar(this.#shown, 'is cut off in a header');
      const next = oldSpans(block, false);
      spans.push(...next.spans);
      more = next.more;
    }
    return { spans, size };
  }
}
