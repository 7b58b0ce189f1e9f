import { type Digest, parseDigest } from '../../model/digest.ts';
import { isObject, parseJson } from '../../model/json.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { LayerEntry } from '../layers/layer-entry.ts';
import type { EntryType, FileTime } from '../tar/entry.ts';
import { type TocText, unusable } from './locate.ts';

/** A part of a file, compressed by itself. In bytes. */
export interface Chunk {
  /** In the layer: where the compressed part begins and ends; what follows the part in it is of no interest. */
  readonly offset: number;
  readonly end: number;
  /** Of what is unpacked, so much comes before the part. */
  readonly inner: number;
  readonly size: number;
  /** Undefined for zeros, which are not stored. */
  readonly digest: Digest | undefined;
}

/** What a table of contents says. */
export interface Toc {
  readonly compression: 'gzip' | 'zstd';
  readonly entries: readonly LayerEntry[];
  /** The parts of files with content, by the positions of their entries. */
  readonly chunks: ReadonlyMap<number, readonly Chunk[]>;
  /** The SHA-256 digests of files with content, by the positions of their entries, where the table says them. */
  readonly digests: ReadonlyMap<number, Digest>;
}

const types: Readonly<Record<string, EntryType>> = {
  dir: 'directory',
  reg: 'file',
  symlink: 'symlink',
  hardlink: 'link',
  char: 'character',
  block: 'block',
  fifo: 'fifo',
};

/** For programs that fetch parts, not for containers. */
const hidden = new Set(['.prefetch.landmark', '.no.prefetch.landmark', 'stargz.index.json']);

/** What writers of tables put in the place of bytes that are no UTF-8. */
const replaced = '\ufffd';

const maxEntries = 2_000_000;
const permissionBits = 0o7777;

type Row = Readonly<Record<string, unknown>>;

/**
 * Reads a table of contents. The position of an entry is its place in the table.
 *
 * @throws OciError ARCHIVE_INVALID for a table with a field that is wrong, or a file whose parts have no digests.
 */
export function parseToc(layer: Descriptor, { text, compression, offset: tocOffset }: TocText): Toc {
  const rows = rowsOf(layer, text);
  const starts = rows.flatMap((row) => (isPart(row) ? [number(layer, row, 'offset')] : []));
  const ends = new Map<number, number>();
  let next = tocOffset;
  for (const start of [...new Set(starts)].sort((a, b) => b - a)) {
    if (start >= tocOffset) throw unusable(layer, 'has a part after its own beginning');
    ends.set(start, next);
    next = start;
  }
  const entries: LayerEntry[] = [];
  const chunks = new Map<number, Chunk[]>();
  const digests = new Map<number, Digest>();
  let file: { readonly entry: LayerEntry; readonly parts: Chunk[] } | undefined;
  const finish = (): void => {
    const found = file?.parts.reduce((sum, { size }) => sum + size, 0);
    if (file && found !== file.entry.size) throw unusable(layer, 'lacks parts of a file');
    file = undefined;
  };
  for (const [position, row] of rows.entries()) {
    if (row['type'] === 'chunk') {
      if (!file) throw unusable(layer, 'has a part of no file');
      file.parts.push(chunkOf(layer, row, ends, file.entry, file.parts));
      continue;
    }
    finish();
    const entry = entryOf(layer, row, position);
    if (hidden.has(entry.path)) continue;
    entries.push(entry);
    if (entry.type !== 'file' || entry.size === 0) continue;
    file = { entry, parts: [] };
    file.parts.push(chunkOf(layer, row, ends, entry, []));
    chunks.set(position, file.parts);
    const digest = digestOf(row, file.parts[0]);
    if (digest !== undefined) digests.set(position, digest);
  }
  finish();
  return { compression, entries, chunks, digests };
}

function rowsOf(layer: Descriptor, text: string): readonly Row[] {
  try {
    const document = parseJson(text);
    const rows: unknown = isObject(document) && document['version'] === 1 ? document['entries'] : undefined;
    if (Array.isArray(rows) && rows.length <= maxEntries && rows.every(isObject)) return rows as readonly Row[];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw unusable(layer, 'is malformed');
}

function isPart(row: Row): boolean {
  const isFile = row['type'] === 'reg' && typeof row['size'] === 'number' && row['size'] > 0;
  return (isFile || row['type'] === 'chunk') && row['chunkType'] !== 'zeros';
}

function entryOf(layer: Descriptor, row: Row, position: number): LayerEntry {
  const type = types[String(row['type'])];
  const path = row['name'];
  if (!type || typeof path !== 'string' || path === '') throw unusable(layer, 'is malformed');
  // JSON has no other bytes: the archive has the name, and the table does not.
  if (path.includes(replaced)) throw unusable(layer, 'has a name that is no UTF-8');
  const count = (key: string): number => (row[key] === undefined ? 0 : number(layer, row, key));
  return {
    path,
    type,
    mode: count('mode') & permissionBits,
    uid: count('uid'),
    gid: count('gid'),
    mtime: timeOf(row['modtime']),
    size: type === 'file' ? count('size') : 0,
    linkname: typeof row['linkName'] === 'string' ? row['linkName'] : '',
    devmajor: count('devMajor'),
    devminor: count('devMinor'),
    xattrs: new Map(
      Object.entries(isObject(row['xattrs']) ? row['xattrs'] : {}).map(([name, value]) => [
        name,
        Buffer.from(String(value), 'base64'),
      ]),
    ),
    position,
  };
}

function chunkOf(
  layer: Descriptor,
  row: Row,
  ends: ReadonlyMap<number, number>,
  { size }: LayerEntry,
  before: readonly Chunk[],
): Chunk {
  const at = before.reduce((sum, chunk) => sum + chunk.size, 0);
  const given = row['chunkSize'] === undefined ? 0 : number(layer, row, 'chunkSize');
  // The last part may leave its size out.
  const part = given === 0 ? size - at : given;
  if (part <= 0 || at + part > size) throw unusable(layer, 'has parts that do not fit their file');
  if (row['chunkType'] === 'zeros') return { offset: 0, end: 0, inner: 0, size: part, digest: undefined };
  const offset = number(layer, row, 'offset');
  const inner = row['innerOffset'] === undefined ? 0 : number(layer, row, 'innerOffset');
  const whole = part === size ? row['digest'] : undefined;
  const digest = row['chunkDigest'] ?? whole;
  if (typeof digest !== 'string') throw unusable(layer, 'has a part without a digest');
  return { offset, end: ends.get(offset) ?? offset, inner, size: part, digest: parseDigest(digest) };
}

/** Of a file. That of its only part counts, since it is what a reader checks. */
function digestOf(row: Row, { size, digest }: Partial<Chunk> = {}): Digest | undefined {
  const said = size === row['size'] ? digest : row['digest'];
  return typeof said === 'string' && said.startsWith('sha256:') ? parseDigest(said) : undefined;
}

function number(layer: Descriptor, row: Row, key: string): number {
  const value = row[key] ?? 0;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw unusable(layer, 'is malformed');
}

function timeOf(text: unknown): FileTime {
  const [, whole = '', fraction = '', zone = ''] =
    /^(.{19})(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(String(text ?? '')) ?? [];
  const ms = Date.parse(whole + zone);
  return Number.isNaN(ms)
    ? { seconds: 0, nanoseconds: 0 }
    : { seconds: Math.floor(ms / 1000), nanoseconds: Number(fraction.padEnd(9, '0')) };
}
