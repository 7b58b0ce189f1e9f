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
      const [name = '', ...words] = ours.split(' ');
      const command = commands.find((one) => one.name === name);
      assert.ok(command, `${theirs}: there is no ocictl ${name}`);
      const known = [...Object.values(command.options), ...Object.values(globalOptions)].map(
        ({ flags }) => readFlags(flags).long,
      );
      for (const word of words.filter((one) => one.startsWith('--'))) {
        assert.ok(known.includes(word), `${theirs}: ocictl ${name} has no ${word}`);
      }
    }
  });
});
