import type { Digest } from '../../model/digest.ts';
import type { TransferEvent } from '../../model/events.ts';
import { EventQueue } from '../event-queue.ts';

type Done = Extract<TransferEvent, { type: 'done' }>;

interface Node {
  /** The furthest of all destinations. */
  bytes: number;
  readonly known: Set<number>;
  readonly done: Map<number, Done>;
  isTold: boolean;
}

/** The events of transfers to several destinations, as those of one transfer. */
export class MergedEvents {
  readonly queue = new EventQueue();
  readonly #nodes = new Map<Digest, Node>();
  readonly #left = new Set<number>();
  readonly #resolved = new Set<Digest>();

  take(i: number, event: TransferEvent): void {
    switch (event.type) {
      case 'images':
        break;
      case 'resolved':
        if (!this.#resolved.has(event.root.digest)) this.queue.push(event);
        this.#resolved.add(event.root.digest);
        break;
      case 'discovered':
        this.#discovered(i, event);
        break;
      case 'progress':
        this.#progress(event);
        break;
      case 'done':
        this.#node(event.node.digest).done.set(i, event);
        this.#tellDone(event.node.digest);
        break;
      default:
        this.queue.push(event);
    }
  }

  /** A destination has everything, or has failed. */
  leave(i: number): void {
    this.#left.add(i);
    for (const digest of this.#nodes.keys()) this.#tellDone(digest);
  }

  /** An image has failed at a destination: nobody waits for what has not arrived there. */
  giveUp(i: number): void {
    for (const [digest, { known, done }] of this.#nodes) {
      if (!done.has(i) && known.delete(i)) this.#tellDone(digest);
    }
  }

  /** Tells how many images there are, and how many are finished everywhere. */
  images(images: { readonly found: number; readonly finished: number; readonly complete: boolean }): void {
    this.queue.push({ type: 'images', failed: 0, ...images });
  }

  end(): void {
    this.queue.end();
  }

  #discovered(i: number, event: Extract<TransferEvent, { type: 'discovered' }>): void {
    const node = this.#node(event.node.digest);
    if (node.known.size === 0) this.queue.push(event);
    node.known.add(i);
  }

  #progress(event: Extract<TransferEvent, { type: 'progress' }>): void {
    const node = this.#node(event.node.digest);
    if (event.bytes <= node.bytes) return;
    node.bytes = event.bytes;
    this.queue.push(event);
  }

  /** Tells that a node is done when it is for all who know it: that it was transferred, if it was for one of them. */
  #tellDone(digest: Digest): void {
    const { done, known, isTold } = this.#node(digest);
    const waits = [...known].some((i) => !done.has(i) && !this.#left.has(i));
    const all = [...done.values()];
    const event = all.find(({ outcome }) => outcome === 'transferred') ?? all[0];
    if (isTold || waits || !event) return;
    this.#node(digest).isTold = true;
    this.queue.push(event);
  }

  #node(digest: Digest): Node {
    const node = this.#nodes.get(digest) ?? { bytes: 0, known: new Set(), done: new Map(), isTold: false };
    this.#nodes.set(digest, node);
    return node;
  }
}
