import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { start } from '../support/process.ts';
import { projectRoot } from '../support/project.ts';
import { sandbox } from '../support/sandbox.ts';

describe('the reference of the library', () => {
  it('is up to date with the doc comments', async (t) => {
    const { env } = await sandbox(t);
    const words = [join(projectRoot, 'scripts', 'api.mjs'), '--check'];
    const { exitCode, stderr } = await start(t, process.execPath, words, { env, cwd: projectRoot }).result;
    assert.deepEqual([exitCode, stderr], [0, '']);
  });

  it('says something about every member of every interface, but for the literal that tells types apart', async () => {
    const silent: string[] = [];
    for (const page of ['ocictl.md', 'server.md', 'storage.md', 'docker.md']) {
      const text = await readFile(join(projectRoot, 'docs', 'api', page), 'utf8');
      for (const [, name, body = ''] of text.matchAll(/^```ts\ninterface (\w+)[^\n]*\{\n(.*?)^\}\n```/gms)) {
        let before = '';
        for (const line of body.split('\n')) {
          const [, member, type = ''] = /^ {4}(?:readonly )?(\w+)\??[:(<](.*)$/.exec(line) ?? [];
          const tellsApart = /^ '[\w-]+';$/.test(type);
          if (member !== undefined && !before.endsWith('*/') && !tellsApart) silent.push(`${name}.${member}`);
          before = line;
        }
      }
    }
    assert.deepEqual(silent, []);
  });

  it('says something about every function and class', async () => {
    for (const page of ['ocictl.md', 'server.md', 'storage.md', 'docker.md']) {
      const text = await readFile(join(projectRoot, 'docs', 'api', page), 'utf8');
      const described = text.split('\n## Types\n')[0] ?? '';
      const silent = [...described.matchAll(/^### `(\w+)`\n\n```/gm)].map(([, name]) => name);
      assert.deepEqual(silent, [], page);
    }
  });
});
