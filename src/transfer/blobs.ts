import type { BlobSource, Content, Sink } from '../registry/content.ts';
import type { PushBlobResult } from '../registry/registry.ts';
import { refuseDamagedSource } from './damaged-source.ts';
import type { EventQueue } from './event-queue.ts';
import type { BlobNode } from './graph.ts';
import type { TransferOptions } from './options.ts';
import { Slots } from './slots.ts';

const defaultParallelBlobs = 3;
const progressIntervalMs = 100;

/**
 * Moves blobs, the largest first, a few at once. The first failure stops the others; what they have stays resumable.
 *
 * @returns Bytes that went over.
 */
export async function transferBlobs(
  blobs: readonly BlobNode[],
  options: TransferOptions,
  events: EventQueue,
): Promise<number> {
  const { parallelBlobs = defaultParallelBlobs, blobSlots = new Slots(parallelBlobs) } = options;
  const queue = [...blobs].sort((a, b) => b.descriptor.size - a.descriptor.size).values();
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  let transferredBytes = 0;
  const work = async (): Promise<void> => {
    for (const blob of queue) {
      const bytes = await blobSlots.run(async () => {
        signal.throwIfAborted();
        return transferBlob(blob, { ...options, signal }, events);
      });
      transferredBytes += bytes;
    }
  };
  const failures: unknown[] = [];
  const lanes = Array.from({ length: Math.min(parallelBlobs, blobs.length) }, () =>
    work().catch((error: unknown) => {
      failures.push(error);
      stop.abort(error);
    }),
  );
  await Promise.all(lanes);
  if (failures.length > 0) throw failures[0];
  return transferredBytes;
}

async function transferBlob(blob: BlobNode, options: TransferOptions, events: EventQueue): Promise<number> {
  const { descriptor, kind, foreign, changed } = blob;
  if (foreign && options.foreignLayers === 'skip') {
    events.push({ type: 'done', node: descriptor, kind, outcome: 'foreign' });
    return 0;
  }
  const { to, signal } = options;
  const pushed = changed?.descriptor ?? descriptor;
  const mountFrom =
    typeof options.mountFrom === 'function' ? await options.mountFrom(pushed.digest) : options.mountFrom;
  const source = new CountedSource(blob, options, events);
  const onWait = (reason: string): void => events.push({ type: 'waiting', node: descriptor, reason });
  let outcome: PushBlobResult['outcome'];
  try {
    ({ outcome } = await to.registry.pushBlob(to.repo, pushed, source, { mountFrom, signal, onWait }));
  } catch (error) {
    if (!changed) await refuseDamagedSource(error, descriptor, options);
    throw error;
  }
  events.push({
    type: 'done',
    node: descriptor,
    kind,
    outcome: outcome === 'pushed' ? 'transferred' : outcome,
    ...(outcome === 'mounted' && mountFrom !== undefined && { mountedFrom: mountFrom }),
  });
  return source.readBytes;
}

/** The blob at the transfer's source; tells how far its reader has come. */
class CountedSource implements BlobSource {
  /** Bytes read in all, those of a second attempt included. */
  readBytes = 0;
  readonly #blob: BlobNode;
  readonly #options: TransferOptions;
  readonly #events: EventQueue;
  #toldAtMs = 0;

  constructor(blob: BlobNode, options: TransferOptions, events: EventQueue) {
    this.#blob = blob;
    this.#options = options;
    this.#events = events;
  }

  async open(offset: number, opts?: { readonly signal?: AbortSignal | undefined }): Promise<Content> {
    const { from } = this.#options;
    const { descriptor, changed } = this.#blob;
    const signal = opts?.signal ?? this.#options.signal;
    this.#events.push({ type: 'started', node: descriptor, resumedBytes: offset });
    // The destination verifies what it commits: no byte is hashed twice.
    const range = offset > 0 ? { start: offset } : undefined;
    const content = changed
      ? await changed.source.open(offset, { signal })
      : await from.registry.getBlob(from.repo, descriptor, { verify: false, signal, range });
    let position = offset;
    const count = (chunk: Uint8Array): void => {
      position += chunk.length;
      this.readBytes += chunk.length;
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

  #tell(bytes: number): void {
    const nowMs = Date.now();
    const { descriptor, changed } = this.#blob;
    if (nowMs - this.#toldAtMs < progressIntervalMs && bytes < (changed?.descriptor ?? descriptor).size) return;
    this.#toldAtMs = nowMs;
    this.#events.push({ type: 'progress', node: descriptor, bytes });
  }
}
