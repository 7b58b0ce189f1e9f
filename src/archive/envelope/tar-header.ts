/**
 * Headers of tar entries, always the same bytes for the same facts.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */
import { once } from 'node:events';
import { pack } from 'tar-stream';
import { blockBytes } from './headers.ts';

/** Two empty blocks end an archive. */
export const endBytes = 2 * blockBytes;

/** An entry, which belongs to no user. */
interface TarEntry {
  /** Its path in the archive. Long ones get blocks of their own. */
  readonly name: string;
  /** Bytes of its content. */
  readonly size: number;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly mtime: Date;
  /** Of a symbolic link: where it leads. */
  readonly linkname?: string;
}

/** All blocks before the content of an entry. */
export async function tarHeader(entry: TarEntry): Promise<Buffer> {
  const stream = pack();
  const owner = { uid: 0, gid: 0, uname: '', gname: '' };
  // The entry is never completed: its content is written elsewhere.
  stream.on('error', () => {});
  stream.entry({ ...entry, ...owner }).on('error', () => {});
  await once(stream, 'readable');
  const blocks: Uint8Array[] = [];
  for (let block = stream.read(); block !== null; block = stream.read()) blocks.push(block as Uint8Array);
  stream.destroy();
  return Buffer.concat(blocks);
}

/** Bytes of content with what fills its last block. */
export function paddedBytes(size: number): number {
  return Math.ceil(size / blockBytes) * blockBytes;
}
