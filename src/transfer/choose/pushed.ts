import type { Digest } from '../../model/digest.ts';
import { unlessUnknown } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { blobsOf, childrenOf, type Manifest } from '../../model/manifest/manifest.ts';
import { formatPlatform, type Platform } from '../../model/platform/platform.ts';
import { isAttestation } from '../../model/platform/platform-selection.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { TransferOptions } from '../options.ts';
import { resolveImage } from '../platforms.ts';

/** The part of an image in a sparse store that is pushed to a destination that requires complete images. */
interface Pushed {
  readonly digest: Digest;
  /** The index that cannot be pushed because only one of its images is here; `platform` is that image's platform. */
  readonly reducedFrom?: Digest;
  readonly platform?: string;
}

/**
 * Chooses as Docker does: the image of a given platform; otherwise a complete index as it is; otherwise the only image of an
 * index that is here, unless all are requested. Any other index is left to the transfer, which names what is missing.
 *
 * @throws OciError PLATFORM_UNKNOWN; MANIFEST_UNKNOWN if the image for the given platform is not here.
 */
export async function choosePushed(
  source: TransferOptions['from'],
  platform: Platform | 'all' | undefined,
  opts: SignalOption = {},
): Promise<Pushed> {
  const { registry, repo, reference } = source;
  if (platform && platform !== 'all') return { digest: (await resolveImage(source, platform, opts)).descriptor.digest };
  const { descriptor, view } = await registry.getManifest(repo, reference, opts);
  if (platform === 'all') return { digest: descriptor.digest };
  const present = [];
  let absent = 0;
  for (const entry of childrenOf(view)) {
    const there = await unlessUnknown(registry.statManifest(repo, entry.digest, opts));
    if (!there) absent += 1;
    else if (!isAttestation(entry)) present.push(entry);
  }
  const [only] = present;
  if (absent === 0 || present.length !== 1 || !only?.platform) return { digest: descriptor.digest };
  return { digest: only.digest, reducedFrom: descriptor.digest, platform: formatPlatform(only.platform) };
}

/** The note that an index was reduced, if it was. @param doing `pushing`, `copying`. */
export function reducedNote(
  name: string,
  doing: string,
  { reducedFrom, digest, platform }: Pushed,
): string | undefined {
  if (reducedFrom === undefined) return undefined;
  return (
    `${name}: of the index ${reducedFrom} only ${platform} is here; ${doing} that image alone, ${digest}. ` +
    'For the whole index: ocictl pull --platform all'
  );
}

/** The layers of an image, or of every image of an index that is here, each once. */
export async function* layersOf(
  { registry, repo, reference }: TransferOptions['from'],
  opts: SignalOption = {},
): AsyncGenerator<Descriptor, void, undefined> {
  const seen = new Set<Digest>();
  const walk = async function* ({ view }: Manifest): AsyncGenerator<Descriptor, void, undefined> {
    for (const descriptor of view.kind === 'image' ? view.layers : blobsOf(view)) {
      if (!seen.has(descriptor.digest)) yield descriptor;
      seen.add(descriptor.digest);
    }
    for (const { digest } of childrenOf(view)) {
      const child = seen.has(digest) ? undefined : await unlessUnknown(registry.getManifest(repo, digest, opts));
      seen.add(digest);
      if (child) yield* walk(child);
    }
  };
  yield* walk(await registry.getManifest(repo, reference, opts));
}
