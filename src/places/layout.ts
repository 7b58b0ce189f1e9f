import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { defaultTag } from '../model/reference/reference.ts';
import { filePlace } from './file-place.ts';
import { parseFileWord, splitFileWord, withColonTold } from './file-word.ts';
import { type PlaceKind, refuseDigestTarget } from './place.ts';

const prefix = 'oci:';
const wording = { prefix, label: 'DIRECTORY', thing: 'a layout' };

/** OCI image layouts: directories. */
export const layoutKind: PlaceKind = {
  prefix,
  help: {
    image: 'oci:DIR[:TAG] for an OCI layout',
    repository: 'layouts (oci:DIR)',
    side: 'OCI layouts (oci:DIR[:TAG])',
  },
  insteadOfName: 'ocictl copy reads and writes layouts',
  incomplete: 'later',
  own: true,
  hasRepository: false,
  split: (rest) => splitFileWord(rest, wording),
  async open(rest, role) {
    const word = parseFileWord(rest, wording);
    const { file, name, digest } = word;
    refuseDigestTarget(`${prefix}${rest}`, digest, role);
    const { emptyLayout, layoutRepository, onlyImage, openLayout, parseLayoutName, rootImages } = await import(
      '../layout/layout.ts'
    );
    const tag = name === undefined ? undefined : parseLayoutName(name);
    const registry = await openLayout({
      directory: file,
      create: role === 'destination',
      readOnly: role === 'source' || role === 'repository',
    }).catch((error: unknown) => {
      throw withColonTold(error, word, wording);
    });
    const named = digest ?? tag;
    const reference = named ?? (role === 'source' ? await onlyImage(registry) : defaultTag);
    let isFinished = false;
    const images = {
      kind: layoutKind,
      registry,
      repo: layoutRepository,
      file,
      real: await realpath(file).catch(() => resolve(file)),
      written: name,
      parseName: parseLayoutName,
      names: async () => (await registry.extension(rootImages)?.names()) ?? [],
      async finish() {
        isFinished = true;
      },
      async dispose() {
        if (isFinished) return;
        // An error here must not replace the one that ended the write.
        await registry
          .extension(emptyLayout)
          ?.remove()
          .catch(() => {});
      },
    };
    return filePlace(images, reference, named !== undefined);
  },
};
