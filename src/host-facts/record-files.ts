/** Records as files: one for each origin, so that a run reads one. */
import { PrivateDirectory } from '../files/private-directory.ts';
import { isOciError } from '../model/errors.ts';
import { tryParseObject } from '../model/json.ts';
import { type FactName, type Facts, readFacts } from './facts.ts';

/** A record as a file holds it. */
export interface KeptRecord {
  readonly facts: Facts;
  /** When the oldest of them was learned, in milliseconds since 1970. */
  readonly sinceMs: number;
}

/** Another version of ocictl that writes records otherwise has another number, and neither reads the other's. */
const format = 1;
const maxBytes = 64 * 1024;
/** Hosts change; what was right for a week is found out again. */
export const lifetimeMs = 7 * 24 * 60 * 60 * 1000;

export class RecordFiles {
  readonly #directory: PrivateDirectory;
  readonly #note: ((text: string) => void) | undefined;
  readonly #nowMs: () => number;
  #noted = false;

  constructor(
    directory: string,
    { note, nowMs }: { readonly note: ((text: string) => void) | undefined; readonly nowMs: () => number },
  ) {
    this.#directory = new PrivateDirectory(directory, ['hosts']);
    this.#note = note;
    this.#nowMs = nowMs;
  }

  /** Undefined if there is none that can be used. Never throws. */
  read(name: string): KeptRecord | undefined {
    return this.#trying(() => {
      const bytes = this.#directory.read(fileName(name), maxBytes);
      return bytes && this.#parse(name, Buffer.from(bytes).toString('utf8'));
    });
  }

  /** All that can be used, by name. Never throws. */
  all(): ReadonlyMap<string, KeptRecord> {
    const found = new Map<string, KeptRecord>();
    for (const file of this.#trying(() => this.#directory.names()) ?? []) {
      const bytes = this.#trying(() => this.#directory.read(file, maxBytes));
      const text = Buffer.from(bytes ?? []).toString('utf8');
      const name = tryParseObject(text)?.['origin'];
      const record = typeof name === 'string' && fileName(name) === file ? this.#parse(name, text) : undefined;
      if (record) found.set(String(name), record);
    }
    return found;
  }

  /** Adds what was learned to what the file holds by now, since another process may have learned too. Never throws. */
  update(name: string, news: ReadonlyMap<FactName, unknown>): void {
    const kept = this.read(name);
    const facts = { ...kept?.facts, ...Object.fromEntries(news) };
    const record = { format, origin: name, since: kept?.sinceMs ?? this.#nowMs(), facts };
    const text = JSON.stringify(record);
    if (kept && JSON.stringify(kept.facts) === JSON.stringify(facts)) return;
    this.#trying(() => {
      this.#directory.sweep(this.#nowMs());
      this.#directory.write(fileName(name), `${text}\n`, { untilMs: record.since + lifetimeMs });
    });
  }

  /** @returns Whether there was one. @throws OciError STORAGE_DENIED, errors of the system. */
  remove(name: string): boolean {
    return this.#directory.remove(fileName(name));
  }

  #parse(name: string, text: string): KeptRecord | undefined {
    const record = tryParseObject(text);
    if (record?.['format'] !== format || record['origin'] !== name) return undefined;
    const { since } = record;
    const facts = readFacts(record['facts']);
    if (typeof since !== 'number' || !facts) return undefined;
    // A clock that was wrong, or is: what was learned at no time that can be told has no age.
    const ageMs = this.#nowMs() - since;
    return ageMs >= 0 && ageMs < lifetimeMs ? { facts, sinceMs: since } : undefined;
  }

  #trying<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!isOciError(error) && !(error instanceof Error && 'code' in error)) throw error;
      if (!this.#noted)
        this.#note?.(`what was learned of hosts is not kept in ${this.#directory.path}: ${error.message}`);
      this.#noted = true;
      return undefined;
    }
  }
}

// Two names could give one file name; the record tells whose it is.
function fileName(name: string): string {
  return `${name.replace(/[^A-Za-z0-9.-]+/g, '_')}.json`;
}
