/** What a tar archive says of a file. */

/**
 * `link` is a hard link, `character` and `block` are devices. `global` is no file, but records for all that follow it; the programs
 * that run images ignore them, and so does this one. `unknown` has a type that POSIX does not name.
 */
export type EntryType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'link'
  | 'character'
  | 'block'
  | 'fifo'
  | 'global'
  | 'unknown';

/** A time since 1970, before it with negative seconds. */
export interface FileTime {
  /** Whole ones, rounded down. */
  readonly seconds: number;
  /** 0 to 999 999 999, added to the seconds. */
  readonly nanoseconds: number;
}

/** A part of a sparse file that is stored; the rest is zeros. In bytes. */
export interface SparseSpan {
  /** Where it begins in the file. */
  readonly offset: number;
  /** How many bytes it has. */
  readonly size: number;
}

/** An entry of a tar archive. Its names are as `names.ts` says: bytes that are no UTF-8 are lone surrogates. */
export interface TarEntry {
  /** As it is stored: `./etc/passwd`, `/etc/passwd`, `etc/`. */
  readonly path: string;
  /** What it is. */
  readonly type: EntryType;
  /** The type in the header, one character: `0` for a file. */
  readonly flag: string;
  /** All bits that the header has. */
  readonly mode: number;
  /** The owner's number. */
  readonly uid: number;
  /** The group's number. */
  readonly gid: number;
  /** The owner's name; mostly empty. */
  readonly uname: string;
  /** The group's name; mostly empty. */
  readonly gname: string;
  /** When its content changed last. */
  readonly mtime: FileTime;
  /** Bytes of the file, with the zeros of a sparse one; 0 for what has no content. */
  readonly size: number;
  /** Where a link leads; else empty. */
  readonly linkname: string;
  /** Of a device: which driver; else 0. */
  readonly devmajor: number;
  /** Of a device: which one of its driver; else 0. */
  readonly devminor: number;
  /** Extended attributes by their full names: `security.capability`. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Stored parts of a sparse file, in order. Undefined for others. */
  readonly sparse: readonly SparseSpan[] | undefined;
  /** Other PAX records: `atime`, `comment`. Their values are as names are. */
  readonly records: ReadonlyMap<string, string>;
}

/** Blocks of a tar archive. */
export const blockBytes = 512;

/** How many bytes long names, PAX records or the map of a sparse file may have, as in Go's reader. */
export const maxHeaderBytes = 1024 * 1024;

/** Keys of PAX records that begin an extended attribute. */
export const xattrPrefix = 'SCHILY.xattr.';

const types: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  g: 'global',
};

/** The type that a header's character means. */
export function typeOfFlag(flag: string): EntryType {
  return types[flag] ?? 'unknown';
}

/** Whether entries of a type have content. Go's reader, which runs images, takes a size in others for 0. */
export function hasContent(type: EntryType): boolean {
  return type === 'file' || type === 'unknown';
}

/** Bytes that are stored of an entry's content. */
export function storedBytes({ size, sparse }: Pick<TarEntry, 'size' | 'sparse'>): number {
  return sparse ? sparse.reduce((sum, span) => sum + span.size, 0) : size;
}

/** Bytes that fill the last block of content. */
export function paddingOf(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}
