/** Choosing by platform: which entry of an index, and whether an image is for it at all. */
import type { Descriptor } from '../model/descriptor.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { IndexView, Manifest } from '../model/manifest.ts';
import { isIndexType } from '../model/media-types.ts';
import {
  formatPlatform,
  isAttestation,
  type Platform,
  parsePlatformObject,
  platformMatches,
  selectPlatform,
} from '../model/platform.ts';
import type { RepositoryName, Tag } from '../model/reference.ts';
import { readContent } from '../registry/content.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';

/** How deep indexes may lie in each other: a hostile registry could nest them without end. */
export const maxIndexDepth = 16;

const maxConfigBytes = 4 * 1024 * 1024;

export type GetManifest = (entry: Descriptor) => Promise<Manifest>;

/** The best entry for a platform; one without a platform may be an index, which serves if something in it does. */
export async function findEntry(
  view: IndexView,
  platform: Platform,
  get: GetManifest,
  depth = 0,
): Promise<Descriptor | undefined> {
  for (const entry of selectPlatform(view.manifests, platform)) {
    if (entry.platform !== undefined || !isIndexType(entry.mediaType)) return entry;
    if (depth >= maxIndexDepth) continue;
    const { view: inner } = await get(entry);
    if (inner.kind === 'index' && (await findEntry(inner, platform, get, depth + 1))) return entry;
  }
  return undefined;
}

/**
 * The one image for a platform behind a reference, followed through all indexes.
 *
 * @param requirePlatform Whether an image that is no index must be for the platform too. Default true.
 * @throws OciError PLATFORM_UNKNOWN
 */
export async function resolveImage(
  end: { readonly registry: Registry; readonly repo: RepositoryName; readonly reference: Tag | Digest },
  platform: Platform,
  opts: SignalOption & { readonly requirePlatform?: boolean } = {},
): Promise<Manifest> {
  const { registry, repo } = end;
  const get = (entry: Descriptor): Promise<Manifest> => registry.getManifest(repo, entry.digest, opts);
  let manifest = await registry.getManifest(repo, end.reference, opts);
  for (let depth = 0; manifest.view.kind === 'index'; depth += 1) {
    const entry = depth < maxIndexDepth ? await findEntry(manifest.view, platform, get) : undefined;
    if (!entry) throw noMatch(manifest.view, platform);
    manifest = await get(entry);
    if (entry.platform && manifest.view.kind !== 'index') return manifest;
  }
  if (opts.requirePlatform !== false) await requirePlatform(registry, repo, manifest, [platform], opts);
  return manifest;
}

/** Holds an image that is no index to a platform: its config says what it is for. @throws OciError PLATFORM_UNKNOWN */
export async function requirePlatform(
  registry: Registry,
  repo: RepositoryName,
  image: Manifest,
  wanted: readonly Platform[],
  opts: SignalOption = {},
): Promise<void> {
  if (image.view.kind !== 'image') return;
  const content = await registry.getBlob(repo, image.view.config, { signal: opts.signal });
  const actual = configPlatform(await readContent(content, maxConfigBytes));
  if (!actual || wanted.some((platform) => platformMatches(actual, platform))) return;
  throw new OciError(
    'PLATFORM_UNKNOWN',
    `the image is for ${formatPlatform(actual)} alone, not for ${wanted.map(formatPlatform).join(', ')}`,
    { hint: `leave --platform out, or ask for ${formatPlatform(actual)}` },
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

function configPlatform(bytes: Uint8Array): Platform | undefined {
  try {
    return parsePlatformObject(JSON.parse(Buffer.from(bytes).toString()), 'config');
  } catch {
    // The config of an artifact is no image config: it has no platform to disagree with.
    return undefined;
  }
}
