import {
  fromStoreName,
  type RepositoryName,
  toStoreName,
  tryParseRepositoryName,
} from '../../model/reference/reference.ts';
import type { Driver } from '../driver.ts';
import { entriesIn } from '../listing.ts';
import { childPath, repositoriesPath } from '../paths.ts';
import { isRepositoryPart } from './manifests.ts';

interface WalkOptions {
  /** Start after this name. */
  readonly after?: string | undefined;
  /** Includes names with upload sessions only, which do not count as repositories elsewhere. */
  readonly withUploadsOnly?: boolean;
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
  for await (const { kind, name } of entriesIn(driver, pathOf(prefix))) {
    if (kind === 'prefix' && tryParseRepositoryName(name) !== undefined)
      keys.push(`${prefix}${name}`, `${prefix}${name}/`);
  }
  keys.sort();
  for (const key of keys) {
    if (key.endsWith('/')) {
      if (key > after || after.startsWith(key)) yield* walk(driver, key, opts);
    } else if (key > after) {
      const name = tryParseName(key);
      if (name === undefined) continue;
      for await (const entry of entriesIn(driver, pathOf(key))) {
        if (!isRepositoryPart(entry) && !(opts.withUploadsOnly && entry.name === '_uploads')) continue;
        yield name;
        break;
      }
    }
  }
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
