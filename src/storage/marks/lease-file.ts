/**
 * The format of a lease. It lists the digests that its holder relies on: as lines of a journal if the driver has
 * journals, otherwise as one object each. Every heartbeat stores something, so that the store's clock shows how long
 * its holder has been silent.
 */

import type { ProcessId } from '../../files/process-id.ts';
import { type Digest, tryParseDigest } from '../../model/digest.ts';
import type { Driver, Entry, Journal, StorePath } from '../driver.ts';
import { deleteBelow, entriesIn } from '../listing.ts';
import { childPath, leasePath, leasesPath } from '../paths.ts';

/** A lease, for its holder. */
export interface OpenLease {
  /** The object that every heartbeat stores anew: its time is the store's time. */
  readonly clock: StorePath;
  mark(digests: readonly Digest[]): Promise<void>;
  beat(): Promise<void>;
  /** @param opts.keep Keeps the lease, marked as ended, for collectors that may not have seen the result. */
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

/** A lease, for other processes. */
interface SeenLease {
  readonly marks: ReadonlySet<Digest>;
  readonly ended: boolean;
  readonly storedAt: Date;
  /** Whether a version wrote it that protected blobs by their file times. */
  readonly unmarked: boolean;
}

/** Reads a lease by its list entry; undefined if it is gone. */
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
  // The beat is stored first and deleted first: without it, the lease is being deleted.
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

/** Removes a lease that has ended. */
export async function removeLease(driver: Driver, entry: Entry): Promise<void> {
  const path = childPath(leasesPath, entry);
  await (entry.kind === 'object' ? driver.delete(path) : deleteBelow(driver, path));
}
