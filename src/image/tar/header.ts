/**
 * The block of 512 bytes before an entry.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 * @see https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
import { blockBytes } from './entry.ts';
import { nameOf } from './names.ts';
import { readNumber } from './numbers.ts';

/** Where a field is: its first byte, and how many it has. */
type Field = readonly [start: number, length: number];

export const fields = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  flag: [156, 1],
  linkname: [157, 100],
  magic: [257, 8],
  uname: [265, 32],
  gname: [297, 32],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
  /** Of star: shorter, because times follow it. */
  starPrefix: [345, 131],
  starMagic: [508, 4],
} as const satisfies Record<string, Field>;

/** What a header says by itself. Numbers that are none are undefined. */
export interface RawHeader {
  readonly name: string;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly size: number | undefined;
  readonly mtime: number | undefined;
  readonly flag: string;
  readonly linkname: string;
  readonly uname: string;
  readonly gname: string;
  readonly devmajor: number | undefined;
  readonly devminor: number | undefined;
}

/** Reads a header. @returns Undefined if its checksum is wrong. */
export function readHeader(block: Buffer): RawHeader | undefined {
  if (!hasChecksum(block)) return undefined;
  const magic = block.toString('latin1', fields.magic[0], fields.magic[0] + fields.magic[1]);
  const isPosix = magic.startsWith('ustar\0');
  const isGnu = magic === 'ustar  \0';
  const isStar = isPosix && block.toString('latin1', fields.starMagic[0], blockBytes) === 'tar\0';
  const prefix = isPosix ? text(block, isStar ? fields.starPrefix : fields.prefix) : '';
  const name = text(block, fields.name);
  const hasOwners = isPosix || isGnu;
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(block, fields.mode),
    uid: number(block, fields.uid),
    gid: number(block, fields.gid),
    size: number(block, fields.size),
    mtime: number(block, fields.mtime),
    flag: block.toString('latin1', fields.flag[0], fields.flag[0] + 1),
    linkname: text(block, fields.linkname),
    uname: hasOwners ? text(block, fields.uname) : '',
    gname: hasOwners ? text(block, fields.gname) : '',
    devmajor: hasOwners ? number(block, fields.devmajor) : 0,
    devminor: hasOwners ? number(block, fields.devminor) : 0,
  };
}

/** Whether a block has nothing but zeros. */
export function isZeros(block: Buffer): boolean {
  return zeros.equals(block);
}

const zeros = Buffer.alloc(blockBytes);

/** The sum of a header's bytes, where those of the sum count as spaces. */
export function checksumOf(block: Buffer): number {
  const [start, length] = fields.checksum;
  let sum = 0x20 * length;
  for (let i = 0; i < blockBytes; i += 1) sum += block[i] ?? 0;
  for (let i = start; i < start + length; i += 1) sum -= block[i] ?? 0;
  return sum;
}

function hasChecksum(block: Buffer): boolean {
  const stored = number(block, fields.checksum);
  const sum = checksumOf(block);
  return stored === sum || stored === signedSum(block, sum);
}

// Some programs of old added bytes with a sign.
function signedSum(block: Buffer, sum: number): number {
  const [start, length] = fields.checksum;
  let high = 0;
  for (let i = 0; i < blockBytes; i += 1) {
    if ((i < start || i >= start + length) && (block[i] ?? 0) > 0x7f) high += 1;
  }
  return sum - 256 * high;
}

function number(block: Buffer, [start, length]: Field): number | undefined {
  return readNumber(block, start, length);
}

function text(block: Buffer, [start, length]: Field): string {
  return untilZero(block, start, start + length);
}

/** The name up to the first zero byte. */
export function untilZero(bytes: Buffer, start = 0, limit = bytes.length): string {
  const zero = bytes.indexOf(0, start);
  return nameOf(bytes, start, zero < 0 || zero > limit ? limit : zero);
}
