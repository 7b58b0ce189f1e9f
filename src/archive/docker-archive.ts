import { IndexReader } from '../layout/format/index-reader.ts';
import type { OciError } from '../model/errors.ts';
import { composeArchive } from './docker/compose-archive.ts';
import { manifestJsonPath, readManifestJson } from './docker/manifest-json.ts';
import { cutOff, invalidArchive } from './envelope/errors.ts';
import type { ArchiveSource } from './envelope/open-file.ts';
import type { ArchiveFiles } from './files.ts';
import { hasLayout } from './oci-archive.ts';
import { imagesOf, type OpenArchive, openArchive } from './open-archive.ts';

/**
 * Opens an archive as `docker save` and others write it. If there is a layout in it too, as since Docker 25, images come from
 * there with their digests, as far as it is complete. Manifests are made for the others.
 *
 * @param name Its name in messages: `docker-archive:FILE`.
 * @throws OciError as {@link openArchive}; ARCHIVE_INVALID if it is not such an archive, or its two parts contradict each other.
 */
export async function openDockerArchive(name: string, source: ArchiveSource): Promise<OpenArchive> {
  return await openArchive(source, async (files, signal) => {
    const saved = await readManifestJson(files);
    if (saved === undefined) throw await notDocker(files);
    return await composeArchive(name, files, saved, await hasLayout(files), signal);
  });
}

/** An archive of either kind. */
interface ImageArchive extends OpenArchive {
  /** Whether there is a layout in it, as in those of Docker since 25. */
  readonly isLayout: boolean;
}

/** Opens an archive of either kind. @throws OciError as {@link openDockerArchive} */
export async function openImageArchive(name: string, source: ArchiveSource): Promise<ImageArchive> {
  let isLayout = false;
  const opened = await openArchive(source, async (files, signal) => {
    const saved = await readManifestJson(files);
    isLayout = await hasLayout(files);
    if (saved !== undefined) return await composeArchive(name, files, saved, isLayout, signal);
    if (!isLayout) throw await notDocker(files);
    return await imagesOf(name, files, new IndexReader(files));
  });
  return { ...opened, isLayout };
}

async function notDocker(files: ArchiveFiles): Promise<OciError> {
  const { archive, hasEnd } = files;
  if (await hasLayout(files)) {
    const problem = `is not an archive of Docker: it has no ${manifestJsonPath}`;
    return invalidArchive(archive, problem, `it is an OCI archive: oci-archive:${archive}`);
  }
  if (await files.stat('repositories')) {
    const hint = 'load it into Docker 1.10 or newer and save it again';
    return invalidArchive(archive, 'was written by a Docker older than 1.10, in a format that is not read', hint);
  }
  if (!hasEnd) return cutOff(archive, `has neither ${manifestJsonPath} nor index.json`);
  const problem = `holds no images: it has neither ${manifestJsonPath} nor index.json`;
  const hint = 'give a file that docker save, podman save or ocictl save wrote; a file system is no image';
  return invalidArchive(archive, problem, hint);
}
