/** Reads everything in the local store again, and fetches what is damaged. */
import type { Digest } from '../../model/digest.ts';
import { isOciError, OciError } from '../../model/errors.ts';
import type { TransferEvent } from '../../model/events.ts';
import type { StoreName } from '../../model/reference/reference.ts';
import { blobDescriptor } from '../../registry/content.ts';
import { type BlobChecker, blobChecker, blobEnumerator, blobSizes, leases } from '../../registry/extensions.ts';
import type { Registry, SignalOption } from '../../registry/registry.ts';
import { chooseImages } from './choose.ts';
import { type OpenOrigin, type Repairer, repairOf, storeOrigin } from './repair.ts';
import { isListed, type Survey, type SurveyedBlob, surveyStore, type Unreadable } from './survey.ts';

/** Content of the store that is damaged or missing. */
export interface Fault {
  readonly kind: Unreadable['kind'] | SurveyedBlob['kind'] | 'unused';
  /** Undefined for a tag that holds no digest. */
  readonly digest: Digest | undefined;
  /** Undefined for a manifest, whose size is in nothing that was read. */
  readonly size: number | undefined;
  readonly state: 'damaged' | 'missing';
  /** The images that it is a part of; none for a blob that no image uses. */
  readonly images: readonly string[];
  /** Whether it was fetched again; undefined if that was not asked for. */
  readonly repaired: boolean | undefined;
  /** Why it was not repaired. */
  readonly error: OciError | undefined;
}

export interface Scrubbed {
  readonly images: number;
  readonly manifests: number;
  readonly blobs: number;
  /** Bytes of these blobs. */
  readonly bytes: number;
  readonly faults: readonly Fault[];
}

export interface ScrubOptions extends SignalOption {
  /** Opens the registry of a repository. If it is given, what is damaged or missing is fetched from there. */
  readonly origin?: OpenOrigin | undefined;
  /** Told as a transfer would tell it: a blob that is read moves. */
  readonly onEvent?: ((event: TransferEvent) => void) | undefined;
  readonly onFault?: ((fault: Fault) => Promise<void>) | undefined;
}

/** A disk reads two files almost as fast as it can, and a repair of one leaves the other going on. */
const blobsAtOnce = 2;
const progressIntervalMs = 100;

/**
 * Reads every manifest, config and layer again, or those of some images. Beside pulls and removals: what was removed
 * meanwhile is no fault, and sound content is never replaced.
 *
 * @param words Names, digests and image IDs; none: everything, with blobs that no image uses.
 * @throws OciError IMAGE_UNKNOWN, REFERENCE_INVALID
 */
export async function scrubStore(
  registry: Registry,
  words: readonly string[],
  options: ScrubOptions,
): Promise<Scrubbed> {
  const { signal } = options;
  const checker = registry.extension(blobChecker);
  if (checker === undefined) throw new OciError('UNSUPPORTED', `${registry.name} cannot be checked: it is read-only`);
  await using _lease = await registry.extension(leases)?.lease({ signal });
  return new Scrub(registry, checker, options).run(words);
}

class Scrub {
  readonly #registry: Registry;
  readonly #checker: BlobChecker;
  readonly #options: ScrubOptions;
  readonly #signal: SignalOption;
  readonly #repairer: Repairer | undefined;
  readonly #faults: Fault[] = [];
  #bytes = 0;

  constructor(registry: Registry, checker: BlobChecker, options: ScrubOptions) {
    const { origin, signal } = options;
    this.#registry = registry;
    this.#checker = checker;
    this.#options = options;
    this.#signal = { signal };
    this.#repairer = origin && repairOf(registry, checker, { origin: storeOrigin(origin), signal });
  }

  async run(words: readonly string[]): Promise<Scrubbed> {
    const only = words.length === 0 ? undefined : await chooseImages(this.#registry, words, this.#signal);
    let survey = await surveyStore(this.#registry, { only, ...this.#signal });
    // A repaired index may name manifests that are damaged too.
    for (const done = new Set<string>(); await this.#takeManifests(survey.unreadable, done); ) {
      survey = await surveyStore(this.#registry, { only, ...this.#signal });
    }
    const blobs = [...survey.blobs.values()];
    const unused = only === undefined ? await this.#unused(survey) : [];
    for (const { descriptor: node, kind } of blobs) this.#tell({ type: 'discovered', node, kind });
    for (const node of unused) this.#tell({ type: 'discovered', node, kind: 'layer' });
    // As one: images share blobs, and none is finished before the others.
    this.#tell({ type: 'images', found: 1, finished: 0, failed: 0, complete: true });
    const jobs = [
      ...blobs.map((blob) => () => this.#check(blob, survey)),
      ...unused.map((blob) => () => this.#checkUnused(blob.digest, blob.size)),
    ].values();
    const work = async (): Promise<void> => {
      for (const job of jobs) await job();
    };
    await Promise.all(Array.from({ length: blobsAtOnce }, work));
    return {
      images: survey.images.size,
      manifests: survey.manifests.size,
      blobs: blobs.length + unused.length,
      bytes: this.#bytes,
      faults: this.#faults,
    };
  }

  /** Reports manifests and tags that cannot be read. @returns Whether one was repaired. */
  async #takeManifests(unreadable: readonly Unreadable[], done: Set<string>): Promise<boolean> {
    let repaired = false;
    for (const { repo, ...found } of unreadable) {
      const { digest, kind, images } = found;
      const key = `${repo} ${digest ?? images[0]}`;
      if (done.has(key)) continue;
      done.add(key);
      const error = await this.#attempt(kind === 'tag' ? undefined : (by) => by.manifest(repo, digest as Digest));
      repaired ||= error === 'repaired';
      await this.#report({ ...found, size: undefined }, error);
    }
    return repaired;
  }

  async #check(blob: SurveyedBlob, survey: Survey): Promise<void> {
    const { descriptor, kind, optional, holders } = blob;
    const { digest, size } = descriptor;
    let read: Promise<Fault['state'] | 'sound'> | undefined;
    const faulty = new Map<StoreName, Fault['state']>();
    for (const [repo, manifests] of holders) {
      // The file is the same for all repositories: each but the first is asked only whether it has the blob.
      const known: Fault['state'] | 'sound' = await (read === undefined
        ? this.#read(repo, digest, size)
        : this.#has(repo, digest, read));
      if (known !== 'missing') read ??= Promise.resolve(known);
      if (known === 'sound' || (known === 'missing' && optional)) continue;
      if (await this.#isNeeded(repo, manifests)) faulty.set(repo, known);
    }
    const [first] = faulty;
    if (first !== undefined) {
      const outcome = await this.#attempt(async (by) => {
        for (const repo of faulty.keys()) await by.blob(repo, descriptor);
      });
      const images = [...blob.images].flatMap((root) => survey.images.get(root) ?? []);
      await this.#report({ kind, digest, size, state: first[1], images }, outcome);
    }
    this.#tell({ type: 'done', node: descriptor, kind, outcome: 'transferred' });
  }

  async #checkUnused(digest: Digest, size: number): Promise<void> {
    const state = await this.#read(undefined, digest, size);
    // A blob that is missing by now was removed.
    if (state === 'damaged') await this.#report({ kind: 'unused', digest, size, state, images: [] }, undefined);
    this.#tell({ type: 'done', node: blobDescriptor(digest, size), kind: 'layer', outcome: 'transferred' });
  }

  async #read(repo: StoreName | undefined, digest: Digest, size: number): Promise<Fault['state'] | 'sound'> {
    const node = blobDescriptor(digest, size);
    this.#tell({ type: 'started', node, resumedBytes: 0 });
    let position = 0;
    let toldAtMs = 0;
    const onBytes = (bytes: number): void => {
      position += bytes;
      this.#bytes += bytes;
      if (Date.now() - toldAtMs < progressIntervalMs && position < size) return;
      toldAtMs = Date.now();
      this.#tell({ type: 'progress', node, bytes: position });
    };
    return this.#checker.checkBlob(repo, digest, { onBytes, ...this.#signal });
  }

  async #has(
    repo: StoreName,
    digest: Digest,
    read: Promise<Fault['state'] | 'sound'>,
  ): Promise<Fault['state'] | 'sound'> {
    try {
      const size = await this.#registry.extension(blobSizes)?.sizeOf(repo, digest);
      return size === undefined ? 'missing' : await read;
    } catch (error) {
      if (isOciError(error, 'STORAGE_DAMAGED')) return 'damaged'; // its link
      throw error;
    }
  }

  // A removal deletes the manifest first, then what only it needed.
  async #isNeeded(repo: StoreName, manifests: ReadonlySet<Digest>): Promise<boolean> {
    for (const digest of manifests) if (await isListed(this.#registry, repo, digest, this.#signal)) return true;
    return false;
  }

  /** Blobs that are neither manifests nor named by any. */
  async #unused(survey: Survey) {
    const unused: { readonly mediaType: string; readonly digest: Digest; readonly size: number }[] = [];
    const unreadable = new Set(survey.unreadable.map(({ digest }) => digest));
    for await (const { digest, size } of this.#registry.extension(blobEnumerator)?.blobs(this.#signal) ?? []) {
      const isKnown = survey.blobs.has(digest) || survey.manifests.has(digest) || unreadable.has(digest);
      if (!isKnown) unused.push(blobDescriptor(digest, size));
    }
    return unused;
  }

  async #attempt(repair: ((by: Repairer) => Promise<void>) | undefined): Promise<OciError | 'repaired' | undefined> {
    if (this.#repairer === undefined || repair === undefined) return undefined;
    try {
      await repair(this.#repairer);
      return 'repaired';
    } catch (error) {
      if (!isOciError(error) || error.code === 'CANCELLED') throw error;
      return error;
    }
  }

  async #report(found: Omit<Fault, 'repaired' | 'error'>, outcome: OciError | 'repaired' | undefined): Promise<void> {
    const repaired = this.#repairer === undefined ? undefined : outcome === 'repaired';
    const fault = { ...found, repaired, error: isOciError(outcome) ? outcome : undefined };
    this.#faults.push(fault);
    await this.#options.onFault?.(fault);
  }

  #tell(event: TransferEvent): void {
    this.#options.onEvent?.(event);
  }
}
