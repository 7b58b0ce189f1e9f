import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { Content } from '../../registry/content.ts';
import type { OnWait, SignalOption } from '../../registry/registry.ts';
import type { BlobWay, Lanes, Way } from '../lanes.ts';
import type { Slots } from '../slots.ts';
import type { Participant, SharedBlob } from './shared-blob.ts';

/** How a blob is opened. */
export type ReadOptions = SignalOption & { readonly onWait?: OnWait | undefined };

/** The destination that a way leads to. */
interface Goal extends Participant {
  readonly isAlone: boolean;
  /** How many blobs are looked up at once. */
  readonly looks: Slots;
  /** For what it reads alone. */
  readonly lanes: Lanes;
  settle(digest: Digest): void;
}

/** What all destinations read from. */
export interface JointSource {
  /** @param image One that has it. */
  shared(blob: Descriptor, image: number): SharedBlob;
  /** Opens a blob for one destination alone. */
  elsewhere(goal: Participant, blob: Descriptor, offset: number, options: ReadOptions): Promise<Content>;
}

/** The way of one blob to one of several destinations: together with the others, or alone. */
export class BranchWay implements BlobWay {
  readonly #branch: Goal;
  readonly #blob: Descriptor;
  readonly #source: JointSource;
  readonly #shared: SharedBlob;
  #endLook: (() => void) | undefined;
  #own: Way | undefined;
  #hasRead = false;

  constructor(branch: Goal, blob: Descriptor, image: number, source: JointSource) {
    this.#branch = branch;
    this.#blob = blob;
    this.#source = source;
    this.#shared = source.shared(blob, image);
  }

  async look(): Promise<void> {
    this.#endLook = await this.#branch.looks.take();
  }

  async ready({ signal }: SignalOption = {}): Promise<void> {
    this.#endLook?.();
    this.#endLook = undefined;
    if (this.#hasRead) return;
    if (!this.#branch.isAlone && (await this.#shared.join(this.#branch, { signal }))) return;
    this.#own ??= this.#branch.lanes.way(this.#blob.size);
    await this.#own.ready({ signal });
  }

  /** Opens the blob: in one pass with the others, or where it is. */
  async read(offset: number, options: ReadOptions): Promise<Content> {
    const elsewhere = (at: number): Promise<Content> => this.#source.elsewhere(this.#branch, this.#blob, at, options);
    const isTogether = !this.#hasRead && offset === 0 && this.#shared.has(this.#branch);
    this.#hasRead = true;
    if (isTogether) return this.#shared.read(this.#branch, options, elsewhere);
    this.#shared.leave(this.#branch);
    return await elsewhere(offset);
  }

  moved(bytes: number): void {
    this.#own?.moved(bytes);
  }

  trouble(): void {
    (this.#own ?? this.#shared).trouble();
  }

  async end(): Promise<void> {
    this.#endLook?.();
    this.#shared.leave(this.#branch);
    this.#branch.settle(this.#blob.digest);
    await this.#own?.end();
  }
}
