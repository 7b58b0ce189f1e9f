/** Choosing by platform: an entry of an index, or whether an image is for the platform at all. */

import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { configPlatform } from '../model/manifest/image-config.ts';
import type { IndexView, Manifest } from '../model/manifest/manifest.ts';
import { bareMediaType, isIndexType } from '../model/manifest/media-types.ts';
import { formatPlatform, type Platform } from '../model/platform/platform.ts';
import { isAttestation, platformMatches, selectPlatform } from '../model/platform/platform-selection.ts';
import { quote } from '../model/quote.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import { readConfig } from '../registry/config.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import type { TransferEnd } from './options.ts';

/** The greatest depth of nested indexes: a hostile registry could nest them without end. */
export const maxIndexDepth = 16;

type GetManifest = (entry: Descriptor) => Promise<Manifest>;

/** The best entry for a platform. An entry without a platform may be an index; it matches if an entry inside it does. */
export async function findEntry(
  view: IndexView,
  platform: Platform,
  get: GetManifest,
  depth = 0,
  searched = new Set<Digest>(),
): Promise<Descriptor | undefined> {
  for (const entry of selectPlatform(view.manifests, platform)) {
    if (entry.platform !== undefined || !isIndexType(entry.mediaType)) return entry;
    // Otherwise a few small indexes that name each other ten times would be searched 10^16 times.
    if (depth >= maxIndexDepth || searched.has(entry.digest)) continue;
    searched.add(entry.digest);
    const { view: inner } = await get(entry);
    if (inner.kind === 'index' && (await findEntry(inner, platform, get, depth + 1, searched))) return entry;
  }
  return undefined;
}

/**
 * The one image for a platform that a reference resolves to through all indexes.
 *
 * @param requirePlatform Whether the image's config must name the platform, if no index does. Default true.
 * @param opts.root What the reference stands for, if it was read already.
 * @throws OciError PLATFORM_UNKNOWN; MANIFEST_UNKNOWN if a local index lacks that image.
 */
export async function resolveImage(
  end: TransferEnd & { readonly reference: Tag | Digest },
  platform: Platform,
  opts: SignalOption & { readonly requirePlatform?: boolean; readonly root?: Manifest } = {},
): Promise<Manifest> {
  const { registry, repo } = end;
  const get = async (entry: Descriptor): Promise<Manifest> => {
    const manifest = await registry.getManifest(repo, entry.digest, opts).catch((error: unknown) => {
      throw end.sparse && isOciError(error, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN') ? leftOut(end, platform, error) : error;
    });
    checkType(entry, manifest);
    return manifest;
  };
  const root = opts.root ?? (await registry.getManifest(repo, end.reference, opts));
  const choose = (view: IndexView): Promise<Descriptor | undefined> => findEntry(view, platform, get);
  const { image, isVouchedFor } = await followIndexes(root, platform, choose, get);
  if (!isVouchedFor && opts.requirePlatform !== false) {
    await requirePlatform(registry, repo, image, [platform], opts);
  }
  return image;
}

/**
 * The descriptor of what a reference stands for, or of its image for a platform.
 *
 * @throws OciError MANIFEST_UNKNOWN, and with a platform as {@link resolveImage}
 */
export async function describeNamed(
  end: TransferEnd & { readonly reference: Tag | Digest },
  platform: Platform | undefined,
  opts: SignalOption,
): Promise<Descriptor> {
  if (platform) return (await resolveImage(end, platform, opts)).descriptor;
  return await end.registry.statManifest(end.repo, end.reference, opts);
}

/**
 * The manifest of the artifact that a reference stands for. In an index it is that for a platform, or the only one.
 *
 * @param choice.platform The platform that was asked for.
 * @param choice.ownPlatform The platform of this machine, which decides where none was asked for.
 * @throws OciError PLATFORM_UNKNOWN, also for an index of several artifacts that are for no platform; MANIFEST_UNKNOWN,
 *   MANIFEST_INVALID.
 */
export async function resolveArtifact(
  end: TransferEnd & { readonly reference: Tag | Digest },
  choice: { readonly platform: Platform | undefined; readonly ownPlatform: Platform },
  opts: SignalOption,
): Promise<Manifest> {
  const { registry, repo, reference } = end;
  if (choice.platform) return await resolveImage(end, choice.platform, opts);
  const root = await registry.getManifest(repo, reference, opts);
  if (root.view.kind !== 'index') return root;
  const entries = root.view.manifests.filter((entry) => !isAttestation(entry));
  const [entry] = entries;
  if (entries.length > 1 && entries.every(({ platform }) => platform === undefined)) {
    throw new OciError('PLATFORM_UNKNOWN', `the index has ${entries.length} artifacts, and none is for a platform`, {
      hint: 'ocictl index list tells their digests: name one, as NAME@DIGEST',
    });
  }
  const next = { ...end, reference: root.descriptor.digest };
  if (!entry || entries.length > 1) return await resolveImage(next, choice.ownPlatform, opts);
  const manifest = await registry.getManifest(repo, entry.digest, opts);
  checkType(entry, manifest);
  return manifest.view.kind === 'index'
    ? await resolveArtifact({ ...end, reference: entry.digest }, choice, opts)
    : manifest;
}

/**
 * Follows indexes down to one image.
 *
 * @param choose Chooses the entry to follow.
 * @returns The image, and whether an index says that it is for its platform.
 * @throws OciError PLATFORM_UNKNOWN if no entry is chosen.
 */
export async function followIndexes(
  root: Manifest,
  platform: Platform,
  choose: (view: IndexView) => Promise<Descriptor | undefined>,
  get: GetManifest,
): Promise<{ readonly image: Manifest; readonly isVouchedFor: boolean }> {
  let image = root;
  for (let depth = 0; image.view.kind === 'index'; depth += 1) {
    const entry = depth < maxIndexDepth ? await choose(image.view) : undefined;
    if (!entry) throw noMatch(image.view, platform);
    image = await get(entry);
    if (entry.platform && image.view.kind !== 'index') return { image, isVouchedFor: true };
  }
  return { image, isVouchedFor: false };
}

function leftOut({ registry }: TransferEnd, platform: Platform, cause: unknown): OciError {
  const wanted = formatPlatform(platform);
  return new OciError('MANIFEST_UNKNOWN', `the index names an image for ${wanted}, which is not in ${registry.name}`, {
    hint: `bring it there first, as with ocictl pull --platform ${wanted}`,
    cause,
  });
}

/** Checks the platform of an image that no index states, from its config. @throws OciError PLATFORM_UNKNOWN */
export async function requirePlatform(
  registry: Registry,
  repo: RepositoryName,
  image: Manifest,
  wanted: readonly Platform[],
  opts: SignalOption = {},
): Promise<void> {
  if (image.view.kind !== 'image') return;
  // An artifact's config is not an image config: it has no platform that could differ.
  const actual = configPlatform(await readConfig(registry, repo, image.view.config, opts));
  if (!actual || wanted.some((platform) => platformMatches(actual, platform))) return;
  const asked = wanted.map(formatPlatform).join(', ');
  if (actual.os === '' && actual.architecture === '') {
    throw new OciError(
      'PLATFORM_UNKNOWN',
      `the config of the image names no platform, so it is not known to be for ${asked}`,
      {
        hint: 'leave --platform out',
      },
    );
  }
  throw new OciError('PLATFORM_UNKNOWN', `the image is for ${formatPlatform(actual)} alone, not for ${asked}`, {
    hint: `leave --platform out, or ask for ${formatPlatform(actual)}`,
  });
}

/** Checks that a child has the type that its index gives it. @throws OciError MANIFEST_INVALID */
export function checkType(entry: Descriptor, { mediaType }: Pick<Manifest, 'mediaType'>): void {
  if (bareMediaType(entry.mediaType) === mediaType) return;
  throw new OciError(
    'MANIFEST_INVALID',
    `manifest ${entry.digest} came as ${quote(mediaType)}, but its index says ${quote(entry.mediaType)}`,
  );
}

export function noMatch(view: IndexView, platform: Platform): OciError {
  const offered = view.manifests.flatMap((entry) =>
    entry.platform && !isAttestation(entry) ? [formatPlatform(entry.platform)] : [],
  );
  const hint =
    offered.length === 0
      ? undefined
      : `the image is there for ${[...new Set(offered)].join(', ')}: choose one with --platform`;
  return new OciError(
    'PLATFORM_UNKNOWN',
    `no matching manifest for ${formatPlatform(platform)} in the manifest list entries`,
    { hint },
  );
}
