import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { defaultTag, formatReference, parseReference, withDefaultTag } from '../model/reference/reference.ts';
import { filePlace } from './file-place.ts';
import { parseFileWord } from './file-word.ts';
import { type Place, type PlaceKind, type PlaceSources, refuseDigestTarget } from './place.ts';

/**
 * Opens an archive to write images to. The file appears when the place is finished, in place of what had its name.
 *
 * @param rest The word without the kind's prefix.
 */
export async function writeArchive(
  kind: PlaceKind,
  rest: string,
  sources: PlaceSources,
  format: 'oci' | 'docker',
): Promise<Place> {
  const { stdout, platform, signal } = sources;
  const { prefix } = kind;
  const { file, name, digest } = parseFileWord(rest, { prefix, label: 'FILE', thing: 'an archive' });
  refuseDigestTarget(`${prefix}${rest}`, digest, 'destination');
  const { layoutRepository, parseLayoutName } = await import('../layout/layout.ts');
  const { createArchiveWriter, openFileOutput, openStreamOutput } = await import('../archive/write/writer.ts');
  // In Docker's archives, a word alone is the name of a repository, as with skopeo.
  const written = name !== undefined && format === 'docker' ? inFull(name) : name;
  const named = written === undefined ? undefined : parseLayoutName(written);
  const output = await (file === '-' ? openStreamOutput('standard output', stdout()) : openFileOutput(file));
  const own = await platform();
  const writer = createArchiveWriter({ output, format, platform: own });
  const real = file === '-' ? file : await realpath(file).catch(() => resolve(file));
  const images = {
    kind,
    registry: writer.registry,
    repo: layoutRepository,
    sparse: false,
    file,
    real,
    replaced: real,
    occupied: file !== '-' && (await isFile(real)),
    readsBack: false,
    // Docker's archives have other manifests than what is copied to them.
    reopen: format === 'docker' || file === '-' ? undefined : async () => kind.open(rest, 'source', sources),
    written: name,
    parseName: writer.nameOf,
    names: async () => [],
    finish: () => writer.finish({ signal }),
    dispose: async () => writer[Symbol.asyncDispose](),
  };
  const place = filePlace(images, named ?? defaultTag, named !== undefined);
  // Docker's archives have one platform.
  return format === 'docker' ? { ...place, platform: own } : place;
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}

function inFull(name: string): string {
  return formatReference(withDefaultTag(parseReference(name)));
}
