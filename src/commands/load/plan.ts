/** What of an image is loaded: of an index, the images that are whole. */
import type { LoadableArchive } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { OciError, unlessUnknown } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { blobsOf, type Manifest } from '../../model/manifest/manifest.ts';
import type { Platform } from '../../model/platform/platform.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { type Presence, presenceOf } from '../../registry/presence.ts';
import type { Registry } from '../../registry/registry.ts';
import { naming } from '../../transfer/graph.ts';
import { resolveImage } from '../../transfer/platforms.ts';
import type { ArchivedImage } from './choose.ts';

/** What is loaded of one image. */
export interface LoadPlan {
  /** The archive without the images that it lists and lacks. */
  readonly registry: Registry;
  readonly whole: readonly Manifest[];
  /** Listed, but not there. */
  readonly absent: readonly Descriptor[];
  /** Manifests and blobs that are there afterwards. */
  readonly digests: ReadonlySet<Digest>;
}

interface PlanOptions {
  readonly platforms: readonly Platform[];
  readonly store: Registry;
  readonly signal: AbortSignal;
}

/**
 * Looks for everything that an image needs, in the archive and, for one that holds only what changed, in the store.
 *
 * @throws OciError BLOB_UNKNOWN, MANIFEST_UNKNOWN naming what is missing; PLATFORM_UNKNOWN
 */
export async function planLoad(
  archive: LoadableArchive,
  { descriptor }: ArchivedImage,
  { platforms, store, signal }: PlanOptions,
): Promise<LoadPlan> {
  const { registry, repo, shown } = archive;
  const elsewhere = (blob: Descriptor): Promise<boolean> => isStored(store, blob.digest, signal);
  const roots = platforms.length === 0 ? [descriptor] : [];
  for (const platform of platforms) {
    const end = { registry, repo, reference: descriptor.digest, sparse: true };
    roots.push((await resolveImage(end, platform, { signal })).descriptor);
  }
  const found: Presence[] = [];
  for (const root of roots) found.push(await presenceOf({ registry, repo }, root, { signal, elsewhere }));
  const whole = found.flatMap((presence) => presence.whole);
  const absent = found.flatMap((presence) => presence.absent);
  const partial = found.flatMap((presence) => presence.partial);
  const lacking = whole.length === 0 ? [...partial, ...absent] : partial;
  if (lacking.length > 0) throw incomplete(shown, descriptor, lacking);
  return {
    registry: hiding(registry, new Set(absent.map(({ entry }) => entry.digest))),
    whole,
    absent: absent.map(({ entry }) => entry),
    digests: new Set([
      descriptor.digest,
      ...whole.flatMap((image) => [image.descriptor.digest, ...blobsOf(image.view).map(({ digest }) => digest)]),
    ]),
  };
}

async function isStored(store: Registry, digest: Digest, signal: AbortSignal): Promise<boolean> {
  for await (const repo of store.repositories({ signal })) {
    if (await unlessUnknown(store.statBlob(repo, digest, { signal }), 'BLOB_UNKNOWN', 'NAME_UNKNOWN')) return true;
  }
  return false;
}

/** A registry without some manifests. */
function hiding(registry: Registry, hidden: ReadonlySet<Digest | string>): Registry {
  if (hidden.size === 0) return registry;
  const refuse = (reference: string): void => {
    if (hidden.has(reference)) throw new OciError('MANIFEST_UNKNOWN', `${registry.name} has no ${reference}`);
  };
  return {
    ...registry,
    async getManifest(repo: RepositoryName, reference, opts) {
      refuse(reference);
      return await registry.getManifest(repo, reference, opts);
    },
    async statManifest(repo: RepositoryName, reference, opts) {
      refuse(reference);
      return await registry.statManifest(repo, reference, opts);
    },
  };
}

const maxShown = 10;

function incomplete(shown: string, root: Descriptor, lacking: Presence['partial']): OciError {
  const missing = lacking.flatMap((image) => (image.manifest ? image.missing : [image.entry]));
  const digests = [...new Set(missing.map(({ digest }) => digest))];
  const more = digests.length > maxShown ? ` and ${digests.length - maxShown} more` : '';
  const images = lacking.map(({ entry }) => entry).filter(({ digest }) => digest !== root.digest);
  const of = images.length === 0 ? '' : ` of ${naming(images)}`;
  const isPartial = lacking.some(({ manifest }) => manifest !== undefined);
  const message = `${shown} lacks a part${of}, which the local store has not either: ${digests.slice(0, maxShown).join(', ')}${more}`;
  const hint = isPartial
    ? 'it is damaged, or holds only what changed: then load the image first that it was made against'
    : 'save the image again with this platform, or choose another with --platform';
  return new OciError(isPartial ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN', message, { hint, detail: digests });
}
