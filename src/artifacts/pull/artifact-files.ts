import { constants, copyFile, open, rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { writeBlobFile } from '../../archive/write/blob-file.ts';
import { unpackLayer } from '../../archive/write/unpacked-layer.ts';
import { type ArchiveReceiver, createWriteOnly } from '../../archive/write/write-only.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { quote, visible } from '../../model/quote.ts';
import type { BlobSource } from '../../registry/content.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import { onFiles } from './on-files.ts';
import { checkPlace, makeParents, type OutputDirectory, openOutputDirectory } from './output-directory.ts';
import { placeDirectory, placeFile } from './place.ts';
import { type ConfigFile, type PlannedFile, planFiles } from './plan.ts';
import { refuseConflicts } from './titles.ts';
import { type UnpackedDirectory, unpackTar } from './unpack.ts';

/** A file or directory that was pulled. */
export interface PulledFile {
  /** In full; that of a directory ends with a separator. */
  readonly path: string;
  /** As the manifest has it. */
  readonly descriptor: Descriptor;
}

/**
 * The files of an artifact: a registry that a transfer writes the artifact to. Nothing is in its place before `finish`;
 * disposing without it leaves nothing behind.
 */
export interface ArtifactFiles extends AsyncDisposable {
  readonly registry: Registry;
  /** Content without a title, of which no file is made. */
  readonly untitled: readonly Descriptor[];
  /** Puts all files in their places. @throws OciError REFUSED, STORAGE_*; the message says which files are there. */
  finish(opts?: SignalOption): Promise<readonly PulledFile[]>;
}

export interface ArtifactFilesOptions {
  /** The artifact, in messages. */
  readonly name: string;
  /** Where the files go; it is made. */
  readonly directory: string;
  /** Whether a file that exists is an error. Default: it is replaced. */
  readonly keepOld?: boolean | undefined;
  /** Writes the config to a file too. */
  readonly config?: ConfigFile | undefined;
}

/**
 * Prepares the files of an artifact. Titles and what is in the directory are checked before anything is written.
 *
 * @throws OciError MANIFEST_INVALID for titles that lead elsewhere or contradict each other; REFUSED for what is in the way;
 *   UNSUPPORTED for what has no files; STORAGE_*.
 */
export async function openArtifactFiles(
  manifest: Manifest,
  { name, directory, keepOld = false, config }: ArtifactFilesOptions,
): Promise<ArtifactFiles> {
  const { files, untitled } = planFiles(manifest, name, config);
  for (const file of files) await checkPlace(directory, file, keepOld);
  const output = await openOutputDirectory(directory);
  const staging = new Staging(files, output, keepOld);
  const dispose = async (): Promise<void> => {
    // What cannot be removed must not hide the first error; the next pull tries again.
    await rm(output.work, { recursive: true, force: true }).catch(() => {});
    await output.removeEmpty();
  };
  try {
    refuseConflicts(files, output.fold);
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    registry: createWriteOnly(visible(directory), staging),
    untitled,
    finish: async (opts) => {
      await staging.finish(opts);
      return files.map(({ descriptor, path, isDirectory }) => ({
        path: join(output.path, ...path) + (isDirectory ? sep : ''),
        descriptor,
      }));
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** Takes the files into the work directory, and moves them when all have come. */
class Staging implements ArchiveReceiver {
  readonly #files: readonly PlannedFile[];
  readonly #output: OutputDirectory;
  readonly #keepOld: boolean;
  readonly #unpacked = new Map<PlannedFile, readonly UnpackedDirectory[]>();

  constructor(files: readonly PlannedFile[], output: OutputDirectory, keepOld: boolean) {
    this.#files = files;
    this.#output = output;
    this.#keepOld = keepOld;
  }

  expect(): void {}
  complete(): void {}
  async manifest(): Promise<void> {}

  async blob(descriptor: Descriptor, source: BlobSource, opts?: SignalOption): Promise<'exists' | 'pushed'> {
    const files = this.#files.filter(({ descriptor: { digest } }) => digest === descriptor.digest);
    let first: string | undefined;
    for (const file of files) {
      if (file.isDirectory) {
        this.#unpacked.set(file, await this.#unpack(file, source, opts));
        continue;
      }
      const path = this.#pathOf(file);
      const shown = visible(file.title);
      const from = first;
      if (from === undefined) {
        await writeBlobFile({ directory: this.#output.work, path, shown }, file.descriptor, source, opts);
      } else {
        await onFiles('write', shown, () => copyDurably(from, path));
      }
      first = path;
    }
    return files.length === 0 ? 'exists' : 'pushed';
  }

  async #unpack(file: PlannedFile, source: BlobSource, opts?: SignalOption): Promise<readonly UnpackedDirectory[]> {
    const { descriptor, unpackedDigest, title, path } = file;
    await using layer = await unpackLayer(descriptor, source, this.#output.work, opts);
    if (unpackedDigest !== undefined && unpackedDigest !== layer.diffId) {
      const message = `the archive of the directory ${quote(title)} is ${layer.diffId}, not ${unpackedDigest} as its annotation says`;
      throw new OciError('DIGEST_MISMATCH', message, { hint: 'whoever pushed it has to push it again' });
    }
    const { size } = layer;
    const archive = {
      shown: `the directory ${quote(title)}`,
      size,
      read: (into: Uint8Array, position: number) => layer.file.readAt(into, position),
      close: () => {},
    };
    return await unpackTar(archive, { into: this.#pathOf(file), prefix: path, ...opts });
  }

  #pathOf(file: PlannedFile): string {
    return join(this.#output.work, String(this.#files.indexOf(file)));
  }

  async finish({ signal }: SignalOption = {}): Promise<void> {
    const { path: root } = this.#output;
    for (const file of this.#files) await checkPlace(root, file, this.#keepOld);
    for (const [i, file] of this.#files.entries()) {
      try {
        signal?.throwIfAborted();
        await makeParents(root, file.path);
        await checkPlace(root, file, this.#keepOld);
        const [from, target] = [this.#pathOf(file), join(root, ...file.path)];
        const directories = this.#unpacked.get(file);
        if (directories) await placeDirectory(from, target, file, directories);
        else await placeFile(from, target);
      } catch (error) {
        throw partly(error, this.#files.slice(0, i));
      }
    }
  }
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await using handle = await open(to, 'r+');
  await handle.sync();
}

/** An error while files are moved to their places, which says which are there. */
function partly(error: unknown, placed: readonly { readonly title: string }[]): unknown {
  if (placed.length === 0 || !isOciError(error)) return error;
  const shown = placed.slice(0, 10).map(({ title }) => quote(title));
  const more = placed.length > shown.length ? ` and ${placed.length - shown.length} more` : '';
  const message = `${error.message}; written before that: ${shown.join(', ')}${more}`;
  return new OciError(error.code, message, { hint: error.hint, cause: error });
}
