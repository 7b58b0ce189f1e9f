import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { familiarName, fromStoreName } from '../../model/reference/reference.ts';
import { defineCommand } from '../command-line/command.ts';

/** Called by completion scripts: names from the local store, read without opening an image. */
export const complete = defineCommand({
  name: '__complete',
  summary: 'List names for a completion script',
  description: '',
  arguments: [{ label: 'WHAT', summary: 'images', arity: 'one' }],
  options: {},
  examples: [],
  async run({ words: [what] }, { terminal, signal, store }) {
    if (what !== 'images') throw new OciError('USAGE', `nothing to complete ${quote(what ?? '')} with`);
    const registry = await store();
    for await (const repo of registry.repositories({ signal })) {
      const named = fromStoreName(repo);
      if (!named) continue;
      const lines: string[] = [];
      for await (const tag of registry.tags(repo, { signal })) lines.push(`${familiarName(named)}:${tag}\n`);
      await terminal.out(lines.join(''));
    }
  },
});
