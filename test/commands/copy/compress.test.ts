import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import type { Tag } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { read } from '../../contract/contract.ts';
import { ocictl } from '../../support/command.ts';
import { buildArtifact, buildAttestation, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { buildLayer, randomLayer } from '../../support/layer.ts';
import { app, one, type Place, startPlace, two, writes } from './places.ts';

async function layersOf(registry: Registry, tag: Tag): Promise<readonly Descriptor[]> {
  const { view } = await registry.getManifest(app, tag);
  assert.ok(view.kind === 'image');
  return view.layers;
}

function copyWords(from: Place, to: Place, ...more: readonly string[]): readonly string[] {
  return ['copy', `${from.host}/team/app:1`, `${to.host}/team/app:1`, ...more];
}

describe('ocictl copy --compress', () => {
  it('compresses what is not, to the same bytes each time, and leaves layers that have the compression', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const plain = await randomLayer(3_000_000, 'plain');
    const [zstd, gzip] = [
      await buildLayer({ files: { z: 'z' }, compression: 'zstd' }),
      await buildLayer({ files: { g: 'g' } }),
    ];
    const image = await buildImage({ layers: [plain, zstd, gzip] });
    await pushImage(from.registry, app, one, image);
    const words = copyWords(from, to, '--compress', 'gzip', '--check-bytes');
    const { exitCode, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    const layers = await layersOf(to.registry, one);
    assert.deepEqual(new Set(layers.map(({ mediaType }) => mediaType)), new Set([mediaTypes.ociLayerGzip]));
    assert.deepEqual(layers[2], gzip.descriptor);
    for (const [i, layer] of [plain, zstd].entries()) {
      const bytes = await read(await to.registry.getBlob(app, layers[i] as Descriptor));
      const original = await read(await layer.source.open(0));
      assert.equal(Buffer.compare(gunzipSync(bytes), i === 0 ? original : await tarOf(zstd)), 0);
      // No time, and no system.
      assert.deepEqual([...bytes.subarray(3, 8), bytes[9]], [0, 0, 0, 0, 0, 255]);
    }
    const { view } = await to.registry.getManifest(app, one);
    assert.equal(view.kind === 'image' && view.config.digest, image.config.descriptor.digest);
    const before = to.proxy.requests.length;
    const again = JSON.parse((await ocictl(t, [...words, '--json'])).stdout) as Record<string, unknown>;
    assert.deepEqual([again['changed'], again['rewrittenFrom']], [false, image.descriptor.digest]);
    // Small blobs are looked up by a mount from their own repository.
    assert.deepEqual(
      writes(to.proxy, before).filter((line) => !line.includes('?mount=')),
      [],
    );
    assert.equal(from.proxy.requests.filter(({ path }) => path.endsWith(gzip.descriptor.digest)).length, 1);
  });

  it('unpacks layers to what the config says, in an index with an attestation and an artifact, which stay', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const docker = await buildImage({ format: 'docker', layers: [{ files: { d: 'd' } }] });
    const oci = await buildImage({ platform: { os: 'linux', architecture: 'arm64' }, layers: [{ files: { o: 'o' } }] });
    const chart = await buildArtifact({ artifactType: 'a/chart', blobs: [await buildLayer({ files: { c: 'c' } })] });
    await pushImage(from.registry, app, one, await buildIndex([docker, oci, await buildAttestation(oci), chart]));
    const { exitCode, stderr } = await ocictl(t, [...copyWords(from, to, '--compress', 'none', '--check')]);
    assert.equal(exitCode, 0, stderr);
    const index = await to.registry.getManifest(app, one);
    assert.ok(index.view.kind === 'index');
    const [first, second, attestation, last] = index.view.manifests;
    const types = ['application/vnd.docker.image.rootfs.diff.tar', mediaTypes.ociLayer];
    for (const [i, entry] of [first, second].entries()) {
      const { view } = await to.registry.getManifest(app, (entry as Descriptor).digest);
      assert.ok(view.kind === 'image');
      const config = JSON.parse((await read(await to.registry.getBlob(app, view.config))).toString());
      assert.deepEqual(
        view.layers.map(({ digest, mediaType }) => [digest, mediaType]),
        config.rootfs.diff_ids.map((digest: string) => [digest, types[i]]),
      );
    }
    assert.equal(attestation?.annotations?.['vnd.docker.reference.digest'], second?.digest);
    assert.equal(last?.digest, chart.descriptor.digest);
  });

  it('drops annotations that describe the old bytes, also for the format of Docker, and keeps others', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const layer = await buildLayer({ files: { z: 'z' }, compression: 'zstd' });
    const chunked = { 'io.github.containers.zstd-chunked.manifest-position': '1:2:3:1' };
    const annotated = (annotations: Readonly<Record<string, string>>) =>
      buildImage({ layers: [{ ...layer, descriptor: { ...layer.descriptor, annotations } }] });
    await pushImage(from.registry, app, one, await annotated(chunked));
    const docker = await ocictl(t, [...copyWords(from, to, '--compress', 'gzip', '--image-format', 'docker')]);
    assert.equal(docker.exitCode, 0, docker.stderr);
    assert.deepEqual(
      (await layersOf(to.registry, one)).map(({ mediaType, annotations }) => [mediaType, annotations]),
      [[mediaTypes.dockerLayer, undefined]],
    );
    await pushImage(from.registry, app, one, await annotated({ ...chunked, 'org.example': 'kept' }));
    assert.equal((await ocictl(t, [...copyWords(from, to, '--compress', 'gzip')])).exitCode, 0);
    assert.deepEqual((await layersOf(to.registry, one))[0]?.annotations, { 'org.example': 'kept' });
  });

  it('refuses a layer that unpacks to something else than the config says, with nothing written', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const [layer, other] = [await buildLayer({ files: { a: 'a' } }), await buildLayer({ files: { b: 'b' } })];
    await pushImage(from.registry, app, one, await buildImage({ layers: [{ ...layer, diffId: other.diffId }] }));
    const { exitCode, stderr } = await ocictl(t, [...copyWords(from, to, '--compress', 'none')]);
    assert.equal(exitCode, 7, stderr);
    assert.ok(stderr.includes(`layer 1 of the image unpacks to ${layer.diffId}, and its config says ${other.diffId}`));
    assert.deepEqual(writes(to.proxy), []);
  });

  it('compresses with zstd, by a package where Node has none', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const layer = await buildLayer({ files: { a: 'a'.repeat(10_000) } });
    await pushImage(from.registry, app, one, await buildImage({ layers: [layer] }));
    const { exitCode, stderr } = await ocictl(t, [...copyWords(from, to, '--compress', 'zstd:19')]);
    assert.equal(exitCode, 0, stderr);
    const [made] = await layersOf(to.registry, one);
    assert.equal(made?.mediaType, mediaTypes.ociLayerZstd);
    const back = await ocictl(t, ['copy', `${to.host}/team/app:1`, `${to.host}/team/app:2`, '--compress', 'none']);
    assert.equal(back.exitCode, 0, back.stderr);
    assert.equal((await layersOf(to.registry, two))[0]?.digest, layer.diffId);
    await pushImage(from.registry, app, one, await buildImage({ format: 'docker', layers: [{ files: { a: 'a' } }] }));
    const docker = await ocictl(t, [...copyWords(from, to, '--compress', 'zstd')]);
    assert.equal(docker.exitCode, 1);
    assert.match(docker.stderr, /add --image-format oci/);
  });
});

/** The tar in a layer made by the tests' own encoder, whose one block is stored as it is. */
async function tarOf({ source }: Awaited<ReturnType<typeof buildLayer>>): Promise<Uint8Array> {
  return (await read(await source.open(0))).subarray(4 + 1 + 4 + 3);
}
