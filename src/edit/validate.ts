/** Checks an image or index with all that belongs to it. Every fault is told; none stops the check. */
import { layerForm } from '../convert/layer-types.ts';
import { openLayer } from '../image/layer.ts';
import type { Digest } from '../model/digest.ts';
import { isOciError, OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import { hasImageConfig, type ImageConfig, readImageConfig } from '../model/manifest/image-config.ts';
import { childrenOf, type ImageView, type Manifest } from '../model/manifest/manifest.ts';
import { isManifestType } from '../model/manifest/media-types.ts';
import { type Part, partsOf } from '../model/manifest/parts.ts';
import { formatPlatform, type Platform } from '../model/platform/platform.ts';
import { isAttestation, platformMatches } from '../model/platform/platform-selection.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import { readConfig } from '../registry/config.ts';
import type { Registry, SignalOption } from '../registry/registry.ts';
import { checkType, maxIndexDepth } from '../transfer/platforms.ts';

/** What is wrong with what. */
interface ImageFault {
  /** Of the manifest, config or layer. */
  readonly digest: Digest;
  readonly problem: string;
}

interface ValidateOptions extends SignalOption {
  /** Whether blobs are only asked for, and not read. */
  readonly fast: boolean;
  /** Whether images of an index may be absent. */
  readonly sparse: boolean;
  readonly onFault: (fault: ImageFault) => Promise<void>;
}

/** What was looked at. */
interface Validated {
  readonly root: Descriptor;
  readonly manifests: number;
  readonly blobs: number;
  /** Of the blobs, by their descriptors. */
  readonly bytes: number;
  readonly faults: readonly ImageFault[];
  /** Entries of indexes that are not there, where they need not be. */
  readonly absent: readonly Descriptor[];
}

interface Source {
  readonly registry: Registry;
  readonly repo: RepositoryName;
  readonly reference: Tag | Digest;
}

/** @throws OciError what reading the root throws, and what has nothing to do with the image: NETWORK, UNAUTHORIZED, … */
export async function validateImage(source: Source, options: ValidateOptions): Promise<Validated> {
  const run = new Validation(source, options);
  const { registry, repo, reference } = source;
  const root = await registry.getManifest(repo, reference, { signal: options.signal });
  await run.manifest(root, undefined, 0);
  return { root: root.descriptor, ...run.result() };
}

/** Errors that are about the image, not about reaching it. */
const aboutImage = [
  ...(['MANIFEST_UNKNOWN', 'BLOB_UNKNOWN', 'NAME_UNKNOWN', 'MANIFEST_INVALID', 'DIGEST_MISMATCH'] as const),
  ...(['SIZE_MISMATCH', 'ARCHIVE_INVALID', 'TOO_LARGE', 'STORAGE_DAMAGED', 'UNSUPPORTED'] as const),
];

class Validation {
  readonly #source: Source;
  readonly #options: ValidateOptions;
  readonly #manifests = new Set<Digest>();
  readonly #blobs = new Map<Digest, string | undefined>();
  readonly #faults: ImageFault[] = [];
  readonly #absent: Descriptor[] = [];
  #bytes = 0;

  constructor(source: Source, options: ValidateOptions) {
    this.#source = source;
    this.#options = options;
  }

  result() {
    const [manifests, blobs] = [this.#manifests.size, this.#blobs.size];
    return { manifests, blobs, bytes: this.#bytes, faults: this.#faults, absent: this.#absent };
  }

  async manifest(manifest: Manifest, entry: Descriptor | undefined, depth: number): Promise<void> {
    const { descriptor, view } = manifest;
    if (this.#manifests.has(descriptor.digest)) return;
    this.#manifests.add(descriptor.digest);
    if (view.kind === 'schema1')
      return await this.#fault(descriptor.digest, "it has Docker's format schema 1, which cannot be checked");
    if (hasImageConfig(view) && !(entry && isAttestation(entry)))
      await this.#image(manifest, view as ImageView, entry?.platform);
    else for (const part of partsOf(view)) await this.#blob(part);
    if (depth >= maxIndexDepth) return await this.#fault(descriptor.digest, 'indexes are nested too deeply below it');
    for (const child of childrenOf(view)) if (isManifestType(child.mediaType)) await this.#child(child, depth);
  }

  async #child(entry: Descriptor, depth: number): Promise<void> {
    const { registry, repo } = this.#source;
    const { signal, sparse } = this.#options;
    const child = await this.#look(entry.digest, async () => {
      const read = await registry.getManifest(repo, entry.digest, { signal }).catch((error: unknown) => {
        if (!sparse || !isOciError(error, 'MANIFEST_UNKNOWN')) throw error;
        this.#absent.push(entry);
        return undefined;
      });
      if (read) checkType(entry, read);
      return read;
    });
    if (!child) return;
    const { size } = child.descriptor;
    if (size !== entry.size) await this.#fault(entry.digest, `it has ${size} bytes, and its index says ${entry.size}`);
    await this.manifest(child, entry, depth + 1);
  }

  async #image({ descriptor }: Manifest, view: ImageView, said: Platform | undefined): Promise<void> {
    const config = await this.#config(view.config);
    const parts = partsOf(view).filter(({ kind }) => kind === 'layer');
    for (const [i, part] of parts.entries()) {
      const diffId = await this.#blob(part);
      const wanted = config?.diffIds[i];
      if (diffId === undefined || wanted === undefined || diffId === wanted) continue;
      await this.#fault(part.descriptor.digest, `layer ${i + 1} unpacks to ${diffId}, and the config says ${wanted}`);
    }
    if (!config) return;
    const { diffIds, history, os, architecture, variant } = config;
    const { digest } = descriptor;
    if (diffIds.length !== parts.length) {
      await this.#fault(digest, `it has ${parts.length} layers, and its config names ${diffIds.length}`);
    }
    const steps = history.filter(({ empty }) => !empty).length;
    if (history.length > 0 && steps !== parts.length) {
      await this.#fault(digest, `it has ${parts.length} layers, and its history has lines for ${steps}`);
    }
    const own = { os, architecture, ...(variant && { variant }) };
    if (said && os !== '' && !platformMatches(own, said)) {
      await this.#fault(digest, `its config is for ${formatPlatform(own)}, and its index says ${formatPlatform(said)}`);
    }
  }

  async #config(descriptor: Descriptor): Promise<ImageConfig | undefined> {
    const { registry, repo } = this.#source;
    this.#count(descriptor);
    return await this.#look(descriptor.digest, async () =>
      readImageConfig(await readConfig(registry, repo, descriptor, this.#options)),
    );
  }

  /** @returns The digest of a layer's tar, if it was read. */
  async #blob({ descriptor, optional }: Part): Promise<string | undefined> {
    const { digest } = descriptor;
    if (this.#blobs.has(digest)) return this.#blobs.get(digest);
    this.#count(descriptor);
    const diffId = await this.#look(digest, () => this.#read(descriptor), optional);
    this.#blobs.set(digest, diffId);
    return diffId;
  }

  async #read(descriptor: Descriptor): Promise<string | undefined> {
    const { registry, repo } = this.#source;
    const { fast, signal } = this.#options;
    if (fast) {
      const { size } = await registry.statBlob(repo, descriptor.digest, { signal });
      if (size !== descriptor.size) {
        throw new OciError('SIZE_MISMATCH', `it has ${size} bytes, and its manifest says ${descriptor.size}`);
      }
      return undefined;
    }
    const content = await registry.getBlob(repo, descriptor, { signal });
    try {
      if (!layerForm(descriptor.mediaType)) {
        await content.drainTo({ write: async () => {} }, { signal });
        return undefined;
      }
      const layer = await openLayer(descriptor, content, { signal });
      for await (const _ of layer);
      return layer.diffId();
    } finally {
      await content.cancel();
    }
  }

  #count({ digest, size }: Descriptor): void {
    if (this.#blobs.has(digest)) return;
    this.#blobs.set(digest, undefined);
    this.#bytes += size;
  }

  /** @param mayLack Whether it need not be there, as a foreign layer. */
  async #look<T>(digest: Digest, act: () => Promise<T>, mayLack = false): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (!isOciError(error, ...aboutImage) || this.#options.signal?.aborted) throw error;
      if (!(mayLack && isOciError(error, 'BLOB_UNKNOWN'))) await this.#fault(digest, error.message);
      return undefined;
    }
  }

  async #fault(digest: Digest, problem: string): Promise<void> {
    const fault = { digest, problem };
    this.#faults.push(fault);
    await this.#options.onFault(fault);
  }
}
