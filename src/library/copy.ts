import { checkArgument, type Shape } from '../model/check-arguments.ts';
import type { Digest } from '../model/digest.ts';
import { OciError } from '../model/errors.ts';
import type { ProgressEvent, Waiting } from '../model/events.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { type Platform, parsePlatform } from '../model/platform/platform.ts';
import { openPlace } from '../places/open-place.ts';
import { type Place, readFrom } from '../places/place.ts';
import { connecting, foreignLayers, leases } from '../registry/extensions.ts';
import { choosePushed } from '../transfer/choose/pushed.ts';
import type { TransferEnd, TransferOptions } from '../transfer/options.ts';
import { resolveImage } from '../transfer/platforms.ts';
import { transfer } from '../transfer/transfer.ts';
import { placesOf } from './places.ts';
import { type CallOptions, callShape, checkCallOptions, openSession } from './session.ts';
import { openSource, type PolicyOption } from './source.ts';

/** What a copy takes along, and who is told of it. */
export interface CopyOptions extends CallOptions, PolicyOption {
  /** `linux/arm64`: this image of an index alone. Default: what the source names, an index with all its images. */
  readonly platform?: string | undefined;
  /** Also what refers to the image: signatures, lists of its parts. Default false. */
  readonly referrers?: boolean | undefined;
  /** Blobs that move at once. Default 3. */
  readonly parallelBlobs?: number | undefined;
  /**
   * Told how far the copy is, while it runs, and of every wait, unless there is a `service`, which has its own `onWait`. What
   * it throws ends the copy, which rejects with that.
   */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** What is at the destination after a copy. */
export interface CopyResult {
  /** The destination by its full name: `docker.io/library/alpine:3.20`. */
  readonly destination: string;
  /** The digest of what the destination now has. */
  readonly digest: Digest;
  /** The media type of its manifest or index. */
  readonly mediaType: string;
  /** False when the destination had it all before, its tag included. */
  readonly changed: boolean;
  /** Bytes of blobs that were sent. What the destination had, or could mount, does not count. */
  readonly transferredBytes: number;
}

const copyShape: Shape<CopyOptions> = {
  ...callShape,
  platform: 'string',
  referrers: 'boolean',
  policy: 'string',
  parallelBlobs: 'number',
  onProgress: 'function',
};

/**
 * Copies an image from one place to another without changing a byte, so that its digest stays. What the destination has is not
 * sent. Places are written as on the command line: `alpine:3.20` or `registry.example.com/app@sha256:…` in a registry,
 * `oci:DIR[:TAG]` in an OCI layout, `store:NAME` in ocictl's local store.
 *
 * @param source What is copied; without tag and digest, the tag `latest`.
 * @param destination Where it shall be.
 * @throws OciError USAGE for wrong arguments; REFERENCE_INVALID; MANIFEST_UNKNOWN, PLATFORM_UNKNOWN for what the source has not;
 *   UNTRUSTED for what does not comply with the policy; CONFIG_INVALID for Docker's files and the policy; what the two registries throw, see {@link Registry}.
 */
export async function copy(source: string, destination: string, options: CopyOptions = {}): Promise<CopyResult> {
  checkArgument('copy', 'the source', source, 'string');
  checkArgument('copy', 'the destination', destination, 'string');
  checkCallOptions('copy', options, copyShape);
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const { signal = new AbortController().signal, onProgress, referrers, parallelBlobs } = options;
  const onWait = onProgress && ((wait: Waiting) => onProgress({ type: 'waiting', ...wait }));
  await using session = await openSession(options, { onWait });
  await using from = await openSource(source, session.service, signal, options);
  const root = await findRoot(from, platform, signal);
  await using to = await openPlace(destination, 'destination', placesOf(session.service, signal));
  if (from.identity === to.identity) {
    throw new OciError('USAGE', `copy: source and destination are both ${from.fullName}`);
  }
  await using _lease = await to.registry.extension(leases)?.lease({ signal });
  const chosen =
    platform || !to.platform ? root : await findRoot(from, to.platform, signal, { requirePlatform: false });
  const { result } = transfer({
    from: { ...end(from), ...chosen },
    to: { ...end(to), tags: to.tag === undefined ? [] : [to.tag] },
    mountFrom: to.hosted && (await from.mountFrom(to.hosted)),
    foreignLayers: to.kind.own || to.registry.extension(foreignLayers)?.accepted === true ? 'copy' : 'skip',
    referrers,
    parallelBlobs,
    onProgress,
    whole: to.kind.incomplete !== 'usual',
    signal,
  });
  const { changed, transferredBytes, root: copied } = await result;
  await to.finish();
  const { digest, mediaType } = copied;
  return { destination: to.fullName, digest, mediaType, changed, transferredBytes };
}

function end({ registry, repo, sparse }: Place): TransferEnd {
  return { registry, repo, sparse };
}

async function findRoot(
  from: Place,
  platform: Platform | undefined,
  signal: AbortSignal,
  opts: { readonly requirePlatform?: boolean } = {},
): Promise<Pick<TransferOptions['from'], 'reference' | 'root' | 'asked' | 'manifests'>> {
  const askedAs = (digest: Digest) => ({ reference: from.reference, digest });
  if (platform) {
    const named = await from.registry.getManifest(from.repo, from.reference, { signal });
    const manifest = await resolveImage(from, platform, { signal, root: named, ...opts });
    const { descriptor: root } = manifest;
    return { reference: root.digest, root, asked: askedAs(named.descriptor.digest), manifests: [manifest] };
  }
  from.registry.extension(connecting)?.expectMany();
  const stat = (reference: Place['reference']): Promise<Descriptor> =>
    readFrom(from, () => from.registry.statManifest(from.repo, reference, { signal }));
  const root = await stat(from.reference);
  const asked = askedAs(root.digest);
  if (!from.sparse) return { reference: root.digest, root, asked };
  // Of an image that was pulled for one platform, the local store has that one alone.
  const { digest } = await choosePushed({ ...end(from), reference: root.digest }, undefined, { signal });
  return { reference: digest, root: digest === root.digest ? root : await stat(digest), asked };
}
