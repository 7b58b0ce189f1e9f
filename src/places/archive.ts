import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ArchiveSource } from '../archive/envelope/open-file.ts';
import type { OpenArchive } from '../archive/open-archive.ts';
import { OciError } from '../model/errors.ts';
import { defaultTag } from '../model/reference/reference.ts';
import { filePlace } from './file-place.ts';
import { parseFileWord, withColonTold } from './file-word.ts';
import type { Place, PlaceKind, PlaceRole, PlaceSources } from './place.ts';

/** Opens the file of an archive. @param name The archive's name in messages. */
type OpenFile = (name: string, source: ArchiveSource) => Promise<OpenArchive>;

/** Opens an archive to read images of it. @param rest The word without the kind's prefix. */
export async function readArchive(
  kind: PlaceKind,
  rest: string,
  role: PlaceRole,
  { stdin, signal }: PlaceSources,
  open: OpenFile,
): Promise<Place> {
  const { prefix } = kind;
  const wording = { prefix, label: 'FILE', thing: 'an archive' };
  const word = parseFileWord(rest, wording);
  const { file, name, digest } = word;
  if (role === 'removal') throw onlyRead(`${prefix}${file}`);
  const { layoutRepository, onlyImage, parseLayoutName, rootImages } = await import('../layout/layout.ts');
  const named = digest ?? (name === undefined ? undefined : parseLayoutName(name));
  const opened = await open(`${prefix}${file}`, { file, stdin, signal }).catch((error: unknown) => {
    throw withColonTold(error, word, wording);
  });
  const { registry } = opened;
  try {
    const real = await realpath(file).catch(() => resolve(file));
    const images = {
      kind,
      registry,
      repo: layoutRepository,
      file,
      real,
      replaced: file === '-' ? undefined : real,
      written: name,
      parseName: parseLayoutName,
      names: async () => (await registry.extension(rootImages)?.names()) ?? [],
      explain: (error: unknown) => faultOf(opened, name) ?? error,
      dispose: async () => opened.close(),
    };
    if (named === undefined && opened.faults[0]) throw opened.faults[0].error;
    const reference = named ?? (role === 'source' ? await onlyImage(registry) : defaultTag);
    return filePlace(images, reference, named !== undefined);
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** Why the image of a name cannot be read, if its archive has others that can. */
function faultOf({ faults }: OpenArchive, name: string | undefined): OciError | undefined {
  return faults.find(({ names }) => name !== undefined && names.includes(name))?.error;
}

function onlyRead(name: string): OciError {
  return new OciError('USAGE', `${name} is an archive: nothing can be deleted from it`, {
    hint: 'a directory can be changed: oci:DIR[:TAG]',
  });
}
