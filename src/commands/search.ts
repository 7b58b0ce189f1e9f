import type { SearchResults } from '../app/context.ts';
import { OciError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { registryAlone } from '../places/misread.ts';
import { formatTable } from '../terminal/format.ts';
import { defineCommand, flag, list, value } from './command-line/command.ts';
import { jsonOption, registryOptions } from './command-line/options.ts';

type Entry = SearchResults['results'][number];

/** The maximum length of a description in the table, with the ellipsis. */
const maxDescription = 45;

export const search = defineCommand({
  name: 'search',
  summary: 'Search a registry for repositories',
  description:
    'Searches Docker Hub, or the registry that the term begins with. If a registry has no search, its repositories are\n' +
    'listed, and those whose name contains the term are shown, an exact match first.',
  arguments: [{ label: 'TERM', summary: 'What to search for, or HOST/TERM', arity: 'one', completes: 'nothing' }],
  options: {
    filter: list('-f, --filter <name=value>', 'Only is-official=true, or stars=N and more; may be repeated'),
    limit: value('--limit <n>', 'At most this many results, from which --filter chooses (default 0: 25)'),
    noTrunc: flag('--no-trunc', 'Do not shorten descriptions'),
    format: value('--format <template>', 'Print with a Go template, "table TEMPLATE", or json', { choices: ['json'] }),
    json: jsonOption,
    ...registryOptions,
  },
  examples: [
    { text: 'Docker Hub', command: 'search --filter is-official=true nginx' },
    { text: 'A registry of your own', command: 'search registry.example.com/nginx' },
    { text: 'Only names', command: "search --format '{{.Name}}' nginx" },
  ],
  async run({ words, options }, { terminal, signal, service }) {
    const format = options.json ? 'json' : options.format;
    const limit = options.limit === undefined ? undefined : parseLimit(options.limit);
    // Parse before any request, so that a wrong template is reported at once.
    const print = format === undefined || format === '' || format === 'table' ? table : await formatted(format);
    const host = registryAlone(words[0] ?? '');
    if (host !== undefined && host === words[0]) {
      throw new OciError('USAGE', `${quote(host)} names a registry, and nothing to look for in it`, {
        hint: `write ${host}/TERM; ocictl repos ${host} lists all of its repositories`,
      });
    }
    const registries = await service(options);
    const found = await registries.search(words[0] ?? '', { limit, filters: options.filter, signal });
    if (found.source === 'catalog') {
      terminal.note(`${found.registry} has no search: these are names out of its list of repositories`);
    }
    const describe = ({ description }: Entry): string => (options.noTrunc ? description : shorten(description));
    await terminal.out(await print(found.results, describe));
    // If the given limit was reached, the user knows that there may be more.
    if (found.more && (!limit || found.found < limit)) terminal.note(truncated(found, limit));
  },
});

function truncated({ found, total, source, registry }: SearchResults, limit: number | undefined): string {
  const shown = `the first ${found}${total === undefined ? '' : ` of ${total}`} results are shown`;
  if (limit) return `${shown}: the registry gives no more`;
  if (total !== undefined) return `${shown}; --limit ${total} shows all`;
  const all = source === 'catalog' ? `; ocictl repos ${registry} lists every repository` : '';
  return `${shown}, and there are more; --limit N shows N${all}`;
}

type Print = (entries: readonly Entry[], describe: (entry: Entry) => string) => Promise<string>;

// Docker's minimum width of columns.
const tableHeadings = ['NAME', 'DESCRIPTION', 'STARS', 'OFFICIAL'].map((heading) => heading.padEnd(7));

const table: Print = (entries, describe) =>
  formatTable([tableHeadings, ...entries.map((entry) => row(entry, describe))]);

function row(entry: Entry, describe: (entry: Entry) => string): readonly string[] {
  return [entry.name, describe(entry), String(entry.starCount), entry.isOfficial ? '[OK]' : ''];
}

const headings = { Name: 'NAME', Description: 'DESCRIPTION', StarCount: 'STARS', IsOfficial: 'OFFICIAL' };

/**
 * Formats with a template, in which `.IsOfficial` is Docker's `[OK]`; in JSON it is `"true"` or `"false"`. Nothing is cut.
 */
async function formatted(format: string): Promise<Print> {
  const { parseRowFormat } = await import('../terminal/template.ts');
  const print = parseRowFormat(format, headings);
  const json = format === 'json';
  return (entries, describe) =>
    print(
      entries.map((entry) => ({
        Description: json ? entry.description : describe(entry),
        IsOfficial: json ? String(entry.isOfficial) : entry.isOfficial ? '[OK]' : '',
        Name: entry.name,
        StarCount: String(entry.starCount),
      })),
    );
}

function shorten(text: string): string {
  const characters = [...text];
  return characters.length <= maxDescription ? text : `${characters.slice(0, maxDescription - 1).join('')}…`;
}

function parseLimit(word: string): number {
  if (/^-?\d{1,9}$/.test(word)) return Number(word);
  throw new OciError('USAGE', `invalid limit ${quote(word)}`, { hint: 'a limit is a number, 1 or more' });
}
