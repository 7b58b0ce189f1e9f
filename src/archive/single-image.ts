import { layoutRepository } from '../layout/layout.ts';
import type { Digest } from '../model/digest.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { openImageArchive } from './docker-archive.ts';
import { invalidArchive } from './envelope/errors.ts';

/** An archive of one image, as a registry. */
export interface SingleImage {
  readonly registry: Registry;
  /** Its only repository. */
  readonly repo: RepositoryName;
  /** The digest of its manifest or index. */
  readonly root: Digest;
  /** Closes it. Idempotent. */
  close(): void;
}

/**
 * Opens an archive that comes as a stream, by way of a temporary file that no other process sees.
 *
 * @param shown The archive's name in messages.
 * @throws OciError ARCHIVE_INVALID for what is no archive of an image; TOO_LARGE, STORAGE_*; what the stream throws.
 */
export async function openSingleImage(
  shown: string,
  stream: AsyncIterable<Uint8Array>,
  { signal }: SignalOption = {},
): Promise<SingleImage> {
  const { registry, images, faults, close } = await openImageArchive(shown, {
    file: '-',
    stdin: () => stream,
    shown,
    signal,
  });
  const [image] = images;
  if (image !== undefined) return { registry, repo: layoutRepository, root: image.descriptor.digest, close };
  close();
  throw faults[0]?.error ?? invalidArchive(shown, 'holds no image');
}
