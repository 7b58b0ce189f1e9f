import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl, spawnServe } from '../../support/command.ts';
import { buildImage } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { sandbox } from '../../support/sandbox.ts';

const v2 = 'docker/registry/v2/repositories';
const image = (name: string) => buildImage({ layers: [{ files: { [name]: name.repeat(2_000) } }] });

const damages: Readonly<Record<string, (link: string) => Promise<void>>> = {
  'holds no digest': (link) => writeFile(link, 'garbage'),
  'is empty': (link) => writeFile(link, ''),
  'is much too large': (link) => writeFile(link, 'x'.repeat(100_000)),
};

/** A registry with `team/app:1`, which the local store has as `app:1`. */
async function serveImage(t: TestContext) {
  const root = join((await sandbox(t)).home, 'served');
  const server = await spawnServe(t, ['--root', root]);
  await keepImage(t, 'app:1', await image('a'));
  assert.equal((await ocictl(t, ['copy', 'store:app:1', `${server.host}/team/app:1`])).exitCode, 0);
  return { ...server, link: join(root, v2, 'team/app/_manifests/tags/1/current/link') };
}

for (const [what, damage] of Object.entries(damages)) {
  describe(`A tag whose link ${what}`, () => {
    it('is reported by images, and removed by rmi', async (t) => {
      const { store } = await sandbox(t);
      const repo = await keepImage(t, 'app:1', await image('a'));
      await damage(join(store, v2, repo, '_manifests/tags/1/current/link'));
      const listed = await ocictl(t, ['images']);
      assert.equal(listed.exitCode, 0, listed.stderr);
      const removed = await ocictl(t, ['rmi', 'app:1']);
      assert.equal(removed.exitCode, 0, removed.stderr);
      assert.match(removed.stdout, /^Untagged: app:1$/m);
      const after = await ocictl(t, ['images']);
      assert.equal(after.stderr, '');
      assert.doesNotMatch(after.stdout, /app +1 /);
    });

    it('is repaired by a pull', async (t) => {
      const { host } = await serveImage(t);
      const name = `${host}/team/app:1`;
      assert.equal((await ocictl(t, ['pull', name])).exitCode, 0);
      const repo = await keepImage(t, name, await image('a'));
      await damage(join((await sandbox(t)).store, v2, repo, '_manifests/tags/1/current/link'));
      const pulled = await ocictl(t, ['pull', name]);
      assert.equal(pulled.exitCode, 0, pulled.stderr);
      const inspected = await ocictl(t, ['inspect', `store:${name}`]);
      assert.equal(inspected.exitCode, 0, inspected.stderr);
    });

    it('is repaired by a copy or push to the registry, and removed by a delete', async (t) => {
      const { host, url, link } = await serveImage(t);
      for (const words of [
        ['copy', 'store:app:1', `${host}/team/app:1`],
        ['copy', '--all-tags', 'store:app', `${host}/team/app`],
      ]) {
        await damage(link);
        const copied = await ocictl(t, words);
        assert.equal(copied.exitCode, 0, `${words.join(' ')}: ${copied.stderr}`);
        assert.equal((await fetch(`${url}/v2/team/app/manifests/1`)).status, 200);
      }
      await damage(link);
      const deleted = await ocictl(t, ['delete', `${host}/team/app:1`]);
      assert.equal(deleted.exitCode, 0, deleted.stderr);
      assert.equal((await fetch(`${url}/v2/team/app/manifests/1`)).status, 404);
      assert.deepEqual(((await (await fetch(`${url}/v2/team/app/tags/list`)).json()) as { tags: unknown }).tags, []);
    });
  });
}
