import type { Digest } from '../../model/digest.ts';
import { isOciError } from '../../model/errors.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import { type Content, streamContent } from '../../registry/content.ts';
import type { GetBlobOptions, SignalOption } from '../../registry/registry.ts';
import { Lanes } from '../lanes.ts';
import type { TransferOptions, TransferRoot } from '../options.ts';
import { Sites } from '../site.ts';
import { Branch, type Share } from './branch.ts';
import type { ReadOptions } from './branch-way.ts';
import { type Participant, SharedBlob } from './shared-blob.ts';

/** How often a destination that reads for itself looks whether another one has got further with a blob. */
const lookMs = 50;

interface FanOutOptions {
  /** What is copied. */
  readonly from: Pick<TransferOptions['from'], 'registry' | 'repo' | 'sparse'>;
  readonly count: number;
  readonly parallelBlobs?: number | undefined;
  /** How long each destination may hold up the others, in all. */
  readonly holdMs: number;
}

/** Several destinations of one image, which read each blob of the source together. */
export class FanOut {
  readonly sites = new Sites();
  readonly branches: readonly Branch[];
  readonly #options: FanOutOptions;
  readonly #lanes: Lanes;
  #images = 0;
  readonly #blobs = new Map<Digest, SharedBlob>();
  readonly #manifests = new Map<Digest, { readonly reading: Promise<Manifest>; left: number }>();

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#lanes = this.makeLanes();
    this.branches = Array.from({ length: options.count }, () => new Branch(this, options.holdMs));
  }

  makeLanes(): Lanes {
    return new Lanes(this.#options.parallelBlobs);
  }

  /** Begins an image. @returns What it is for each destination. */
  image(): readonly Share[] {
    this.#images += 1;
    return this.branches.map((branch) => branch.share(this.#images));
  }

  shared(blob: Descriptor, image: number): SharedBlob {
    const { from } = this.#options;
    let shared = this.#blobs.get(blob.digest);
    shared ??= new SharedBlob(
      blob,
      this.#lanes.way(blob.size),
      () => this.branches,
      (options) => from.registry.getBlob(from.repo, blob, { ...options, verify: false }),
    );
    this.#blobs.set(blob.digest, shared);
    shared.images.add(image);
    return shared;
  }

  /** Reads a manifest once for all destinations that ask for it at about the same time. */
  manifest(digest: Digest, read: () => Promise<Manifest>): Promise<Manifest> {
    const known = this.#manifests.get(digest) ?? { reading: read(), left: this.branches.length };
    this.#manifests.set(digest, known);
    known.left -= 1;
    if (known.left === 0) this.#manifests.delete(digest);
    // Another one reads it again.
    known.reading.catch(() => this.#manifests.delete(digest));
    return known.reading;
  }

  check(digest: Digest): void {
    this.#blobs.get(digest)?.check();
  }

  checkAll(): void {
    for (const blob of this.#blobs.values()) blob.check();
  }

  elderOf(branch: Branch): Branch | undefined {
    const { to } = branch;
    const isBeside = (other: TransferRoot['to']): boolean =>
      to?.host === undefined ? to?.registry === other.registry : to.host === other.host;
    return this.branches.find((one) => one !== branch && one.to !== undefined && isBeside(one.to));
  }

  /** The others go on without it. */
  detach(branch: Branch): void {
    for (const blob of this.#blobs.values()) blob.leave(branch);
    this.checkAll();
  }

  /**
   * Opens a blob for one destination alone: where another one has it, as soon as that is so; otherwise at the source.
   */
  async elsewhere(branch: Participant, blob: Descriptor, offset: number, options: ReadOptions): Promise<Content> {
    if (offset === blob.size) return streamContent(blob, []);
    const { from } = this.#options;
    const opts: GetBlobOptions = { ...options, verify: false, range: offset > 0 ? { start: offset } : undefined };
    if (!from.sparse) {
      await this.#untilPeersHave(branch, blob, options);
      for (const peer of this.branches) {
        const there = peer === branch ? undefined : peer.holder(blob.digest);
        try {
          if (there) return await there.registry.getBlob(there.repo, blob, opts);
        } catch (error) {
          // Who may write there may not be allowed to read, or it is an archive that is being written.
          if (!isOciError(error) || options.signal?.aborted) throw error;
        }
      }
    }
    return await from.registry.getBlob(from.repo, blob, opts);
  }

  /** Waits for the destinations that are reading a blob, as long as they get on with it. */
  async #untilPeersHave(branch: Participant, { digest }: Descriptor, { signal }: SignalOption): Promise<void> {
    const peers = this.branches.filter((peer) => peer !== branch);
    const shared = this.#blobs.get(digest);
    let seen = -1;
    let idleMs = 0;
    while (
      !peers.some((peer) => peer.holder(digest)) &&
      peers.some((peer) => peer.mayWant(digest, shared?.images ?? []))
    ) {
      const moved = shared?.readBytes ?? 0;
      idleMs = moved > seen ? 0 : idleMs + lookMs;
      if (idleMs >= this.#options.holdMs) return;
      seen = moved;
      await new Promise((resolve) => setTimeout(resolve, lookMs));
      signal?.throwIfAborted();
    }
  }
}
