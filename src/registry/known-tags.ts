/** For those who look up tags that are named after digests, of many manifests of a repository. */
import { isOciError } from '../model/errors.ts';
import type { RepositoryName, Tag } from '../model/reference/reference.ts';
import type { KnownTags, SignalOption } from './options.ts';
import type { Registry } from './registry.ts';

/** Up to this number of manifests, their tags are asked for one by one: a list of all tags may be long. */
const askedAlone = 16;
/** How many tags are read at most, for each manifest: a page of a list is then a small part of the requests that it saves. */
const tagsEach = 200;
const mostTags = 100_000;

/** `sha256-<hex>`, with or without a suffix. */
const namedAfterDigest = /^sha\d+-[0-9a-f]{64,}(?:\.|$)/;

/** Reads the list of tags once instead of asking for up to four tags of each of many manifests. */
export class TagsByDigest implements KnownTags {
  readonly #place: { readonly registry: Registry; readonly repo: RepositoryName };
  readonly #signal: AbortSignal | undefined;
  /** Those that were found without the list. */
  readonly #found = new Set<Tag>();
  #expected = 0;
  /** What was expected when the list could not be used. */
  #failedFor = Number.POSITIVE_INFINITY;
  #listed: Promise<ReadonlySet<Tag> | undefined> | undefined;

  constructor(place: { readonly registry: Registry; readonly repo: RepositoryName }, { signal }: SignalOption = {}) {
    this.#place = place;
    this.#signal = signal;
  }

  /** Tells that the tags of so many manifests will be looked up. */
  expect(manifests: number): void {
    this.#expected = Math.max(this.#expected, manifests);
    // A list that was too long for fewer may be worth its pages now.
    if (this.#expected >= 2 * this.#failedFor) this.#listed = undefined;
  }

  found(tag: Tag): void {
    if (!this.#listed) this.#found.add(tag);
  }

  async mayBeThere(tag: Tag): Promise<boolean> {
    if (this.#expected <= askedAlone) return true;
    this.#listed ??= this.#usableList();
    return (await this.#listed)?.has(tag) ?? true;
  }

  async #usableList(): Promise<ReadonlySet<Tag> | undefined> {
    const expected = this.#expected;
    const listed = await this.#list();
    this.#failedFor = listed ? Number.POSITIVE_INFINITY : expected;
    return listed;
  }

  /** Undefined if the list cannot be read, is too long, or is not whole: some caches list only what they hold. */
  async #list(): Promise<ReadonlySet<Tag> | undefined> {
    const { registry, repo } = this.#place;
    const listed = new Set<Tag>();
    let left = Math.min(mostTags, tagsEach * this.#expected);
    try {
      for await (const tag of registry.tags(repo, { signal: this.#signal })) {
        if (namedAfterDigest.test(tag)) listed.add(tag);
        left -= 1;
        if (left < 0) return undefined;
      }
    } catch (error) {
      if (!isOciError(error) || this.#signal?.aborted) throw error;
      return undefined;
    }
    return [...this.#found].every((tag) => listed.has(tag)) ? listed : undefined;
  }
}
