import { readdir, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OciError } from '../model/errors.ts';
import { defaultTag } from '../model/reference/reference.ts';
import { filePlace } from './file-place.ts';
import type { Place, PlaceKind, PlaceSources } from './place.ts';

const prefix = 'dir:';

/** Directories of skopeo, each with one image and without its name. */
export const dirKind: PlaceKind = {
  prefix,
  help: {
    image: 'dir:DIR for a directory of skopeo',
    repository: 'directories of skopeo (dir:DIR)',
    side: 'directories of skopeo (dir:DIR)',
  },
  insteadOfName: 'ocictl copy reads and writes directories of skopeo',
  incomplete: 'never',
  own: true,
  hasRepository: false,
  single: true,
  async open(rest, role, sources) {
    if (rest === '') throw new OciError('REFERENCE_INVALID', `${prefix} names no directory`, { hint: 'write dir:DIR' });
    if (role === 'removal') throw onlyRead(rest);
    if (role === 'destination') return writeDir(rest, sources);
    const [{ layoutRepository, parseLayoutName }, { openDir }] = await Promise.all([
      import('../layout/layout.ts'),
      import('../archive/dir/open-dir.ts'),
    ]);
    const { registry, root } = await openDir(`${prefix}${rest}`, rest);
    const real = await realpath(rest).catch(() => resolve(rest));
    const images = {
      kind: dirKind,
      registry,
      repo: layoutRepository,
      file: rest,
      real,
      replaced: real,
      written: undefined,
      parseName: parseLayoutName,
      names: async () => [],
      dispose: async () => {},
    };
    return filePlace(images, root, false);
  },
};

/** Opens a directory to write one image to. It appears when the place is finished. */
async function writeDir(rest: string, sources: PlaceSources): Promise<Place> {
  const [{ layoutRepository, parseLayoutName }, { createDirWriter }] = await Promise.all([
    import('../layout/layout.ts'),
    import('../archive/write/dir-writer.ts'),
  ]);
  const name = `${prefix}${rest}`;
  const { registry, finish, [Symbol.asyncDispose]: dispose } = await createDirWriter(name, rest);
  const real = await realpath(rest).catch(() => resolve(rest));
  const images = {
    kind: dirKind,
    registry,
    repo: layoutRepository,
    sparse: false,
    file: rest,
    real,
    replaced: real,
    occupied: await isOccupied(real),
    readsBack: false,
    reopen: () => dirKind.open(rest, 'source', sources),
    written: undefined,
    parseName: parseLayoutName,
    names: async () => [],
    finish,
    dispose: async () => dispose(),
  };
  return {
    ...filePlace(images, defaultTag, false),
    tag: undefined,
    fullName: name,
    at: () => {
      throw new OciError('USAGE', `${name} takes one image, without its tag`, { hint: 'write a layout: oci:DIR' });
    },
  };
}

async function isOccupied(directory: string): Promise<boolean> {
  return (await readdir(directory).catch(() => [])).length > 0;
}

function onlyRead(rest: string): OciError {
  return new OciError('USAGE', `${prefix}${rest} is a directory of skopeo: nothing is deleted from it`, {
    hint: `a layout can be changed: oci:${rest}`,
  });
}
