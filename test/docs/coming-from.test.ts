import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadCommands } from '../../src/commands/command-line/all-commands.ts';
import { readFlags } from '../../src/commands/command-line/command.ts';
import { globalOptions } from '../../src/commands/command-line/global-options.ts';
import { projectRoot } from '../support/project.ts';

const page = await readFile(join(projectRoot, 'docs', 'coming-from.md'), 'utf8');
const rows = [...page.matchAll(/^\| `(.*)` \| `ocictl (.*)` \|$/gm)].map(([, theirs = '', ours = '']) => ({
  theirs,
  ours,
}));

describe('docs/coming-from.md', () => {
  it('names nothing that there is not', async () => {
    const commands = await loadCommands();
    assert.ok(rows.length > 30);
    for (const { theirs, ours } of rows) {
      const words = ours.split(' ');
      // Of a family, two words name the command.
      const command = commands.find(({ name }) => [words[0], words.slice(0, 2).join(' ')].includes(name));
      assert.ok(command, `${theirs}: there is no ocictl ${ours}`);
      const known = [...Object.values(command.options), ...Object.values(globalOptions)].map(
        ({ flags }) => readFlags(flags).long,
      );
      for (const word of words.filter((one) => one.startsWith('--'))) {
        assert.ok(known.includes(word), `${theirs}: ocictl ${command.name} has no ${word}`);
      }
    }
  });
});
