/** The one copy engine: pull, push, copy and sync use it with different ends. It uses only interfaces. */

import { checkOptions, type Shape } from '../model/check-arguments.ts';
import type { TransferEvent } from '../model/events.ts';
import { startBatch } from './batch.ts';
import { checkRoot } from './check-root.ts';
import { EventQueue } from './event-queue.ts';
import type { TransferOptions, TransferResult } from './options.ts';

export type {
  BatchOptions,
  GraphLimits,
  TransferEnd,
  TransferOptions,
  TransferResult,
  TransferRoot,
  TransferredBlob,
} from './options.ts';

export interface Transfer {
  /**
   * The transfer's events as they happen; ends with the transfer. It need not be read. Nodes are named as in the
   * source, even if a transform changes them.
   */
  readonly events: AsyncIterable<TransferEvent>;
  /**
   * @throws OciError PLATFORM_UNKNOWN, UNSUPPORTED for schema 1 into a store, TOO_LARGE past `limits`, USAGE for invalid
   * options, and what the two registries throw. Rejects only after all work has ended: nothing continues in the background.
   */
  readonly result: Promise<TransferResult>;
}

const transferShape: Shape<TransferOptions> = {
  from: 'object',
  to: 'object',
  platforms: 'array',
  requirePlatform: 'boolean',
  whole: 'boolean',
  mountFrom: ['string', 'function'],
  foreignLayers: 'string',
  referrers: ['boolean', 'object'],
  digestTags: ['boolean', 'object'],
  parallelBlobs: 'number',
  onProgress: 'function',
  transform: 'object',
  limits: 'object',
  signal: 'object',
};

/** Starts copying an image or index, with all it refers to, from one registry to another. */
export function transfer(options: TransferOptions): Transfer {
  checkOptions('transfer', options, transferShape, ['from', 'to']);
  checkRoot('transfer', options);
  const events = new EventQueue();
  const result = run(options, events).finally(() => events.end());
  // Reading only the events must not crash the process with an unhandled rejection of the result.
  result.catch(() => {});
  return { events, result };
}

async function run(options: TransferOptions, events: EventQueue): Promise<TransferResult> {
  const batch = startBatch(options, events);
  const transferred = batch.transfer(options);
  batch.end();
  return await transferred;
}
