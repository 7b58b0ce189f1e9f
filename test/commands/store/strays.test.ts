import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ocictl, spawnServe } from '../../support/command.ts';
import { buildArtifact, buildImage } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { sandbox } from '../../support/sandbox.ts';

/** Adds files that file managers, file systems and users leave to every directory below one. @returns How many. */
async function strew(directory: string): Promise<number> {
  let directories = 1;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) directories += await strew(join(directory, entry.name));
  }
  for (const name of ['.DS_Store', '._link', '.nfs00000001', 'Thumbs.db']) await writeFile(join(directory, name), 'x');
  for (const name of ['lost+found', '@eaDir', 'some copy']) {
    await mkdir(join(directory, name));
    await writeFile(join(directory, name, 'data'), 'x');
    await writeFile(join(directory, name, 'link'), 'x');
  }
  return directories;
}

const image = (name: string) => buildImage({ layers: [{ files: { [name]: name.repeat(2_000) } }] });

describe('Strange files and directories anywhere in a store', () => {
  it('are no matter to images, inspect, copy, tag and rmi', async (t) => {
    const { store } = await sandbox(t);
    const first = await image('first');
    const repo = await keepImage(t, 'app:1', first);
    await keepImage(t, 'app:2', await image('second'));
    await keepImage(t, 'other:1', first);
    await keepImage(
      t,
      'app:signature',
      await buildArtifact({ artifactType: 'application/vnd.test', subject: first.descriptor }),
    );
    assert.ok((await strew(store)) > 30);
    const listed = await ocictl(t, ['images', '--json']);
    assert.equal(listed.exitCode, 0, listed.stderr);
    assert.equal(listed.stderr, '');
    assert.equal(listed.stdout.trim().split('\n').length, 4);
    for (const words of [
      ['inspect', 'store:app:1'],
      ['copy', 'store:app:1', 'oci:layout:1'],
      ['tag', 'app:1', 'third:1'],
      ['rmi', 'app:1'],
      ['rmi', 'app:2'],
      ['rmi', 'third:1'],
      ['rmi', first.descriptor.digest.slice(7, 19), '--force'],
      ['rmi', 'app:signature'],
    ]) {
      const { exitCode, stderr } = await ocictl(t, words);
      assert.equal(exitCode, 0, `${words.join(' ')}: ${stderr}`);
    }
    assert.equal((await ocictl(t, ['images', '-q'])).stdout, '', repo);
  });

  it('are no matter to a registry that is served from it', async (t) => {
    const { home } = await sandbox(t);
    const root = join(home, 'served');
    const first = await spawnServe(t, ['--root', root]);
    await keepImage(t, 'app:1', await image('first'));
    assert.equal((await ocictl(t, ['copy', 'store:app:1', `${first.host}/team/app:1`])).exitCode, 0);
    first.child.kill('SIGTERM');
    await first.result;
    await strew(root);
    const { host, url, output } = await spawnServe(t, ['--root', root]);
    assert.deepEqual(await (await fetch(`${url}/v2/_catalog`)).json(), { repositories: ['team/app'] });
    assert.deepEqual(await (await fetch(`${url}/v2/team/app/tags/list`)).json(), { name: 'team/app', tags: ['1'] });
    for (const words of [
      ['copy', `${host}/team/app:1`, `${host}/team/new:1`],
      ['copy', 'store:app:1', `${host}/team/app:2`],
      ['pull', `${host}/team/app:2`],
      ['delete', `${host}/team/app:1`],
      ['delete', '--yes', `${host}/team/app:2`],
    ]) {
      const { exitCode, stderr } = await ocictl(t, words);
      assert.equal(exitCode, 0, `${words.join(' ')}: ${stderr}`);
    }
    assert.doesNotMatch(output().stderr, / 500 /);
  });
});
