import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generatedFiles, generatedFolders, releaseDate } from '../../../scripts/generated.ts';
import { documentedStatuses } from '../../../scripts/man.ts';
import { loadCommands } from '../../../src/commands/command-line/all-commands.ts';
import { projectRoot } from '../../support/project.ts';

const files = await generatedFiles(projectRoot);

describe('files generated from the commands', () => {
  for (const [path, text] of files) {
    it(`is up to date: ${path}`, async () => {
      const kept = await readFile(join(projectRoot, path), 'utf8').catch(() => '');
      assert.ok(kept === text, `${path} is stale: npm run generate`);
    });
  }

  it('leaves nothing else in its folders', async () => {
    for (const folder of generatedFolders) {
      const names = await readdir(join(projectRoot, folder));
      assert.deepEqual(
        names.map((name) => `${folder}/${name}`).filter((path) => !files.has(path)),
        [],
      );
    }
  });

  it('has a man page for every command', async () => {
    const program = files.get('man/ocictl.1') ?? '';
    for (const { name, options } of await loadCommands()) {
      const page = files.get(`man/ocictl-${name.replaceAll(' ', '-')}.1`) ?? '';
      assert.match(page, new RegExp(`^ocictl\\\\-${name.replaceAll(/[- ]/g, '\\\\-')} \\\\- [a-z]`, 'm'));
      for (const { flags } of Object.values(options)) {
        const long = /--[a-z0-9-]+/.exec(flags)?.[0] ?? '';
        assert.ok(page.includes(`\\fB${long.replaceAll('-', '\\-')}\\fR`), `${name} ${long}`);
      }
      assert.ok(program.includes(`ocictl\\-${name.replaceAll(/[- ]/g, '\\-')}`));
    }
  });

  it('says in the man page which exit statuses docs/exit-codes.md lists', async () => {
    const table = await readFile(join(projectRoot, 'docs/exit-codes.md'), 'utf8');
    assert.deepEqual(
      [...table.matchAll(/^\| (\d+) \|/gm)].map(([, status]) => status),
      documentedStatuses,
    );
  });

  it('have the date of the release, not of the day', () => {
    assert.equal(releaseDate('# Changelog\n\n## 2.0.0 (unreleased)\n\n## 1.0.0 (2031-02-03)\n'), '2031-02-03');
    assert.equal(releaseDate('## 0.1.0 (unreleased)\n'), releaseDate(''));
  });
});
