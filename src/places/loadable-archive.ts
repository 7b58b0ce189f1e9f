import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ArchivedImage, OpenArchive } from '../archive/open-archive.ts';
import { defaultTag, type RepositoryName } from '../model/reference/reference.ts';
import { dockerArchiveKind } from './docker-archive.ts';
import { filePlace } from './file-place.ts';
import { ociArchiveKind } from './oci-archive.ts';
import type { Place, PlaceSources } from './place.ts';

/** An archive of either kind, all of whose images can be read. */
export interface LoadableArchive extends Omit<OpenArchive, 'close'>, AsyncDisposable {
  /** Its name in messages. */
  readonly shown: string;
  readonly repo: RepositoryName;
  /** One of its images, as a source. */
  placeOf(image: ArchivedImage): Place;
}

interface LoadableOptions extends Pick<PlaceSources, 'stdin' | 'signal'> {
  /** Opens the archive as a place of its kind, of which a policy may let only some images be copied. */
  readonly judged?: ((open: () => Promise<Place>) => Promise<Place>) | undefined;
}

/**
 * Opens an archive whose kind is not known.
 *
 * @param file Its path; `-` for standard input.
 * @throws OciError as `openDockerArchive`.
 */
export async function openLoadable(
  file: string,
  { stdin, signal, judged = (open) => open() }: LoadableOptions,
): Promise<LoadableArchive> {
  const [{ openImageArchive }, { layoutRepository, parseLayoutName }] = await Promise.all([
    import('../archive/docker-archive.ts'),
    import('../layout/layout.ts'),
  ]);
  const shown = file === '-' ? 'standard input' : file;
  const real = file === '-' ? file : await realpath(file).catch(() => resolve(file));
  const common = {
    real,
    repo: layoutRepository,
    written: undefined,
    parseName: parseLayoutName,
    names: async () => [],
    dispose: async () => {},
  };
  let opened: Awaited<ReturnType<typeof openImageArchive>> | undefined;
  const { registry } = await judged(async () => {
    opened = await openImageArchive(shown, { file, stdin, signal });
    // podman too takes one that is both for an OCI archive: its images have the digests that were signed.
    const kind = opened.isLayout ? ociArchiveKind : dockerArchiveKind;
    return filePlace({ ...common, kind, registry: opened.registry, file }, defaultTag, false);
  });
  if (!opened) throw new Error('the archive was not opened');
  const { close, images, faults, hasEnd } = opened;
  return {
    ...{ registry, images, faults, hasEnd, shown },
    repo: layoutRepository,
    placeOf: ({ descriptor }) =>
      filePlace({ ...common, kind: { ...ociArchiveKind, prefix: '' }, registry, file: shown }, descriptor.digest, true),
    async [Symbol.asyncDispose]() {
      close();
    },
  };
}
