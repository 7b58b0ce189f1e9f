import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { Lanes } from '../lanes.ts';
import type { TransferRoot } from '../options.ts';
import { Slots } from '../slots.ts';
import { BranchWay, type JointSource } from './branch-way.ts';
import { Patience } from './patience.ts';

/** How many blobs are looked up at once at one destination. */
const looksAtOnce = 16;

/** What the destinations have in common. */
interface Joint extends JointSource {
  makeLanes(): Lanes;
  manifest(digest: Digest, read: () => Promise<Manifest>): Promise<Manifest>;
  /** A destination has something to say about a blob, or about all. */
  check(digest: Digest): void;
  checkAll(): void;
  /** Another destination in the same store or registry, which was there first. */
  elderOf(branch: Branch): Branch | undefined;
  detach(branch: Branch): void;
}

/** One of several images that are copied to one of several destinations. */
export interface Share extends Pick<Branch, 'arrived' | 'manifest'> {
  way(blob: Descriptor): BranchWay;
  /** Where it goes, and which blobs it has. */
  needs(to: TransferRoot['to'], digests: Iterable<Digest>): void;
  /** Waits as long as another destination brings a blob to the same store or registry. @throws the signal's reason. */
  untilElderHas(digest: Digest, opts: SignalOption): Promise<void>;
  /** There is no more work for this image. */
  end(): void;
}

/** One of several destinations that read each blob of the source together. */
export class Branch {
  readonly patience: Patience;
  readonly looks = new Slots(looksAtOnce);
  readonly #fanOut: Joint;
  readonly #arrived = new Set<Digest>();
  readonly #settled = new Set<Digest>();
  #to: TransferRoot['to'] | undefined;
  readonly #needed = new Set<Digest>();
  /** Images of which it is not known yet what they need here. */
  readonly #unsaid = new Set<number>();
  #isAlone = false;
  #hasEnded = false;
  #lanes: Lanes | undefined;
  #elder: Branch | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(fanOut: Joint, holdMs: number) {
    this.#fanOut = fanOut;
    this.patience = new Patience(holdMs, () => this.goAlone());
  }

  /** Whether it has held up the others for too long, and now reads for itself. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  /** Whether the others should wait for it before they read a blob of some images. */
  mayWant(digest: Digest, images: Iterable<number>): boolean {
    return !this.#isAlone && this.isBusyWith(digest, images);
  }

  /** Whether it does not have a blob of some images yet and may get it. */
  isBusyWith(digest: Digest, images: Iterable<number>): boolean {
    if (this.#hasEnded || this.#settled.has(digest)) return false;
    return this.#needed.has(digest) || [...images].some((image) => this.#unsaid.has(image));
  }

  /** Where a blob can be read that arrived here. */
  holder(digest: Digest): TransferRoot['to'] | undefined {
    return this.#arrived.has(digest) ? this.#to : undefined;
  }

  /** The lanes of a destination that reads for itself. */
  get lanes(): Lanes {
    this.#lanes ??= this.#fanOut.makeLanes();
    return this.#lanes;
  }

  /** An image that will be copied here. */
  share(image: number): Share {
    this.#unsaid.add(image);
    const said = (): void => {
      this.#unsaid.delete(image);
      this.#fanOut.checkAll();
    };
    return {
      way: (blob) => new BranchWay(this, blob, image, this.#fanOut),
      manifest: (digest, read) => this.manifest(digest, read),
      needs: (to, digests) => {
        this.#needs(to, digests);
        said();
      },
      arrived: (digest) => this.arrived(digest),
      untilElderHas: (digest, opts) => this.#untilElderHas(digest, image, opts),
      end: said,
    };
  }

  /** Reads a manifest of the source, which all destinations need. */
  manifest(digest: Digest, read: () => Promise<Manifest>): Promise<Manifest> {
    return this.#fanOut.manifest(digest, read);
  }

  #needs(to: TransferRoot['to'], digests: Iterable<Digest>): void {
    for (const digest of digests) this.#needed.add(digest);
    if (this.#to) return;
    this.#to = to;
    this.#elder = this.#fanOut.elderOf(this);
    // A store has each blob once, and a registry mounts what another of its repositories has: a second one that needs it waits
    // for the first, which must not wait for that one.
    if (this.#elder) this.goAlone();
  }

  /** Where it writes; undefined before that is known. */
  get to(): TransferRoot['to'] | undefined {
    return this.#to;
  }

  async #untilElderHas(digest: Digest, image: number, { signal }: SignalOption): Promise<void> {
    while (this.#elder?.isBusyWith(digest, [image]) && !signal?.aborted) await this.#elder.#change(signal);
    signal?.throwIfAborted();
  }

  arrived(digest: Digest): void {
    this.#arrived.add(digest);
  }

  /** The work for a blob has ended. */
  settle(digest: Digest): void {
    this.#settled.add(digest);
    this.#wake();
    this.#fanOut.check(digest);
  }

  goAlone(): void {
    if (this.#isAlone) return;
    this.#isAlone = true;
    this.#fanOut.detach(this);
  }

  /** Nothing more is copied to it. */
  end(): void {
    this.#hasEnded = true;
    this.#wake();
    this.#fanOut.detach(this);
  }

  /** Resolves when work has ended here, or when the signal is aborted. */
  async #change(signal: AbortSignal | undefined): Promise<void> {
    let wake: () => void = () => {};
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    this.#waiting.add(wake);
    signal?.addEventListener('abort', wake);
    await woken;
    this.#waiting.delete(wake);
    signal?.removeEventListener('abort', wake);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
