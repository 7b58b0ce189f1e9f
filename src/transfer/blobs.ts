import { OciError } from '../model/errors.ts';
import type { Descriptor } from '../model/manifest/descriptor.ts';
import type { RepositoryName } from '../model/reference/reference.ts';
import type { OnWait, PushBlobResult } from '../registry/registry.ts';
import { CountedSource } from './counted-source.ts';
import { refuseDamagedSource } from './damaged-source.ts';
import type { EventQueue } from './event-queue.ts';
import type { Share } from './fan-out/branch.ts';
import type { BlobNode } from './graph.ts';
import { type BlobWay, Lanes } from './lanes.ts';
import type { BatchOptions, TransferOptions, TransferResult } from './options.ts';
import type { BlobOutcome, BlobWanter, MovingBlob, Target } from './target.ts';

interface MovedImage {
  readonly target: Target;
  readonly share: Share | undefined;
  readonly isThere: Promise<boolean> | undefined;
}

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
   * @param image.isThere Whether the destination has the image already, and all its blobs: then the others are not needed.
   * @returns The number of bytes that were transferred, and what became of each blob, without what another image has told.
   */
  async move(
    blobs: readonly BlobNode[],
    options: TransferOptions,
    image: MovedImage,
  ): Promise<Pick<TransferResult, 'transferredBytes' | 'blobs'>> {
    const { target, isThere } = image;
    const wanted = new Map<BlobNode, MovingBlob>();
    const wanter: BlobWanter = {
      giveUp(error) {
        for (const blob of wanted.values()) {
          blob.wanters.delete(wanter);
          if (blob.wanters.size === 0) stop(blob, error);
        }
      },
    };
    for (const blob of [...blobs].sort((a, b) => b.descriptor.size - a.descriptor.size)) {
      const moving = this.#moving(blob, options, image);
      moving?.wanters.add(wanter);
      if (moving) wanted.set(blob, moving);
    }
    const unneeded = isThere?.then((is) => {
      if (is) wanter.giveUp(new OciError('CANCELLED', 'the destination has the image already'));
      return is;
    });
    try {
      await Promise.all([...wanted.values()].map(({ done }) => done));
    } catch (error) {
      await Promise.allSettled([...wanted.values()].map(({ wanters, done }) => wanters.size === 0 && done));
      if (!(await unneeded)) throw error;
      this.#tellThere(blobs, target);
    }
    let transferredBytes = 0;
    for (const blob of wanted.values()) {
      transferredBytes += blob.bytes;
      blob.bytes = 0;
    }
    const told = blobs.map((blob) => ({
      descriptor: blob.descriptor,
      kind: blob.kind,
      ...tell(blob, wanted.get(blob), options),
    }));
    return { transferredBytes, blobs: told };
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
  #moving(blob: BlobNode, options: TransferOptions, { target, share }: MovedImage): MovingBlob | undefined {
    const { digest, size } = blob.changed?.descriptor ?? blob.descriptor;
    if (target.arrivedBlobs.has(digest)) return undefined;
    const known = target.movingBlobs.get(digest);
    if (known && !known.stopped) return known;
    const way: BlobWay = share?.way(blob.descriptor) ?? this.#lanes.way(size);
    const move = async (): Promise<void> => {
      // A look at the local store costs nothing. There a blob waits for its lane before it holds any lock.
      await (options.to.sparse ? way.ready() : way.look());
      this.#signal?.throwIfAborted();
      if (moving.stopped) throw moving.stopped.reason;
      const { signal } = moving.stop;
      const moved = await transferBlob(blob, { ...options, signal }, { events: this.#events, way, target });
      Object.assign(moving, moved);
    };
    const work = async (): Promise<void> => {
      try {
        await share?.untilElderHas(blob.descriptor.digest, { signal: moving.stop.signal });
        // What moves to another repository of this registry can then be mounted from there; a store has it.
        await target.site.inTurn(digest, moving.stop.signal, move);
        target.arrivedBlobs.add(digest);
        share?.arrived(digest);
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
    const moving: MovingBlob = {
      done: Promise.resolve().then(work),
      wanters: new Set(),
      stop: new AbortController(),
      bytes: 0,
      outcome: { outcome: 'exists' },
    };
    this.#all.add(moving);
    target.movingBlobs.set(digest, moving);
    return moving;
  }
}

function stop(blob: MovingBlob, reason: unknown): void {
  blob.stopped ??= { reason };
  blob.stop.abort(reason);
}

/** What a transfer tells of a blob. Another one that needs it too tells that it exists. */
function tell({ foreign }: BlobNode, moving: MovingBlob | undefined, { foreignLayers }: TransferOptions): BlobOutcome {
  if (foreign && foreignLayers === 'skip') return { outcome: 'foreign' };
  const told = moving?.outcome;
  if (moving) moving.outcome = { outcome: 'exists' };
  return told ?? { outcome: 'exists' };
}

interface Surroundings {
  readonly events: EventQueue;
  readonly way: BlobWay;
  readonly target: Target;
}

async function transferBlob(
  blob: BlobNode,
  options: TransferOptions,
  { events, way, target }: Surroundings,
): Promise<Pick<MovingBlob, 'bytes' | 'outcome'>> {
  const { descriptor, kind, foreign, changed } = blob;
  if (foreign && options.foreignLayers === 'skip') {
    events.push({ type: 'done', node: descriptor, kind, outcome: 'foreign' });
    return { bytes: 0, outcome: { outcome: 'foreign' } };
  }
  const { to, signal } = options;
  const pushed = changed?.descriptor ?? descriptor;
  const holder = target.site.holderOf(pushed.digest, to.repo);
  const mountFrom = holder ?? (await otherHolder(pushed, options));
  const source = new CountedSource(blob, options, events, way);
  const onWait: OnWait = (reason, facts) => {
    // A store waits for another process, a registry because something failed. One that is silent may be checking what it got.
    if (!to.sparse && !facts?.silent) way.trouble();
    events.push({ type: 'waiting', node: descriptor, reason, ...facts });
  };
  let result: PushBlobResult['outcome'];
  try {
    const fromSource = mountFrom !== undefined && mountFrom === options.from.repo && !options.from.sparse && !changed;
    const mountFirst = holder !== undefined || fromSource;
    ({ outcome: result } = await to.registry.pushBlob(to.repo, pushed, source, {
      mountFrom,
      mountFirst,
      signal,
      onWait,
    }));
  } catch (error) {
    if (!changed) await refuseDamagedSource(error, descriptor, options);
    throw error;
  } finally {
    source.close();
  }
  target.site.arrived(pushed.digest, to.repo);
  const outcome = {
    outcome: result === 'pushed' ? ('transferred' as const) : result,
    ...(result === 'mounted' && mountFrom !== undefined && { mountedFrom: mountFrom }),
  };
  events.push({ type: 'done', node: descriptor, kind, ...outcome });
  return { bytes: source.readBytes, outcome };
}

async function otherHolder(
  { digest }: Descriptor,
  { mountFrom }: TransferOptions,
): Promise<RepositoryName | undefined> {
  return typeof mountFrom === 'function' ? await mountFrom(digest) : mountFrom;
}
