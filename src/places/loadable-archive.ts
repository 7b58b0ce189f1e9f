import type { ArchivedImage, OpenArchive } from '../archive/open-archive.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
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

/**
 * Opens an archive whose kind is not known.
 *
 * @param file Its path; `-` for standard input.
 * @throws OciError as `openDockerArchive`.
 */
export async function openLoadable(
  file: string,
  { stdin, signal }: Pick<PlaceSources, 'stdin' | 'signal'>,
): Promise<LoadableArchive> {
  const [{ openImageArchive }, { layoutRepository, parseLayoutName }] = await Promise.all([
    import('../archive/docker-archive.ts'),
    import('../layout/layout.ts'),
  ]);
  const shown = file === '-' ? 'standard input' : file;
  const opened = await openImageArchive(shown, { file, stdin, signal });
  const { close, ...images } = opened;
  return {
    ...images,
    shown,
    repo: layoutRepository,
    placeOf: ({ descriptor }) =>
      filePlace(
        {
          kind: { ...ociArchiveKind, prefix: '' },
          registry: images.registry,
          repo: layoutRepository,
          file: shown,
          real: shown,
          written: undefined,
          parseName: parseLayoutName,
          names: async () => [],
          dispose: async () => {},
        },
        descriptor.digest,
        true,
      ),
    async [Symbol.asyncDispose]() {
      close();
    },
  };
}
