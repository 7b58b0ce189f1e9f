/**
 * Where unfinished uploads of large blobs are, so that the push after a killed one goes on in the same sessions. A location is a
 * secret of some registries, so each is a file that this user alone may read.
 */
import { createHash } from 'node:crypto';
import { PrivateDirectory } from '../../files/private-directory.ts';
import { newProcessId, type ProcessId, processState, tryParseProcessId } from '../../files/process-id.ts';
import { isOciError } from '../../model/errors.ts';
import { tryParseObject } from '../../model/json.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import type { RepositoryName } from '../../model/reference/reference.ts';

/** The unfinished uploads to one registry. */
export interface UploadJournal {
  /** The place of a blob's upload; undefined for one that is sooner sent again. Never throws. */
  entry(repo: RepositoryName, blob: Descriptor): JournalEntry | undefined;
}

/** The upload of one blob. Nothing here throws: without a journal a blob is sent from its start. */
export interface JournalEntry {
  /** The session that an ended process has left. */
  find(): URL | undefined;
  /** The session is here now. */
  keep(location: URL): void;
  /** There is no session any more. */
  erase(): void;
}

interface UploadJournalsOptions {
  /** The directory of caches. */
  readonly directory: string;
  /** Called once with why nothing can be kept. */
  readonly note?: ((text: string) => void) | undefined;
  /** Milliseconds since 1970. Tests pass their own clock. */
  readonly nowMs?: (() => number) | undefined;
}

const format = 1;
const maxBytes = 64 * 1024;
/** Smaller blobs are sent again. */
const leastBytes = 8 * 1024 * 1024;
/** After this time distribution has removed a session. */
const lifetimeMs = 7 * 24 * 60 * 60 * 1000;

export class UploadJournals {
  readonly #directory: PrivateDirectory;
  readonly #note: UploadJournalsOptions['note'];
  readonly #nowMs: () => number;
  #noted = false;
  #process: ProcessId | undefined;
  #swept = false;

  constructor({ directory, note, nowMs = Date.now }: UploadJournalsOptions) {
    this.#directory = new PrivateDirectory(directory, ['uploads']);
    this.#note = note;
    this.#nowMs = nowMs;
  }

  /**
   * The uploads to the registry at a URL.
   *
   * @param trust Uploads to a host whose certificate is not verified are kept apart: it may be an impostor.
   */
  of(base: URL, { verified }: { readonly verified: boolean }): UploadJournal {
    return {
      entry: (repo, { digest, size }) =>
        size < leastBytes ? undefined : this.#entry(JSON.stringify([base.href, verified, repo, digest])),
    };
  }

  #entry(subject: string): JournalEntry {
    const name = `${createHash('sha256').update(subject).digest('hex')}.json`;
    let isKept = false;
    return {
      find: () => {
        const bytes = this.#trying(() => this.#directory.read(name, maxBytes));
        return bytes && this.#parse(subject, Buffer.from(bytes).toString('utf8'));
      },
      keep: (location) => {
        isKept = true;
        this.#process ??= newProcessId();
        const { href } = location;
        const text = JSON.stringify({ format, subject, process: this.#process, since: this.#nowMs(), location: href });
        this.#trying(() => {
          if (!this.#swept) this.#directory.sweep(this.#nowMs());
          this.#swept = true;
          this.#directory.write(name, `${text}\n`, { untilMs: this.#nowMs() + lifetimeMs });
        });
      },
      erase: () => {
        if (isKept) this.#trying(() => this.#directory.remove(name));
        isKept = false;
      },
    };
  }

  #parse(subject: string, text: string): URL | undefined {
    const entry = tryParseObject(text);
    if (entry?.['format'] !== format || entry['subject'] !== subject) return undefined;
    const { since, location } = entry;
    const ageMs = typeof since === 'number' ? this.#nowMs() - since : Number.NaN;
    if (!(ageMs >= 0 && ageMs < lifetimeMs)) return undefined;
    // Two processes that send to one session would disturb each other.
    const process = typeof entry['process'] === 'string' ? tryParseProcessId(entry['process']) : undefined;
    if (!process || processState(process) !== 'dead') return undefined;
    return typeof location === 'string' && URL.canParse(location) ? new URL(location) : undefined;
  }

  #trying<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!isOciError(error) && !(error instanceof Error && 'code' in error)) throw error;
      if (!this.#noted) this.#note?.(`unfinished uploads are not kept in ${this.#directory.path}: ${error.message}`);
      this.#noted = true;
      return undefined;
    }
  }
}
