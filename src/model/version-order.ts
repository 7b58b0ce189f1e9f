/**
 * The order of versions among tags, which often are not strict semantic versions (`v1.2`, `1.2-alpine`).
 *
 * A version is one or more numbers with dots between, optionally after a `v`, and optionally before a suffix. Missing numbers
 * count as 0. For equal numbers, pre-releases (`-rc.1`, `-beta`, `a1`) come first, then the release, then variants (any other
 * suffix, as `-alpine`). Suffixes compare as text, runs of digits in them as numbers. If all is equal, fewer numbers come
 * first. Tags that are no versions come before all versions, sorted by name.
 *
 * @see https://semver.org/#spec-item-11
 */
interface Version {
  readonly numbers: readonly string[];
  /** 0: pre-release, 1: release, 2: variant. */
  readonly stage: 0 | 1 | 2;
  readonly suffix: string;
}

/** Whether a tag is a version, and not a name such as `latest`. */
export function isVersion(tag: string): boolean {
  return parseVersion(tag) !== undefined;
}

/** Sorts by the order above. */
export function sortByVersion<T extends string>(tags: readonly T[]): readonly T[] {
  return tags
    .map((tag) => ({ tag, version: parseVersion(tag) }))
    .sort((a, b) => compareVersions(a.version, b.version) || compareText(a.tag, b.tag))
    .map(({ tag }) => tag);
}

/** Words that mark a pre-release. */
const early =
  '(?:alpha|beta|canary|cr|dev|ea|milestone|next|nightly|pre|preview|rc|snapshot|test|unstable|[abcm](?=[.-]?\\d))';
const earlySuffix = new RegExp(`^[-_.]?${early}(?![a-z])`, 'i');

function parseVersion(tag: string): Version | undefined {
  const [, digits, suffix = ''] = /^v?(\d+(?:\.\d+)*)(.*)$/s.exec(tag) ?? [];
  if (digits === undefined) return undefined;
  const numbers = digits.split('.');
  if (suffix === '') return { numbers, stage: 1, suffix };
  const separated = /^[-_.]/.test(suffix);
  // A single number with letters is a commit such as `3f2a91c`, not a version; `1.1.1w` is a release.
  if (!separated && numbers.length === 1) return undefined;
  if (earlySuffix.test(suffix)) return { numbers, stage: 0, suffix };
  return separated || /^[a-z](?:$|[-_.])/i.test(suffix) ? { numbers, stage: 2, suffix } : undefined;
}

function compareVersions(a: Version | undefined, b: Version | undefined): number {
  if (!a || !b) return Number(a !== undefined) - Number(b !== undefined);
  for (let at = 0; at < Math.max(a.numbers.length, b.numbers.length); at += 1) {
    const order = compareNumbers(a.numbers[at] ?? '0', b.numbers[at] ?? '0');
    if (order !== 0) return order;
  }
  return a.stage - b.stage || compareSuffixes(a.suffix, b.suffix) || a.numbers.length - b.numbers.length;
}

function compareSuffixes(a: string, b: string): number {
  const [left, right] = [chunksOf(a), chunksOf(b)];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    const [one = '', other = ''] = [left[at], right[at]];
    const isNumber = /^\d/.test(one) && /^\d/.test(other);
    const order = isNumber ? compareNumbers(one, other) : compareText(one, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Compares numbers of any length: dates and build numbers exceed 2^53. */
function compareNumbers(one: string, other: string): number {
  const [a, b] = [withoutZeros(one), withoutZeros(other)];
  return a.length - b.length || compareText(a, b);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function withoutZeros(digits: string): string {
  return digits.replace(/^0+(?=\d)/, '');
}

function chunksOf(text: string): readonly string[] {
  return text.match(/\d+|\D+/g) ?? [];
}
