/** Looks at what a registry has, one question a call. */
import { checkArgument, type Shape } from '../model/check-arguments.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import { hasImageConfig, type ImageConfig, readImageConfig } from '../model/manifest/image-config.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import { hostPlatform, parsePlatform } from '../model/platform/platform.ts';
import {
  formatReference,
  manifestReference,
  type Reference,
  type RepositoryName,
  type Tag,
} from '../model/reference/reference.ts';
import { readConfig } from '../registry/config.ts';
import type { Registry } from '../registry/registry.ts';
import { resolveImage } from '../transfer/platforms.ts';
import { type CallOptions, callShape, checkCall, checkCallOptions, openSession, withRegistry } from './session.ts';

/** Which image of an index is meant. */
export interface ReadOptions extends CallOptions {
  /** `linux/arm64`. */
  readonly platform?: string | undefined;
}

const readShape: Shape<ReadOptions> = { ...callShape, platform: 'string' };

/**
 * Lists the tags of a repository, in the order of the registry. A page is fetched when it is reached.
 *
 * @param repository `alpine`, `registry.example.com/team/app`. A tag or digest in it is ignored.
 * @throws OciError USAGE, REFERENCE_INVALID; NAME_UNKNOWN; what registries throw, see {@link Registry}.
 */
export async function* listTags(repository: string, options: CallOptions = {}): AsyncGenerator<Tag, void, undefined> {
  const reference = checkCall('listTags', repository, options, callShape);
  await using session = await openSession(options);
  const registry = await session.service.open(reference, 'pull');
  yield* registry.tags(reference.path, { signal: options.signal });
}

/**
 * Lists the repositories of a registry, in its order. A page is fetched when it is reached. Mirrors are not asked.
 *
 * @param host `host[:port]`, or a URL of one.
 * @throws OciError USAGE; UNSUPPORTED, NAME_UNKNOWN, DENIED for a registry that shows no list, as public ones do; what registries
 *   throw, see {@link Registry}.
 * @see https://github.com/distribution/distribution/blob/v3.0.0/docs/content/spec/api.md#listing-repositories
 */
export async function* listRepositories(
  host: string,
  options: CallOptions = {},
): AsyncGenerator<RepositoryName, void, undefined> {
  checkArgument('listRepositories', 'the host', host, 'string');
  checkCallOptions('listRepositories', options, callShape);
  await using session = await openSession(options);
  const registry = await session.service.openHost(host);
  yield* registry.repositories({ signal: options.signal });
}

/**
 * The digest that a reference stands for: with `platform`, of that image of an index.
 *
 * @throws OciError USAGE, REFERENCE_INVALID; MANIFEST_UNKNOWN, PLATFORM_UNKNOWN; what registries throw, see {@link Registry}.
 */
export async function getDigest(reference: string, options: ReadOptions = {}): Promise<Digest> {
  const asked = checkCall('getDigest', reference, options, readShape);
  if (options.platform !== undefined) return (await readManifestOf(asked, options)).descriptor.digest;
  return withRegistry(asked, 'pull', options, async (registry) => {
    const { signal } = options;
    return (await registry.statManifest(asked.path, manifestReference(asked), { signal })).digest;
  });
}

/**
 * The manifest that a reference stands for: its exact bytes, and what they say. With `platform`, that image of an index.
 *
 * @throws OciError USAGE, REFERENCE_INVALID; MANIFEST_UNKNOWN, MANIFEST_INVALID, PLATFORM_UNKNOWN; what registries throw, see
 *   {@link Registry}.
 */
export async function getManifest(reference: string, options: ReadOptions = {}): Promise<Manifest> {
  return readManifestOf(checkCall('getManifest', reference, options, readShape), options);
}

/**
 * The config of an image: its platform, command, environment, labels and history.
 *
 * @param options.platform Default: that of this machine, with `linux` where no image is for its system.
 * @throws OciError USAGE, REFERENCE_INVALID; MANIFEST_UNKNOWN, PLATFORM_UNKNOWN; UNSUPPORTED for an artifact that has no such
 *   config; what registries throw, see {@link Registry}.
 */
export async function getImageConfig(reference: string, options: ReadOptions = {}): Promise<ImageConfig> {
  const asked = checkCall('getImageConfig', reference, options, readShape);
  return withRegistry(asked, 'pull', options, async (registry) => {
    const { view } = await imageOf(registry, asked, { ...options, platform: options.platform ?? defaultPlatform });
    if (view.kind !== 'image' || !hasImageConfig(view)) {
      throw new OciError('UNSUPPORTED', `${formatReference(asked)} is no image with a config`);
    }
    return readImageConfig(await readConfig(registry, asked.path, view.config, { signal: options.signal }));
  });
}

const defaultPlatform = Symbol('the platform of this machine');

function readManifestOf(asked: Reference, options: ReadOptions): Promise<Manifest> {
  return withRegistry(asked, 'pull', options, (registry) => imageOf(registry, asked, options));
}

async function imageOf(
  registry: Registry,
  asked: Reference,
  {
    platform,
    signal,
  }: { readonly platform?: string | typeof defaultPlatform | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Manifest> {
  const [repo, reference] = [asked.path, manifestReference(asked)];
  if (platform === undefined) return registry.getManifest(repo, reference, { signal });
  const isDefault = platform === defaultPlatform;
  const wanted = isDefault ? hostPlatform() : parsePlatform(platform);
  // As in Docker: an image that is no index is taken, whatever it is for, unless a platform was asked for.
  return resolveImage({ registry, repo, reference }, wanted, { signal, requirePlatform: !isDefault });
}
