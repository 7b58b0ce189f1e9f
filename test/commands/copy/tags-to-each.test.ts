import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { layoutRepository, openLayout } from '../../../src/layout/layout.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { type Built, blobsIn, buildArtifact, buildImage, pushImage } from '../../support/images.ts';
import { randomLayer } from '../../support/layer.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, assertWhole, imageFor, type Place, startPlace, writes } from './places.ts';

const names = ['1', '2', '3'];

describe('ocictl copy --all-tags to several destinations', () => {
  it('reads each blob of the source once, also those that tags share, and prints tag by tag', async (t) => {
    const { from, images } = await source(t);
    const [one, two] = [await startPlace(t), await startPlace(t)];
    const words = [`${one.host}/team/app`, 'oci:dir', `${two.host}/team/app`];
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '-a', '--check', `${from.host}/team/app`, ...words]);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(
      stdout.trimEnd().split('\n'),
      names.flatMap((name) => words.map((word) => `${word}:${name}`)),
    );
    const layout = await openLayout({ directory: join((await sandbox(t)).home, 'dir'), readOnly: true });
    for (const image of images) {
      for (const { registry } of [one, two]) await assertWhole(registry, app, image);
      await assertWhole(layout, layoutRepository, image);
    }
    assert.equal(from.proxy.sentBytes(/\/blobs\//), bytesOf(images));
    for (const { proxy } of [one, two]) assert.equal(uploaded(proxy), bytesOf(images));
  });

  it('ends with status 8 where one destination fails, and the others have every tag', async (t) => {
    const { from, images } = await source(t);
    const [bad, good] = [await startPlace(t), await startPlace(t)];
    bad.proxy.fail({ path: /\/blobs\/uploads\//, status: 403 });
    const words = [bad, good].map(({ host }) => `${host}/team/app`);
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '-a', `${from.host}/team/app`, ...words]);
    assert.equal(exitCode, 8, stderr);
    assert.equal(stdout, names.map((name) => `${words[1]}:${name}\n`).join(''));
    assert.match(stderr, /error: 3 of 6 could not be copied\n/);
    for (const image of images) await assertWhole(good.registry, app, image);
    assert.equal(from.proxy.sentBytes(/\/blobs\//), bytesOf(images));
  });

  it('names the one tag that fails at each of them', async (t) => {
    const { from } = await source(t);
    const [one, two] = [await startPlace(t), await startPlace(t)];
    from.proxy.fail({ path: /\/manifests\/2$/, status: 404 });
    const words = [one, two].map(({ host }) => `${host}/team/app`);
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '-a', `${from.host}/team/app`, ...words]);
    assert.equal(exitCode, 8, stderr);
    assert.equal(stdout.trimEnd().split('\n').length, 4);
    for (const word of words) assert.match(stderr, new RegExp(`^${word}:2: `, 'm'));
  });

  it('keeps what a layout has under these tags from elsewhere, before anything is written: status 9', async (t) => {
    const { from } = await source(t);
    const to = await startPlace(t);
    assert.equal((await ocictl(t, ['copy', `${from.host}/team/app:1`, 'oci:dir:2'])).exitCode, 0);
    const words = ['copy', '-a', `${from.host}/team/app`, `${to.host}/team/app`, 'oci:dir'];
    for (const more of [[], ['--dry-run']]) {
      const { exitCode, stderr } = await ocictl(t, [...words, ...more]);
      assert.equal(exitCode, 9, stderr);
      assert.match(stderr, /oci:dir has other images under these tags: 2/);
      assert.deepEqual(writes(to.proxy), []);
    }
    assert.equal((await ocictl(t, [...words, '--replace', '--plan', 'plan.json'])).exitCode, 12);
    assert.equal((await ocictl(t, ['copy', '--apply', 'plan.json', '--replace'])).exitCode, 2);
    assert.equal((await ocictl(t, ['copy', '--apply', 'plan.json'])).exitCode, 0);
    assert.equal((await ocictl(t, words)).exitCode, 0);
  });
});

describe('ocictl copy --all-tags', () => {
  it('tells beforehand what it would do, writes nothing, and does what its plan says', async (t) => {
    const { from, images } = await source(t);
    const [one, two] = [await startPlace(t), await startPlace(t)];
    const [first] = images;
    assert.ok(first);
    await pushImage(one.registry, app, parseTag('1'), first);
    const words = [`${from.host}/team/app`, `${one.host}/team/app`, `${two.host}/team/app`];
    const planned = await ocictl(t, ['copy', '-a', '--plan', 'plan.json', ...words]);
    assert.equal(planned.exitCode, 12, planned.stderr);
    assert.match(planned.stdout, /team\/app:1: nothing to do[\s\S]*team\/app:1: would copy[\s\S]*tag 3: new -> /);
    assert.deepEqual([...writes(one.proxy), ...writes(two.proxy)], []);
    const file = join((await sandbox(t)).home, 'plan.json');
    const { copies } = JSON.parse(await readFile(file, 'utf8')) as { copies: { word: string; tag: string }[] };
    assert.deepEqual(
      copies.map(({ word, tag }) => `${word}:${tag}`),
      names.flatMap((name) => words.slice(1).map((word) => `${word}:${name}`)),
    );
    // What came later is not in the plan.
    await pushImage(from.registry, app, parseTag('4'), await imageFor('amd64'));
    const applied = await ocictl(t, ['copy', '--apply', 'plan.json']);
    assert.equal(applied.exitCode, 0, applied.stderr);
    assert.equal(applied.stdout.trimEnd().split('\n').length, 6);
    for (const { registry } of [one, two]) {
      for (const image of images) await assertWhole(registry, app, image);
      await assert.rejects(registry.statManifest(app, parseTag('4')));
    }
    assert.equal((await ocictl(t, ['copy', '-a', '--dry-run', ...words.slice(0, 2)])).exitCode, 12);
    await pushImage(from.registry, app, parseTag('2'), await imageFor('arm64'));
    const moved = await ocictl(t, ['copy', '--apply', 'plan.json']);
    assert.equal(moved.exitCode, 9, moved.stderr);
    assert.match(moved.stderr, /team\/app:2 is sha256:\w+ now/);
  });

  it('takes referrers of every tag along to several, whose lists are made there', async (t) => {
    const { from, images } = await source(t);
    const [one, two] = [await startPlace(t), await startPlace(t)];
    const referrers = await Promise.all(
      images.map(({ descriptor }) => buildArtifact({ artifactType: 'a/parts', subject: descriptor })),
    );
    for (const referrer of referrers) await pushImage(from.registry, app, undefined, referrer);
    const words = [one, two].map(({ host }) => `${host}/team/app`);
    const { exitCode, stderr } = await ocictl(t, ['copy', '-a', '--referrers', `${from.host}/team/app`, ...words]);
    assert.equal(exitCode, 0, stderr);
    for (const { registry } of [one, two]) for (const one of referrers) await assertWhole(registry, app, one);
  });

  it('converts every tag, and for several destinations each layer once', async (t) => {
    const { from, images } = await source(t);
    const [one, two] = [await startPlace(t), await startPlace(t)];
    const words = ['copy', '-a', '--compress', 'gzip', '--json', `${from.host}/team/app`];
    const { exitCode, stdout, stderr } = await ocictl(t, [
      ...words,
      ...[one, two].map(({ host }) => `${host}/team/app`),
    ]);
    assert.equal(exitCode, 0, stderr);
    const made = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { digest: string; rewrittenFrom: string });
    for (const [i, { descriptor }] of images.entries()) {
      const [here, there] = made.slice(2 * i, 2 * i + 2);
      assert.deepEqual([here?.digest, here?.rewrittenFrom], [there?.digest, descriptor.digest]);
    }
    const configs = images.flatMap((image) => blobsIn(image)).filter(({ descriptor }) => descriptor.size < 5000);
    const extra = configs.reduce((sum, { descriptor }) => sum + 3 * descriptor.size, 0);
    assert.ok(from.proxy.sentBytes(/\/blobs\//) <= bytesOf(images) + extra, 'a layer was read twice');
  });
});

/** Three images under three tags, which have a layer in common. */
async function source(t: TestContext): Promise<{ from: Place; images: readonly Built[] }> {
  const from = await startPlace(t);
  const shared = await randomLayer(1_500_000, 'shared');
  const images: Built[] = [];
  for (const name of names) {
    const image = await buildImage({ layers: [shared, await randomLayer(300_000, name)] });
    await pushImage(from.registry, app, parseTag(name), image);
    images.push(image);
  }
  return { from, images };
}

/** Of all blobs, each once. */
function bytesOf(images: readonly Built[]): number {
  const blobs = new Map(
    images.flatMap((image) => blobsIn(image)).map(({ descriptor }) => [descriptor.digest, descriptor]),
  );
  return [...blobs.values()].reduce((sum, { size }) => sum + size, 0);
}

function uploaded({ requests }: Place['proxy']): number {
  return requests
    .filter(({ path }) => path.includes('/blobs/uploads/'))
    .reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
}
