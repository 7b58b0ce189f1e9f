import { OciError } from '../model/errors.ts';
import type { OnWait, PushBlobResult } from '../registry/registry.ts';
import { CountedSource } from './counted-source.ts';
import { refuseDamagedSource } from './damaged-source.ts';
import type { EventQueue } from './event-queue.ts';
import type { BlobNode } from './graph.ts';
import { Lanes, type Way } from './lanes.ts';
import type { BatchOptions, TransferOptions } from './options.ts';

import type { BlobWanter, MovingBlob, Target } from './target.ts';

/** Transfers the blobs of a batch, several at once, each to a repository once, however many images need it there. */
export class BlobMover {
  readonly #lanes: Lanes;
  readonly #signal: AbortSignal | undefined;
  readonly #events: EventQueue;
  readonly #all = new Set<MovingBlob>();

  constructor({ parallelBlobs, signal }: BatchOptions, events: EventQueue) {
    this.#lanes = new Lanes(parallelBlobs);
    this.#signal = signal;
    this.#events = events;
    signal?.addEventListener('abort', this.#stopAll);
  }

  /**
   * Transfers the blobs of an image, the largest first. The first failure stops those that no other image needs; what
   * they have received stays resumable.
   *
   * @param isThere Whether the destination has the image already, and all its blobs: then the others are not needed.
   * @returns The number of bytes that were transferred, without those that another image has counted.
   */
  async move(
    blobs: readonly BlobNode[],
    options: TransferOptions,
    target: Target,
    isThere?: Promise<boolean>,
  ): Promise<number> {
    const wanted: MovingBlob[] = [];
    const wanter: BlobWanter = {
      giveUp(error) {
        for (const blob of wanted) {
          blob.wanters.delete(wanter);
          if (blob.wanters.size === 0) stop(blob, error);
        }
      },
    };
    for (const blob of [...blobs].sort((a, b) => b.descriptor.size - a.descriptor.size)) {
      const moving = this.#moving(blob, options, target);
      moving?.wanters.add(wanter);
      if (moving) wanted.push(moving);
    }
    const unneeded = isThere?.then((is) => {
      if (is) wanter.giveUp(new OciError('CANCELLED', 'the destination has the image already'));
      return is;
    });
    try {
      await Promise.all(wanted.map(({ done }) => done));
    } catch (error) {
      await Promise.allSettled(wanted.map(({ wanters, done }) => wanters.size === 0 && done));
      if (!(await unneeded)) throw error;
      this.#tellThere(blobs, target);
    }
    let transferredBytes = 0;
    for (const blob of wanted) {
      transferredBytes += blob.bytes;
      blob.bytes = 0;
    }
    return transferredBytes;
  }

  #tellThere(blobs: readonly BlobNode[], { arrivedBlobs, movingBlobs }: Target): void {
    for (const { descriptor, kind } of blobs) {
      if (arrivedBlobs.has(descriptor.digest) || movingBlobs.has(descriptor.digest)) continue;
      arrivedBlobs.add(descriptor.digest);
      this.#events.push({ type: 'done', node: descriptor, kind, outcome: 'exists' });
    }
  }

  close(): void {
    this.#signal?.removeEventListener('abort', this.#stopAll);
  }

  readonly #stopAll = (): void => {
    for (const blob of this.#all) stop(blob, this.#signal?.reason);
  };

  /** The transfer of a blob, started if necessary; undefined if the blob has arrived already. */
  #moving(blob: BlobNode, options: TransferOptions, target: Target): MovingBlob | undefined {
    const { digest, size } = blob.changed?.descriptor ?? blob.descriptor;
    if (target.arrivedBlobs.has(digest)) return undefined;
    const known = target.movingBlobs.get(digest);
    if (known && !known.stopped) return known;
    const way = this.#lanes.way(size);
    const work = async (): Promise<void> => {
      try {
        // A look at the local store costs nothing. There a blob waits for its lane before it holds any lock.
        await (options.to.sparse ? way.ready() : way.look());
        this.#signal?.throwIfAborted();
        if (moving.stopped) throw moving.stopped.reason;
        moving.stop = new AbortController();
        moving.bytes = await transferBlob(blob, { ...options, signal: moving.stop.signal }, this.#events, way);
        target.arrivedBlobs.add(digest);
      } catch (error) {
        // Do this before the lane is free, so that no other blob of the failed image begins.
        for (const wanter of moving.wanters) wanter.giveUp(error);
        throw error;
      } finally {
        await way.end();
        this.#all.delete(moving);
        if (target.movingBlobs.get(digest) === moving) target.movingBlobs.delete(digest);
      }
    };
    const moving: MovingBlob = { done: work(), wanters: new Set(), bytes: 0 };
    this.#all.add(moving);
    target.movingBlobs.set(digest, moving);
    return moving;
  }
}

function stop(blob: MovingBlob, reason: unknown): void {
  blob.stopped ??= { reason };
  blob.stop?.abort(reason);
}

async function transferBlob(blob: BlobNode, options: TransferOptions, events: EventQueue, way: Way): Promise<number> {
  const { descriptor, kind, foreign, changed } = blob;
  if (foreign && options.foreignLayers === 'skip') {
    events.push({ type: 'done', node: descriptor, kind, outcome: 'foreign' });
    return 0;
  }
  const { to, signal } = options;
  const pushed = changed?.descriptor ?? descriptor;
  const mountFrom =
    typeof options.mountFrom === 'function' ? await options.mountFrom(pushed.digest) : options.mountFrom;
  const source = new CountedSource(blob, options, events, way);
  const onWait: OnWait = (reason, facts) => {
    // A store waits for another process, a registry because something failed. One that is silent may be checking what it got.
    if (!to.sparse && !facts?.silent) way.trouble();
    events.push({ type: 'waiting', node: descriptor, reason, ...facts });
  };
  let outcome: PushBlobResult['outcome'];
  try {
    const mountFirst = mountFrom !== undefined && mountFrom === options.from.repo && !options.from.sparse && !changed;
    ({ outcome } = await to.registry.pushBlob(to.repo, pushed, source, { mountFrom, mountFirst, signal, onWait }));
  } catch (error) {
    if (!changed) await refuseDamagedSource(error, descriptor, options);
    throw error;
  } finally {
    source.close();
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
