/**
 * How a lease is written. What its holder counts on stands in it: where a driver has journals as lines of one, elsewhere
 * as an object each. Every beat stores something anew, so that the store's clock tells how long its holder is silent.
 */

import type { ProcessId } from '../../files/process-id.ts';
import { type Digest, tryParseDigest } from '../../model/digest.ts';
import type { Driver, Entry, Journal, StorePath } from '../driver.ts';
import { deleteBelow, entriesIn } from '../listing.ts';
import { childPath, leasePath, leasesPath } from '../paths.ts';

/** As its holder has it. */
export interface OpenLease {
  /** What every mark and beat stores anew at the latest with the next beat. */
  readonly clock: StorePath;
  mark(digests: readonly Digest[]): Promise<void>;
  beat(): Promise<void>;
  /** @param opts.keep Leaves it for collectors that may not have seen what it was for. */
  end(opts: { readonly keep: boolean }): Promise<void>;
}

const nothing = new Uint8Array(0);
const endLine = 'end';
const beatName = 'beat';
const maxLeaseBytes = 256 * 1024 * 1024;

export async function openLease(driver: Driver, holder: ProcessId): Promise<OpenLease> {
  const path = leasePath(holder);
  if (driver.openJournal !== undefined) return ofLines(path, await driver.openJournal(path));
  const clock = childPath(path, { name: beatName });
  const put = (name: string) => driver.put(childPath(path, { name }), nothing, { durable: false });
  await put(beatName);
  return {
    clock,
    mark: async (digests) => void (await Promise.all(digests.map((digest) => put(digest.replace(':', '/'))))),
    beat: () => put(beatName),
    end: ({ keep }) => (keep ? put(endLine) : deleteBelow(driver, path)),
  };
}

function ofLines(clock: StorePath, journal: Journal): OpenLease {
  return {
    clock,
    mark: (digests) => journal.write(digests.map((digest) => `${digest}\n`).join('')),
    beat: () => journal.write('\n'),
    async end({ keep }) {
      if (keep) await journal.write(`${endLine}\n`);
      await journal.close({ keep });
    },
  };
}

/** As others see it. */
interface SeenLease {
  readonly marks: ReadonlySet<Digest>;
  readonly ended: boolean;
  readonly storedAt: Date;
  /** Written by a version that marked blobs by their files' times. */
  readonly unmarked: boolean;
}

/** Reads what an entry of the leases holds; undefined when it is gone. */
export async function readLease(driver: Driver, entry: Entry): Promise<SeenLease | undefined> {
  const path = childPath(leasesPath, entry);
  if (entry.kind === 'object') {
    const bytes = await driver.get(path, maxLeaseBytes);
    const facts = await driver.stat(path);
    if (bytes === undefined || facts === undefined) return undefined;
    const text = Buffer.from(bytes).toString('utf8');
    return seen(text.split('\n'), facts.storedAt, text.startsWith('{'));
  }
  const names: string[] = [];
  for await (const { name } of entriesIn(driver, path, { deep: true })) names.push(name.replace('/', ':'));
  // The beat comes first and goes first: without it the rest is on its way out.
  const facts = await driver.stat(childPath(path, { name: beatName }));
  return names.length === 0 ? undefined : seen(names, facts?.storedAt ?? new Date(0), false);
}

function seen(words: readonly string[], storedAt: Date, unmarked: boolean): SeenLease {
  const marks = new Set<Digest>();
  for (const word of words) {
    const digest = tryParseDigest(word);
    if (digest !== undefined) marks.add(digest);
  }
  return { marks, ended: words.includes(endLine), storedAt, unmarked };
}

/** Removes a lease that is over. */
export async function removeLease(driver: Driver, entry: Entry): Promise<void> {
  const path = childPath(leasesPath, entry);
  await (entry.kind === 'object' ? driver.delete(path) : deleteBelow(driver, path));
}
