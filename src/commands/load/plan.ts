/** What of an image is loaded: of an index, the images that are whole. */
import type { LoadableArchive } from '../../app/context.ts';
import type { Digest } from '../../model/digest.ts';
import { isOciError, OciError, unlessUnknown } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { blobsOf, type Manifest } from '../../model/manifest/manifest.ts';
import type { Platform } from '../../model/platform/platform.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';
import { type Presence, presenceOf } from '../../registry/presence.ts';
import type { Registry } from '../../registry/registry.ts';
import { naming } from '../../transfer/graph.ts';
import { resolveImage } from '../../transfer/platforms.ts';
import type { ArchivedImage, chooseImages } from './choose.ts';

/** What is loaded of one image. */
interface LoadPlan {
  /** The archive without the images that it lists and lacks. */
  readonly registry: Registry;
  /** The image ID: the digest of the config, as in Docker; for an index or an artifact that of its manifest. */
  readonly id: Digest;
  /** Listed, but not there. */
  readonly absent: readonly Descriptor[];
  /** Manifests and blobs that are there afterwards. */
  readonly digests: ReadonlySet<Digest>;
}

interface PlanOptions {
  readonly platforms: readonly Platform[];
  /** Where what the archive lacks may be. */
  readonly store?: Registry | undefined;
  readonly signal: AbortSignal;
}

/**
 * An image is written into each repository with all that it has, and what it lacks is told for each name. A thousand images of
 * a hundred layers are a tenth of this.
 */
const maxWritten = 1_000_000;
const maxWrittenBytes = 1024 * 1024 * 1024;

/** A transfer looks for what is absent, in the store and the archive, which takes as long as to write some files. */
const absentCost = 10;

/** Plans each image once, however many names it has. */
export class LoadPlanner {
  readonly #archive: LoadableArchive;
  readonly #options: PlanOptions;
  readonly #plans = new Map<Digest, Promise<LoadPlan>>();
  readonly #isStored: (digest: Digest) => Promise<boolean>;
  #written = 0;
  #writtenBytes = 0;
  #excess: OciError | undefined;

  constructor(archive: LoadableArchive, options: PlanOptions) {
    this.#archive = archive;
    this.#options = options;
    const { store, signal } = options;
    this.#isStored = store === undefined ? async () => false : storedBlobs(store, signal);
  }

  /**
   * Looks for everything that an image needs, in the archive and, for one that holds only what changed, in the store.
   *
   * @param names How many it gets in one repository.
   * @throws OciError BLOB_UNKNOWN, MANIFEST_UNKNOWN naming what is missing; PLATFORM_UNKNOWN; ARCHIVE_INVALID if all names
   * together would take too long.
   */
  async plan(image: ArchivedImage, names: number): Promise<LoadPlan> {
    this.throwExcess();
    const plan = await this.#planOnce(image);
    this.throwExcess();
    const absent = plan.absent.length;
    this.#written += plan.digests.size + absentCost * absent + names * (1 + absent);
    this.#writtenBytes += image.descriptor.size;
    if (this.#written <= maxWritten && this.#writtenBytes <= maxWrittenBytes) return plan;
    this.#excess = new OciError('ARCHIVE_INVALID', `${this.#archive.shown} gives large images too many names`, {
      hint: 'choose some of them: ocictl load -i FILE IMAGE',
    });
    throw this.#excess;
  }

  /** @throws OciError what concerns the archive, and not an image of it. */
  throwExcess(): void {
    if (this.#excess) throw this.#excess;
  }

  /** @throws OciError ARCHIVE_INVALID if the archive has no end, and an image lacks something. */
  async refuseCut({ images, failures }: Awaited<ReturnType<typeof chooseImages>>): Promise<void> {
    if (this.#archive.hasEnd) return;
    for (const error of failures.values()) this.#throwCut(error);
    for (const image of images) await this.#planOnce(image).catch((error: unknown) => this.#throwCut(error));
  }

  #planOnce(image: ArchivedImage): Promise<LoadPlan> {
    const { digest } = image.descriptor;
    const planning = this.#plans.get(digest) ?? planLoad(this.#archive, image, this.#options, this.#isStored);
    this.#plans.set(digest, planning);
    return planning;
  }

  #throwCut(cause: unknown): void {
    if (!isOciError(cause, 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN', 'ARCHIVE_INVALID')) return;
    const { shown } = this.#archive;
    throw new OciError('ARCHIVE_INVALID', `${shown} is cut off: it has no end, and lacks a part of an image`, {
      hint: 'copy it again, or make it again; nothing was loaded',
      cause,
    });
  }
}

async function planLoad(
  archive: LoadableArchive,
  { descriptor }: ArchivedImage,
  { platforms, signal }: PlanOptions,
  isStored: (digest: Digest) => Promise<boolean>,
): Promise<LoadPlan> {
  const { registry, repo, shown } = archive;
  const elsewhere = (blob: Descriptor): Promise<boolean> => isStored(blob.digest);
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
    id: idOf(whole, descriptor.digest),
    absent: absent.map(({ entry }) => entry),
    digests: new Set([
      descriptor.digest,
      ...whole.flatMap((image) => [image.descriptor.digest, ...blobsOf(image.view).map(({ digest }) => digest)]),
    ]),
  };
}

function idOf([only]: readonly Manifest[], root: Digest): Digest {
  if (only?.view.kind !== 'image' || only.descriptor.digest !== root) return root;
  return only.view.config.digest;
}
/** Looks for blobs in all repositories of a store, each once. */
function storedBlobs(store: Registry, signal: AbortSignal): (digest: Digest) => Promise<boolean> {
  const known = new Map<Digest, Promise<boolean>>();
  let repositories: Promise<readonly RepositoryName[]> | undefined;
  const look = async (digest: Digest): Promise<boolean> => {
    repositories ??= allOf(store.repositories({ signal }));
    for (const repo of await repositories) {
      if (await unlessUnknown(store.statBlob(repo, digest, { signal }), 'BLOB_UNKNOWN', 'NAME_UNKNOWN')) return true;
    }
    return false;
  };
  return async (digest) => {
    const looking = known.get(digest) ?? look(digest);
    known.set(digest, looking);
    return await looking;
  };
}

async function allOf<T>(list: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const one of list) all.push(one);
  return all;
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
