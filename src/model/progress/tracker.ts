import { monotonicMs } from '../clock.ts';
import type { Digest } from '../digest.ts';
import type { BlobState, NodeKind, ProgressTotals, TransferEvent } from '../events.ts';
import type { Descriptor } from '../manifest/descriptor.ts';
import type { RepositoryName } from '../reference/reference.ts';
import { Rate } from './rate.ts';

/** A blob and its progress. */
export interface TrackedBlob {
  readonly node: Descriptor;
  readonly kind: Exclude<NodeKind, 'manifest'>;
  readonly state: BlobState;
  readonly bytes: number;
  /** Why it is stopped, or that nothing has arrived for long. */
  readonly reason: string | undefined;
  /** When it is tried again, if that is known. */
  readonly resumesAtMs: number | undefined;
  readonly mountedFrom: RepositoryName | undefined;
  readonly rate: Rate;
  /** When the last byte arrived, or the state began. */
  readonly movedAtMs: number;
}

type Growing = { -readonly [K in keyof TrackedBlob]: TrackedBlob[K] } & {
  /** Bytes that were read, which may exceed the blob's size if a transform makes it larger. */
  position: number;
};

const ended: ReadonlySet<BlobState> = new Set<BlobState>(['exists', 'mounted', 'transferred', 'foreign']);

/** Whether it has reached its final state. */
export function hasEnded({ state }: TrackedBlob): boolean {
  return ended.has(state);
}

/** Follows transfers, one or several after each other, by their events. */
export class ProgressTracker {
  #images = { found: 0, finished: 0, failed: 0, complete: false };
  /** The counts of earlier transfers. */
  #before = { found: 0, finished: 0, failed: 0 };
  readonly #blobs = new Map<Digest, Growing>();
  /** Blobs that have ended once. If another transfer finds them again, they add nothing to the totals. */
  readonly #counted = new Set<Digest>();
  readonly #rate = new Rate();
  readonly #startedMs: number;
  readonly #totals = {
    blobs: 0,
    doneBlobs: 0,
    layers: 0,
    doneLayers: 0,
    existingBlobs: 0,
    existingLayers: 0,
    bytes: 0,
    totalBytes: 0,
    transferredBytes: 0,
    existingBytes: 0,
  };

  constructor(nowMs = monotonicMs()) {
    this.#startedMs = nowMs;
  }

  /** In the order in which they were found. */
  get blobs(): Iterable<TrackedBlob> {
    return this.#blobs.values();
  }

  /** Images of all transfers, counted as in `images` events. */
  get images(): {
    readonly found: number;
    readonly finished: number;
    readonly failed: number;
    readonly complete: boolean;
  } {
    const { found, finished, failed } = this.#before;
    const now = this.#images;
    const { complete } = now;
    return { found: found + now.found, finished: finished + now.finished, failed: failed + now.failed, complete };
  }

  /** @returns The blob that the event is about, if it is about one. */
  event(event: TransferEvent, nowMs = monotonicMs()): TrackedBlob | undefined {
    if (event.type === 'images') this.#count(event);
    if (event.type === 'discovered') return this.#discovered(event.node, event.kind, nowMs);
    if (!('node' in event)) return undefined;
    const blob = this.#blobs.get(event.node.digest);
    if (!blob) return undefined;
    if (event.type === 'started') this.#started(blob, event.resumedBytes, nowMs);
    else if (event.type === 'progress') this.#progress(blob, event.bytes, nowMs);
    else if (event.type === 'waiting') {
      blob.reason = event.reason;
      blob.resumesAtMs = event.seconds === undefined ? undefined : nowMs + event.seconds * 1000;
      // A silent request may continue at any time, so the blob still counts as moving.
      if (!event.silent || blob.state === 'waiting') Object.assign(blob, { state: 'stopped', movedAtMs: nowMs });
    } else if (event.type === 'done') {
      blob.mountedFrom = event.mountedFrom;
      this.#done(blob, event.outcome, nowMs);
    }
    return blob;
  }

  totals(nowMs = monotonicMs()): ProgressTotals {
    const rate = this.#rate.perSecond(nowMs) ?? 0;
    const left = Math.max(0, this.#totals.totalBytes - this.#totals.bytes);
    const isKnown = rate > 0 && this.images.complete && this.#rate.isSteady(nowMs);
    const isDone = left === 0 && this.#totals.totalBytes > 0;
    const secondsLeft = isDone ? 0 : isKnown ? left / rate : null;
    return { ...this.#totals, elapsedSeconds: this.#elapsed(nowMs), bytesPerSecond: rate, secondsLeft };
  }

  /** The totals at the end, with the rate over the whole time. */
  summary(nowMs = monotonicMs()): ProgressTotals {
    const elapsedSeconds = this.#elapsed(nowMs);
    const bytesPerSecond = elapsedSeconds > 0 ? this.#totals.transferredBytes / elapsedSeconds : 0;
    return { ...this.#totals, elapsedSeconds, bytesPerSecond, secondsLeft: null };
  }

  #count({ found, finished, failed, complete }: Extract<TransferEvent, { readonly type: 'images' }>): void {
    // Fewer have ended than before, so this is another transfer.
    if (finished + failed < this.#images.finished + this.#images.failed) {
      this.#before.found += this.#images.found;
      this.#before.finished += this.#images.finished;
      this.#before.failed += this.#images.failed;
    }
    this.#images = { found, finished, failed, complete };
  }

  #elapsed(nowMs: number): number {
    return (nowMs - this.#startedMs) / 1000;
  }

  #discovered(node: Descriptor, kind: NodeKind, movedAtMs: number): TrackedBlob | undefined {
    if (kind === 'manifest') return undefined;
    const { digest, size } = node;
    const known = this.#blobs.get(digest);
    if (known && !hasEnded(known)) return known;
    if (!known) {
      this.#totals.blobs += 1;
      this.#totals.layers += kind === 'layer' ? 1 : 0;
      this.#totals.totalBytes += size;
    }
    // A blob that is found again moves to the end, next to those it was found with.
    this.#blobs.delete(digest);
    const bytes = known?.bytes ?? 0;
    const fresh = { reason: undefined, resumesAtMs: undefined, mountedFrom: undefined, rate: new Rate(), movedAtMs };
    const blob: Growing = { node, kind, state: 'waiting', bytes, position: bytes, ...fresh };
    this.#blobs.set(digest, blob);
    return blob;
  }

  #started(blob: Growing, resumedBytes: number, nowMs: number): void {
    // At a second attempt, this transfer itself has moved the bytes before the offset.
    if (blob.state === 'waiting' && !this.#counted.has(blob.node.digest)) this.#totals.existingBytes += resumedBytes;
    this.#reach(blob, resumedBytes);
    Object.assign(blob, { state: 'moving', reason: undefined, movedAtMs: nowMs });
    blob.rate.add(resumedBytes, nowMs);
    this.#rate.add(this.#totals.transferredBytes, nowMs);
  }

  #progress(blob: Growing, bytes: number, nowMs: number): void {
    this.#totals.transferredBytes += Math.max(0, bytes - blob.position);
    this.#reach(blob, bytes);
    const state = bytes >= blob.node.size ? 'verifying' : 'moving';
    Object.assign(blob, { state, reason: undefined, movedAtMs: nowMs });
    blob.rate.add(bytes, nowMs);
    this.#rate.add(this.#totals.transferredBytes, nowMs);
  }

  #done(blob: Growing, outcome: TrackedBlob['state'], movedAtMs: number): void {
    const { node, kind, bytes } = blob;
    Object.assign(blob, { state: outcome, reason: undefined, movedAtMs });
    const isNew = !this.#counted.has(node.digest);
    this.#counted.add(node.digest);
    if (isNew) {
      this.#totals.doneBlobs += 1;
      this.#totals.doneLayers += kind === 'layer' ? 1 : 0;
    }
    if (outcome === 'foreign') {
      if (isNew) this.#totals.totalBytes -= node.size;
      return;
    }
    if (isNew && outcome !== 'transferred') {
      this.#totals.existingBlobs += 1;
      this.#totals.existingLayers += kind === 'layer' ? 1 : 0;
      this.#totals.existingBytes += Math.max(0, node.size - bytes);
    }
    this.#reach(blob, node.size);
  }

  #reach(blob: Growing, bytes: number): void {
    blob.position = bytes;
    const reached = Math.min(bytes, blob.node.size);
    this.#totals.bytes += reached - blob.bytes;
    blob.bytes = reached;
  }
}
