import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { blockBytes, type EntryType, hasContent, paddingOf, storedBytes, type TarEntry, xattrPrefix } from './entry.ts';
import { checksumOf, fields } from './header.ts';
import { compareNames, isAscii, isText, nameBytes, nameOf } from './names.ts';
import { fitsOctal, writeNumber } from './numbers.ts';
import { type PaxRecord, writeRecords } from './pax.ts';
import { writeTime } from './times.ts';

const flags: Readonly<Record<EntryType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
  global: 'g',
  unknown: '',
};

const epoch = { seconds: 0, nanoseconds: 0 };
const headerName = 'PaxHeaders.0/entry';

type Encoded = Pick<TarEntry, 'path' | 'type'> & Partial<TarEntry>;

/**
 * All blocks before the content of an entry.
 *
 * @param mapBytes Of a sparse file: the length of the map before its content.
 * @throws OciError USAGE for what no archive can hold.
 */
export function encodeHeader(entry: Encoded, mapBytes?: number): Buffer {
  check(entry);
  if (entry.type === 'global') return recordsBlock('g', sorted([...(entry.records ?? [])]));
  const { uid = 0, gid = 0, mtime = epoch, linkname = '', uname = '', gname = '', sparse } = entry;
  const records: PaxRecord[] = [];
  const needed = (key: string, value: string | number, isNeeded: boolean): boolean => {
    if (isNeeded) records.push([key, String(value)]);
    return isNeeded;
  };
  const size = hasContent(entry.type) ? storedBytes({ size: entry.size ?? 0, sparse }) + (mapBytes ?? 0) : 0;
  const split = splitName(entry.path);
  const block = Buffer.alloc(blockBytes);
  const number = (field: readonly [number, number], value: number): void => writeNumber(block, ...field, value);
  // A field that a record replaces is zero, as in Go.
  const orRecord = (key: 'uid' | 'gid' | 'size', value: number): void =>
    number(fields[key], needed(key, value, !fitsOctal(value, fields[key][1])) ? 0 : value);
  const text = (key: string, [start, length]: readonly [number, number], value: string, limit: number): void => {
    const bytes = nameBytes(value);
    needed(key, value, bytes.length > limit || (!isAscii(value) && isText(value)));
    block.set(bytes.subarray(0, length), start);
  };
  if (split) {
    block.set(split.name, fields.name[0]);
    block.set(split.prefix, fields.prefix[0]);
  } else text('path', fields.name, entry.path, fields.name[1]);
  number(fields.mode, entry.mode ?? (entry.type === 'directory' ? 0o755 : 0o644));
  orRecord('uid', uid);
  orRecord('gid', gid);
  orRecord('size', size);
  const isExact = mtime.nanoseconds === 0 && fitsOctal(mtime.seconds, fields.mtime[1]);
  needed('mtime', writeTime(mtime), !isExact);
  number(fields.mtime, fitsOctal(mtime.seconds, fields.mtime[1]) ? mtime.seconds : 0);
  block.write(entry.type === 'unknown' ? (entry.flag ?? '') : flags[entry.type], fields.flag[0], 'latin1');
  text('linkpath', fields.linkname, linkname, fields.linkname[1]);
  block.write('ustar\0' + '00', fields.magic[0], 'latin1');
  text('uname', fields.uname, uname, fields.uname[1] - 1);
  text('gname', fields.gname, gname, fields.gname[1] - 1);
  number(fields.devmajor, entry.devmajor ?? 0);
  number(fields.devminor, entry.devminor ?? 0);
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, fields.checksum[0], 'latin1');
  if (sparse) {
    records.push(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0']);
    records.push(['GNU.sparse.name', entry.path], ['GNU.sparse.realsize', String(entry.size ?? 0)]);
  }
  for (const [name, value] of entry.xattrs ?? []) records.push([xattrPrefix + name, nameOf(Buffer.from(value))]);
  records.push(...(entry.records ?? []));
  if (records.some(([key, value]) => (key === 'path' || key === 'linkpath') && !isText(value))) {
    records.push(['hdrcharset', 'BINARY']);
  }
  return records.length === 0 ? block : Buffer.concat([recordsBlock('x', sorted(records)), block]);
}

/** The name where it fits into a header, or into its two fields, which a `/` joins. */
function splitName(path: string): { readonly name: Buffer; readonly prefix: Buffer } | undefined {
  if (!isAscii(path) && isText(path)) return undefined;
  const bytes = nameBytes(path);
  const [most, mostBefore] = [fields.name[1], fields.prefix[1]];
  if (bytes.length <= most) return { name: bytes, prefix: Buffer.alloc(0) };
  if (!isAscii(path) || bytes.length > most + mostBefore + 1) return undefined;
  const at = bytes.indexOf(0x2f, bytes.length - most - 1);
  const isPossible = at > 0 && at <= mostBefore && at < bytes.length - 1;
  return isPossible ? { name: bytes.subarray(at + 1), prefix: bytes.subarray(0, at) } : undefined;
}

// Bytewise, as Go writes them. What decides on the meaning of the others comes first.
function sorted(records: readonly PaxRecord[]): readonly PaxRecord[] {
  return records.toSorted(([a], [b]) => Number(b === 'hdrcharset') - Number(a === 'hdrcharset') || compareNames(a, b));
}

function recordsBlock(flag: 'x' | 'g', records: readonly PaxRecord[]): Buffer {
  const content = writeRecords(records);
  const block = Buffer.alloc(blockBytes);
  block.write(headerName, fields.name[0], 'latin1');
  writeNumber(block, ...fields.mode, 0o644);
  for (const [start, length] of [fields.uid, fields.gid, fields.mtime, fields.devmajor, fields.devminor])
    writeNumber(block, start, length, 0);
  writeNumber(block, ...fields.size, content.length);
  block.write(flag, fields.flag[0], 'latin1');
  block.write('ustar\0' + '00', fields.magic[0], 'latin1');
  block.write(`${checksumOf(block).toString(8).padStart(6, '0')}\0 `, fields.checksum[0], 'latin1');
  return Buffer.concat([block, content, Buffer.alloc(paddingOf(content.length))]);
}

function check({ path, linkname = '', type, flag, xattrs = new Map(), records = new Map() }: Encoded): void {
  const refuse = (problem: string): never => {
    throw new OciError('USAGE', `no tar archive can hold ${quote(path)}: ${problem}`);
  };
  if (path === '' && type !== 'global') refuse('its path is empty');
  if (path.includes('\0') || linkname.includes('\0')) refuse('a name in it has a zero byte');
  if (type === 'unknown' && !/^[^\0-9xgLKS]$/.test(flag ?? '')) refuse('its type is not one character');
  for (const name of [...xattrs.keys(), ...records.keys()]) {
    if (name === '' || /[=\0]/.test(name)) refuse(`${quote(name)} cannot be the name of a record`);
  }
}
