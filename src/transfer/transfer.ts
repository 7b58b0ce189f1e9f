/** The one copy engine: pull, push, copy and sync are this, with other ends. It knows interfaces only. */

import type { TransferEvent } from '../model/events.ts';
import { createBatch } from './batch.ts';
import { EventQueue } from './event-queue.ts';
import type { TransferOptions, TransferResult } from './options.ts';

export type {
  BatchOptions,
  GraphLimits,
  TransferEnd,
  TransferOptions,
  TransferResult,
  TransferRoot,
} from './options.ts';

export interface Transfer {
  /**
   * What happens, as it happens; ends when the transfer does. May be left unread. Nodes are named as the source has them,
   * also where a transform changes them.
   */
  readonly events: AsyncIterable<TransferEvent>;
  /**
   * @throws OciError PLATFORM_UNKNOWN, UNSUPPORTED for schema 1 into a store, TOO_LARGE past `limits`, USAGE for options that
   *   are not what they have to be, and what the two registries throw. Rejects when
   *   everything has come to rest: nothing goes on behind the caller's back.
   */
  readonly result: Promise<TransferResult>;
}

/** Starts copying an image or index, with all it refers to, from one registry to another. */
export function transfer(options: TransferOptions): Transfer {
  const events = new EventQueue();
  const result = run(options, events).finally(() => events.end());
  // Whoever reads only the events must not be killed by an unhandled rejection of the result.
  result.catch(() => {});
  return { events, result };
}

async function run(options: TransferOptions, events: EventQueue): Promise<TransferResult> {
  const batch = createBatch(options, events);
  const transferred = batch.transfer(options);
  batch.end();
  return await transferred;
}
