import { readArchive } from './archive.ts';
import type { PlaceKind } from './place.ts';
import { writeArchive } from './written-archive.ts';

/** Archives of `docker save`. Help names them beside those of OCI. */
export const dockerArchiveKind: PlaceKind = {
  prefix: 'docker-archive:',
  insteadOfName: 'ocictl copy reads one image of an archive, ocictl load reads all',
  incomplete: 'never',
  own: true,
  converts: true,
  hasRepository: false,
  async open(rest, role, sources) {
    if (role === 'destination') return writeArchive(dockerArchiveKind, rest, sources, 'docker');
    const { openDockerArchive } = await import('../archive/docker-archive.ts');
    return await readArchive(dockerArchiveKind, rest, role, sources, openDockerArchive);
  },
};
