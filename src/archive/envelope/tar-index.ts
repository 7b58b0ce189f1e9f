import { bufferBytes, giveBuffer, takeBuffer } from '../../files/buffers.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import type { ArchiveFile, Extent } from './archive-file.ts';
import { invalidArchive } from './errors.ts';
import { blockBytes, type EntryHeader, HeaderReader } from './headers.ts';
import { linkTarget, plainName } from './names.ts';

/** Limits for what is kept in memory: an archive of a thousand images has some ten thousand entries. */
const archiveLimits = { entries: 200_000, nameBytes: 4096, namesBytes: 32 * 1024 * 1024 };

/** Longer chains of links are refused. */
const maxLinks = 16;

/** What is where in an archive. */
export interface TarIndex {
  /** By plain name. Links are resolved. */
  readonly files: ReadonlyMap<string, Extent>;
  /** Whether it has the blocks that end a tar archive. One without them may be cut off between two files. */
  readonly hasEnd: boolean;
}

/**
 * Reads where the files of a tar archive are. Content is skipped, so that a large archive costs as many reads as it has
 * entries. Directories and devices are left out, and so is a link that leads to nothing in the archive.
 *
 * @throws OciError ARCHIVE_INVALID for an archive that is damaged or cut off, or that programs would read differently: names
 * and links out of it, sparse files, names twice with different content. TOO_LARGE past the limits; STORAGE_*.
 */
export async function indexTar(
  file: ArchiveFile,
  signal?: AbortSignal,
  limits: typeof archiveLimits = archiveLimits,
): Promise<TarIndex> {
  const headers = new HeaderReader(file);
  const files = new Map<string, Extent>();
  const links = new Map<string, string>();
  let entries = 0;
  let namesBytes = 0;
  for (let position = 0; ; ) {
    signal?.throwIfAborted();
    const header = await headers.read(position);
    if (header === undefined) break;
    entries += 1;
    namesBytes += header.name.length + header.linkName.length;
    refuseExcess(file, header, { entries, namesBytes }, limits);
    position = header.offset + (await take(file, header, files, links));
  }
  resolveLinks(file, files, links);
  return { files, hasEnd: headers.hasEnd };
}

/** Notes an entry. @returns How many bytes of content follow its header. */
async function take(
  file: ArchiveFile,
  header: EntryHeader,
  files: Map<string, Extent>,
  links: Map<string, string>,
): Promise<number> {
  const { name: given, type, size, offset, linkName } = header;
  refuseSparse(file, header);
  const name = plainName(given);
  if (name === undefined) throw hostile(file, `${quote(given)} in it leads out of it`);
  // Old programs write directories as files whose name ends with a slash.
  if (type === 'directory' || name === '' || given.endsWith('/')) return type === 'directory' ? 0 : padded(size);
  if (type === 'file' || type === 'contiguous-file') {
    if (offset + size > file.size) {
      throw invalidArchive(file.shown, `is cut off: it ends in the middle of ${quote(name)}`);
    }
    if (links.has(name)) throw twice(file, name);
    const extent = { offset, size };
    const known = files.get(name);
    if (known && !(await isSame(file, known, extent))) throw twice(file, name);
    files.set(name, known ?? extent);
    return padded(size);
  }
  // Programs disagree whether content follows such a header.
  if (size > 0) throw hostile(file, `${quote(name)} in it is not a file, and yet has a size`);
  if (type === 'link' || type === 'symlink') {
    const target = linkTarget(name, linkName, type);
    if (target === undefined) throw hostile(file, `${quote(name)} in it is a link out of it, to ${quote(linkName)}`);
    if (files.has(name) || (links.has(name) && links.get(name) !== target)) throw twice(file, name);
    links.set(name, target);
  }
  return 0;
}

function resolveLinks(file: ArchiveFile, files: Map<string, Extent>, links: ReadonlyMap<string, string>): void {
  const resolved: [string, Extent][] = [];
  for (const name of links.keys()) {
    let target = name;
    for (let followed = 0; ; followed += 1) {
      const next = links.get(target);
      if (next === undefined) break;
      if (followed === maxLinks)
        throw hostile(file, `${quote(name)} in it is a link to a link, more than ${maxLinks} times`);
      target = next;
    }
    const extent = files.get(target);
    if (extent) resolved.push([name, extent]);
  }
  for (const [name, extent] of resolved) files.set(name, extent);
}

function refuseExcess(
  { shown }: ArchiveFile,
  { name, linkName }: EntryHeader,
  read: { readonly entries: number; readonly namesBytes: number },
  { entries, nameBytes, namesBytes }: typeof archiveLimits,
): void {
  const refuse = (what: string): never => {
    throw new OciError('TOO_LARGE', `${shown} ${what}`, { hint: 'no archive of images is like that' });
  };
  if (read.entries > entries) refuse(`has more than ${entries} entries`);
  if (name.length > nameBytes || linkName.length > nameBytes) refuse(`has a name of more than ${nameBytes} bytes`);
  if (read.namesBytes > namesBytes) refuse(`has names of more than ${namesBytes} bytes in all`);
}

// A sparse file of a few bytes may stand for a terabyte, and its content is not where its size says.
function refuseSparse(file: ArchiveFile, { name, type, flag, pax }: EntryHeader): void {
  const isSparse = flag === 'S' || Object.keys(pax).some((key) => key.startsWith('GNU.sparse.'));
  if (isSparse) throw hostile(file, `${quote(name)} in it is a sparse file`, 'pack it without sparse files');
  if (type === null) throw hostile(file, `${quote(name)} in it has the type ${quote(flag)}, which is not read`);
}

async function isSame(file: ArchiveFile, one: Extent, other: Extent): Promise<boolean> {
  if (one.size !== other.size) return false;
  const [left, right] = [takeBuffer(), takeBuffer()];
  try {
    for (let at = 0; at < one.size; at += bufferBytes) {
      const bytes = Math.min(bufferBytes, one.size - at);
      await file.read(left.subarray(0, bytes), one.offset + at);
      await file.read(right.subarray(0, bytes), other.offset + at);
      if (Buffer.compare(left.subarray(0, bytes), right.subarray(0, bytes)) !== 0) return false;
    }
    return true;
  } finally {
    giveBuffer(left);
    giveBuffer(right);
  }
}

function padded(size: number): number {
  return Math.ceil(size / blockBytes) * blockBytes;
}

function twice(file: ArchiveFile, name: string): OciError {
  return hostile(
    file,
    `${quote(name)} is in it twice, with different content`,
    'programs disagree about which one counts: unpack the archive and pack it again',
  );
}

function hostile(
  { shown }: ArchiveFile,
  problem: string,
  hint = 'no program for images writes such an archive: make it again',
): OciError {
  return new OciError('ARCHIVE_INVALID', `${shown} is refused: ${problem}`, { hint });
}
