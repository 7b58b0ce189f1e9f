/** What collectors announce: that they are running, and which blobs they are about to remove. */
import { setTimeout as sleep } from 'node:timers/promises';
import { tryParseProcessId } from '../../files/process-id.ts';
import { type Digest, tryParseDigest } from '../../model/digest.ts';
import { OciError } from '../../model/errors.ts';
import type { Driver, StorePath } from '../driver.ts';
import { entriesIn } from '../listing.ts';
import { childPath, collectorsPath } from '../paths.ts';
import { isGone } from './silence.ts';

const maxBytes = 4 * 1024 * 1024;
const pollMs = 20;
const maxWaitMs = 60_000;

interface SeenCollector {
  readonly path: StorePath;
  readonly taking: ReadonlySet<Digest>;
  readonly gone: boolean;
}

/**
 * Whether a collector is running, other than `except`. Announcements of dead collectors are removed.
 *
 * @param clock An object that the caller has just stored, to learn the store's time.
 */
export async function isAnyCollecting(driver: Driver, clock: StorePath, except?: StorePath): Promise<boolean> {
  let any = false;
  for await (const { path, gone } of collectors(driver, clock)) {
    if (path === except) continue;
    if (gone) await driver.delete(path);
    else any = true;
  }
  return any;
}

/**
 * Waits while a collector removes any of these digests, or any at all. Whatever exists afterwards is kept, if it was marked before
 * this call.
 *
 * @throws OciError STORAGE, retryable, if a collector does not finish
 */
export async function waitForCollectors(
  driver: Driver,
  digests: readonly Digest[] | 'all',
  clock: StorePath,
): Promise<void> {
  for (const begun = performance.now(); ; await sleep(pollMs)) {
    let busy: StorePath | undefined;
    for await (const { path, taking, gone } of collectors(driver, clock)) {
      if (gone) await driver.delete(path);
      else if (digests === 'all' ? taking.size > 0 : digests.some((digest) => taking.has(digest))) busy = path;
    }
    if (busy === undefined) return;
    if (performance.now() - begun > maxWaitMs) {
      throw new OciError('STORAGE', `a garbage collection is removing what is being written: ${driver.name}/${busy}`, {
        hint: 'check the process whose number begins the name of this file, and try again',
        retryable: true,
      });
    }
  }
}

async function* collectors(driver: Driver, clock: StorePath): AsyncGenerator<SeenCollector> {
  let now: Date | undefined;
  for await (const entry of entriesIn(driver, collectorsPath)) {
    const holder = tryParseProcessId(entry.name);
    const path = childPath(collectorsPath, entry);
    const facts = holder && (await driver.stat(path));
    const bytes = facts && (await driver.get(path, maxBytes));
    if (holder === undefined || facts === undefined || bytes === undefined) continue;
    now ??= (await driver.stat(clock))?.storedAt ?? new Date(0);
    const words = Buffer.from(bytes).toString('utf8').split('\n');
    const taking = new Set(words.flatMap((word) => tryParseDigest(word) ?? []));
    yield { path, taking, gone: isGone(holder, facts.storedAt, now) };
  }
}
