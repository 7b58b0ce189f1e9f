import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Manifest } from '../../model/manifest/manifest.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { Lanes } from '../lanes.ts';
import type { TransferEnd } from '../options.ts';
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
  /** Another destination in the same store, which was there first. */
  elderOf(branch: Branch): Branch | undefined;
  detach(branch: Branch): void;
}

/** One of several destinations that read each blob of the source together. */
export class Branch {
  readonly patience: Patience;
  readonly looks = new Slots(looksAtOnce);
  readonly #fanOut: Joint;
  readonly #arrived = new Set<Digest>();
  readonly #settled = new Set<Digest>();
  #to: TransferEnd | undefined;
  #needed: ReadonlySet<Digest> | undefined;
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

  /** Whether the others should wait for it before they read a blob. */
  mayWant(digest: Digest): boolean {
    return !this.#isAlone && this.isBusyWith(digest);
  }

  /** Whether it does not have a blob yet and may get it. */
  isBusyWith(digest: Digest): boolean {
    if (this.#hasEnded || this.#settled.has(digest)) return false;
    return this.#needed === undefined || this.#needed.has(digest);
  }

  /** Where a blob can be read that arrived here. */
  holder(digest: Digest): TransferEnd | undefined {
    return this.#arrived.has(digest) ? this.#to : undefined;
  }

  /** The lanes of a destination that reads for itself. */
  get lanes(): Lanes {
    this.#lanes ??= this.#fanOut.makeLanes();
    return this.#lanes;
  }

  way(blob: Descriptor): BranchWay {
    return new BranchWay(this, blob, this.#fanOut);
  }

  /** Reads a manifest of the source, which all destinations need. */
  manifest(digest: Digest, read: () => Promise<Manifest>): Promise<Manifest> {
    return this.#fanOut.manifest(digest, read);
  }

  /** Where it writes, and which blobs its image has. */
  needs(to: TransferEnd, digests: Iterable<Digest>): void {
    this.#to = to;
    this.#needed = new Set(digests);
    this.#elder = to.sparse ? this.#fanOut.elderOf(this) : undefined;
    // A store has each blob once, and a second one that brings it waits for the first, which must not wait for that one.
    if (this.#elder) this.goAlone();
    else this.#fanOut.checkAll();
  }

  /** Where it writes; undefined before that is known. */
  get to(): TransferEnd | undefined {
    return this.#to;
  }

  /** Waits as long as another destination brings a blob to the same store. @throws the signal's reason. */
  async untilElderHas(digest: Digest, { signal }: SignalOption): Promise<void> {
    while (this.#elder?.isBusyWith(digest) && !signal?.aborted) await this.#elder.#change(signal);
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
