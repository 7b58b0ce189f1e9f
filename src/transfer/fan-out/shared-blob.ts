import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { type Content, streamContent } from '../../registry/content.ts';
import type { OnWait, SignalOption } from '../../registry/registry.ts';
import type { Way } from '../lanes.ts';
import type { Patience } from './patience.ts';
import { SharedWindow, type WindowReader } from './window.ts';

/** How far the fastest destination may be ahead of the slowest, in bytes of each blob that moves. */
const windowBytes = 2 * 1024 * 1024;

/** Opens the blob at the source, from its beginning. */
type OpenSource = (options: SignalOption & { readonly onWait?: OnWait | undefined }) => Promise<Content>;

/** A destination, as far as the others wait for it. */
export interface Participant {
  readonly patience: Patience;
  /** Whether the others should wait for it before they read a blob. @param images Those that have the blob, as far as is known. */
  mayWant(digest: Digest, images: Iterable<number>): boolean;
}

interface Member {
  readonly reader: WindowReader;
  /** Ends its wait for the lane. */
  readonly begin: () => void;
  readonly begun: Promise<void>;
}

/** A blob that several destinations read together, in one pass over the source. */
export class SharedBlob {
  readonly descriptor: Descriptor;
  /** Bytes read of the source. */
  readBytes = 0;
  /** The images that have it, as far as is known. */
  readonly images = new Set<number>();
  readonly #way: Way;
  readonly #branches: () => readonly Participant[];
  readonly #open: OpenSource;
  readonly #members = new Map<Participant, Member>();
  readonly #holds = new Map<Participant, () => void>();
  readonly #window = new SharedWindow(windowBytes, (readers) => this.#holdReaders(readers));
  readonly #stop = new AbortController();
  #isStarted = false;
  /** Whether it is too late to join. */
  #isClosed = false;
  #isRead = false;

  /** @param branches All destinations. */
  constructor(descriptor: Descriptor, way: Way, branches: () => readonly Participant[], open: OpenSource) {
    this.descriptor = descriptor;
    this.#way = way;
    this.#branches = branches;
    this.#open = open;
  }

  has(branch: Participant): boolean {
    return this.#members.has(branch);
  }

  trouble(): void {
    this.#way.trouble();
  }

  /**
   * Waits until every destination that may want the blob has said so, and then for a lane, which they share.
   *
   * @returns Whether it reads together with the others.
   */
  async join(branch: Participant, { signal }: SignalOption): Promise<boolean> {
    let member = this.#members.get(branch);
    if (!member) {
      if (this.#isClosed) return false;
      const { promise: begun, resolve: begin } = deferred();
      member = { reader: this.#window.add(), begun, begin };
      this.#members.set(branch, member);
      this.check();
    }
    const leave = (): void => this.leave(branch);
    signal?.addEventListener('abort', leave);
    if (signal?.aborted) leave();
    await member.begun;
    signal?.removeEventListener('abort', leave);
    signal?.throwIfAborted();
    return this.#members.has(branch);
  }

  /** Looks again whom the members wait for. */
  check(): void {
    if (this.#isStarted) return;
    const awaited = this.#branches().filter(
      (one) => one.mayWant(this.descriptor.digest, this.images) && !this.#members.has(one),
    );
    this.#hold(this.#members.size > 0 ? awaited : []);
    if (this.#members.size > 0 && awaited.length === 0) void this.#start();
  }

  /** What a member reads. It goes on elsewhere if the member has to leave. Only once for each. */
  read(
    branch: Participant,
    options: SignalOption & { readonly onWait?: OnWait | undefined },
    elsewhere: (offset: number) => Promise<Content>,
  ): Content {
    if (!this.#isRead) void this.#fill(options.onWait);
    this.#isRead = true;
    return streamContent(this.descriptor, this.#chunks(branch, options, elsewhere), async () => this.leave(branch));
  }

  leave(branch: Participant): void {
    const member = this.#members.get(branch);
    if (!member) return;
    this.#members.delete(branch);
    member.reader.leave();
    member.begin();
    if (this.#members.size === 0) {
      this.#hold([]);
      if (this.#isRead) this.#stop.abort();
      if (this.#isClosed) void this.#way.end();
    }
    this.check();
  }

  async #start(): Promise<void> {
    this.#isStarted = true;
    await this.#way.ready();
    this.#isClosed = true;
    if (this.#members.size === 0) return await this.#way.end();
    for (const { begin } of this.#members.values()) begin();
  }

  async #fill(onWait: OnWait | undefined): Promise<void> {
    const { signal } = this.#stop;
    try {
      const content = await this.#open({ signal, onWait });
      const write = async (chunk: Uint8Array): Promise<void> => {
        this.readBytes += chunk.length;
        this.#way.moved(chunk.length);
        await this.#window.write(chunk);
      };
      await content.drainTo({ write }, { signal });
      this.#window.finish();
    } catch (error) {
      this.#window.finish({ error });
    }
  }

  async *#chunks(
    branch: Participant,
    { signal }: SignalOption,
    elsewhere: (offset: number) => Promise<Content>,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = this.#members.get(branch)?.reader;
    const leave = (): void => this.leave(branch);
    signal?.addEventListener('abort', leave);
    let offset = 0;
    try {
      for (;;) {
        const chunk = (await reader?.next()) ?? 'left';
        signal?.throwIfAborted();
        if (chunk === 'end') return;
        if (chunk === 'left') break;
        offset += chunk.length;
        yield chunk;
      }
    } finally {
      signal?.removeEventListener('abort', leave);
    }
    yield* await elsewhere(offset);
  }

  #holdReaders(readers: readonly WindowReader[]): void {
    const held = readers.length === 0 ? [] : [...this.#members].filter(([, { reader }]) => readers.includes(reader));
    if (this.#isClosed) this.#hold(held.map(([branch]) => branch));
    if (this.#window.isDrained) void this.#way.end();
  }

  #hold(branches: readonly Participant[]): void {
    for (const [branch, release] of this.#holds) {
      if (branches.includes(branch)) continue;
      this.#holds.delete(branch);
      release();
    }
    for (const branch of branches) if (!this.#holds.has(branch)) this.#holds.set(branch, branch.patience.hold());
  }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
