import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { manifestEnumerator } from '../../../src/registry/extensions.ts';
import { filesBelow, madeBytes } from '../../storage/stores.ts';
import { ocictl, spawnOcictl } from '../../support/command.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { keepImage, localStore } from '../../support/local-store.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, one, startPlace, until } from '../copy/places.ts';

const image = (...names: string[]) =>
  buildImage({ layers: names.map((name) => ({ files: { [name]: name.repeat(2_000) } })) });

/** An image with a layer large enough to be downloaded under a lock. */
function largeImage() {
  const large = Buffer.from(madeBytes('large', 6_000_000)).toString('base64');
  return buildImage({ layers: [{ files: { large } }, { files: { small: 'small' } }] });
}

describe('ocictl prune', () => {
  it('frees images that lost their tag, with --dry-run nothing, and ends with 12 where there is something', async (t) => {
    const [first, second] = [await image('shared', 'old'), await image('shared', 'new')];
    const repo = await keepImage(t, 'app:1', first);
    await keepImage(t, 'app:1', second);
    const { store } = await sandbox(t);
    const before = await filesBelow(store);
    const planned = await ocictl(t, ['prune', '--dry-run']);
    assert.equal(planned.exitCode, 12, planned.stderr);
    assert.match(planned.stdout, new RegExp(`^Would untag: app@${first.descriptor.digest}$`, 'm'));
    assert.match(planned.stdout, /^Total reclaimable space: [1-9][\d.]*k?B\n$/m);
    assert.deepEqual(await filesBelow(store), before);
    const freed = await ocictl(t, ['prune']);
    assert.equal(freed.exitCode, 0, freed.stderr);
    const [, old] = first.layers;
    assert.deepEqual(
      freed.stdout.split('\n').slice(0, -2).sort(),
      [
        `Untagged: app@${first.descriptor.digest}`,
        ...[first.descriptor, first.config.descriptor, old?.descriptor].map((blob) => `Deleted: ${blob?.digest}`),
      ].sort(),
    );
    assert.equal(
      freed.stdout.split('\n').at(-2),
      planned.stdout.split('\n').at(-2)?.replace('reclaimable', 'reclaimed'),
    );
    assert.equal((await ocictl(t, ['copy', 'store:app:1', 'oci:layout:1'])).exitCode, 0);
    const manifests = (await localStore(t)).extension(manifestEnumerator)?.manifests(repo) ?? assert.fail();
    for await (const digest of manifests) assert.equal(digest, second.descriptor.digest);
    const again = await ocictl(t, ['prune', '--dry-run', '--json']);
    assert.equal(again.exitCode, 0);
    assert.deepEqual(JSON.parse(again.stdout), {
      dryRun: true,
      untagged: [],
      deleted: [],
      unfinished: { count: 0, bytes: 0 },
      freedBytes: 0,
      kept: { inUse: { count: 0, bytes: 0 }, recent: { count: 0, bytes: 0 }, manifests: 0 },
    });
  });

  it('keeps images pulled by digest, and the images of a tagged index', async (t) => {
    const { registry, host } = await startServe(t);
    const [pinned, child] = [await image('pinned'), await image('child')];
    await pushImage(registry, app, one, pinned);
    await keepImage(t, 'multi:1', await buildIndex([child]));
    const name = `${host}/team/app@${pinned.descriptor.digest}`;
    assert.equal((await ocictl(t, ['pull', name])).exitCode, 0);
    assert.equal((await ocictl(t, ['prune'])).stdout, 'Total reclaimed space: 0B\n');
    assert.equal((await ocictl(t, ['copy', `store:${name}`, 'oci:layout:1'])).exitCode, 0);
    assert.equal((await ocictl(t, ['rmi', name])).exitCode, 0);
    assert.equal((await ocictl(t, ['rmi', 'multi:1'])).exitCode, 0);
    assert.deepEqual(await filesBelow((await sandbox(t)).store), [], 'a pin goes with its image');
  });

  it('frees all that a killed pull and a killed rmi left', async (t) => {
    const served = await startServe(t);
    const proxy = await startFaultProxy(t, served.url);
    const large = await largeImage();
    await pushImage(served.registry, app, one, large);
    const [layer] = large.layers;
    proxy.fail({ path: new RegExp(`blobs/${layer?.descriptor.digest}`), stallAfterBytes: 5_000_000 });
    const { store } = await sandbox(t);
    const pull = await spawnOcictl(t, ['pull', `${proxy.host}/team/app:1`]);
    await until(async () => (await filesBelow(join(store, 'partial'))).some((name) => /\.[0-9]+-/.test(name)));
    const beside = await ocictl(t, ['prune']);
    assert.equal(beside.exitCode, 0, beside.stderr);
    assert.match(beside.stderr, /kept \d+ blobs? \(.+\): a running pull, push, copy or serve needs/);
    pull.child.kill('SIGKILL');
    await pull.result;
    const repo = await keepImage(t, 'gone:1', await image('gone'));
    await rm(join(store, 'docker/registry/v2/repositories', repo, '_manifests/tags'), { recursive: true });
    const freed = await ocictl(t, ['prune']);
    assert.equal(freed.exitCode, 0, freed.stderr);
    assert.match(freed.stderr, /removed what was left of \d+ unfinished transfers? \(/);
    assert.deepEqual(await filesBelow(store), []);
  });

  it('creates no store if there is none', async (t) => {
    const { store } = await sandbox(t);
    const freed = await ocictl(t, ['prune']);
    assert.deepEqual([freed.exitCode, freed.stdout, freed.stderr], [0, 'Total reclaimed space: 0B\n', '']);
    assert.deepEqual(await filesBelow(store), []);
  });
});

describe('ocictl rmi', () => {
  it('names what it kept, and why', async (t) => {
    const [first, second] = [await image('shared', 'a'), await image('shared', 'b')];
    await keepImage(t, 'app:1', first);
    await keepImage(t, 'app:2', first);
    await keepImage(t, 'debian:12', second);
    const named = await ocictl(t, ['rmi', 'app:1']);
    assert.equal(named.stderr, 'the image stays, as app:2\n');
    const shared = await ocictl(t, ['rmi', 'app:2']);
    assert.match(shared.stderr, /^kept 1 layer \(\d+B\) that debian:12 uses\n$/);
    assert.equal((await ocictl(t, ['rmi', 'debian:12'])).stderr, '');
  });
});

describe('ocictl images', () => {
  it('warns once for each image with missing layers, and lists them with --json', async (t) => {
    const { host, registry } = await startPlace(t);
    const kept = await image('a', 'b');
    await pushImage(registry, app, one, kept);
    assert.equal((await ocictl(t, ['pull', '-q', `${host}/team/app:1`])).exitCode, 0);
    await keepImage(t, 'sound:1', await image('c'));
    const { digest } = kept.layers[1]?.descriptor ?? assert.fail();
    const hex = digest.slice(7);
    const file = join((await sandbox(t)).store, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
    await rm(file);
    const { stdout, stderr } = await ocictl(t, ['images', '--json']);
    const missing = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { missing: unknown }).missing);
    assert.deepEqual(missing, [[digest], []]);
    const text =
      `${host}/team/app:1 is damaged: 1 of its 3 layers and configs are missing or not whole. ` +
      'ocictl pull repairs it, ocictl rmi removes it';
    assert.deepEqual(JSON.parse(stderr), { type: 'warning', text });
    assert.equal((await ocictl(t, ['pull', '-q', `${host}/team/app:1`])).exitCode, 0);
    assert.equal((await ocictl(t, ['images'])).stderr, '');
  });
});
