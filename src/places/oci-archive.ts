import { readArchive } from './archive.ts';
import { splitFileWord } from './file-word.ts';
import type { PlaceKind } from './place.ts';
import { writeArchive } from './written-archive.ts';

/** OCI layouts in a tar file. Its help names archives of Docker too. */
export const ociArchiveKind: PlaceKind = {
  prefix: 'oci-archive:',
  help: {
    image: 'oci-archive:FILE[:TAG] or docker-archive:FILE[:TAG] for an archive',
    repository: 'archives (oci-archive:FILE, docker-archive:FILE)',
    side: 'archives (oci-archive:FILE[:TAG], docker-archive:FILE[:TAG])',
  },
  insteadOfName: 'ocictl copy reads one image of an archive, ocictl load reads all',
  incomplete: 'never',
  own: true,
  hasRepository: false,
  split: (rest) => splitFileWord(rest, { prefix: 'oci-archive:', label: 'FILE', thing: 'an archive' }),
  async open(rest, role, sources) {
    if (role === 'destination') return writeArchive(ociArchiveKind, rest, sources, 'oci');
    const { openOciArchive } = await import('../archive/oci-archive.ts');
    return await readArchive(ociArchiveKind, rest, role, sources, openOciArchive);
  },
};
