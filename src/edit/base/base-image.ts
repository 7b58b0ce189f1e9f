/** Images that others are based on. */
import { OciError } from '../../model/errors.ts';
import { JsonText } from '../../model/json-text.ts';
import { type ImageConfig, readImageConfig } from '../../model/manifest/image-config.ts';
import type { ImageView, Manifest } from '../../model/manifest/manifest.ts';
import { describePlatform, type Platform } from '../../model/platform/platform.ts';
import { readConfig } from '../../registry/config.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { TransferEnd, TransferRoot } from '../../transfer/options.ts';
import { resolveImage } from '../../transfer/platforms.ts';

/** A base for one platform. */
export interface BaseImage {
  readonly manifest: Manifest;
  readonly view: ImageView;
  readonly config: ImageConfig;
  readonly text: JsonText;
}

type BaseEnd = TransferEnd & Pick<TransferRoot['from'], 'reference'>;

/** Reads the image of a base for a platform. @throws OciError PLATFORM_UNKNOWN, MANIFEST_UNKNOWN; UNSUPPORTED for what is no image */
export async function baseImage(end: BaseEnd, platform: Platform, opts: SignalOption): Promise<BaseImage> {
  const manifest = await resolveImage(end, platform, { ...opts, requirePlatform: false });
  const { view } = manifest;
  if (view.kind !== 'image') {
    throw new OciError('UNSUPPORTED', `the base ${manifest.descriptor.digest} is no image`);
  }
  const bytes = await readConfig(end.registry, end.repo, view.config, opts);
  return { manifest, view, config: readImageConfig(bytes), text: JsonText.parse(bytes) };
}

/** The first layer of a base that an image does not begin with, from 0; undefined if it begins with all. */
export function firstDifference(diffIds: readonly string[], base: readonly string[]): number | undefined {
  const at = base.findIndex((diffId, i) => diffIds[i] !== diffId);
  return at < 0 ? undefined : at;
}

/** @throws OciError USAGE naming the first layer that differs. */
export function requireBase(diffIds: readonly string[], base: BaseImage, platform: Platform): void {
  const at = firstDifference(diffIds, base.config.diffIds);
  if (at === undefined) return;
  const [has, wants] = [diffIds[at], base.config.diffIds[at]];
  throw new OciError(
    'USAGE',
    `the image for ${describePlatform(platform)} is not based on ${base.manifest.descriptor.digest}: layer ${at + 1} of the base is ` +
      `${String(wants)}, that of the image ${has === undefined ? 'does not exist' : `is ${has}`}`,
    { hint: 'name the base that it was built from, best by digest, with --old-base' },
  );
}
