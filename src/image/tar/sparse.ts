/**
 * Maps of sparse files, in the four ways that GNU tar has.
 *
 * @see https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html
 */
import { blockBytes, maxHeaderBytes, type SparseSpan } from './entry.ts';
import { decimal, readNumber } from './numbers.ts';
import type { PaxRecord } from './pax.ts';

/** A sparse file as it is stored. */
export interface SparseMap {
  readonly spans: readonly SparseSpan[];
  /** Bytes of the file. */
  readonly size: number;
}

const numberBytes = 12;

/** The parts that a header of the old GNU format names, or a block that continues it. */
export function oldSpans(block: Buffer, isHeader: boolean): { readonly spans: SparseSpan[]; readonly more: boolean } {
  const [start, count, flag] = isHeader ? [386, 4, 482] : [0, 21, 504];
  const spans: SparseSpan[] = [];
  for (let i = 0; i < count; i += 1) {
    const at = start + i * 2 * numberBytes;
    if (block[at] === 0) break;
    spans.push({
      offset: readNumber(block, at, numberBytes) ?? Number.NaN,
      size: readNumber(block, at + numberBytes, numberBytes) ?? Number.NaN,
    });
  }
  return { spans, more: block[flag] !== 0 };
}

/** The size of the whole file in a header of the old GNU format. */
export function oldRealSize(block: Buffer): number {
  return readNumber(block, 483, numberBytes) ?? Number.NaN;
}

/** The parts that PAX records name: versions 0.0 and 0.1. Undefined for a file that is not sparse. */
export function recordedMap(records: readonly PaxRecord[]): SparseMap | undefined {
  const size = records.findLast(([key]) => key === 'GNU.sparse.size')?.[1];
  if (size === undefined) return undefined;
  const map = records.findLast(([key]) => key === 'GNU.sparse.map')?.[1];
  const numbers =
    map === undefined
      ? records
          .filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
          .map(([, value]) => value)
      : map === ''
        ? []
        : map.split(',');
  return { spans: pairs(numbers), size: decimal(size) ?? Number.NaN };
}

/** Whether the map is before the content: version 1.0. */
export function isMapInContent(records: ReadonlyMap<string, string>): boolean {
  return records.get('GNU.sparse.major') === '1' && records.get('GNU.sparse.minor') === '0';
}

/**
 * Reads the map before the content. @param read Gives the next bytes of the content.
 * @returns The parts, and the bytes that the map took; undefined if it is malformed or too long.
 */
export async function readContentMap(
  read: (count: number) => Buffer | Promise<Buffer>,
): Promise<{ readonly spans: readonly SparseSpan[]; readonly bytes: number } | undefined> {
  const numbers: string[] = [];
  let [rest, bytes] = ['', 0];
  for (let wanted = 1; numbers.length < wanted; ) {
    const block = await read(blockBytes);
    bytes += block.length;
    if (block.length < blockBytes || bytes > maxHeaderBytes) return undefined;
    const lines = (rest + block.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    numbers.push(...lines);
    if (wanted > 1 || numbers.length === 0) continue;
    const count = decimal(numbers[0] ?? '') ?? -1;
    if (count < 0) return undefined;
    wanted = 1 + 2 * count;
  }
  const count = Number(numbers[0]);
  return { spans: pairs(numbers.slice(1, 1 + 2 * count)), bytes };
}

/** Writes the map that goes before the content. */
export function writeContentMap(spans: readonly SparseSpan[]): Buffer {
  const text = `${[spans.length, ...spans.flatMap(({ offset, size }) => [offset, size])].join('\n')}\n`;
  const map = Buffer.alloc(Math.ceil(text.length / blockBytes) * blockBytes);
  map.write(text, 0, 'latin1');
  return map;
}

/** Whether parts follow each other, lie in the file, and have together what is stored. */
export function isPossible({ spans, size }: SparseMap, stored: number): boolean {
  let [end, sum] = [0, 0];
  for (const span of spans) {
    if (!(span.offset >= end && span.size >= 0)) return false;
    end = span.offset + span.size;
    sum += span.size;
  }
  return size >= 0 && end <= size && sum === stored;
}

function pairs(numbers: readonly string[]): readonly SparseSpan[] {
  const spans: SparseSpan[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    spans.push({
      offset: decimal(numbers[i] ?? '') ?? Number.NaN,
      size: decimal(numbers[i + 1] ?? '') ?? Number.NaN,
    });
  }
  return spans;
}
