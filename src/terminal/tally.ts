import type { Digest } from '../model/digest.ts';
import type { TransferEvent } from '../model/events.ts';

/** Adds up the events of a transfer: how many blobs and bytes there are, and how many of them are there. */
export class Tally {
  totalBytes = 0;
  totalBlobs = 0;
  doneBlobs = 0;
  readonly #have = new Map<Digest, number>();
  readonly #sizes = new Map<Digest, number>();
  #resumedBytes = 0;

  event(event: TransferEvent): void {
    if (event.type === 'discovered' && event.kind !== 'manifest') {
      this.totalBlobs += 1;
      this.totalBytes += event.node.size;
      this.#sizes.set(event.node.digest, event.node.size);
    } else if (event.type === 'started') {
      this.#resumedBytes += event.resumedBytes;
      this.#have.set(event.node.digest, event.resumedBytes);
    } else if (event.type === 'progress') {
      this.#have.set(event.node.digest, event.bytes);
    } else if (event.type === 'done' && event.kind !== 'manifest') {
      this.doneBlobs += 1;
      if (event.outcome !== 'transferred') this.#resumedBytes += event.node.size;
      this.#have.set(event.node.digest, event.node.size);
    }
  }

  /** Bytes that are at the destination, however they came there. */
  get bytes(): number {
    let sum = 0;
    for (const have of this.#have.values()) sum += have;
    return sum;
  }

  /** Bytes that came over in this transfer: what a rate is made of. */
  get movedBytes(): number {
    return Math.max(0, this.bytes - this.#resumedBytes);
  }
}
