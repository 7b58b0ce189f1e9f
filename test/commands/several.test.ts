import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName } from '../../src/model/reference/reference.ts';
import { ocictl, spawnOcictl } from '../support/command.ts';
import { type Built, buildIndex, pushImage } from '../support/images.ts';
import { keepImage } from '../support/local-store.ts';
import { app, imageFor, latest, one, startPlace, two, until } from './copy/places.ts';

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
    const { exitCode, stderr } = await running.result;
    // Whether the silent one was asked for by then is chance. Nothing was waited for, so nothing is told.
    assert.deepEqual([exitCode, stderr], [0, '']);
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

  it('are pulled as one batch: what they share comes once, and each has its lines together, in order', async (t) => {
    const { host, registry, proxy } = await startPlace(t);
    const other = parseRepositoryName('team/other');
    const images = await Promise.all(
      [
        ['base', 'a'],
        ['base', 'b'],
        ['base', 'c'],
      ].map((names) => imageFor('amd64', names)),
    );
    const [a, b, c] = images as [Built, Built, Built];
    await pushImage(registry, app, one, a);
    await pushImage(registry, app, two, b);
    await pushImage(registry, other, latest, c);
    // The first image comes last.
    proxy.fail({ path: new RegExp(a.blobs.at(-1)?.descriptor.digest ?? ''), times: 1, delayMs: 1000 });
    const words = [`${host}/team/app:1`, `${host}/team/app:9`, `${host}/team/app:2`, `${host}/team/other`];
    const { exitCode, stdout, stderr } = await ocictl(t, ['pull', ...words]);
    assert.equal(exitCode, 8, stderr);
    assert.match(stderr, /^\S+\/team\/app:9: .*not found/m);
    assert.match(stderr, /^error: 1 of 4 could not be pulled$/m);
    const base = a.blobs[1]?.descriptor.digest;
    const part = (repository: string, tag: string, { blobs, descriptor }: Built): string[] => [
      ...(tag === 'latest' ? ['Using default tag: latest'] : []),
      `${tag}: Pulling from ${repository}`,
      ...blobs
        .slice(1)
        .map(
          (blob) =>
            `${blob.descriptor.digest.slice(7, 19)}: ${blob.descriptor.digest === base ? 'BASE' : 'Pull complete'}`,
        ),
      `Digest: ${descriptor.digest}`,
      `Status: Downloaded newer image for ${host}/${repository}:${tag}`,
      `${host}/${repository}:${tag}`,
    ];
    const id = base?.slice(7, 19) ?? '';
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => (line.startsWith(id) ? `${id}: BASE` : line)),
      [...part('team/app', '1', a), ...part('team/app', '2', b), ...part('team/other', 'latest', c)],
    );
    const outcomes = lines.filter((line) => line.startsWith(id)).map((line) => line.slice(14));
    assert.deepEqual(outcomes.sort(), ['Already exists', 'Already exists', 'Pull complete']);
    assert.equal(proxy.count(new RegExp(`/blobs/${base}`), 'GET'), 1);
  });

  it('have one total, and a summary that counts what they share once', async (t) => {
    const { host, registry } = await startPlace(t);
    await pushImage(registry, app, one, await imageFor('amd64', ['base', 'a']));
    await pushImage(registry, parseRepositoryName('team/other'), one, await imageFor('amd64', ['base', 'b']));
    const words = ['pull', '--progress', 'plain', `${host}/team/app:1`, `${host}/team/other:1`];
    const { stderr } = await ocictl(t, words);
    assert.match(stderr, /^pulling 2 images: 2 images, 3 layers, /m);
    assert.equal(stderr.match(/^Pulled /gm)?.length, 1, stderr);
    assert.match(stderr, new RegExp(`^Pulled .* from ${host}$`, 'm'));
  });

  it('are pushed as one batch: to other repositories, what they share is mounted', async (t) => {
    const { host, proxy, registry } = await startPlace(t);
    const names = ['team/one', 'team/two', 'team/three'];
    const images = await Promise.all(names.map((name) => imageFor('amd64', ['base', name])));
    for (const [at, image] of images.entries()) await keepImage(t, `${host}/${names[at]}:1`, image);
    const { exitCode, stdout, stderr } = await ocictl(t, ['push', ...names.map((name) => `${host}/${name}:1`)]);
    assert.equal(exitCode, 0, stderr);
    const parts = stdout.split(/^(?=The push refers)/m);
    for (const [at, image] of images.entries()) {
      const [base, own] = image.blobs.slice(1).map(({ descriptor }) => descriptor.digest.slice(7, 19));
      const lines = (parts[at] ?? '').trimEnd().split('\n');
      assert.equal(lines[0], `The push refers to repository [${host}/${names[at]}]`);
      assert.match(lines[1] ?? '', new RegExp(`^${base}: (?:Pushed|Mounted from team/(?:one|two|three))$`));
      assert.equal(lines[2], `${own}: Pushed`);
      assert.equal(lines[3], `1: digest: ${image.descriptor.digest} size: ${image.manifest.bytes.length}`);
      assert.equal(
        (await registry.statManifest(parseRepositoryName(names[at] ?? ''), one)).digest,
        image.descriptor.digest,
      );
    }
    const base = images[0]?.blobs[1]?.descriptor.digest.slice(7, 19);
    assert.equal(stdout.split(`${base}: Pushed`).length, 2, stdout);
    assert.equal(proxy.count(/\/blobs\/uploads\//, 'PUT'), 7, 'three configs and four layers');
  });

  it('that are repeated are found there, as when they are given one after the other', async (t) => {
    const { name, host } = await startFilled(t);
    const { exitCode, stdout } = await ocictl(t, ['pull', `${name}:1`, `${name}:1`]);
    assert.equal(exitCode, 0);
    const status = [...stdout.matchAll(/^Status: (\w+)/gm)].map(([, word]) => word);
    assert.deepEqual(status, ['Downloaded', 'Image']);
    await ocictl(t, ['tag', `${name}:1`, `${host}/other:1`]);
    const pushed = await ocictl(t, ['push', '--json', `${host}/other:1`, `${host}/other:1`]);
    const changed = pushed.stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { changed: boolean }).changed);
    assert.deepEqual(changed, [true, false]);
  });

  it('end together with Ctrl-C: status 130 and one error', async (t) => {
    const { name, proxy } = await startFilled(t);
    proxy.fail({ path: /\/blobs\//, silent: true });
    const running = await spawnOcictl(t, ['pull', `${name}:1`, `${name}:2`]);
    await until(() => proxy.count(/\/blobs\//, 'GET') > 1);
    running.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await running.result;
    assert.deepEqual([exitCode, stdout], [130, '']);
    assert.match(stderr, /^error: interrupted\nhint: what has arrived is kept/m);
    assert.equal(stderr.match(/^error:/gm)?.length, 1);
  });

  it('are removed in turn: the layers go with the last image that needs them', async (t) => {
    await keepImage(t, 'app:1', first);
    await keepImage(t, 'app:2', first);
    const { stdout } = await ocictl(t, ['rmi', 'app:1', 'app:2']);
    assert.deepEqual(stdout.split('\n').slice(0, 4), [
      'Untagged: app:1',
      'Untagged: app:2',
      `Untagged: app@${first.descriptor.digest}`,
      `Deleted: ${first.descriptor.digest}`,
    ]);
  });

  it('are deleted at once in different repositories, in turn in one', async (t) => {
    const { host, registry, proxy } = await startPlace(t);
    const names = ['team/one', 'team/two'];
    for (const name of names) await pushImage(registry, parseRepositoryName(name), one, first);
    proxy.fail({ path: /team\/one\/manifests/, method: 'DELETE', times: 1, delayMs: 2000 });
    const digest = `${host}/team/one@${first.descriptor.digest}`;
    const running = ocictl(t, ['delete', '--yes', `${host}/team/one:1`, digest, `${host}/team/two:1`]);
    await until(() => proxy.count(/team\/two\/manifests/, 'DELETE') > 0);
    const asked = proxy.requests.filter(({ path }) => path.includes('/team/one/manifests/'));
    assert.ok(
      asked.every(({ path, status }) => path.endsWith('/1') && status === undefined),
      'the first is answered last',
    );
    const { exitCode, stdout, stderr } = await running;
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, `Deleted: ${host}/team/one:1\nDeleted: ${digest}\nDeleted: ${host}/team/two:1\n`);
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
