import { IndexReader } from '../layout/format/index-reader.ts';
import { indexPath, versionPath } from '../layout/format/paths.ts';
import { isLayout } from '../layout/format/version.ts';
import { manifestJsonPath } from './docker/manifest-json.ts';
import { cutOff, invalidArchive } from './envelope/errors.ts';
import type { ArchiveSource } from './envelope/open-file.ts';
import type { ArchiveFiles } from './files.ts';
import { imagesOf, type OpenArchive, openArchive } from './open-archive.ts';

/**
 * Opens an OCI archive: a layout in a tar file. What it names and does not have is missing in the registry too.
 *
 * @param name Its name in messages: `oci-archive:FILE`.
 * @throws OciError as {@link openArchive}; ARCHIVE_INVALID if it holds no layout, UNSUPPORTED for another version than 1.0.0.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export async function openOciArchive(name: string, source: ArchiveSource): Promise<OpenArchive> {
  return await openArchive(source, async (files) => {
    if (!(await hasLayout(files))) throw await noLayout(files);
    return await imagesOf(name, files, new IndexReader(files));
  });
}

/** Whether an archive has the files of a layout. @throws OciError UNSUPPORTED */
export async function hasLayout(files: ArchiveFiles): Promise<boolean> {
  return (await isLayout(files, files.archive)) && (await files.stat(indexPath)) !== undefined;
}

async function noLayout(files: ArchiveFiles): Promise<Error> {
  const missing = (await files.stat(versionPath)) ? indexPath : versionPath;
  if (!files.hasEnd) return cutOff(files.archive, `has no ${missing}`);
  const isDocker = (await files.stat(manifestJsonPath)) !== undefined;
  const hint = isDocker ? `it is one of Docker: docker-archive:${files.archive}` : undefined;
  return invalidArchive(files.archive, `is not an OCI archive: it has no ${missing}`, hint);
}
