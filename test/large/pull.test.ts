import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseReference, parseRepositoryName, parseTag, toStoreName } from '../../src/model/reference/reference.ts';
import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { ocictl, spawnOcictl, spawnServe } from '../support/command.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { type BuiltImage, buildImage, pushImage } from '../support/images.ts';
import { randomLayer } from '../support/layer.ts';
import { fileHash, storedBlob } from '../support/layout.ts';
import { sandbox, temporaryDirectory } from '../support/sandbox.ts';
import { roomyDirectory } from './room.ts';

const MB = 1_000_000;
const repo = parseRepositoryName('team/large');
const tag = parseTag('1');
const layers = /\/blobs\//;

describe('a pull that was killed', { timeout: 240_000 }, () => {
  it('goes on with the half of a 600 MB layer that it has, and verifies it', async (t) => {
    const { proxy, image } = await served(t, [600]);
    const name = `${proxy.host}/team/large:1`;
    const [layer] = image.layers;
    assert.ok(layer);
    const { size, digest } = layer.descriptor;

    // Slow enough that the kill comes halfway on any machine.
    proxy.fail({ path: layers, bytesPerSecond: 250 * MB });
    const killed = await spawnOcictl(t, ['pull', '-q', name]);
    while (proxy.sentBytes(layers) < size / 2) {
      assert.equal(killed.child.exitCode, null, killed.output().stderr);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    killed.child.kill('SIGKILL');
    assert.equal((await killed.result).signal, 'SIGKILL');
    proxy.heal();
    await assert.rejects(storedHash(t, digest), { code: 'ENOENT' }, 'what is half there is no blob');

    const before = proxy.sentBytes();
    const pulled = await ocictl(t, ['pull', '-q', name]);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    const again = proxy.sentBytes() - before;
    t.diagnostic(`${Math.round((100 * again) / size)} % of the layer were transferred again`);
    assert.ok(again < 0.6 * size);
    assert.equal(await storedHash(t, digest), digest);
    await assertComplete(t, name, image);
  });

  it('goes on as often as it is cut off, in one run', async (t) => {
    const { proxy, image } = await served(t, [200]);
    const [layer] = image.layers;
    assert.ok(layer);
    proxy.fail({ path: layers, cutAfterBytes: 60 * MB, times: 3 });
    const pulled = await ocictl(t, ['pull', '-q', `${proxy.host}/team/large:1`]);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    // Each time the connection breaks, a few buffers that were in transit are lost.
    assert.ok(proxy.sentBytes() < 1.1 * layer.descriptor.size);
    assert.equal(await storedHash(t, layer.descriptor.digest), layer.descriptor.digest);
  });
});

describe('two pulls of an image at once', { timeout: 240_000 }, () => {
  it('both succeed, and move its bytes once', async (t) => {
    const { proxy, image } = await served(t, [150, 100, 50]);
    const name = `${proxy.host}/team/large:1`;
    const bytes = image.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    const pulls = await Promise.all([ocictl(t, ['pull', '-q', name]), ocictl(t, ['pull', '-q', name])]);
    for (const { exitCode, stderr } of pulls) assert.equal(exitCode, 0, stderr);
    const moved = proxy.sentBytes();
    t.diagnostic(`together they moved ${(moved / bytes).toFixed(3)} × the bytes of the image`);
    assert.ok(moved <= 1.1 * bytes);
    await assertComplete(t, name, image);
  });

  it('lets the second one finish when the first is killed', async (t) => {
    const { proxy, image } = await served(t, [300]);
    const name = `${proxy.host}/team/large:1`;
    proxy.fail({ path: layers, bytesPerSecond: 150 * MB });
    const first = await spawnOcictl(t, ['pull', '-q', name]);
    while (proxy.sentBytes(layers) < 50 * MB) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await spawnOcictl(t, ['pull', '-q', name]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    first.child.kill('SIGKILL');
    const { exitCode, stderr } = await second.result;
    assert.equal(exitCode, 0, stderr);
    await assertComplete(t, name, image);
  });
});

/** Serves an image with random layers from a directory, behind a proxy that counts bytes. */
async function served(
  t: TestContext,
  layerMegabytes: readonly number[],
): Promise<{ proxy: FaultProxy; image: BuiltImage }> {
  const root = await temporaryDirectory(t, await roomyDirectory());
  const image = await buildImage({
    layers: await Promise.all(layerMegabytes.map((size, i) => randomLayer(size * MB, `layer ${i}`))),
  });
  await pushImage(createStorage({ driver: await openFilesystemDriver({ root }) }), repo, tag, image);
  const { url } = await spawnServe(t, ['--root', root]);
  return { proxy: await startFaultProxy(t, url), image };
}

async function storedHash(t: TestContext, digest: BuiltImage['descriptor']['digest']): Promise<string> {
  return `sha256:${await fileHash(storedBlob((await sandbox(t)).store, digest))}`;
}

async function assertComplete(t: TestContext, name: string, image: BuiltImage): Promise<void> {
  const { store } = await sandbox(t);
  const local = createStorage({ driver: await openFilesystemDriver({ root: store, readOnly: true }) });
  const repository = toStoreName(parseReference(name));
  assert.equal((await local.statManifest(repository, tag)).digest, image.descriptor.digest);
  for (const { descriptor } of image.blobs) assert.equal(await storedHash(t, descriptor.digest), descriptor.digest);
}
