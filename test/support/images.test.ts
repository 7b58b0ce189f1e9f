import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { digestBytes } from '../../src/model/digest.ts';
import { parseManifest } from '../../src/model/manifest/manifest.ts';
import { readContent } from '../../src/registry/content.ts';
import { buildArtifact, buildAttestation, buildImage, buildIndex } from './images.ts';
import { type BuiltBlob, randomLayer } from './layer.ts';

const bytesOf = async ({ descriptor, source }: BuiltBlob, offset = 0) =>
  readContent(await source.open(offset), descriptor.size);

async function namesIn(tar: Uint8Array): Promise<string[]> {
  const names: string[] = [];
  const reader = extract();
  reader.end(tar);
  for await (const entry of reader) {
    names.push(`${entry.header.name} ${entry.header.type}`);
    entry.resume();
  }
  return names;
}

describe('images built in memory', () => {
  it('have real layers, and a config that names what is inside them', async () => {
    const image = await buildImage({
      layers: [{ files: { 'etc/os-release': 'ID=demo\n', 'bin/sh': { linkTo: 'busybox' } } }],
    });
    const [layer] = image.layers;
    assert.ok(layer);
    const tar = gunzipSync(await bytesOf(layer));
    assert.deepEqual(await namesIn(tar), ['bin/ directory', 'etc/ directory', 'etc/os-release file', 'bin/sh symlink']);
    const config = JSON.parse(Buffer.from(await bytesOf(image.config)).toString());
    assert.deepEqual(config.rootfs.diff_ids, [await digestBytes(tar)]);
    assert.equal(parseManifest(image.manifest).kind, 'image');
  });

  it('are the same every time, on every system', async () => {
    const build = () => buildImage({ layers: [{ files: { a: 'a' } }], format: 'docker' });
    const [one, two] = [await build(), await build()];
    assert.equal(one.descriptor.digest, two.descriptor.digest);
  });

  it('come as indexes with platforms, attestations and indexes inside', async () => {
    const image = await buildImage({ layers: [], platform: { os: 'linux', architecture: 'arm', variant: 'v7' } });
    const index = await buildIndex([image, await buildAttestation(image), await buildIndex([image])]);
    const view = parseManifest(index.manifest);
    assert.ok(view.kind === 'index');
    const [first, second, third] = view.manifests;
    assert.deepEqual(first?.platform, { os: 'linux', architecture: 'arm', variant: 'v7' });
    assert.equal(second?.annotations?.['vnd.docker.reference.digest'], image.descriptor.digest);
    assert.equal(third?.mediaType, index.manifest.mediaType);
  });

  it('come as artifacts with a subject', async () => {
    const image = await buildImage({ layers: [] });
    const artifact = await buildArtifact({ artifactType: 'text/plain', subject: image.descriptor });
    assert.equal(parseManifest(artifact.manifest).subject?.digest, image.descriptor.digest);
  });

  it('have random layers that can be read from any byte on', async () => {
    const layer = await randomLayer(700_001, 'seed');
    const whole = await bytesOf(layer);
    assert.equal(whole.length, layer.descriptor.size);
    assert.equal(await digestBytes(whole), layer.descriptor.digest);
    assert.deepEqual(await namesIn(whole), ['data/seed.bin file']);
    for (const offset of [0, 1, 511, 512, 513, 529, 300_007, 700_513, 700_514, whole.length - 1, whole.length]) {
      assert.deepEqual(Buffer.from(await bytesOf(layer, offset)), Buffer.from(whole.subarray(offset)), `${offset}`);
    }
  });
});
