import { OciError } from '../model/errors.ts';
import { type Place, readFrom } from '../places/place.ts';
import { otherRepositoriesHelp } from '../places/places.ts';
import type { ListOptions } from '../registry/registry.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, value } from './command-line/command.ts';
import { parseCount } from './command-line/option-values.ts';
import { credentialOptions, jsonOption, serviceOptions } from './command-line/options.ts';

export const tags = defineCommand({
  name: 'tags',
  summary: 'List the tags of a repository',
  description:
    'One tag a line, every page of the registry followed, in the order of the registry. Also for\n' +
    `${otherRepositoriesHelp()}; of layouts\n` +
    'names that are no tags as well.',
  arguments: [{ label: 'REPO', summary: 'The repository', arity: 'one', completes: 'image' }],
  options: {
    limit: value('--limit <n>', 'Stop after this many tags (default 0: all of them)'),
    after: value('--after <tag>', 'Start behind this tag'),
    json: jsonOption,
    ...serviceOptions,
    ...credentialOptions,
  },
  examples: [
    { text: 'All tags', command: 'tags registry.example.com/team/app' },
    { text: 'The first ten', command: 'tags alpine --limit 10' },
  ],
  async run({ words, options }, context) {
    const { terminal, signal } = context;
    await using place = await context.openPlace(words[0] ?? '', 'repository', options);
    if (place.named) {
      throw new OciError('USAGE', `tags are listed of a repository, and ${place.name} names one image`, {
        hint: `leave the tag or digest out: ocictl tags ${place.repository}`,
      });
    }
    const range = { after: options.after, limit: parseCount('--limit', options.limit) || undefined };
    const all: string[] = [];
    for await (const tag of namesOf(place, { signal, ...range })) {
      if (options.json) all.push(tag);
      else await terminal.out(`${tag}\n`);
      if (terminal.outClosed) break;
    }
    if (options.json) await terminal.out(`${formatJson({ repository: place.repository, tags: all })}\n`);
  },
});

/** Its tags; where it has names that are no tags, all in one order. */
async function* namesOf(place: Place, opts: ListOptions): AsyncIterable<string> {
  const { after = '', limit, signal } = opts;
  const names = await readFrom(place, async () => place.names?.());
  if (names === undefined || names.length === 0) return yield* place.registry.tags(place.repo, opts);
  const all = new Set<string>(names);
  for await (const tag of place.registry.tags(place.repo, { signal })) all.add(tag);
  yield* [...all]
    .sort()
    .filter((name) => name > after)
    .slice(0, limit);
}
