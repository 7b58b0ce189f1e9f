import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OciError } from '../model/errors.ts';
import { filePlace } from './file-place.ts';
import type { PlaceKind, PlaceRole } from './place.ts';

const prefix = 'dir:';

/** Directories of skopeo, each with one image and without its name. */
export const dirKind: PlaceKind = {
  prefix,
  help: {
    image: 'dir:DIR for a directory of skopeo',
    repository: 'directories of skopeo (dir:DIR)',
    side: 'directories of skopeo (dir:DIR)',
  },
  insteadOfName: 'ocictl copy reads directories of skopeo',
  incomplete: 'later',
  own: true,
  hasRepository: false,
  async open(rest, role) {
    if (rest === '') throw new OciError('REFERENCE_INVALID', `${prefix} names no directory`, { hint: 'write dir:DIR' });
    if (role === 'destination' || role === 'removal') throw onlyRead(rest, role);
    const [{ layoutRepository, parseLayoutName }, { openDir }] = await Promise.all([
      import('../layout/layout.ts'),
      import('../archive/dir/open-dir.ts'),
    ]);
    const { registry, root } = await openDir(`${prefix}${rest}`, rest);
    const images = {
      kind: dirKind,
      registry,
      repo: layoutRepository,
      file: rest,
      real: await realpath(rest).catch(() => resolve(rest)),
      written: undefined,
      parseName: parseLayoutName,
      names: async () => [],
      dispose: async () => {},
    };
    return filePlace(images, root, false);
  },
};

function onlyRead(rest: string, role: PlaceRole): OciError {
  const problem = role === 'removal' ? 'nothing is deleted from it' : 'it is only read';
  return new OciError('USAGE', `${prefix}${rest} is a directory of skopeo: ${problem}`, {
    hint: `a layout can be written and changed: oci:${rest}`,
  });
}
