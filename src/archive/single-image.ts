import { IndexReader } from '../layout/format/index-reader.ts';
import { onlyImage } from '../layout/format/only-image.ts';
import { isLayout } from '../layout/format/version.ts';
import type { Digest } from '../model/digest.ts';
import { parseRepositoryName, type RepositoryName, type Tag } from '../model/reference/reference.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { invalidArchive } from './envelope/errors.ts';
import { spool } from './envelope/spool.ts';
import { indexTar } from './envelope/tar-index.ts';
import { type ArchiveFiles, createArchiveFiles } from './files.ts';
import { readOnlyRegistry } from './read-only.ts';

/** An archive of one image, as a registry. */
export interface SingleImage {
  readonly registry: Registry;
  /** Its only repository. */
  readonly repo: RepositoryName;
  /** The name of its image, or its digest. */
  readonly root: Tag | Digest;
  /** Closes it. Idempotent. */
  close(): void;
}

const repo = parseRepositoryName('archive');

/**
 * Opens an archive that comes as a stream, by way of a temporary file that no other process sees.
 *
 * @param shown The archive's name in messages.
 * @throws OciError ARCHIVE_INVALID for what is no archive of one image; TOO_LARGE, STORAGE_*; what the stream throws.
 */
export async function openSingleImage(
  shown: string,
  stream: AsyncIterable<Uint8Array>,
  { signal }: SignalOption = {},
): Promise<SingleImage> {
  const file = await spool(stream, shown, { signal });
  try {
    const registry = await registryOver(shown, createArchiveFiles(file, await indexTar(file, signal)));
    return { registry, repo, root: await onlyImage(registry), close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

// Its layout comes first: an archive that has both formats has the image's own manifest there.
async function registryOver(name: string, files: ArchiveFiles): Promise<Registry> {
  if (await isLayout(files, name)) return readOnlyRegistry({ name, files, index: new IndexReader(files) });
  throw invalidArchive(name, 'is neither an OCI nor a Docker archive');
}
