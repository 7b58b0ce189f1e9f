import type { IndexReader } from '../layout/format/index-reader.ts';
import type { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { Registry } from '../registry/registry.ts';
import { type ArchiveSource, openArchiveFile } from './envelope/open-file.ts';
import { indexTar } from './envelope/tar-index.ts';
import { type ArchiveFiles, createArchiveFiles } from './files.ts';
import { readOnlyRegistry } from './read-only.ts';

/** An image or index that an archive lists. */
export interface ArchivedImage {
  /** As in the archive: a full reference, a short one, or a tag alone; undefined if it has none. */
  readonly name: string | undefined;
  readonly descriptor: Descriptor;
}

/** An image that cannot be read, beside others that can. */
export interface FaultyImage {
  /** As in the archive; empty if it has none. */
  readonly names: readonly string[];
  readonly error: OciError;
}

/** The images of an archive. */
export interface ArchivedImages {
  /** It has one repository without a name, as a layout. */
  readonly registry: Registry;
  /** In the order of the archive; an image is there once for each of its names. */
  readonly images: readonly ArchivedImage[];
  readonly faults: readonly FaultyImage[];
}

/** An open archive. */
export interface OpenArchive extends ArchivedImages {
  /** Whether its end is there. One without it that is not complete was cut off. */
  readonly hasEnd: boolean;
  /** Closes the file. Idempotent. */
  close(): void;
}

/** Opens an archive's file, and closes it again if it cannot be used. @throws OciError as opening and indexing do. */
export async function openArchive(
  source: ArchiveSource,
  read: (files: ArchiveFiles, signal: AbortSignal | undefined) => Promise<ArchivedImages>,
): Promise<OpenArchive> {
  const file = await openArchiveFile(source);
  try {
    const { signal } = source;
    const files = createArchiveFiles(file, await indexTar(file, signal));
    const images = await read(files, signal);
    return { ...images, hasEnd: files.hasEnd, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The images of a layout in an archive. @param name Of the archive, in messages. */
export async function imagesOf(name: string, files: ArchiveFiles, index: IndexReader): Promise<ArchivedImages> {
  const { entries } = await index.read();
  return {
    registry: readOnlyRegistry({ name, files, index }),
    // containerd's annotation is the full name where the other one may be the tag alone.
    images: entries.flatMap(({ descriptor, imageName, refName }) =>
      descriptor === undefined ? [] : [{ name: imageName ?? refName, descriptor }],
    ),
    faults: [],
  };
}
