import { describe } from 'node:test';
import { blobContract } from './blobs.ts';
import type { Lacks, Open, Suite } from './contract.ts';
import { deleteContract } from './deletes.ts';
import { extensionContract } from './extensions.ts';
import { listContract } from './lists.ts';
import { manifestRefusalContract } from './manifest-refusals.ts';
import { manifestContract } from './manifests.ts';
import { pushContract } from './pushes.ts';
import { rangeContract } from './ranges.ts';
import { referrerContract } from './referrers.ts';
import { signalContract } from './signals.ts';
import { uploadContract } from './uploads.ts';

const parts = {
  blobs: blobContract,
  'ranges of blobs': rangeContract,
  'pushing blobs': pushContract,
  'upload sessions': uploadContract,
  manifests: manifestContract,
  'refusals of manifests': manifestRefusalContract,
  deletes: deleteContract,
  lists: listContract,
  referrers: referrerContract,
  signals: signalContract,
  'extensions and ping': extensionContract,
} as const satisfies Readonly<Record<string, (suite: Suite) => void>>;

/** Parts that have no meaning for an implementation, with the reason, which is shown. */
type Without = Partial<Readonly<Record<keyof typeof parts, string>>>;

/** The behaviour of every `Registry`, however it is implemented. */
export function registryContract(name: string, open: Open, lacks: Lacks = {}, without: Without = {}): void {
  describe(`${name} keeps the contract of Registry`, { concurrency: 2 }, () => {
    for (const [part, declare] of Object.entries(parts)) {
      const reason = without[part as keyof typeof parts];
      if (reason === undefined) describe(part, () => declare({ open, lacks }));
      // An empty suite: no test is skipped, because there is none.
      else describe(`${part} — not here: ${reason}`, () => {});
    }
  });
}
