import assert from 'node:assert/strict';
import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Digest, digestHex } from '../../src/model/digest.ts';
import type { Descriptor } from '../../src/model/manifest/descriptor.ts';
import { ocictl, spawnServe } from '../support/command.ts';
import { type BuiltImage, buildImage, pushImage } from '../support/images.ts';
import { keepImage } from '../support/local-store.ts';
import { sandbox } from '../support/sandbox.ts';
import { app, one, type Place, startPlace } from './copy/places.ts';

interface Kept extends Place {
  readonly image: BuiltImage;
  readonly layer: Descriptor;
  /** The layer's file in the store. */
  readonly file: string;
}

function image(...names: string[]): Promise<BuiltImage> {
  return buildImage({ layers: names.map((name) => ({ files: { [name]: name.repeat(2_000) } })) });
}

async function fileOf(t: TestContext, digest: Digest, root?: string): Promise<string> {
  const hex = digestHex(digest);
  return join(root ?? (await sandbox(t)).store, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
}

/** An image that was pulled from a registry that still has it. */
async function keep(t: TestContext): Promise<Kept> {
  const place = await startPlace(t);
  const kept = await image('a', 'b');
  await pushImage(place.registry, app, one, kept);
  assert.equal((await ocictl(t, ['pull', '-q', `${place.host}/team/app:1`])).exitCode, 0);
  const layer = kept.layers[0]?.descriptor ?? assert.fail('no layer');
  return { ...place, image: kept, layer, file: await fileOf(t, layer.digest) };
}

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[30] = (bytes[30] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

const damages: Readonly<Record<string, (file: string) => Promise<void>>> = {
  'was cut short': (file) => truncate(file, 20),
  'has a wrong byte': flip,
  'is missing': (file) => rm(file),
};

describe('A layer of the store that', () => {
  for (const [what, damage] of Object.entries(damages)) {
    it(`${what} is the store's fault in a push or copy, and the next pull repairs it`, async (t) => {
      const { host, layer, file, proxy, registry } = await keep(t);
      const sound = await readFile(file);
      await ocictl(t, ['tag', `${host}/team/app:1`, `${host}/fresh/app:1`]);
      await damage(file);
      await registry.deleteBlob(app, layer.digest);
      const pushed = await ocictl(t, ['push', `${host}/fresh/app:1`]);
      assert.equal(pushed.exitCode, 10, pushed.stderr);
      assert.match(pushed.stderr, new RegExp(`blob ${layer.digest} .*(?:damaged|missing)`));
      assert.match(pushed.stderr, /ocictl pull/);
      const copied = await ocictl(t, ['copy', `store:${host}/team/app:1`, 'oci:layout:1']);
      assert.equal(copied.exitCode, 10, copied.stderr);
      assert.match(copied.stderr, new RegExp(layer.digest));

      await pushImage(registry, app, one, await image('a', 'b'));
      const before = proxy.requests.length;
      const pulled = await ocictl(t, ['pull', `${host}/team/app:1`]);
      assert.equal(pulled.exitCode, 0, pulled.stderr);
      assert.match(pulled.stdout, new RegExp(`${layer.digest.slice(7, 19)}: Pull complete`));
      const fetched = proxy.requests.slice(before).filter(({ path }) => path.includes('/blobs/'));
      assert.deepEqual(
        fetched.map(({ path }) => path),
        [`/v2/team/app/blobs/${layer.digest}`],
        'what is sound is not fetched',
      );
      assert.deepEqual(await readFile(file), sound);
      assert.equal((await ocictl(t, ['copy', `store:${host}/team/app:1`, 'oci:layout:1'])).exitCode, 0);
    });
  }

  it('was cut short is found and fetched by a pull alone', async (t) => {
    const { host, file } = await keep(t);
    const sound = await readFile(file);
    await truncate(file, 20);
    assert.match((await ocictl(t, ['pull', `${host}/team/app:1`])).stdout, /Downloaded newer image/);
    assert.deepEqual(await readFile(file), sound);
    assert.match((await ocictl(t, ['pull', `${host}/team/app:1`])).stdout, /Image is up to date/);
  });
});

describe('A damaged manifest or config of the store', () => {
  it('is reported once by images, which lists all others; rmi removes it', async (t) => {
    const { host, image: kept } = await keep(t);
    await keepImage(t, `${host}/team/app:2`, await image('a', 'c'));
    await keepImage(t, `${host}/team/other:1`, await image('d'));
    await flip(await fileOf(t, kept.descriptor.digest));
    const listed = await ocictl(t, ['images']);
    assert.equal(listed.exitCode, 0, listed.stderr);
    assert.deepEqual(
      listed.stdout
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(/\s+/).slice(0, 2).join(':')),
      [`${host}/team/app:2`, `${host}/team/other:1`],
    );
    const warnings = listed.stderr.split('\n').filter((line) => line.includes('damaged'));
    assert.equal(warnings.length, 1, listed.stderr);
    assert.match(warnings[0] ?? '', new RegExp(`^warning: ${host}/team/app:1 is damaged: .*${kept.descriptor.digest}`));
    assert.equal((await ocictl(t, ['rmi', `${host}/team/app:2`])).exitCode, 0);
    const removed = await ocictl(t, ['rmi', `${host}/team/app:1`]);
    assert.equal(removed.exitCode, 0, removed.stderr);
    assert.match(removed.stdout, new RegExp(`Deleted: ${kept.descriptor.digest}`));
    const { stdout, stderr } = await ocictl(t, ['images', '-q']);
    assert.equal(stdout.split('\n').length - 1, 1);
    assert.equal(stderr, '');
  });

  it('is not looked at by images of another repository', async (t) => {
    const { host, image: kept } = await keep(t);
    await keepImage(t, `${host}/team/other:1`, await image('d'));
    await flip(await fileOf(t, kept.descriptor.digest));
    const listed = await ocictl(t, ['images', `${host}/team/other`]);
    assert.deepEqual([listed.exitCode, listed.stderr], [0, '']);
    assert.match(listed.stdout, /team\/other +1 /);
  });

  it('that is missing is reported, and can be removed too', async (t) => {
    const { host, image: kept } = await keep(t);
    await rm(await fileOf(t, kept.descriptor.digest));
    const { exitCode, stderr } = await ocictl(t, ['images']);
    assert.equal(exitCode, 0);
    assert.match(stderr, new RegExp(`${host}/team/app:1 is damaged: manifest ${kept.descriptor.digest} is missing`));
    assert.equal((await ocictl(t, ['rmi', `${host}/team/app:1`])).exitCode, 0);
    assert.equal((await ocictl(t, ['images'])).stderr, '');
  });

  for (const part of ['manifest', 'config'] as const) {
    it(`is refused by a copy and repaired by a pull: the ${part}`, async (t) => {
      const { host, image: kept } = await keep(t);
      const { digest } = part === 'manifest' ? kept.descriptor : kept.config.descriptor;
      const file = await fileOf(t, digest);
      const sound = await readFile(file);
      await flip(file);
      const copied = await ocictl(t, ['copy', `store:${host}/team/app:1`, 'oci:layout:1']);
      assert.equal(copied.exitCode, 10, copied.stderr);
      assert.match(copied.stderr, new RegExp(`${digest}[^]*ocictl pull`));
      const inspected = await ocictl(t, ['inspect', `store:${host}/team/app:1`]);
      assert.equal(inspected.exitCode, 10, 'also where the damaged copy is gone');
      assert.match(inspected.stderr, new RegExp(`${digest}[^]*ocictl pull`));
      assert.equal((await ocictl(t, ['pull', `${host}/team/app:1`])).exitCode, 0);
      assert.deepEqual(await readFile(file), sound);
    });
  }

  it('shows no date of a damaged config', async (t) => {
    const { host, image: kept } = await keep(t);
    await flip(await fileOf(t, kept.config.descriptor.digest));
    const { stdout, stderr } = await ocictl(t, ['images', '--json']);
    assert.equal(JSON.parse(stdout).created, null);
    assert.match(stderr, new RegExp(`${host}/team/app:1 is damaged`));
  });
});

describe('ocictl serve over a damaged directory', () => {
  it('does not give out a layer of another size than its manifest says, and tells on stderr; a push repairs it', async (t) => {
    const { home } = await sandbox(t);
    const root = join(home, 'served');
    const server = await spawnServe(t, ['--root', root]);
    const kept = await image('a');
    await keepImage(t, 'app:1', kept);
    const push = (): ReturnType<typeof ocictl> => ocictl(t, ['copy', 'store:app:1', `${server.host}/app:1`]);
    assert.equal((await push()).exitCode, 0);
    const { digest } = kept.layers[0]?.descriptor ?? assert.fail('no layer');
    await truncate(await fileOf(t, digest, root), 20);
    await fetch(`${server.url}/v2/app/manifests/1`);
    const answer = await fetch(`${server.url}/v2/app/blobs/${digest}`);
    assert.equal(answer.status, 500);
    await server.waitFor(new RegExp(`blob ${digest} .* is damaged`));
    assert.equal((await fetch(`${server.url}/v2/app/blobs/${digest}`)).status, 404);
    assert.equal((await ocictl(t, ['copy', 'store:app:1', `${server.host}/again:1`])).exitCode, 0);
    assert.equal((await fetch(`${server.url}/v2/app/blobs/${digest}`)).status, 200);
  });
});

describe('ocictl rmi', () => {
  it('prints Deleted for images that no other repository has', async (t) => {
    const [shared, own] = [await image('a', 'b'), await image('a', 'c')];
    await keepImage(t, 'first:1', shared);
    await keepImage(t, 'second:1', shared);
    await keepImage(t, 'first:2', own);
    const untagged = await ocictl(t, ['rmi', 'first:1']);
    assert.deepEqual(untagged.stdout.split('\n').filter(Boolean), [
      'Untagged: first:1',
      `Untagged: first@${shared.descriptor.digest}`,
    ]);
    const gone = await ocictl(t, ['rmi', 'first:2']);
    const deleted = gone.stdout.split('\n').filter((line) => line.startsWith('Deleted: '));
    const [, unshared] = own.layers;
    assert.deepEqual(deleted.slice(0, 1), [`Deleted: ${own.descriptor.digest}`]);
    assert.deepEqual(
      deleted.slice(1).sort(),
      [own.config, unshared].map((blob) => `Deleted: ${blob?.descriptor.digest}`).sort(),
    );
    const last = await ocictl(t, ['rmi', 'second:1']);
    assert.equal(last.stdout.match(/^Deleted: /gm)?.length, 4);
  });
});
