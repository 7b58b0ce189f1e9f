import { createHash } from 'node:crypto';
import { monotonicMs } from '../../model/clock.ts';
import { RecentMap } from '../../model/recent-map.ts';
import { type RepositoryName, type Tag, tryParseTag } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { Driver } from '../driver.ts';
import { entriesIn } from '../listing.ts';
import { tagsPath } from '../paths.ts';

/** How long a list of all keys vouches for the names in it; the first request afterwards renews it, while others use it as long again. */
const vouchedMs = 10_000;
const maxRepositories = 10_000;

/** Names that all had a current link. */
interface Vouched {
  readonly names: string;
  readonly atMs: number;
  isRenewed: boolean;
}

/**
 * The tags of repositories in a store that lists keys. A tag that is being written or deleted has a history, but no current
 * link, and a writer that is killed then leaves it like that. So all keys are listed, which are two for each tag and more for
 * its history. A list of the names alone is a fraction of that: it is used as long as it has exactly those names that a list
 * of all keys has just vouched for. So what others push and delete is seen at once, and what a killed deletion left, some
 * seconds later.
 */
export class ListedTags {
  readonly #driver: Driver;
  readonly #nowMs: () => number;
  readonly #vouched = new RecentMap<RepositoryName, Vouched>(maxRepositories);

  constructor(driver: Driver, nowMs = monotonicMs) {
    this.#driver = driver;
    this.#nowMs = nowMs;
  }

  /** Sorted by name. */
  async tags(repo: RepositoryName, opts: SignalOption): Promise<readonly Tag[]> {
    const vouched = this.#vouched.get(repo);
    if (vouched !== undefined && this.#mayUse(vouched)) {
      const names = await tagsIn(this.#driver, repo, opts);
      if (hashOf(names) === vouched.names) return names;
    }
    const atMs = this.#nowMs();
    const { tags, names } = await currentTags(this.#driver, repo, opts);
    if (tags.length === names) this.#vouched.set(repo, { names: hashOf(tags), atMs, isRenewed: false });
    else this.#vouched.delete(repo);
    return tags;
  }

  #mayUse(vouched: Vouched): boolean {
    const ageMs = this.#nowMs() - vouched.atMs;
    if (ageMs < vouchedMs) return true;
    if (!vouched.isRenewed) {
      vouched.isRenewed = true;
      return false;
    }
    return ageMs < 2 * vouchedMs;
  }
}

/** Tags that have anything, sorted by name. The driver's keys have another order: there `a-b/` comes before `a/`. */
export async function tagsIn(
  driver: Driver,
  repo: RepositoryName,
  { signal }: SignalOption = {},
): Promise<readonly Tag[]> {
  const tags: Tag[] = [];
  for await (const { name, kind } of entriesIn(driver, tagsPath(repo))) {
    signal?.throwIfAborted();
    const tag = kind === 'prefix' ? tryParseTag(name) : undefined;
    if (tag !== undefined) tags.push(tag);
  }
  return tags.sort();
}

/** The tags with a current link, sorted, and how many have anything. A history that ends a page is skipped. */
async function currentTags(
  driver: Driver,
  repo: RepositoryName,
  { signal }: SignalOption,
): Promise<{ readonly tags: readonly Tag[]; readonly names: number }> {
  const tags: Tag[] = [];
  const names = new Set<string>();
  for (let after: string | undefined; ; ) {
    signal?.throwIfAborted();
    const { entries, next } = await driver.list(tagsPath(repo), { deep: true, after });
    for (const { name } of entries) {
      const tag = tryParseTag(name.slice(0, name.indexOf('/')));
      if (tag === undefined) continue;
      names.add(tag);
      if (name.length === tag.length + currentLink.length && name.endsWith(currentLink)) tags.push(tag);
    }
    if (next === undefined) return { tags: tags.sort(), names: names.size };
    const history = /^[^/]+\/index\//.exec(next);
    // `0` comes after `/`, so this is behind all keys of the history.
    after = history === null ? next : `${history[0].slice(0, -1)}0`;
  }
}

/** What the key of a tag's current link has behind the tag. */
const currentLink = '/current/link';

function hashOf(tags: readonly Tag[]): string {
  return createHash('sha256').update(tags.join('\n')).digest('base64');
}
