/** What a transfer takes a changed image from: what was made, over the place that has the rest. */
import type { Digest } from '../model/digest.ts';
import type { Manifest } from '../model/manifest/manifest.ts';
import type { Platform } from '../model/platform/platform.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { madeRegistry } from '../registry/wrappers/made.ts';
import type { TransferRoot } from '../transfer/options.ts';
import { resolveImage } from '../transfer/platforms.ts';
import type { MadeBlob } from './image-draft.ts';

/** A result that is to be written. */
interface Result {
  readonly root: Manifest;
  readonly manifests: readonly Manifest[];
  readonly blobs: readonly MadeBlob[];
}

/** Where the unchanged blobs and manifests are; without a registry, all was made. */
interface Under {
  readonly registry?: Registry | undefined;
  readonly repo: RepositoryName;
  readonly sparse?: boolean | undefined;
}

export function editedSource({ root, manifests, blobs }: Result, under: Under): TransferRoot['from'] {
  const registry = madeRegistry({ name: 'the image', manifests, blobs, under: under.registry });
  const { repo, sparse = false } = under;
  return { registry, repo, sparse, reference: root.descriptor.digest, root: root.descriptor, manifests };
}

/** The same for a destination that holds one image of an index: that for its platform. @throws OciError PLATFORM_UNKNOWN */
export async function oneImageOf(
  from: TransferRoot['from'],
  platform: Platform,
  opts: SignalOption,
): Promise<TransferRoot['from']> {
  const { descriptor } = await resolveImage(from, platform, { ...opts, requirePlatform: false });
  return { ...from, reference: descriptor.digest, root: descriptor };
}

type MountFrom = RepositoryName | ((digest: Digest) => Promise<RepositoryName | undefined>) | undefined;

/** Where blobs may be mounted from: not those that were made, which are nowhere yet. */
export function mountUnchanged(mountFrom: MountFrom, blobs: readonly MadeBlob[]): MountFrom {
  if (mountFrom === undefined || blobs.length === 0) return mountFrom;
  const made = new Set(blobs.map(({ descriptor }) => descriptor.digest));
  return async (digest) => {
    if (made.has(digest)) return undefined;
    return typeof mountFrom === 'function' ? await mountFrom(digest) : mountFrom;
  };
}
