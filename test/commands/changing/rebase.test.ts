import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { type BuiltImage, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { buildLayer } from '../../support/layer.ts';
import { app, one, two, writes } from '../copy/places.ts';
import { imageAt, indexAt, startChanging } from './changed.ts';

const bases = parseRepositoryName('library/base');
const layer = (name: string) => buildLayer({ files: { [name]: name } });

/** An old base, a new one, and an image on the old one. */
async function setUp(
  t: Parameters<typeof startChanging>[0],
  platform = { os: 'linux', architecture: 'arm64', variant: 'v8' },
) {
  const place = await startChanging(t);
  const [first, second, newer, own] = await Promise.all(['first', 'second', 'newer', 'own'].map(layer));
  if (!first || !second || !newer || !own) throw new Error('no layers');
  const run = (more: object) => ({
    Env: ['PATH=/old', 'GONE=1', 'KEPT=1'],
    Cmd: ['sh'],
    Labels: { base: 'old' },
    ...more,
  });
  const old = await buildImage({ layers: [first, second], platform, run: run({}) });
  const next = await buildImage({
    layers: [newer],
    platform,
    run: { Env: ['PATH=/new', 'KEPT=2', 'MORE=1'], Cmd: ['bash'], Labels: { base: 'new' }, User: 'new' },
  });
  const name = `${place.host}/library/base:1`;
  const image = await buildImage({
    layers: [first, second, own],
    platform,
    run: run({ Env: ['PATH=/old', 'GONE=1', 'KEPT=mine', 'OWN=1'], Labels: { base: 'old', own: 'x' } }),
    annotations: {
      'org.opencontainers.image.base.name': name,
      'org.opencontainers.image.base.digest': old.descriptor.digest,
    },
  });
  await pushImage(place.registry, bases, one, old);
  await pushImage(place.registry, app, one, image);
  return { ...place, base: name, old, next, image };
}

describe('ocictl rebase', () => {
  it('puts an image on what its base is now, as a build would', async (t) => {
    const { registry, name, base, next, image, run } = await setUp(t);
    await pushImage(registry, bases, one, next);
    const { digest } = await run('rebase', `${name}:1`, '-t', `${name}:2`);
    const { view, config } = await imageAt(registry, digest);
    assert.deepEqual(
      view.layers.map((each) => each.digest),
      [next.layers[0]?.descriptor.digest, image.layers[2]?.descriptor.digest],
    );
    assert.deepEqual(config.config, {
      Env: ['PATH=/new', 'KEPT=mine', 'MORE=1', 'OWN=1'],
      Cmd: ['bash'],
      Labels: { base: 'new', own: 'x' },
      User: 'new',
    });
    assert.deepEqual(
      config.history.map((line: { created_by: string }) => line.created_by),
      ['layer 1', 'layer 3'],
    );
    assert.equal(config.rootfs.diff_ids.length, 2);
    assert.equal(config.variant, 'v8');
    assert.deepEqual(view.annotations, {
      'org.opencontainers.image.base.name': base,
      'org.opencontainers.image.base.digest': next.descriptor.digest,
    });
    const again = await run('rebase', `${name}:2`, '-t', `${name}:2`);
    assert.equal(again.digest, digest, 'it is on that base');
  });

  it('rebases each image of an index on the image of its base', async (t) => {
    const { registry, name, old, next, image, run } = await setUp(t);
    await pushImage(registry, bases, two, await buildIndex([next]));
    await pushImage(registry, app, one, await buildIndex([image]));
    const named = ['--old-base', `${name.replace('team/app', 'library/base')}@${old.descriptor.digest}`];
    const words = [...named, '--new-base', `${name.replace('team/app', 'library/base')}:2`];
    const { digest } = await run('rebase', `${name}:1`, '-t', `${name}:2`, ...words);
    const { view } = await indexAt(registry, digest);
    const { view: child } = await imageAt(registry, view.manifests[0]?.digest ?? assert.fail());
    assert.equal(child.layers.length, 2);
    assert.equal(child.annotations['org.opencontainers.image.base.digest'], next.descriptor.digest);
  });

  it('refuses a base that the image is not on, and names the first layer that differs', async (t) => {
    const { registry, name, proxy, base, next, image } = await setUp(t);
    const wrong: BuiltImage = await buildImage({ layers: [await layer('first'), await layer('other')] });
    await pushImage(registry, bases, two, wrong);
    await pushImage(registry, bases, parseTag('next'), next);
    const bare = base.replace(/:1$/, '');
    const { exitCode, stderr } = await ocictl(t, [
      ...['rebase', `${name}:1`, '-t', `${name}:2`, '--old-base', `${bare}:2`, '--new-base', `${bare}:next`],
    ]);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, /is not based on sha256:\w+: layer 2 of the base is sha256:/);
    const unsaid = await ocictl(t, ['rebase', `${bare}:2`, '-t', `${name}:2`]);
    assert.match(unsaid.stderr, /does not say which base it has/);
    assert.deepEqual(writes(proxy), []);
    assert.ok(image);
  });
});

describe('ocictl check-base', () => {
  it('ends with 0 while the base is the same, and with 12 when it has changed', async (t) => {
    const { registry, name, base, old, next } = await setUp(t);
    const check = (...words: readonly string[]) => ocictl(t, ['check-base', `${name}:1`, ...words]);
    const same = await check();
    assert.equal(same.exitCode, 0, same.stderr);
    assert.match(same.stdout, /^Up to date: /);
    await pushImage(registry, bases, one, next);
    const changed = await check('--json');
    assert.equal(changed.exitCode, 12, changed.stderr);
    const record = JSON.parse(changed.stdout);
    assert.deepEqual([record.upToDate, record.base.name, record.base.digest], [false, base, next.descriptor.digest]);
    await pushImage(registry, bases, two, await buildIndex([old]));
    assert.equal((await check('--base', base.replace(/1$/, '2'))).exitCode, 0, 'its layers are the lowest');
    assert.equal((await ocictl(t, ['check-base', base])).exitCode, 2);
  });
});
