/** Pushes artifacts: files of any kind, by themselves or attached to an image. */
import { destinationOf, type MadeArtifact, type MakeOptions, makeArtifact } from '../artifacts/push/artifact.ts';
import type { ArtifactFile } from '../artifacts/push/layers.ts';
import { checkArgument, type Shape } from '../model/check-arguments.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { ProgressEvent, Waiting } from '../model/events.ts';
import { parsePlatform } from '../model/platform/platform.ts';
import { parseTag, type Tag } from '../model/reference/reference.ts';
import { openPlace } from '../places/open-place.ts';
import { type Place, readFrom } from '../places/place.ts';
import { splitDigest } from '../places/split-digest.ts';
import { leases } from '../registry/extensions.ts';
import { describeNamed } from '../transfer/platforms.ts';
import { transfer } from '../transfer/transfer.ts';
import { placesOf } from './places.ts';
import { type CallOptions, callShape, checkCallOptions, openSession } from './session.ts';

/** What an artifact says of itself, beside its files. */
export interface ArtifactOptions extends CallOptions {
  /** What kind of artifact it is, as a media type. */
  readonly artifactType?: string | undefined;
  /** Its config. Default: an empty one. */
  readonly config?: ArtifactFile | undefined;
  /** Of its manifest. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** When it was made, as RFC 3339 has it. Default: that is not said, so that the same files are the same artifact. */
  readonly created?: string | undefined;
  /** Whether files in directories keep the time of their last change, on which the digest then depends. Default false. */
  readonly keepTimes?: boolean | undefined;
  /** Told how far the push is, while it runs, and of every wait, as by `copy`. What it throws ends the push. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** How an artifact is pushed by itself. */
export interface PushArtifactOptions extends ArtifactOptions {
  /** More tags of the same repository. */
  readonly tags?: readonly string[] | undefined;
  /** `linux/arm64`: what it is for, written into a config that is made for that. */
  readonly platform?: string | undefined;
}

/** How files are attached to an image. */
export interface AttachOptions extends ArtifactOptions {
  /** `linux/arm64`: attaches to this image of an index, not to the index. */
  readonly platform?: string | undefined;
}

/** An artifact that is at its destination. */
export interface PushedArtifact {
  /** The repository with the digest: `registry.example.com/team/app@sha256:…`. */
  readonly reference: string;
  /** The digest of its manifest. */
  readonly digest: Digest;
  /** The media type of its manifest. */
  readonly mediaType: string;
  /** Bytes of its manifest. */
  readonly size: number;
  /** What it is attached to. */
  readonly subject?: Digest;
  /** False when the destination had it all before. */
  readonly changed: boolean;
}

const artifactShape: Shape<ArtifactOptions> = {
  ...callShape,
  artifactType: 'string',
  config: 'object',
  annotations: 'object',
  created: 'string',
  keepTimes: 'boolean',
  onProgress: 'function',
};

/**
 * Pushes files and directories as an artifact, as `ocictl artifact push` does: what is there is not sent again, and the same
 * files are the same artifact.
 *
 * @param reference Where it shall be, in a registry, `oci:DIR[:TAG]` or `store:NAME`; without a tag, it is found by its digest.
 * @param files Paths, or what stands for a file. None gives an artifact with one empty layer.
 * @throws OciError USAGE for wrong arguments and for what is no file; DIGEST_MISMATCH for files that change meanwhile; STORAGE_*
 *   for a disk; REFERENCE_INVALID; what registries throw, see {@link Registry}.
 */
export async function pushArtifact(
  reference: string,
  files: readonly (string | ArtifactFile)[],
  options: PushArtifactOptions = {},
): Promise<PushedArtifact> {
  checkCallOptions('pushArtifact', options, { ...artifactShape, tags: 'array', platform: 'string' });
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const more = (options.tags ?? []).map(parseTag);
  return await pushed('pushArtifact', reference, files, options, (place) => ({
    make: { platform },
    tags: [...new Set([...(place.named && place.tag !== undefined ? [place.tag] : []), ...more])],
  }));
}

/**
 * Attaches files or annotations to an image or artifact: an artifact that refers to it, and is listed by the referrers API or
 * under the fallback tag.
 *
 * @param reference What it is attached to, by tag or digest.
 * @throws OciError as {@link pushArtifact}; MANIFEST_UNKNOWN, IMAGE_UNKNOWN, PLATFORM_UNKNOWN for what is not there.
 */
export async function attach(
  reference: string,
  files: readonly (string | ArtifactFile)[],
  options: AttachOptions,
): Promise<PushedArtifact> {
  checkArgument('attach', 'the reference', reference, 'string');
  checkCallOptions('attach', options, { ...artifactShape, platform: 'string' });
  if (options.artifactType === undefined) throw new OciError('USAGE', 'attach: the option artifactType is missing');
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const { name, digest } = splitDigest(reference);
  const { signal } = options;
  return await pushed('attach', name, files, options, (place) => ({
    tags: [],
    make: {
      subject: () =>
        readFrom(place, () => describeNamed({ ...place, reference: digest ?? place.reference }, platform, { signal })),
    },
  }));
}

/** What differs between the calls. */
interface Particulars {
  readonly tags: readonly Tag[];
  readonly make: Pick<MakeOptions, 'platform' | 'subject'>;
}

async function pushed(
  caller: string,
  reference: string,
  files: readonly (string | ArtifactFile)[],
  options: ArtifactOptions,
  particularsAt: (place: Place) => Particulars,
): Promise<PushedArtifact> {
  checkArgument(caller, 'the reference', reference, 'string');
  checkArgument(caller, 'the list of files', files, 'array');
  const named = files.map((file): ArtifactFile => {
    checkArgument(caller, 'a file', file, ['string', 'object']);
    return typeof file === 'string' ? { path: file } : file;
  });
  const { artifactType, config, annotations, created, keepTimes, onProgress } = options;
  const { signal = new AbortController().signal } = options;
  const onWait = onProgress && ((wait: Waiting) => onProgress({ type: 'waiting', ...wait }));
  await using session = await openSession(options, { onWait });
  await using place = await openPlace(reference, 'destination', placesOf(session.service, signal));
  const { tags, make } = particularsAt(place);
  const content = { artifactType, config, annotations, created, keepTimes, signal };
  using made = await makeArtifact(named, { ...content, ...make });
  await using _lease = await place.registry.extension(leases)?.lease({ signal });
  const { registry, repo, sparse } = place;
  const to = destinationOf({ registry, repo, sparse }, tags);
  const { changed } = await transfer({ from: made.from, to, onProgress, signal }).result;
  // It may be there without being listed, if an earlier run was stopped between both.
  if (!changed && make.subject) await registry.pushManifest(repo, made.manifest, { signal });
  await place.finish();
  return resultOf(made, place, changed);
}

function resultOf({ manifest }: MadeArtifact, place: Place, changed: boolean): PushedArtifact {
  const { digest, mediaType, size } = manifest.descriptor;
  const { subject } = manifest.view;
  return {
    reference: `${place.repository}@${digest}`,
    digest,
    mediaType,
    size,
    ...(subject && { subject: subject.digest }),
    changed,
  };
}
