import { createHash } from 'node:crypto';
import { monotonicMs } from '../../model/clock.ts';
import { RecentMap } from '../../model/recent-map.ts';
import { type RepositoryName, type Tag, tryParseTag } from '../../model/reference/reference.ts';
import type { SignalOption } from '../../registry/registry.ts';
import type { Driver } from '../driver.ts';
import { entriesIn } from '../listing.ts';
import { tagCurrentPath, tagsPath } from '../paths.ts';

/** How long a list of all keys vouches for the names in it; the first request afterwards renews it, while others use it as long again. */
const vouchedMs = 10_000;
const maxRepositories = 10_000;
/** In place of a hash. */
const unknown = '';

/** Names that all had a current link. */
interface Vouched {
  readonly names: string;
  readonly atMs: number;
  isRenewed: boolean;
}

/** What a repository's tags are called. */
interface NamesOfTags {
  /** Sorted. */
  readonly names: readonly Tag[];
  /** Whether each has a current link. If not, whoever needs a name checks it. */
  readonly areChecked: boolean;
}

/** How many names are checked for a list that may need a few of them only. */
export const checkedTogether = 1_000;

/**
 * The tags of repositories. A tag that is being written or deleted has a history, but no current link, and a writer that is
 * killed then leaves it like that. So a store that lists keys lists all of them, which are two for each tag and more for its
 * history; other stores look for each link. The names alone cost a fraction of that: they are used as long as they are exactly
 * those that have just been checked. So what others push and delete is seen at once, and what a killed deletion left, some
 * seconds later.
 */
export class ListedTags {
  readonly #driver: Driver;
  readonly #nowMs: () => number;
  readonly #vouched = new RecentMap<RepositoryName, Vouched>(maxRepositories);
  #removals = 0;

  constructor(driver: Driver, nowMs = monotonicMs) {
    this.#driver = driver;
    this.#nowMs = nowMs;
  }

  async tags(repo: RepositoryName, opts: SignalOption): Promise<NamesOfTags> {
    const vouched = this.#vouched.get(repo);
    const mayUse = vouched !== undefined && this.#mayUse(vouched);
    const atMs = this.#nowMs();
    const removals = this.#removals;
    const names = mayUse || this.#driver.exist ? await tagsIn(this.#driver, repo, opts) : undefined;
    if (names && mayUse && vouched.names !== unknown && hashOf(names) === vouched.names)
      return { names, areChecked: true };
    if (names && this.#driver.exist && names.length > checkedTogether) return { names, areChecked: false };
    const found =
      names && this.#driver.exist
        ? { tags: await present(this.#driver, repo, names), names: names.length }
        : await currentTags(this.#driver, repo, opts);
    if (found.tags.length !== found.names) this.#vouched.delete(repo);
    else if (removals === this.#removals)
      // A command lists once, and is spared node:crypto.
      this.#vouched.set(repo, {
        names: this.#driver.exist && !vouched ? unknown : hashOf(found.tags),
        atMs,
        isRenewed: false,
      });
    return { names: found.tags, areChecked: true };
  }

  /** Must be called when a current link was removed: what another program keeps beside it may leave the name in lists. */
  removed(repo: RepositoryName): void {
    this.#removals += 1;
    this.#vouched.delete(repo);
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
async function tagsIn(driver: Driver, repo: RepositoryName, { signal }: SignalOption = {}): Promise<readonly Tag[]> {
  const tags: Tag[] = [];
  for await (const { name, kind } of entriesIn(driver, tagsPath(repo))) {
    signal?.throwIfAborted();
    const tag = kind === 'prefix' ? tryParseTag(name) : undefined;
    if (tag !== undefined) tags.push(tag);
  }
  return tags.sort();
}

/** Those of some tags that have a current link. A driver that cannot look for several at once has checked them all. */
export async function present(driver: Driver, repo: RepositoryName, tags: readonly Tag[]): Promise<readonly Tag[]> {
  const found = await driver.exist?.(tags.map((tag) => tagCurrentPath(repo, tag)));
  return found ? tags.filter((_, i) => found[i]) : tags;
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
