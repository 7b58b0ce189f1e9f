import { type Digest, digestBytes, tryParseDigest } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import { asObject, asStrings, parseJsonObject } from '../../model/json-fields.ts';
import { quote } from '../../model/quote.ts';
import { invalidArchive } from '../envelope/errors.ts';
import type { ArchiveFiles } from '../files.ts';
import type { SavedImage } from './manifest-json.ts';

/** The same limit as for a manifest. */
const maxConfigBytes = 4 * 1024 * 1024;

/** The config of a saved image. */
export interface SavedConfig {
  readonly digest: Digest;
  readonly size: number;
  /** Digests of the layers uncompressed, the lowest first. */
  readonly diffIds: readonly Digest[];
}

/**
 * Reads the configs of saved images, each once however many images have it.
 *
 * @throws OciError ARCHIVE_INVALID if it is missing or malformed, or does not fit the layers; DIGEST_MISMATCH if its name tells
 * another digest; TOO_LARGE
 */
export function createConfigReader(files: ArchiveFiles): (image: SavedImage) => Promise<SavedConfig> {
  const configs = new Map<string, Promise<SavedConfig>>();
  const lengths = new Map<string, number>();
  const refuseOther = (image: SavedImage, length: number | undefined): void => {
    if (length === undefined || length === image.layers.length) return;
    const count = `${image.layers.length} layers for ${length} in ${quote(image.config)}`;
    throw invalidArchive(files.archive, `contradicts itself: manifest.json has ${count}`);
  };
  return async (image) => {
    const path = image.config;
    refuseOther(image, lengths.get(path));
    const reading = configs.get(path) ?? readConfig(files, image);
    configs.set(path, reading);
    const config = await reading;
    lengths.set(path, config.diffIds.length);
    // What fits no image is not kept: an archive could have thousands of large ones.
    if (config.diffIds.length !== image.layers.length) configs.delete(path);
    refuseOther(image, config.diffIds.length);
    return config;
  };
}

async function readConfig(files: ArchiveFiles, image: SavedImage): Promise<SavedConfig> {
  const bytes = await files.read(image.config, maxConfigBytes);
  if (bytes === undefined) throw lacks(files, [image.config]);
  const digest = await digestBytes(bytes);
  const told = toldDigest(image);
  if (told !== undefined && digest !== told) {
    throw new OciError('DIGEST_MISMATCH', `${files.shown(image.config)} is ${digest}, not what its name says`, {
      hint: files.remedy,
    });
  }
  const diffIds = diffIdsIn(files, image.config, bytes);
  return { digest, size: bytes.length, diffIds };
}

/** The digest of the config according to its name, as most programs name it. */
export function toldDigest({ config }: SavedImage): Digest | undefined {
  const hex = /^(?:.*\/)?(?:sha256:)?([0-9a-f]{64})(?:\.json)?$/.exec(config)?.[1];
  return tryParseDigest(`sha256:${hex}`);
}

/** @param paths The files that are missing. */
export function lacks({ archive, remedy }: ArchiveFiles, paths: readonly string[]): OciError {
  const [first = '', ...more] = paths;
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  return new OciError('ARCHIVE_INVALID', `${archive} is not complete: it lacks ${first}${others}`, { hint: remedy });
}

function diffIdsIn(files: ArchiveFiles, path: string, bytes: Uint8Array): readonly Digest[] {
  try {
    const { rootfs } = parseJsonObject(bytes);
    return asStrings(asObject(rootfs ?? {}, 'rootfs')['diff_ids'], 'rootfs.diff_ids').map((text) => {
      const digest = tryParseDigest(text);
      if (digest !== undefined) return digest;
      throw new OciError('MANIFEST_INVALID', `rootfs.diff_ids has ${quote(text)}, which is not a digest`);
    });
  } catch (cause) {
    if (!isOciError(cause, 'MANIFEST_INVALID')) throw cause;
    const problem = cause.message.replace(/^malformed manifest: /, '');
    throw new OciError('ARCHIVE_INVALID', `${files.shown(path)}: ${problem}`, { cause, hint: files.remedy });
  }
}
