import assert from 'node:assert/strict';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Digest, digestHex } from '../../../src/model/digest.ts';
import { madeBytes } from '../../storage/stores.ts';
import { ocictl, spawnOcictl } from '../../support/command.ts';
import { buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { keepImage, localStore } from '../../support/local-store.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, one, startPlace, two, until } from '../copy/places.ts';

const image = (...names: string[]) =>
  buildImage({ layers: names.map((name) => ({ files: { [name]: name.repeat(2_000) } })) });

/** An image with a layer that is downloaded under a lock. */
const largeImage = (name: string, size: number) =>
  buildImage({ layers: [{ files: { [name]: Buffer.from(madeBytes(name, size)).toString('base64') } }] });

async function fileOf(t: TestContext, digest: Digest | undefined): Promise<string> {
  const hex = digestHex(digest ?? assert.fail('no digest'));
  const { store } = await sandbox(t);
  return join(store, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
}

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[30] = (bytes[30] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

/** An image that was pulled from a registry that still has it. */
async function pulled(t: TestContext) {
  const place = await startPlace(t);
  const kept = await image('a', 'b', 'c');
  await pushImage(place.registry, app, one, kept);
  const name = `${place.host}/team/app:1`;
  assert.equal((await ocictl(t, ['pull', '-q', name])).exitCode, 0);
  return { ...place, kept, name };
}

describe('ocictl scrub', () => {
  it('reads all that is stored, and says how much that was', async (t) => {
    const shared = await image('a', 'b');
    await keepImage(t, 'app:1', shared);
    await keepImage(t, 'app:2', shared);
    await keepImage(t, 'multi:1', await buildIndex([await image('c')]));
    const checked = await ocictl(t, ['scrub']);
    assert.equal(checked.exitCode, 0, checked.stderr);
    assert.match(checked.stdout, /^Checked: 2 images, 3 manifests, 5 blobs \([\d.]+k?B\)\n$/);
    const { faults, bytes, ...counts } = JSON.parse((await ocictl(t, ['scrub', '--json'])).stdout);
    assert.deepEqual([faults, counts], [[], { images: 2, manifests: 3, blobs: 5 }]);
    assert.ok(bytes > 0);
  });

  it('names what is damaged or missing with its images, ends with 10 and changes nothing', async (t) => {
    const { kept, name } = await pulled(t);
    await ocictl(t, ['tag', name, 'other:2']);
    const [cut, wrong, gone] = await Promise.all(kept.layers.map(({ descriptor }) => fileOf(t, descriptor.digest)));
    await truncate(cut ?? '', 20);
    await flip(wrong ?? '');
    await rm(gone ?? '');
    const before = [await readFile(cut ?? ''), await readFile(wrong ?? '')];
    const checked = await ocictl(t, ['scrub']);
    assert.equal(checked.exitCode, 10, checked.stderr);
    const states = ['Damaged', 'Damaged', 'Missing'];
    for (const [at, { descriptor }] of kept.layers.entries()) {
      const line = checked.stdout.split('\n').find((text) => text.includes(descriptor.digest)) ?? '';
      assert.ok(line.startsWith(`${states[at]}: layer ${descriptor.digest} (`), line);
      assert.ok(line.includes(name) && line.includes('other:2'), line);
    }
    assert.match(checked.stderr, /3 items .* damaged or missing\nhint: ocictl scrub --repair/);
    assert.deepEqual([await readFile(cut ?? ''), await readFile(wrong ?? '')], before);
  });

  it('fetches with --repair what is damaged or missing, and nothing else', async (t) => {
    const { kept, name, proxy } = await pulled(t);
    const [first, second, third] = kept.layers.map(({ descriptor }) => descriptor.digest);
    const files = await Promise.all([first, second].map((digest) => fileOf(t, digest)));
    const sound = await Promise.all(files.map((file) => readFile(file)));
    await flip(files[0] ?? '');
    await rm(files[1] ?? '');
    const before = proxy.requests.length;
    const repaired = await ocictl(t, ['scrub', '--repair', '--json', name]);
    assert.equal(repaired.exitCode, 0, repaired.stderr);
    const { faults } = JSON.parse(repaired.stdout);
    assert.deepEqual(
      faults.map(({ digest, state, repaired: done }: Record<string, unknown>) => [digest, state, done]).sort(),
      [
        [first, 'damaged', true],
        [second, 'missing', true],
      ].sort(),
    );
    assert.deepEqual(await Promise.all(files.map((file) => readFile(file))), sound);
    const fetched = proxy.requests.slice(before).filter(({ path }) => path.includes('/blobs/'));
    assert.deepEqual(
      fetched.map(({ path }) => path).sort(),
      [first, second].map((digest) => `/v2/team/app/blobs/${digest}`).sort(),
      `${third} is sound`,
    );
    assert.equal((await ocictl(t, ['scrub'])).exitCode, 0);
  });

  it('repairs a manifest, and what is wrong with its blobs', async (t) => {
    const { kept, name } = await pulled(t);
    const manifest = await fileOf(t, kept.descriptor.digest);
    await flip(manifest);
    await rm(await fileOf(t, kept.config.descriptor.digest));
    const told = await ocictl(t, ['scrub', name]);
    assert.equal(told.exitCode, 10);
    assert.match(told.stdout, new RegExp(`^Damaged: manifest ${kept.descriptor.digest} of ${name}$`, 'm'));
    const repaired = await ocictl(t, ['scrub', '--repair', name]);
    assert.equal(repaired.exitCode, 0, repaired.stderr);
    assert.match(repaired.stdout, new RegExp(`^Repaired: manifest ${kept.descriptor.digest} of ${name}$`, 'm'));
    assert.equal((await ocictl(t, ['copy', `store:${name}`, 'oci:layout:1'])).exitCode, 0);
  });

  it('says why something could not be repaired, and keeps the rest of it', async (t) => {
    const { kept, name, registry } = await pulled(t);
    const [lost, other] = kept.layers.map(({ descriptor }) => descriptor.digest);
    await registry.deleteBlob(app, lost ?? assert.fail());
    const files = await Promise.all([lost, other].map((digest) => fileOf(t, digest)));
    const sound = await readFile(files[1] ?? '');
    for (const file of files) await flip(file);
    const damaged = await readFile(files[0] ?? '');
    const repaired = await ocictl(t, ['scrub', '--repair', name]);
    assert.equal(repaired.exitCode, 10);
    assert.match(repaired.stderr, new RegExp(`^${lost}: .*(?:unknown|not found|has no)`, 'm'));
    assert.match(repaired.stderr, /1 item .* could not be repaired/);
    assert.deepEqual(await readFile(files[0] ?? ''), damaged, 'what cannot be replaced stays');
    assert.deepEqual(await readFile(files[1] ?? ''), sound);
  });

  it('checks a named image alone, and blobs that no image uses without one', async (t) => {
    const [good, bad] = [await image('good'), await image('bad')];
    await keepImage(t, 'good:1', good);
    await keepImage(t, 'bad:1', bad);
    await flip(await fileOf(t, bad.layers[0]?.descriptor.digest));
    assert.equal((await ocictl(t, ['scrub', 'good:1'])).exitCode, 0);
    assert.equal((await ocictl(t, ['scrub', 'good:1', 'bad:1'])).exitCode, 10);
    assert.equal((await ocictl(t, ['scrub', 'nothing:1'])).exitCode, 3);
    const store = await localStore(t);
    await store.deleteManifest(await keepImage(t, 'bad:1', bad), bad.descriptor.digest);
    const checked = await ocictl(t, ['scrub']);
    assert.equal(checked.exitCode, 10);
    assert.match(checked.stdout, /^Damaged: blob .* that no image uses$/m);
    assert.match(checked.stderr, /ocictl prune/);
  });

  it('tells a tag that holds no digest, and does not take a pulled part of an index for a loss', async (t) => {
    const elsewhere = await image('elsewhere');
    const multi = await buildIndex([await image('here'), elsewhere]);
    const repo = await keepImage(t, 'multi:1', multi, { omit: [elsewhere] });
    assert.equal((await ocictl(t, ['scrub'])).exitCode, 0);
    const { store } = await sandbox(t);
    await writeFile(join(store, 'docker/registry/v2/repositories', repo, '_manifests/tags/1/current/link'), 'x');
    const checked = await ocictl(t, ['scrub', 'multi:1']);
    assert.equal(checked.exitCode, 10, checked.stderr);
    assert.match(checked.stdout, /^Damaged: tag multi:1$/m);
    assert.match(checked.stderr, /ocictl pull sets a damaged tag again/);
  });

  it('leaves a running pull alone, which ends well', async (t) => {
    const { registry, proxy, host } = await startPlace(t);
    const large = await largeImage('large', 3_000_000);
    await pushImage(registry, app, one, large);
    const [layer] = large.layers;
    proxy.fail({ path: new RegExp(`blobs/${layer?.descriptor.digest}`), stallAfterBytes: 1_000_000 });
    const pull = await spawnOcictl(t, ['pull', `${host}/team/app:1`]);
    await until(async () => proxy.requests.some(({ path }) => path.includes(String(layer?.descriptor.digest))));
    const other = await largeImage('other', 600_000);
    await pushImage(registry, app, two, other);
    assert.equal((await ocictl(t, ['pull', '-q', `${host}/team/app:2`])).exitCode, 0);
    await flip(await fileOf(t, other.layers[0]?.descriptor.digest));
    const beside = await ocictl(t, ['scrub', '--repair']);
    assert.equal(beside.exitCode, 0, beside.stderr);
    proxy.heal();
    pull.child.kill('SIGTERM');
    await pull.result;
    assert.equal((await ocictl(t, ['pull', `${host}/team/app:1`])).exitCode, 0);
    assert.equal((await ocictl(t, ['scrub'])).exitCode, 0);
  });
});
