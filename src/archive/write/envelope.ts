/**
 * The tar envelope of an archive: where each file is, if the sizes of all are known before the first byte.
 *
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */
import { fileMode } from '../../files/durable.ts';
import { endBytes, paddedBytes, tarHeader } from '../envelope/tar-header.ts';

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

/** Places files one after the other. @returns Also the size of the whole archive in bytes. */
export async function placeEntries(
  entries: readonly ArchiveEntry[],
): Promise<{ readonly placed: readonly PlacedEntry[]; readonly totalBytes: number }> {
  const placed: PlacedEntry[] = [];
  let offset = 0;
  for (const { name, size } of entries) {
    const header = await tarHeader({ name, size, type: 'file', mode: fileMode, mtime: new Date(0) });
    placed.push({ name, size, header, offset });
    offset += header.length + paddedBytes(size);
  }
  return { placed, totalBytes: offset + endBytes };
}
