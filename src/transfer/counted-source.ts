import type { BlobSource, Content, Sink } from '../registry/content.ts';
import type { OnWait, SignalOption } from '../registry/registry.ts';
import type { EventQueue } from './event-queue.ts';
import type { BlobNode } from './graph.ts';
import type { BlobWay } from './lanes.ts';
import type { TransferOptions } from './options.ts';

const progressIntervalMs = 100;

/** The blob at the transfer's source; emits progress events while it is read. */
export class CountedSource implements BlobSource {
  /** All bytes read, including those of a second attempt. */
  readBytes = 0;
  readonly #blob: BlobNode;
  readonly #options: TransferOptions;
  readonly #events: EventQueue;
  readonly #way: BlobWay;
  #toldAtMs = 0;
  #position = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(blob: BlobNode, options: TransferOptions, events: EventQueue, way: BlobWay) {
    this.#blob = blob;
    this.#options = options;
    this.#events = events;
    this.#way = way;
  }

  ready(opts?: SignalOption): Promise<void> {
    return this.#way.ready({ signal: opts?.signal ?? this.#options.signal });
  }

  async open(offset: number, opts?: SignalOption): Promise<Content> {
    await this.ready(opts);
    const { from } = this.#options;
    const { descriptor, changed } = this.#blob;
    const signal = opts?.signal ?? this.#options.signal;
    this.#events.push({ type: 'started', node: descriptor, resumedBytes: offset });
    // Skip verification here: the destination verifies what it commits, and no byte need be hashed twice.
    const range = offset > 0 ? { start: offset } : undefined;
    const onWait: OnWait = (reason, facts) => {
      if (!facts?.silent) this.#way.trouble();
      this.#events.push({ type: 'waiting', node: descriptor, reason, ...facts });
    };
    const content = changed
      ? await changed.source.open(offset, { signal })
      : await (this.#way.read?.(offset, { onWait, signal }) ??
          from.registry.getBlob(from.repo, descriptor, { verify: false, onWait, signal, range }));
    let position = offset;
    const count = (chunk: Uint8Array): void => {
      position += chunk.length;
      this.readBytes += chunk.length;
      this.#way.moved(chunk.length);
      this.#tell(position);
    };
    return {
      descriptor: content.descriptor,
      async *[Symbol.asyncIterator]() {
        for await (const chunk of content) {
          count(chunk);
          yield chunk;
        }
      },
      drainTo(sink, drainOptions) {
        const counting: Sink = {
          write(chunk) {
            count(chunk);
            return sink.write(chunk);
          },
        };
        return content.drainTo(counting, drainOptions);
      },
      cancel: () => content.cancel(),
    };
  }

  /** Tells nothing more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tell(bytes: number): void {
    const { descriptor, changed } = this.#blob;
    const waitMs = this.#toldAtMs + progressIntervalMs - Date.now();
    if (waitMs <= 0 || bytes >= (changed?.descriptor ?? descriptor).size) {
      this.#tellNow(bytes);
      return;
    }
    this.#position = bytes;
    // What comes to a stop is told as far as it has come.
    this.#timer ??= setTimeout(() => this.#tellNow(this.#position), Math.min(waitMs, progressIntervalMs)).unref();
  }

  #tellNow(bytes: number): void {
    this.close();
    this.#toldAtMs = Date.now();
    this.#events.push({ type: 'progress', node: this.#blob.descriptor, bytes });
  }
}
