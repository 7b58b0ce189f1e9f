import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl, spawnOcictl } from '../../support/command.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { type Built, blobsIn, buildImage, pushImage } from '../../support/images.ts';
import { randomLayer } from '../../support/layer.ts';
import { type ServedRegistry, startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import {
  app,
  assertWhole,
  buildDemoIndex,
  imageFor,
  one,
  type Place,
  startPlace,
  two,
  until,
  writes,
} from './places.ts';

describe('ocictl copy between registries', () => {
  it('copies an index whole, with its attestations, and prints where it is now', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', `${from.host}/team/app:1`, `${to.host}/other:2`]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, `${to.host}/other:2\n`);
    const other = parseRepositoryName('other');
    assert.equal((await to.registry.statManifest(other, two)).digest, index.descriptor.digest);
    await assertWhole(to.registry, other, index);
  });

  it('pushes children before their parents, and the tag last', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    await ocictl(t, ['copy', '-q', `${from.host}/team/app:1`, `${to.host}/team/app:1`]);
    const puts = writes(to.proxy).filter((line) => line.startsWith('PUT /v2/team/app/manifests/'));
    assert.equal(puts.at(-1), 'PUT /v2/team/app/manifests/1');
    const at = (digest: string): number => puts.findIndex((line) => line.endsWith(digest));
    for (const { descriptor } of index.children) {
      assert.ok(at(descriptor.digest) >= 0 && at(descriptor.digest) < puts.length - 1, descriptor.digest);
    }
    const lastBlob = writes(to.proxy).findLastIndex((line) => line.includes('/blobs/'));
    assert.ok(lastBlob < writes(to.proxy).indexOf(puts[0] ?? ''));
  });

  it('copies one image with --platform, the same bytes', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index, arm64 } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    const words = ['copy', '--platform', 'linux/arm64', `${from.host}/team/app:1`, `${to.host}/team/app:arm`];
    assert.equal((await ocictl(t, words)).exitCode, 0);
    assert.equal((await to.registry.statManifest(app, parseTag('arm'))).digest, arm64.descriptor.digest);
    await assert.rejects(to.registry.statManifest(app, index.descriptor.digest));
    const absent = await ocictl(t, ['copy', '--platform', 'linux/s390x', ...words.slice(3)]);
    assert.equal(absent.exitCode, 3);
    assert.match(absent.stderr, /no matching manifest for linux\/s390x/);
    assert.match(absent.stderr, /linux\/amd64, linux\/arm64, linux\/riscv64/);
  });

  it('looks once at each side where the digests are equal, which no registry counts as a pull', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const { index } = await buildDemoIndex();
    await pushImage(from.registry, app, one, index);
    const words = ['copy', '--json', `${from.host}/team/app:1`, `${to.host}/team/app:1`];
    const first = JSON.parse((await ocictl(t, words)).stdout) as Record<string, unknown>;
    const bytes = blobsIn(index).reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    assert.deepEqual(first, {
      destination: `${to.host}/team/app:1`,
      digest: index.descriptor.digest,
      mediaType: index.descriptor.mediaType,
      changed: true,
      transferredBytes: bytes,
    });
    const [asked, toldTo] = [from.proxy.requests.length, to.proxy.requests.length];
    const again = JSON.parse((await ocictl(t, words)).stdout) as Record<string, unknown>;
    assert.deepEqual([again['changed'], again['transferredBytes']], [false, 0]);
    const manifests = (proxy: FaultProxy, since: number): string[] =>
      proxy.requests.slice(since).flatMap(({ method, path }) => (path === '/v2/' ? [] : [`${method} ${path}`]));
    assert.deepEqual(manifests(from.proxy, asked), ['HEAD /v2/team/app/manifests/1']);
    assert.deepEqual(manifests(to.proxy, toldTo), ['HEAD /v2/team/app/manifests/1']);
  });

  it('mounts within a registry, so that no byte of a blob moves', async (t) => {
    const place = await startPlace(t);
    const { index } = await buildDemoIndex();
    await pushImage(place.registry, app, one, index);
    const { exitCode, stderr } = await ocictl(t, ['copy', `${place.host}/team/app:1`, `${place.host}/team/two:1`]);
    assert.equal(exitCode, 0, stderr);
    await assertWhole(place.registry, parseRepositoryName('team/two'), index);
    const blobs = place.proxy.requests.filter(({ path }) => path.includes('/blobs/'));
    assert.equal(blobs.filter(({ path }) => path.includes('mount=')).length, blobsIn(index).length);
    assert.ok(
      blobs.every(({ method, sentBytes, receivedBytes }) => method !== 'GET' && sentBytes + receivedBytes === 0),
    );
  });

  it('gives an image another tag in its repository with one request that writes', async (t) => {
    const place = await startPlace(t);
    const { index } = await buildDemoIndex();
    await pushImage(place.registry, app, one, index);
    const name = `${place.host}/team/app`;
    assert.equal((await ocictl(t, ['copy', `${name}@${index.descriptor.digest}`, `${name}:2`])).exitCode, 0);
    assert.deepEqual(writes(place.proxy), ['PUT /v2/team/app/manifests/2']);
  });

  it('moves a tag, unless --if-absent forbids it: status 9', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const [old, young] = [await imageFor('amd64', ['old']), await imageFor('amd64', ['young'])];
    await pushImage(from.registry, app, one, young);
    await pushImage(to.registry, app, one, old);
    const words = [`${from.host}/team/app:1`, `${to.host}/team/app:1`];
    const refused = await ocictl(t, ['copy', '--if-absent', ...words]);
    assert.deepEqual([refused.exitCode, refused.stdout], [9, ''], refused.stderr);
    assert.match(refused.stderr, new RegExp(`team/app:1 exists already, as ${old.descriptor.digest}`));
    assert.match(refused.stderr, /hint: leave --if-absent out/);
    assert.deepEqual(writes(to.proxy), []);
    assert.equal((await ocictl(t, ['copy', ...words])).exitCode, 0);
    assert.equal((await to.registry.statManifest(app, one)).digest, young.descriptor.digest);
    assert.equal((await ocictl(t, ['copy', '--if-absent', ...words])).exitCode, 0, 'it is the same by now');
    assert.equal((await ocictl(t, ['copy', '--if-absent', words[0] ?? '', `${to.host}/new/app:1`])).exitCode, 0);
  });

  it('sends each registry its own password, and never the other one', async (t) => {
    const [from, to] = [await startServe(t), await startServe(t)];
    const [source, destination] = [await guard(t, from, 'reader:read'), await guard(t, to, 'writer:write')];
    const image = await imageFor('amd64');
    await pushImage(from.registry, app, one, image);
    const auths = Object.fromEntries([source, destination].map(({ host, auth }) => [host, { auth }]));
    await writeFile(join((await sandbox(t)).dockerConfig, 'config.json'), JSON.stringify({ auths }));
    const words = ['copy', `${source.host}/team/app:1`, `${destination.host}/team/app:1`];
    const { exitCode, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    for (const { proxy, auth } of [source, destination]) {
      const shown = new Set(proxy.requests.map(({ headers }) => headers.authorization).filter(Boolean));
      assert.deepEqual([...shown], [`Basic ${auth}`]);
    }
    await assertWhole(to.registry, app, image);
  });
});

describe('an interrupted ocictl copy', () => {
  it('ends with status 130 on Ctrl-C, and the next one sends only missing blobs', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const image = await buildImage({
      layers: [await randomLayer(2_000_000, 'first'), await randomLayer(1_000_000, 'second')],
    });
    await pushImage(from.registry, app, one, image);
    const [, first, second] = image.blobs.map(({ descriptor }) => descriptor.digest);
    assert.ok(first && second);
    from.proxy.fail({ path: new RegExp(first), method: 'GET', stallAfterBytes: 500_000 });
    const words = ['copy', `${from.host}/team/app:1`, `${to.host}/team/app:1`];
    const running = await spawnOcictl(t, words);
    await until(async () => (await has(to, second)) && from.proxy.sentBytes(new RegExp(first)) >= 500_000);
    running.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await running.result;
    assert.deepEqual([exitCode, stdout], [130, ''], stderr);
    assert.match(stderr, /^hint: whole layers that have arrived are kept: the same command continues from there$/m);
    await assert.rejects(to.registry.statManifest(app, one));
    from.proxy.heal();
    const before = from.proxy.sentBytes(new RegExp(second));
    const next = await ocictl(t, words);
    assert.equal(next.exitCode, 0, next.stderr);
    assert.equal(from.proxy.sentBytes(new RegExp(second)), before, 'what had arrived was sent again');
    await assertWhole(to.registry, app, image);
  });

  it('takes a word that ends with a slash for a directory, and says how one is written', async (t) => {
    const { exitCode, stderr } = await ocictl(t, ['copy', 'registry.example/app:1', 'out/']);
    assert.equal(exitCode, 2);
    assert.match(stderr, /"out\/" is a path, not a reference\nhint: write oci:out\/ for an OCI layout\n/);
  });

  it('ends with status 143 on SIGTERM', async (t) => {
    const place = await startPlace(t);
    place.proxy.fail({ silent: true });
    const running = await spawnOcictl(t, ['copy', `${place.host}/team/app:1`, 'oci:dir:1']);
    await until(() => place.proxy.requests.length > 0);
    running.child.kill('SIGTERM');
    assert.equal((await running.result).exitCode, 143);
  });
});

/** Accepts only one account. */
async function guard(t: TestContext, served: ServedRegistry, account: string) {
  const proxy = await startFaultProxy(t, served.url);
  const auth = Buffer.from(account).toString('base64');
  proxy.fail({
    without: { authorization: `Basic ${auth}` },
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="test"' },
  });
  return { host: proxy.host, proxy, auth };
}

async function has({ registry }: Place, digest: Built['descriptor']['digest']): Promise<boolean> {
  return registry.statBlob(app, digest).then(
    () => true,
    () => false,
  );
}
