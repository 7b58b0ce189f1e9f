/** manifest.json of `docker save`: which files make up which image. */
import { isOciError, OciError } from '../../model/errors.ts';
import { parseJson } from '../../model/json.ts';
import { asArray, asObject, asString, asStrings } from '../../model/json-fields.ts';
import { quote } from '../../model/quote.ts';
import { plainName } from '../envelope/names.ts';
import type { ArchiveFiles } from '../files.ts';

export const manifestJsonPath = 'manifest.json';

/** In bytes: some ten thousand images. */
const maxManifestJsonBytes = 16 * 1024 * 1024;

/** What is kept in memory of it. An image without a name counts as one name. */
const maxNames = 50_000;
const maxLayers = 200_000;

/** One image, as manifest.json describes it. Paths are in the archive. */
export interface SavedImage {
  readonly config: string;
  /** References as in the file: `alpine:3`. Empty for an image that was saved by its ID. */
  readonly names: readonly string[];
  /** Tar files, the lowest layer first. */
  readonly layers: readonly string[];
}

/**
 * Reads manifest.json; undefined if there is none.
 *
 * @throws OciError ARCHIVE_INVALID for one that is malformed, or has more names or layers than are read; TOO_LARGE
 * @see https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#combined-image-json--filesystem-changeset-format
 */
export async function readManifestJson(files: ArchiveFiles): Promise<readonly SavedImage[] | undefined> {
  const bytes = await files.read(manifestJsonPath, maxManifestJsonBytes);
  if (bytes === undefined) return undefined;
  try {
    const images = asArray(parsed(bytes), 'the document').map(savedImage);
    refuseExcess(files, images);
    return images;
  } catch (cause) {
    if (!isOciError(cause, 'MANIFEST_INVALID')) throw cause;
    const problem = cause.message.replace(/^malformed manifest: /, '');
    throw new OciError('ARCHIVE_INVALID', `${files.shown(manifestJsonPath)}: ${problem}`, {
      cause,
      hint: files.remedy,
    });
  }
}

function refuseExcess(files: ArchiveFiles, images: readonly SavedImage[]): void {
  const names = images.reduce((sum, image) => sum + Math.max(image.names.length, 1), 0);
  const layers = images.reduce((sum, image) => sum + image.layers.length, 0);
  const excess = names > maxNames ? `${names} images and names` : layers > maxLayers ? `${layers} layers` : undefined;
  if (excess === undefined) return;
  const limits = `at most ${maxNames} names and ${maxLayers} layers are read`;
  throw new OciError('ARCHIVE_INVALID', `${files.shown(manifestJsonPath)} has ${excess}: ${limits}`, {
    hint: 'save the images in several archives',
  });
}

function savedImage(value: unknown, i: number): SavedImage {
  const where = `[${i}]`;
  const fields = asObject(value, where);
  return {
    config: pathIn(asString(fields['Config'], `${where}.Config`), `${where}.Config`),
    names: [...new Set(asStrings(fields['RepoTags'], `${where}.RepoTags`))],
    layers: asStrings(fields['Layers'], `${where}.Layers`).map((path, j) => pathIn(path, `${where}.Layers[${j}]`)),
  };
}

function pathIn(text: string, where: string): string {
  const path = plainName(text);
  if (path) return path;
  throw new OciError('MANIFEST_INVALID', `${where} is no file in the archive: ${quote(text)}`);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new OciError('MANIFEST_INVALID', 'it is not JSON', { cause });
  }
}
