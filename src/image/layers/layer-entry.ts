import type { EntryType, FileTime, TarEntry } from '../tar/entry.ts';
import type { TarReading } from '../tar/reading.ts';

/** What is kept of an entry of a layer: what a file system has of it, and where it is. */
export interface LayerEntry {
  /** As the layer has it. */
  readonly path: string;
  readonly type: EntryType;
  /** Permissions with set-user-ID, set-group-ID and sticky bit. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: FileTime;
  /** Bytes of the file, with the zeros of a sparse one. */
  readonly size: number;
  readonly linkname: string;
  readonly devmajor: number;
  readonly devminor: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Where its headers begin in the uncompressed layer; by it, an entry is found again. */
  readonly position: number;
}

const permissionBits = 0o7777;

/** What is kept of an entry that is read. */
export function layerEntry({ entry, position }: Pick<TarReading, 'entry' | 'position'>): LayerEntry {
  const { path, type, mode, uid, gid, mtime, size, linkname, devmajor, devminor, xattrs }: TarEntry = entry;
  const mask = mode & permissionBits;
  return { path, type, mode: mask, uid, gid, mtime, size, linkname, devmajor, devminor, xattrs, position };
}

/** A directory that lies on the path of an entry, and that no layer has. It belongs to root, as umoci and podman make it. */
export const impliedDirectory: LayerEntry = {
  path: '',
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  size: 0,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  xattrs: new Map(),
  position: -1,
};
