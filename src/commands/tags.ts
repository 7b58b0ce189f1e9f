import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { tryParseTag } from '../model/reference/reference.ts';
import { type Place, readFrom } from '../places/place.ts';
import { otherRepositoriesHelp } from '../places/places.ts';
import type { SignalOption } from '../registry/registry.ts';
import { formatJson } from '../terminal/json.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { defineCommand, flag, list, value } from './command-line/command.ts';
import { parseCount, parsePatterns } from './command-line/option-values.ts';
import { jsonOption, readingOptions } from './command-line/options.ts';

const sortKeys = ['name', 'semver', 'created'] as const;
type SortKey = (typeof sortKeys)[number];

export const tags = defineCommand({
  name: 'tags',
  summary: 'List the tags of a repository',
  description:
    `Prints one tag per line, from every page of the registry, in its order. Also for ${otherRepositoriesHelp()}; for\n` +
    'layouts, names that are not tags are listed too.\n\n' +
    '--sort semver sorts by version, the highest last. A version is numbers with dots between, with or without a v; missing\n' +
    'numbers count as 0. Pre-releases (1.2-rc1) come before their release, variants (1.2-alpine) after it. Tags that are no\n' +
    'versions come first.\n\n' +
    '--sort created sorts by the creation time in the image config, the youngest last; tags without one come first. It takes\n' +
    'two or three requests for each tag, and the request for the manifest counts as a pull where a registry limits pulls.\n\n' +
    '--limit counts the tags that are printed, after --filter and --sort.',
  arguments: [{ label: 'REPO', summary: 'The repository', arity: 'one', completes: 'image' }],
  options: {
    filter: list('--filter <pattern>', 'Only tags that match, as 1.* or *-alpine; may be repeated: any of them'),
    sort: value('--sort <key>', 'Order by name, semver or created', { choices: sortKeys }),
    reverse: flag('--reverse', 'Reverse the order: the highest or youngest first'),
    limit: value('--limit <n>', 'Stop after this many tags (default 0: all of them)'),
    after: value('--after <tag>', 'Start after this tag, in the order of names'),
    json: jsonOption,
    ...readingOptions,
  },
  examples: [
    { text: 'All tags', command: 'tags registry.example.com/team/app' },
    { text: 'The first ten', command: 'tags alpine --limit 10' },
    { text: 'The three highest versions', command: "tags alpine --filter '3.*' --sort semver --reverse --limit 3" },
  ],
  async run({ words, options }, context) {
    const { terminal, signal } = context;
    const { after, filter, reverse } = options;
    const limit = parseCount('--limit', options.limit) || Number.POSITIVE_INFINITY;
    const sort = options.sort === undefined ? undefined : parseSortKey(options.sort);
    if (after !== undefined && (reverse || (sort !== undefined && sort !== 'name'))) {
      throw new OciError('USAGE', '--after goes by name, and the tags are to be in another order');
    }
    const wanted = parsePatterns('--filter', filter);
    await using place = await context.openPlace(words[0] ?? '', 'repository', options);
    if (place.named) {
      throw new OciError('USAGE', `tags are listed of a repository, and ${place.name} names one image`, {
        hint: `leave the tag or digest out: ocictl tags ${place.repository}`,
      });
    }
    // Pass the limit to the registry only if everything that it lists is printed.
    const asked = filter.length > 0 || sort !== undefined || reverse ? undefined : limit;
    const listed = matching(namesOf(place, { after, signal, limit: asked }), wanted);
    if (sort === undefined && !reverse) return await print(place, listed, { limit, json: options.json, terminal });
    const names: string[] = [];
    for await (const name of listed) names.push(name);
    const { sorted, created } = await inOrder(names, sort, place, signal);
    const ordered = reverse ? [...sorted].reverse() : sorted;
    await print(place, ordered, { limit, json: options.json, created, terminal });
  },
});

function parseSortKey(word: string): SortKey {
  const key = sortKeys.find((one) => one === word);
  if (key) return key;
  throw new OciError('USAGE', `tags cannot be sorted by ${quote(word)}`, { hint: `choose ${sortKeys.join(', ')}` });
}

type Times = ReadonlyMap<string, Date | undefined>;

interface Ordered {
  readonly sorted: readonly string[];
  /** Present if they were read. */
  readonly created?: Times;
}

async function inOrder(
  names: readonly string[],
  sort: SortKey | undefined,
  place: Place,
  signal: AbortSignal,
): Promise<Ordered> {
  if (sort === undefined) return { sorted: names };
  if (sort === 'name') return { sorted: [...names].sort() };
  if (sort === 'semver') return { sorted: (await import('../model/version-order.ts')).sortByVersion(names) };
  const { readCreated } = await import('./tags/created.ts');
  const tags = names.flatMap((name) => tryParseTag(name) ?? []);
  const created = new Map<string, Date | undefined>();
  for await (const dated of readCreated(place, tags, { signal })) created.set(dated.tag, dated.created);
  const at = (name: string): number => created.get(name)?.getTime() ?? Number.MIN_SAFE_INTEGER;
  return { sorted: [...names].sort().sort((a, b) => at(a) - at(b)), created };
}

interface Printing {
  readonly limit: number;
  readonly json: boolean;
  readonly created?: Times | undefined;
  readonly terminal: Terminal;
}

async function print(
  { repository }: Place,
  names: AsyncIterable<string> | Iterable<string>,
  { limit, json, created, terminal }: Printing,
): Promise<void> {
  const tags: string[] = [];
  let count = 0;
  for await (const name of names) {
    if (json) tags.push(name);
    else await terminal.out(`${name}\n`);
    count += 1;
    if (count >= limit || terminal.outClosed) break;
  }
  if (!json) return;
  const times = created && new Map(tags.map((tag) => [tag, created.get(tag)?.toISOString() ?? null]));
  await terminal.out(`${formatJson({ repository, tags, created: times })}\n`);
}

async function* matching(
  names: AsyncIterable<string>,
  wanted: (name: string) => boolean,
): AsyncGenerator<string, void, undefined> {
  for await (const name of names) if (wanted(name)) yield name;
}

interface Range extends SignalOption {
  readonly after: string | undefined;
  readonly limit: number | undefined;
}

/** Its tags; if it also has names that are not tags, all of them in one order. */
async function* namesOf(place: Place, { after, limit, signal }: Range): AsyncIterable<string> {
  const names = await readFrom(place, async () => place.names?.());
  if (names === undefined || names.length === 0) {
    return yield* place.registry.tags(place.repo, { after, limit, signal });
  }
  const all = new Set<string>(names);
  for await (const tag of place.registry.tags(place.repo, { signal })) all.add(tag);
  yield* [...all].sort().filter((name) => name > (after ?? ''));
}
