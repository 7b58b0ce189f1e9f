import { OciError } from '../model/errors.ts';
import { show } from '../model/reference/reference-grammar.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, list, value } from './command-line/command.ts';
import { parseCount, parsePatterns } from './command-line/option-values.ts';
import { jsonOption, registryOptions } from './command-line/options.ts';
import { listRepositories } from './repos/list-repositories.ts';

export const repos = defineCommand({
  name: 'repos',
  aliases: ['catalog'],
  summary: 'List the repositories of a registry',
  description:
    'Prints one repository a line, from all pages of the list, in the order of the registry. HOST/PREFIX restricts the list to\n' +
    'the repository PREFIX and those below it. --limit counts the repositories that are printed, after --filter.\n\n' +
    'Docker Hub, ghcr.io, Amazon ECR and other public registries have no such list; some registries show it to certain users\n' +
    'only. The error then says what to do instead.',
  arguments: [
    { label: 'HOST', summary: 'host[:port] of the registry, or HOST/PREFIX', arity: 'one', completes: 'nothing' },
  ],
  options: {
    filter: list('--filter <pattern>', 'Only names that match, as team/*; ** crosses slashes; may be repeated'),
    limit: value('--limit <n>', 'Stop after this many repositories (default 0: all of them)'),
    json: jsonOption,
    ...registryOptions,
  },
  examples: [
    { text: 'Every repository', command: 'repos registry.example.com' },
    { text: 'Those of a team, at any depth', command: 'repos registry.example.com/team' },
    { text: 'By name', command: "repos --filter '**/app' registry.example.com" },
  ],
  async run({ words: [word = ''], options }, { terminal, signal, service }) {
    const { host, prefix } = parseHost(word);
    const limit = parseCount('--limit', options.limit) || Number.POSITIVE_INFINITY;
    const wanted = parsePatterns('--filter', options.filter);
    const isWanted = (name: string): boolean =>
      (prefix === '' || name === prefix || name.startsWith(`${prefix}/`)) && wanted(name);
    const registry = await (await service(options)).openHost(host);
    const repositories: string[] = [];
    let count = 0;
    // Pass the limit to the registry only if everything that it lists is printed.
    const asked = prefix === '' && options.filter.length === 0 ? limit : undefined;
    for await (const name of listRepositories(registry, host, { limit: asked, signal })) {
      if (!isWanted(name)) continue;
      if (options.json) repositories.push(name);
      else await terminal.out(`${name}\n`);
      count += 1;
      if (count >= limit || terminal.outClosed) break;
    }
    if (options.json) await terminal.out(`${formatJson({ registry: host, repositories })}\n`);
  },
});

function parseHost(word: string): { readonly host: string; readonly prefix: string } {
  if (/^https?:\/\//i.test(word)) {
    throw new OciError('USAGE', `invalid host ${show(word)}: it should not have a scheme`, {
      hint: 'write HOST or HOST/PREFIX, without https://',
    });
  }
  const [host = '', ...rest] = word.split('/');
  if (host === '') {
    throw new OciError('USAGE', `invalid host ${show(word)}: it is empty`, { hint: 'write HOST or HOST/PREFIX' });
  }
  return { host, prefix: rest.join('/').replace(/\/+$/, '') };
}
