import { quote } from '../../model/quote.ts';
import { hasContent, type TarEntry, typeOfFlag, xattrPrefix } from './entry.ts';
import { damagedTar } from './errors.ts';
import type { RawHeader } from './header.ts';
import { nameBytes } from './names.ts';
import { decimal } from './numbers.ts';
import type { PaxRecord } from './pax.ts';
import { readTime } from './times.ts';

/** What headers of their own said of the next entry. */
export interface Ahead {
  longName?: string;
  longLink?: string;
  records?: readonly PaxRecord[];
}

/** Records that are fields of an entry. */
const own = new Set(['path', 'linkpath', 'size', 'uid', 'gid', 'uname', 'gname', 'mtime', 'hdrcharset']);

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();
const noRecords: ReadonlyMap<string, string> = new Map();

/**
 * The entry of a header and what was said before it. A sparse file has the size that is stored, and no map yet.
 *
 * @throws OciError ARCHIVE_INVALID for numbers that are none.
 */
export function entryOf(raw: RawHeader, { longName, longLink, records = [] }: Ahead, shown: string): TarEntry {
  // An empty value takes back what a global record said, and those are not applied.
  const said = new Map(records.filter(([, value]) => value !== ''));
  const path = longName ?? said.get('path') ?? raw.name;
  const number = (key: string, value: number | undefined): number => {
    const record = said.get(key);
    const number = record === undefined ? value : decimal(record);
    if (number !== undefined && (key !== 'size' || number >= 0)) return number;
    throw damagedTar(shown, `has an entry without a valid ${key}: ${quote(path)}`);
  };
  const time = said.get('mtime');
  const mtime = time === undefined ? { seconds: number('mtime', raw.mtime), nanoseconds: 0 } : readTime(time);
  if (!mtime) throw damagedTar(shown, `has an entry without a valid mtime: ${quote(path)}`);
  // Unix V7 had no type for directories.
  const type = raw.flag === '\0' && path.endsWith('/') ? 'directory' : typeOfFlag(raw.flag);
  return {
    path: said.get('GNU.sparse.name') ?? path,
    type,
    flag: raw.flag,
    mode: number('mode', raw.mode),
    uid: number('uid', raw.uid),
    gid: number('gid', raw.gid),
    uname: said.get('uname') ?? raw.uname,
    gname: said.get('gname') ?? raw.gname,
    mtime,
    size: hasContent(type) ? number('size', raw.size) : 0,
    linkname: type === 'link' || type === 'symlink' ? (longLink ?? said.get('linkpath') ?? raw.linkname) : '',
    devmajor: type === 'character' || type === 'block' ? number('devmajor', raw.devmajor) : 0,
    devminor: type === 'character' || type === 'block' ? number('devminor', raw.devminor) : 0,
    xattrs: records.length === 0 ? noXattrs : xattrsOf(records),
    sparse: undefined,
    records: records.length === 0 ? noRecords : othersOf(said, type === 'global'),
  };
}

function xattrsOf(records: readonly PaxRecord[]): ReadonlyMap<string, Uint8Array> {
  const found = records.filter(([key]) => key.startsWith(xattrPrefix) && key.length > xattrPrefix.length);
  if (found.length === 0) return noXattrs;
  return new Map(found.map(([key, value]) => [key.slice(xattrPrefix.length), nameBytes(value)]));
}

function othersOf(said: ReadonlyMap<string, string>, isGlobal: boolean): ReadonlyMap<string, string> {
  const others = [...said].filter(
    ([key]) => isGlobal || !(own.has(key) || key.startsWith(xattrPrefix) || key.startsWith('GNU.sparse.')),
  );
  return others.length === 0 ? noRecords : new Map(others);
}
