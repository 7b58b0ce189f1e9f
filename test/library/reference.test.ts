import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { start } from '../support/process.ts';
import { projectRoot } from '../support/project.ts';
import { sandbox } from '../support/sandbox.ts';

describe('the reference of the library', () => {
  it('is what the doc comments say', async (t) => {
    const { env } = await sandbox(t);
    const words = [join(projectRoot, 'scripts', 'api.mjs'), '--check'];
    const { exitCode, stderr } = await start(t, process.execPath, words, { env, cwd: projectRoot }).result;
    assert.deepEqual([exitCode, stderr], [0, '']);
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
