import type { TransferEvent } from '../model/events.ts';

/** Shows a transfer on stderr. */
export interface Progress {
  event(event: TransferEvent): void;
  /** Takes it off the screen; later events are ignored. */
  stop(): void;
}

export interface ProgressOptions {
  /** What is being done: `pulling alpine:3`. */
  readonly title: string;
  readonly quiet: boolean;
}
