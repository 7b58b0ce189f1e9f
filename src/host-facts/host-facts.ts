/**
 * What was learned of hosts, so that later requests and runs need not find it out again. A fact decides what is tried first, never
 * what is allowed: a wrong one costs a request that is repeated, and whoever notices learns the right one.
 */
import { type FactName, type Facts, factNames } from './facts.ts';
import { type KeptRecord, lifetimeMs, RecordFiles } from './record-files.ts';

export { lifetimeMs };

/** What is known of one origin. */
export interface HostRecord {
  /** The first read of it reads the host's file, if there is one. Never throws. */
  readonly known: Facts;
  /** When an earlier run learned the oldest of it, in milliseconds since 1970; undefined: no earlier run did. */
  readonly sinceMs: number | undefined;
  /** Counts from now on, and is kept for later runs at the end of this one. `undefined`: the fact is not known any more. */
  learn(facts: Facts): void;
}

/** The records of all hosts. */
export interface HostFacts {
  /**
   * The record of the URL's origin, scheme, host and port. What is learned of a host whose certificate is not verified is kept
   * apart: it may be an impostor's.
   */
  of(url: URL, trust?: { readonly verified: boolean }): HostRecord;
}

/** Records that files keep. */
export interface KeptHostFacts extends HostFacts {
  /** Writes what was learned, once. Never throws. */
  save(): void;
  /** What files keep of all origins, by origin; one whose certificate is not verified has ` unverified` behind it. Never throws. */
  all(): ReadonlyMap<string, KeptRecord>;
  /** Forgets the URL's origin. @returns Whether a file was kept of it. @throws errors of the system. */
  forget(url: URL): boolean;
}

interface HostFactsOptions {
  /** The directory of caches; undefined: nothing outlives this process. */
  readonly directory?: string | undefined;
  /** Called once with why nothing can be kept. */
  readonly note?: ((text: string) => void) | undefined;
  /** Milliseconds since 1970. Tests pass their own clock. */
  readonly nowMs?: (() => number) | undefined;
}

/** Reads nothing before a record is. */
export function createHostFacts({ directory, note, nowMs = Date.now }: HostFactsOptions = {}): KeptHostFacts {
  const files = directory === undefined ? undefined : new RecordFiles(directory, { note, nowMs });
  const records = new Map<string, Record>();
  const nameOf = ({ origin }: URL, verified: boolean): string => (verified ? origin : `${origin} unverified`);
  return {
    of(url, { verified = true } = { verified: true }) {
      const name = nameOf(url, verified);
      const known = records.get(name) ?? new Record(() => files?.read(name));
      records.set(name, known);
      return known;
    },
    save() {
      for (const [name, record] of records) {
        if (record.news.size > 0) files?.update(name, record.news);
        record.news.clear();
      }
    },
    all: () => files?.all() ?? new Map(),
    forget(url) {
      const names = [nameOf(url, true), nameOf(url, false)];
      for (const name of names) records.delete(name);
      return names.filter((name) => files?.remove(name)).length > 0;
    },
  };
}

class Record implements HostRecord {
  /** What this run has learned. */
  readonly news = new Map<FactName, unknown>();
  readonly #read: () => KeptRecord | undefined;
  #facts: Facts | undefined;
  #sinceMs: number | undefined;

  constructor(read: () => KeptRecord | undefined) {
    this.#read = read;
  }

  get known(): Facts {
    if (this.#facts) return this.#facts;
    const kept = this.#read();
    this.#sinceMs = kept?.sinceMs;
    this.#facts = kept?.facts ?? {};
    return this.#facts;
  }

  get sinceMs(): number | undefined {
    return this.known && this.#sinceMs;
  }

  learn(facts: Facts): void {
    const before = this.known;
    const changed = factNames.filter((name) => name in facts && !isSame(facts[name], before[name]));
    if (changed.length === 0) return;
    this.#facts = { ...before, ...Object.fromEntries(changed.map((name) => [name, facts[name]])) };
    for (const name of changed) this.news.set(name, facts[name]);
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
