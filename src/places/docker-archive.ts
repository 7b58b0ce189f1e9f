import { OciError } from '../model/errors.ts';
import { readArchive } from './archive.ts';
import type { PlaceKind } from './place.ts';

/** Archives of `docker save`. Help names them beside those of OCI. */
export const dockerArchiveKind: PlaceKind = {
  prefix: 'docker-archive:',
  insteadOfName: 'ocictl copy reads one image of an archive, ocictl load reads all',
  incomplete: 'later',
  own: true,
  hasRepository: false,
  async open(rest, role, sources) {
    if (role === 'destination') throw onlyRead(rest);
    const { openDockerArchive } = await import('../archive/docker-archive.ts');
    return await readArchive(dockerArchiveKind, rest, role, sources, openDockerArchive);
  },
};

function onlyRead(rest: string): OciError {
  return new OciError('USAGE', `docker-archive:${rest} cannot be written to`, {
    hint: 'ocictl save writes archives that docker load takes',
  });
}
