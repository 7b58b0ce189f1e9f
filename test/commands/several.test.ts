import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ocictl, spawnOcictl } from '../support/command.ts';
import { buildIndex, pushImage } from '../support/images.ts';
import { keepImage } from '../support/local-store.ts';
import { app, imageFor, one, startPlace, two, until } from './copy/places.ts';

const [first, second] = [await imageFor('amd64', ['a']), await imageFor('amd64', ['b'])];

/** A registry with team/app:1 and :2. */
async function startFilled(t: TestContext) {
  const place = await startPlace(t);
  await pushImage(place.registry, app, one, first);
  await pushImage(place.registry, app, two, second);
  return { ...place, name: `${place.host}/team/app` };
}

describe('several references', () => {
  it('have their digests a line each, with the reference behind; from standard input too', async (t) => {
    const { name } = await startFilled(t);
    const lines = `${first.descriptor.digest}  ${name}:1\n${second.descriptor.digest}  ${name}:2\n`;
    assert.equal((await ocictl(t, ['digest', `${name}:1`, `${name}:2`])).stdout, lines);
    const read = await ocictl(t, ['digest', '-'], { input: `${name}:1\r\n\n  ${name}:2` });
    assert.deepEqual([read.exitCode, read.stdout, read.stderr], [0, lines, '']);
    const both = await ocictl(t, ['digest', `${name}:1`, '-'], { input: `${name}:2\n` });
    assert.equal(both.stdout, lines);
    const alone = await ocictl(t, ['digest', '-'], { input: `${name}:1\n` });
    assert.equal(alone.stdout, `${first.descriptor.digest}  ${name}:1\n`, 'however many lines there are');
    const json = await ocictl(t, ['digest', '--json', `${name}:1`, `${name}:2`]);
    const references = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { reference: string }).reference);
    assert.deepEqual(references, [`${name}:1`, `${name}:2`]);
  });

  it('are each done whatever becomes of the others: 8 for some that failed, the first failure for all', async (t) => {
    const { name } = await startFilled(t);
    const some = await ocictl(t, ['digest', `${name}:9`, 'App', `${name}:2`]);
    assert.deepEqual([some.exitCode, some.stdout], [8, `${second.descriptor.digest}  ${name}:2\n`]);
    assert.match(some.stderr, /^\S+\/team\/app:9: .*not found/m);
    assert.match(some.stderr, /^App: .*lowercase/m);
    assert.match(some.stderr, /^error: 2 of 3 could not be found$/m);
    const all = await ocictl(t, ['digest', `${name}:9`, 'App']);
    assert.deepEqual([all.exitCode, all.stdout], [3, '']);
    assert.match(all.stderr, /^error: none of 2 could be found\nhint: the reason for each is above\n$/m);
    const none = await ocictl(t, ['digest', '-'], { input: '\n' });
    assert.deepEqual(
      [none.exitCode, none.stdout, none.stderr],
      [0, '', 'standard input names nothing: nothing to do\n'],
    );
  });

  it('are asked for at the same time, and printed in their order', async (t) => {
    const { name, proxy } = await startFilled(t);
    const words = [`${name}:1`, `${name}:9`, `${name}:2`];
    for (const command of [['digest'], ['inspect', '--format', '{{.Digest}}', '--no-tags']]) {
      proxy.heal();
      proxy.fail({ path: /manifests\/1$/, times: 1, delayMs: 2000 });
      const before = proxy.requests.length;
      const running = ocictl(t, [...command, ...words]);
      const asked = (tag: string) =>
        proxy.requests.slice(before).find(({ path }) => path.endsWith(`/manifests/${tag}`));
      await until(() => asked('2') !== undefined);
      assert.equal(asked('1')?.status, undefined, 'the first is answered last');
      const { exitCode, stdout } = await running;
      assert.equal(exitCode, 8);
      assert.deepEqual(
        [...stdout.matchAll(/sha256:[0-9a-f]{64}/g)].map(([digest]) => digest),
        [first.descriptor.digest, second.descriptor.digest],
      );
    }
  });

  it('are not awaited where the reader has gone', async (t) => {
    const { name, proxy } = await startFilled(t);
    proxy.fail({ path: /manifests\/9$/, silent: true });
    const running = await spawnOcictl(t, ['digest', `${name}:1`, `${name}:2`, `${name}:9`], { ownProcess: true });
    running.child.stdout?.destroy();
    await running.result;
    assert.equal(proxy.count(/manifests\/9$/), 1);
  });

  it('are inspected: a text each, or a JSON object a line', async (t) => {
    const { name } = await startFilled(t);
    const eyes = await ocictl(t, ['inspect', `${name}:1`, `${name}:2`]);
    assert.equal(eyes.stdout.split('\n\n').filter((part) => part.includes(`${name}:`)).length, 2, eyes.stdout);
    const json = await ocictl(t, ['inspect', '--json', '-'], { input: `${name}:1\n${name}:2\n` });
    const digests = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { Digest: string }).Digest);
    assert.deepEqual(digests, [first.descriptor.digest, second.descriptor.digest]);
    const format = await ocictl(t, ['inspect', '--format', '{{.Digest}}', `${name}:1`, `${name}:2`]);
    assert.deepEqual(format.stdout.trimEnd().split('\n'), digests);
    const raw = await ocictl(t, ['inspect', '--raw', `${name}:1`, `${name}:2`]);
    assert.deepEqual([raw.exitCode, raw.stdout], [2, '']);
  });

  it('are pulled, pushed and removed', async (t) => {
    const { name, registry, host } = await startFilled(t);
    const pulled = await ocictl(t, ['pull', '-q', `${name}:1`, `${name}:9`, `${name}:2`]);
    assert.deepEqual([pulled.exitCode, pulled.stdout], [8, `${name}:1\n${name}:2\n`], pulled.stderr);
    await keepImage(t, `${host}/other:1`, first);
    await keepImage(t, `${host}/other:2`, second);
    const pushed = await ocictl(t, ['push', '-q', '-'], { input: `${host}/other:1\n${host}/other:2\n` });
    assert.deepEqual([pushed.exitCode, pushed.stdout], [0, `${host}/other:1\n${host}/other:2\n`], pushed.stderr);
    const listed = await ocictl(t, ['tags', `${host}/other`]);
    assert.equal(listed.stdout, '1\n2\n');
    const json = await ocictl(t, ['pull', '--json', `${name}:1`, `${name}:2`]);
    assert.equal(json.stdout.trimEnd().split('\n').length, 2);
    const names = (await ocictl(t, ['images', '--format', '{{.Repository}}:{{.Tag}}'])).stdout;
    assert.equal((await ocictl(t, ['rmi', '-'], { input: names })).exitCode, 0);
    assert.equal((await ocictl(t, ['images', '-q'])).stdout, '');
    assert.equal((await registry.statManifest(app, one)).digest, first.descriptor.digest);
  });

  it('are deleted', async (t) => {
    const { name, registry } = await startFilled(t);
    await pushImage(registry, app, undefined, await buildIndex([first]));
    const { exitCode, stdout, stderr } = await ocictl(t, ['delete', `${name}:1`, `${name}:9`, `${name}:2`]);
    assert.deepEqual([exitCode, stdout], [8, `Deleted: ${name}:1\nDeleted: ${name}:2\n`], stderr);
    assert.match(stderr, /^error: 1 of 3 could not be deleted$/m);
    // A digest wants its own --yes, and the tags are gone already.
    const digest = await ocictl(t, ['delete', '-'], { input: `${name}@${first.descriptor.digest}\n` });
    assert.deepEqual([digest.exitCode, digest.stdout], [9, '']);
  });

  it('are not read from standard input beside a password, nor twice: status 2', async (t) => {
    for (const command of ['digest', 'inspect', 'pull', 'push', 'delete']) {
      const words = [command, '--username', 'ada', '--password-stdin', '-'];
      const { exitCode, stderr } = await ocictl(t, words, { input: 'secret' });
      assert.equal(exitCode, 2, command);
      assert.match(stderr, /- and --password-stdin both read standard input/);
      assert.doesNotMatch(stderr, /secret/);
    }
    const twice = await ocictl(t, ['rmi', '-', '-'], { input: 'app' });
    assert.equal(twice.exitCode, 2);
    assert.match(twice.stderr, /- is given twice/);
  });
});
