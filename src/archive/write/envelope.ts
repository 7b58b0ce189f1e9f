/**
 * The tar envelope of an archive: where each file is, if the sizes of all are known before the first byte.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */
import { once } from 'node:events';
import { pack } from 'tar-stream';
import { fileMode } from '../../files/durable.ts';

const blockBytes = 512;
/** Two empty blocks end an archive. */
export const endBytes = 2 * blockBytes;

interface ArchiveEntry {
  /** Its path in the archive. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

export interface PlacedEntry extends ArchiveEntry {
  /** The bytes before its content. */
  readonly header: Uint8Array;
  /** Where its header begins in the archive. The content follows it. */
  readonly offset: number;
}

/** The header of a file: always the same bytes for the same name and size. */
async function tarHeader({ name, size }: ArchiveEntry): Promise<Buffer> {
  const stream = pack();
  const owner = { uid: 0, gid: 0, uname: '', gname: '' };
  // The entry is never completed: its content is written elsewhere.
  stream.on('error', () => {});
  stream.entry({ name, size, type: 'file', mode: fileMode, mtime: new Date(0), ...owner }).on('error', () => {});
  await once(stream, 'readable');
  const blocks: Uint8Array[] = [];
  for (let block = stream.read(); block !== null; block = stream.read()) blocks.push(block as Uint8Array);
  stream.destroy();
  return Buffer.concat(blocks);
}

/** Bytes of content with what fills its last block. */
function paddedBytes(size: number): number {
  return Math.ceil(size / blockBytes) * blockBytes;
}

/** Places files one after the other. @returns Also the size of the whole archive in bytes. */
export async function placeEntries(
  entries: readonly ArchiveEntry[],
): Promise<{ readonly placed: readonly PlacedEntry[]; readonly totalBytes: number }> {
  const placed: PlacedEntry[] = [];
  let offset = 0;
  for (const { name, size } of entries) {
    const header = await tarHeader({ name, size });
    placed.push({ name, size, header, offset });
    offset += header.length + paddedBytes(size);
  }
  return { placed, totalBytes: offset + endBytes };
}
