import { IndexReader } from '../layout/format/index-reader.ts';
import { indexPath, versionPath } from '../layout/format/paths.ts';
import { isLayout } from '../layout/format/version.ts';
import type { Registry } from '../registry/registry.ts';
import type { ArchiveFile } from './envelope/archive-file.ts';
import { invalidArchive } from './envelope/errors.ts';
import { type ArchiveSource, openArchiveFile } from './envelope/open-file.ts';
import { indexTar } from './envelope/tar-index.ts';
import { type ArchiveFiles, createArchiveFiles } from './files.ts';
import { readOnlyRegistry } from './read-only.ts';

/** An open archive as a registry. It has one repository without a name, as a layout. */
export interface OpenArchive {
  readonly registry: Registry;
  /** Closes the file. Idempotent. */
  close(): void;
}

/**
 * Opens an OCI archive: a layout in a tar file. What it names and does not have is missing in the registry too.
 *
 * @param name Its name in messages: `oci-archive:FILE`.
 * @throws OciError as {@link openArchiveFile} and {@link indexTar}; ARCHIVE_INVALID if it holds no layout, UNSUPPORTED for
 * another version than 1.0.0.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export async function openOciArchive(name: string, source: ArchiveSource): Promise<OpenArchive> {
  return await openArchive(source, async (files) => {
    if (!(await isLayout(files, files.archive))) throw noLayout(files, versionPath);
    if (!(await files.stat(indexPath))) throw noLayout(files, indexPath);
    return readOnlyRegistry({ name, files, index: new IndexReader(files) });
  });
}

/** Opens an archive's file, and closes it again if it cannot be used. */
async function openArchive(
  source: ArchiveSource,
  use: (files: ArchiveFiles) => Promise<Registry>,
): Promise<OpenArchive> {
  const file: ArchiveFile = await openArchiveFile(source);
  try {
    const registry = await use(createArchiveFiles(file, await indexTar(file, source.signal)));
    return { registry, close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

function noLayout(files: ArchiveFiles, missing: string): Error {
  return invalidArchive(files.archive, `is not an OCI archive: it has no ${missing}`);
}
