import { isOciError, type OciError } from '../../model/errors.ts';
import {
  fromStoreName,
  type RepositoryName,
  toStoreName,
  tryParseRepositoryName,
} from '../../model/reference/reference.ts';
import type { Driver, Entry } from '../driver.ts';
import { refuseHiding } from '../hidden.ts';
import { entriesIn } from '../listing.ts';
import { childPath, repositoriesPath } from '../paths.ts';
import { isRepositoryPart } from './manifests.ts';

interface WalkOptions {
  /** Start after this name. */
  readonly after?: string | undefined;
  /** Includes names with upload sessions only, which do not count as repositories elsewhere. */
  readonly withUploadsOnly?: boolean;
  /**
   * Called with what may hide repositories, perhaps twice: a symbolic link or a file in place of a directory, or one that cannot
   * be read. If absent, links and files are skipped, and the rest is an error.
   *
   * @param name As a repository there would be named.
   */
  readonly onUnreadable?: ((name: string, error: OciError) => Promise<void> | void) | undefined;
}

/** Repositories sorted by name. The store is read as the caller needs it. */
export async function* walkRepositories(driver: Driver, opts: WalkOptions = {}): AsyncGenerator<RepositoryName> {
  yield* walk(driver, '', opts);
}

// Names are sorted by code unit, where `a-b` comes before `a/b`. So a repository and those below it are two entries:
// `a` and `a/`.
async function* walk(driver: Driver, prefix: string, opts: WalkOptions): AsyncGenerator<RepositoryName> {
  const after = opts.after ?? '';
  const keys: string[] = [];
  for await (const entry of entriesAt(driver, prefix, opts)) {
    if (tryParseRepositoryName(entry.name) === undefined) continue;
    const name = `${prefix}${entry.name}`;
    if (entry.kind === 'prefix') keys.push(name, `${name}/`);
    else await tellHiding(driver, prefix, entry, name, opts);
  }
  keys.sort();
  for (const key of keys) {
    if (key.endsWith('/')) {
      if (key > after || after.startsWith(key)) yield* walk(driver, key, opts);
    } else if (key > after) {
      const name = tryParseName(key);
      if (name === undefined) continue;
      for await (const entry of entriesAt(driver, key, opts)) {
        const isUploads = entry.name === '_uploads';
        if (isUploads) await tellHiding(driver, key, entry, name, opts);
        if (!isRepositoryPart(entry) && !(opts.withUploadsOnly && isUploads)) continue;
        yield name;
        break;
      }
    }
  }
}

async function* entriesAt(driver: Driver, key: string, { onUnreadable }: WalkOptions): AsyncGenerator<Entry> {
  try {
    yield* entriesIn(driver, pathOf(key));
  } catch (error) {
    // Without the list of all repositories nothing is known.
    if (key === '' || onUnreadable === undefined || !isUnreadable(error)) throw error;
    await onUnreadable(key.endsWith('/') ? key.slice(0, -1) : key, error);
  }
}

async function tellHiding(driver: Driver, key: string, entry: Entry, name: string, { onUnreadable }: WalkOptions) {
  try {
    if (onUnreadable !== undefined) await refuseHiding(driver, pathOf(key), entry);
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    await onUnreadable?.(name, error);
  }
}

/** Whether an error concerns only a part of the store. */
export function isUnreadable(error: unknown): error is OciError {
  return isOciError(error, 'STORAGE_DAMAGED', 'STORAGE_DENIED');
}

function pathOf(key: string) {
  const name = key.endsWith('/') ? key.slice(0, -1) : key;
  return name === '' ? repositoriesPath : childPath(repositoriesPath, { name });
}

// Names in the local store begin with a domain, and may be longer than a registry's.
function tryParseName(text: string): RepositoryName | undefined {
  const plain = tryParseRepositoryName(text);
  const stored = plain === undefined ? fromStoreName(text) : undefined;
  return plain ?? (stored === undefined ? undefined : toStoreName(stored));
}
