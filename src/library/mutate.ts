/** Changes images: their config, their annotations, and layers on top. */
import { appendLayers } from '../edit/append.ts';
import { editRoot } from '../edit/edit-root.ts';
import { editedSource, mountUnchanged } from '../edit/edited-source.ts';
import { makeLayer } from '../edit/layer/inputs.ts';
import type { MadeLayer } from '../edit/layer/make-layer.ts';
import { type Mutation, mutateDraft } from '../edit/mutate.ts';
import { checkArgument, checkOptions, type Shape } from '../model/check-arguments.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { ProgressEvent } from '../model/events.ts';
import { parsePlatform } from '../model/platform/platform.ts';
import { openPlace } from '../places/open-place.ts';
import { readFrom } from '../places/place.ts';
import { leases } from '../registry/extensions.ts';
import { judgeNow } from '../transfer/plan/judge-now.ts';
import { transfer } from '../transfer/transfer.ts';
import { placesOf } from './places.ts';
import { type CallOptions, callShape, checkCallOptions, openSession } from './session.ts';
import { openSource, type PolicyOption } from './source.ts';

/** What is changed in an image. What is absent stays; null removes. */
export interface ImageChanges extends Omit<Mutation, 'platform'> {
  /** `linux/arm64`: what it is for, in its config and in the index that it is in. */
  readonly platform?: string | undefined;
  /** Archives and directories that become layers on top, the lowest first, as by `ocictl append`. */
  readonly layers?: readonly string[] | undefined;
}

/** Where a changed image goes. */
export interface MutateOptions extends CallOptions, PolicyOption {
  /** An image in any place; the reference itself moves its tag. Needed. */
  readonly to: string;
  /** `['linux/arm64']`: the images of an index that are changed. Default: all. */
  readonly platforms?: readonly string[] | undefined;
  /** Told how far the push is. What it throws ends the call. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** A changed image that is at its destination. */
export interface ChangedImage {
  /** The repository with the digest. */
  readonly reference: string;
  /** The digest of its manifest or index. */
  readonly digest: Digest;
  /** The media type of that. */
  readonly mediaType: string;
  /** Digests of the manifests before, with those after: an image, or an index and its images. Empty if nothing has changed. */
  readonly replaced: ReadonlyMap<Digest, Digest>;
}

const shape: Shape<MutateOptions> = {
  ...callShape,
  to: 'string',
  platforms: 'array',
  policy: 'string',
  onProgress: 'function',
};

const changesShape: Shape<ImageChanges> = {
  entrypoint: 'array',
  cmd: 'array',
  env: 'object',
  user: 'string',
  workdir: 'string',
  stopSignal: 'string',
  labels: 'object',
  annotations: 'object',
  ports: 'object',
  volumes: 'object',
  created: 'string',
  author: 'string',
  platform: 'string',
  layers: 'array',
};

/**
 * Changes an image, or all images of an index, and writes the result elsewhere or under the same tag, as `ocictl mutate` and
 * `ocictl append` do. Fields that are not named keep their bytes; unchanged layers are neither read nor sent where they are.
 *
 * @throws OciError USAGE for wrong arguments; UNSUPPORTED for what is no image, and for annotations in Docker's format;
 *   ARCHIVE_INVALID for a layer that is no tar archive; PLATFORM_UNKNOWN; UNTRUSTED, CONFIG_INVALID by the policy; STORAGE_*; what
 *   registries throw.
 */
export async function mutate(reference: string, changes: ImageChanges, options: MutateOptions): Promise<ChangedImage> {
  checkArgument('mutate', 'the reference', reference, 'string');
  checkArgument('mutate', 'the changes', changes, 'object');
  checkOptions('mutate', withoutNull(changes), changesShape);
  checkArgument('mutate', 'the options', options, 'object');
  checkCallOptions('mutate', options, shape);
  if (options.to === undefined) throw new OciError('USAGE', 'mutate: the option to is missing');
  const platforms = options.platforms?.map(parsePlatform);
  const { platform, layers: paths = [], ...mutation } = changes;
  const change = { ...mutation, platform: platform === undefined ? undefined : parsePlatform(platform) };
  const { onProgress, signal = new AbortController().signal } = options;
  const layers = await makeLayers(paths, signal);
  try {
    await using session = await openSession(options);
    await using opened = await openSource(reference, session.service, signal, options);
    const source = await readFrom(opened, () => judgeNow(opened, { platforms, signal }));
    using edited = await readFrom(source, () =>
      editRoot(source, {
        platforms,
        signal,
        edit(draft) {
          mutateDraft(draft, change);
          if (layers.length > 0) appendLayers(draft, layers, { createdBy: 'ocictl append' });
        },
      }),
    );
    await using place = await openPlace(options.to, 'destination', placesOf(session.service, signal));
    await using _lease = await place.registry.extension(leases)?.lease({ signal });
    const mountFrom = place.hosted && (await source.mountFrom(place.hosted));
    const { root } = await transfer({
      from: editedSource(edited, source),
      to: { registry: place.registry, repo: place.repo, sparse: place.sparse, tags: place.tag ? [place.tag] : [] },
      mountFrom: mountUnchanged(mountFrom, edited.blobs),
      whole: true,
      onProgress,
      signal,
    }).result;
    await place.finish();
    const { digest, mediaType } = root;
    return { reference: `${place.repository}@${digest}`, digest, mediaType, replaced: edited.replaced };
  } finally {
    for (const { blob } of layers) blob.close();
  }
}

/** Null removes, whatever a value would be. */
function withoutNull(changes: ImageChanges): ImageChanges {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null));
}

async function makeLayers(paths: readonly string[], signal: AbortSignal): Promise<readonly MadeLayer[]> {
  const directory = { prefix: '', owner: { uid: 0, gid: 0 }, time: undefined, keepTimes: false };
  const layers: MadeLayer[] = [];
  try {
    for (const path of paths) {
      checkArgument('mutate', 'a layer', path, 'string');
      layers.push(await makeLayer({ path }, { directory, signal }));
    }
    return layers;
  } catch (error) {
    for (const { blob } of layers) blob.close();
    throw error;
  }
}
