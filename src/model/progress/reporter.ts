import { monotonicMs } from '../clock.ts';
import type { Digest } from '../digest.ts';
import type { ProgressEvent, ProgressTotals, TransferEvent, Waiting } from '../events.ts';
import { ProgressTracker, type TrackedBlob } from './tracker.ts';

const intervalMs = 500;

/** Turns the events of transfers into progress events: every change of state, and from time to time the progress. */
export class ProgressReporter {
  readonly #tracker: ProgressTracker;
  readonly #tell: (event: ProgressEvent) => void;
  readonly #told = new Map<Digest, { readonly state: string; readonly atMs: number }>();
  #totalAtMs: number;

  /** @param action The action in the first event: `pull`. */
  constructor(action: string, tell: (event: ProgressEvent) => void, nowMs = monotonicMs()) {
    this.#tracker = new ProgressTracker(nowMs);
    this.#totalAtMs = nowMs;
    this.#tell = tell;
    tell({ type: 'start', version: 1, action });
  }

  event(event: TransferEvent, nowMs = monotonicMs()): void {
    const blob = this.#tracker.event(event, nowMs);
    if (event.type === 'resolved') {
      const { digest, mediaType, size } = event.root;
      this.#tell({ type: 'image', reference: event.reference, digest, mediaType, size });
    } else if (event.type === 'waiting') {
      const { type, node, ...wait } = event;
      this.#tell({ type, digest: node.digest, ...wait });
    } else if (event.type === 'done' && event.kind === 'manifest') {
      this.#tell({ type: 'manifest', digest: event.node.digest, outcome: event.outcome });
    } else if (event.type === 'images') this.#tell({ type: 'images', ...this.#tracker.images });
    else if (event.type === 'tagged') this.#tell({ type: 'tag', tag: event.tag, digest: event.root.digest });
    if (blob) this.#blob(blob, nowMs);
    if (nowMs - this.#totalAtMs < intervalMs) return;
    this.#totalAtMs = nowMs;
    this.#tell({ type: 'total', ...rounded(this.#tracker.totals(nowMs)) });
  }

  /** Reports a wait of a request that is not a blob's. */
  waiting(wait: Waiting): void {
    this.#tell({ type: 'waiting', ...wait });
  }

  /** Reports the end. */
  end(completed: boolean, nowMs = monotonicMs()): void {
    this.#tell({ type: 'end', completed, ...rounded(this.#tracker.summary(nowMs)) });
  }

  #blob({ node, kind, state, bytes, reason, mountedFrom }: TrackedBlob, nowMs: number): void {
    const { digest, size } = node;
    const key = reason === undefined ? state : `${state} ${reason}`;
    const told = this.#told.get(digest);
    if (told?.state === key && nowMs - told.atMs < intervalMs) return;
    this.#told.set(digest, { state: key, atMs: nowMs });
    const more = { ...(reason !== undefined && { reason }), ...(mountedFrom !== undefined && { mountedFrom }) };
    this.#tell({ type: 'blob', digest, kind, size, state, bytes, ...more });
  }
}

function rounded(totals: ProgressTotals): ProgressTotals {
  const { elapsedSeconds, bytesPerSecond, secondsLeft } = totals;
  return {
    ...totals,
    elapsedSeconds: Math.round(elapsedSeconds * 1000) / 1000,
    bytesPerSecond: Math.round(bytesPerSecond),
    secondsLeft: secondsLeft === null ? null : Math.ceil(secondsLeft),
  };
}
