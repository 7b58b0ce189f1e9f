import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ocictl } from '../support/command.ts';
import { buildImage, buildIndex } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { needs, startDockerRegistry } from '../support/programs.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

describe('ocictl delete by rules at docker-registry, which deletes by digest only', () => {
  it('takes manifests with their tags, and none that another tag or index needs', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { host } = await startDockerRegistry(t);
    const imageOf = (name: string, year: number) =>
      buildImage({ layers: [{ files: { name } }], created: new Date(Date.UTC(year, 0)) });
    const [old, shared, part, young] = [
      await imageOf('old', 2020),
      await imageOf('shared', 2021),
      await imageOf('part', 2022),
      await imageOf('young', 2040),
    ];
    const tags = {
      'pr-1': old,
      'pr-2': old,
      'pr-3': shared,
      'pr-4': part,
      'pr-5': young,
      list: await buildIndex([part]),
      stable: shared,
    };
    for (const [tag, built] of Object.entries(tags)) {
      const layout = await temporaryDirectory(t);
      await writeLayout(layout, '1', built);
      const copied = await ocictl(t, ['copy', '-q', '--all', `oci:${layout}:1`, `${host}/app:${tag}`]);
      assert.equal(copied.exitCode, 0, copied.stderr);
    }
    const name = `${host}/app`;
    const words = ['delete', '--match', 'pr-*', '--older-than', '30d', name];
    const would = await ocictl(t, [...words, '--dry-run']);
    assert.equal(would.exitCode, 12, would.stderr);
    assert.equal(would.stdout.split('\n').length, 5);
    const { exitCode, stdout, stderr } = await ocictl(t, [...words, '--yes']);
    assert.deepEqual([exitCode, stdout], [0, `Deleted: ${name}:pr-1\nDeleted: ${name}:pr-2\n`], stderr);
    assert.match(stderr, /app:pr-3 stays: .*app:stable, which stays, is the same image$/m);
    assert.match(stderr, /app:pr-4 stays: .*app:list, which stays, needs it$/m);
    assert.equal((await ocictl(t, ['tags', name])).stdout, 'list\npr-3\npr-4\npr-5\nstable\n');
    for (const tag of ['list', 'stable', 'pr-5']) {
      const pulled = await ocictl(t, ['pull', '-q', `${name}:${tag}`]);
      assert.equal(pulled.exitCode, 0, pulled.stderr);
    }
    assert.equal((await ocictl(t, ['repos', host])).stdout, 'app\n');
    const tagged = await ocictl(t, ['tag', '--remote', `${name}:pr-5`, 'new', 'newer']);
    assert.equal(tagged.exitCode, 0, tagged.stderr);
    const sorted = await ocictl(t, ['tags', '--sort', 'created', '--reverse', '--limit', '3', name]);
    assert.equal(sorted.stdout, 'pr-5\nnewer\nnew\n');
  });
});
