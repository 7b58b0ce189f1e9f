import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { familiarName, fromStoreName } from '../../model/reference/reference.ts';
import { defineCommand } from '../command-line/command.ts';

/**
 * Called by completion scripts: names from the local store, read without opening an image, and for a word that is a
 * reference up to its tag, the tags of its repository.
 */
export const complete = defineCommand({
  name: '__complete',
  summary: 'List names for a completion script',
  description: '',
  arguments: [
    { label: 'WHAT', summary: 'images', arity: 'one' },
    { label: 'WORD', summary: 'What was typed', arity: 'optional' },
  ],
  options: {},
  examples: [],
  async run({ words: [what, word = ''] }, { terminal, signal, store, completeTags }) {
    if (what !== 'images') throw new OciError('USAGE', `nothing to complete ${quote(what ?? '')} with`);
    const asking = completeTags(word);
    const told = new Set<string>();
    const registry = await store();
    for await (const repo of registry.repositories({ signal })) {
      const named = fromStoreName(repo);
      if (!named) continue;
      const lines: string[] = [];
      for await (const tag of registry.tags(repo, { signal })) lines.push(`${familiarName(named)}:${tag}`);
      for (const line of lines) told.add(line);
      await terminal.out(lines.map((line) => `${line}\n`).join(''));
    }
    const others = (await asking).filter((line) => !told.has(line));
    await terminal.out(others.map((line) => `${line}\n`).join(''));
  },
});
