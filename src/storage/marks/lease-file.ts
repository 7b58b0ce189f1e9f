/**
 * The format of a lease. It lists the digests that its holder relies on: as lines of a journal if the driver has
 * journals, otherwise as objects: one that is named by a digest, or one with several of them as lines. Every heartbeat
 * stores something, so that the store's clock shows how long its holder has been silent.
 */

import type { ProcessId } from '../../files/process-id.ts';
import { type Digest, tryParseDigest } from '../../model/digest.ts';
import { DigestTable } from '../digests/digest-table.ts';
import type { Driver, Entry, Journal, StorePath } from '../driver.ts';
import { deleteBelow, entriesIn } from '../listing.ts';
import { childPath, leasePath, leasesPath } from '../paths.ts';

/** A lease, for its holder. */
export interface OpenLease {
  /** The object that was stored last: its time is the store's time. */
  readonly clock: StorePath;
  mark(digests: readonly Digest[]): Promise<void>;
  /** Marks every digest, stored or not. */
  markAll(): Promise<void>;
  beat(): Promise<void>;
  /** @param opts.keep Keeps the lease, marked as ended, for collectors that may not have seen the result. */
  end(opts: { readonly keep: boolean }): Promise<void>;
  /** Removes a lease that was kept. */
  remove(): Promise<void>;
}

const nothing = new Uint8Array(0);
const endLine = 'end';
const allWord = 'all';
const beatName = 'beat';
const batchPrefix = 'marks.';
const maxLeaseBytes = 256 * 1024 * 1024;

export async function openLease(driver: Driver, holder: ProcessId): Promise<OpenLease> {
  const path = leasePath(holder);
  if (driver.openJournal === undefined) return ofObjects(path, driver);
  return ofLines(driver, path, await driver.openJournal(path));
}

// Each object is written once: if a write arrives late, after a repetition of it, it cannot undo a later one. The first mark
// begins the lease, and whatever was stored last is the clock, so that a mark costs one request.
function ofObjects(path: StorePath, driver: Driver): OpenLease {
  let clock = path;
  let batches = 0;
  const put = async (name: string, bytes = nothing): Promise<void> => {
    const stored = childPath(path, { name });
    await driver.put(stored, bytes, { durable: false });
    clock = stored;
  };
  return {
    get clock() {
      return clock;
    },
    async mark(digests) {
      const [first] = digests;
      if (digests.length === 1 && first !== undefined) return await put(first.replace(':', '/'));
      batches += 1;
      await put(`${batchPrefix}${batches}`, Buffer.from(digests.join('\n')));
    },
    markAll: () => put(allWord),
    beat: () => put(beatName),
    end: ({ keep }) => (keep ? put(endLine) : deleteBelow(driver, path)),
    remove: () => deleteBelow(driver, path),
  };
}

function ofLines(driver: Driver, clock: StorePath, journal: Journal): OpenLease {
  return {
    clock,
    mark: (digests) => journal.write(digests.map((digest) => `${digest}\n`).join('')),
    markAll: () => journal.write(`${allWord}\n`),
    beat: () => journal.write('\n'),
    async end({ keep }) {
      if (keep) await journal.write(`${endLine}\n`);
      await journal.close({ keep });
    },
    remove: async () => void (await driver.delete(clock)),
  };
}

/** A lease, for other processes. */
export interface SeenLease {
  readonly marks: DigestTable;
  /** Whether its holder relies on everything. */
  readonly all: boolean;
  readonly ended: boolean;
  readonly storedAt: Date;
  /** Whether a version wrote it that protected blobs by their file times. */
  readonly unmarked: boolean;
  /** Of a journal, in bytes: it only grows. */
  readonly size: number;
}

/**
 * Reads a lease by its list entry; undefined if it is gone.
 *
 * @param before What was read earlier: nothing is marked in a lease that has ended, or that has not grown.
 */
export async function readLease(driver: Driver, entry: Entry, before?: SeenLease): Promise<SeenLease | undefined> {
  if (before?.ended) return before;
  const path = childPath(leasesPath, entry);
  if (entry.kind === 'object') {
    const facts = await driver.stat(path);
    if (facts !== undefined && before?.size === facts.size) return { ...before, storedAt: facts.storedAt };
    const bytes = await driver.get(path, maxLeaseBytes);
    if (bytes === undefined || facts === undefined) return undefined;
    const text = Buffer.from(bytes).toString('utf8');
    return { ...seen(text.split('\n'), facts.storedAt, text.startsWith('{')), size: bytes.length };
  }
  const words: string[] = [];
  let storedAt: Date | undefined;
  for await (const { name, facts } of entriesIn(driver, path, { deep: true })) {
    const object = childPath(path, { name });
    const at = (facts ?? (await driver.stat(object)))?.storedAt;
    if (at !== undefined && (storedAt === undefined || at > storedAt)) storedAt = at;
    const batch = name.startsWith(batchPrefix) ? await driver.get(object, maxLeaseBytes) : undefined;
    if (batch !== undefined) words.push(...Buffer.from(batch).toString('utf8').split('\n'));
    else words.push(name.replace('/', ':'));
  }
  return storedAt && seen(words, storedAt, false);
}

function seen(words: readonly string[], storedAt: Date, unmarked: boolean): SeenLease {
  const marks = new DigestTable();
  for (const word of words) {
    const digest = tryParseDigest(word);
    if (digest !== undefined) marks.add(digest);
  }
  return { marks, all: words.includes(allWord), ended: words.includes(endLine), storedAt, unmarked, size: 0 };
}

/** Removes a lease that has ended. */
export async function removeLease(driver: Driver, entry: Entry): Promise<void> {
  const path = childPath(leasesPath, entry);
  await (entry.kind === 'object' ? driver.delete(path) : deleteBelow(driver, path));
}
