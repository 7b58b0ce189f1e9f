import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { documentIn, entriesOf, namesIn, sumOf } from '../../support/images/archives.ts';
import { buildArtifact, buildImage, pushImage } from '../../support/images.ts';
import { buildLayer } from '../../support/layer.ts';
import { keepImage } from '../../support/local-store.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, buildDemoIndex, imageFor, one } from '../copy/places.ts';

type DockerManifest = readonly { Config: string; RepoTags: readonly string[] | null; Layers: readonly string[] }[];

async function saved(t: TestContext, words: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await ocictl(t, ['save', '--image-format', 'docker', '-o', 'a.tar', ...words]);
  assert.equal(exitCode, 0, stderr);
  return join((await sandbox(t)).home, 'a.tar');
}

const hexOf = (digest: string): string => digest.slice('sha256:'.length);

/** One layer for each compression, and one that only differs in its compression from another. */
async function everyCompression() {
  const files = { same: 'content' };
  const layers = await Promise.all([
    buildLayer({ files: { packed: 'gzip' } }),
    buildLayer({ files: { packed: 'zstd' }, compression: 'zstd' }),
    buildLayer({ files, compression: 'none' }),
    buildLayer({ files }),
  ]);
  return { image: await buildImage({ layers }), layers };
}

describe('ocictl save --image-format docker', () => {
  it('unpacks all layers, and has equal ones once', async (t) => {
    const { image, layers } = await everyCompression();
    await keepImage(t, 'app:1', image);
    const file = await saved(t, ['app:1']);
    const config = `${hexOf(image.config.descriptor.digest)}.json`;
    const paths = layers.map(({ diffId }) => `${hexOf(diffId)}.tar`);
    assert.deepEqual(await namesIn(file), [config, 'manifest.json', 'repositories', ...[...new Set(paths)].sort()]);
    assert.deepEqual(await documentIn<DockerManifest>(file, 'manifest.json'), [
      { Config: config, RepoTags: ['app:1'], Layers: paths },
    ]);
    for (const line of await entriesOf(file)) assert.match(line, /^-rw-r--r-- 0\/0 +\d+ 1970-01-01 00:00:00 /);
    assert.equal(await sumOf(file), await sumOf(await saved(t, ['app:1'])));
  });

  it('has the image of one platform, and refuses several', async (t) => {
    const { index, arm64 } = await buildDemoIndex();
    await keepImage(t, 'app:1', index);
    const [image] = await documentIn<DockerManifest>(
      await saved(t, ['--platform', 'linux/arm64', 'app:1']),
      'manifest.json',
    );
    const { config } = JSON.parse(Buffer.from(arm64.manifest.bytes).toString()) as { config: { digest: string } };
    assert.equal(image?.Config, `${hexOf(config.digest)}.json`);
    for (const words of [
      ['--platform', 'all'],
      ['--platform', 'linux/amd64,linux/arm64'],
      ['--since', 'app:1'],
    ]) {
      const refused = await ocictl(t, ['save', '--image-format', 'docker', ...words, '-o', 'b.tar', 'app:1']);
      assert.equal(refused.exitCode, 2, refused.stderr);
    }
  });

  it('refuses what is no image, and an image whose config names other layers', async (t) => {
    const { registry, host } = await startServe(t);
    const artifact = await buildArtifact({ artifactType: 'application/x' });
    await pushImage(registry, app, one, artifact);
    const refused = await ocictl(t, ['save', '--image-format', 'docker', '-o', 'a.tar', `${host}/${app}:1`]);
    assert.equal(refused.exitCode, 1, refused.stderr);
    assert.match(refused.stderr, /takes images as Docker runs them: this is none/);
    const layer = await buildLayer({ files: { a: 'a' } });
    const wrong = await buildImage({ layers: [{ ...layer, diffId: layer.descriptor.digest }] });
    await keepImage(t, 'wrong:1', wrong);
    const mismatch = await ocictl(t, ['save', '--image-format', 'docker', '-o', 'a.tar', 'wrong:1']);
    assert.equal(mismatch.exitCode, 7, mismatch.stderr);
    assert.match(mismatch.stderr, /is not the one that its config names/);
  });
});

describe('docker-archive: as a destination', () => {
  it('has the image under a name as Docker reads it, and gives it back with the same ID', async (t) => {
    const { image } = await everyCompression();
    await keepImage(t, 'app:1', image);
    for (const [word, names] of [
      ['docker-archive:a.tar', null],
      ['docker-archive:a.tar:other', ['other:latest']],
      ['docker-archive:a.tar:registry.example.com/team/app:5', ['registry.example.com/team/app:5']],
    ] as const) {
      const copied = await ocictl(t, ['copy', 'store:app:1', word]);
      assert.equal(copied.exitCode, 0, copied.stderr);
      const [docker] = await documentIn<DockerManifest>(join((await sandbox(t)).home, 'a.tar'), 'manifest.json');
      assert.deepEqual(docker?.RepoTags, names);
    }
    const back = await ocictl(t, ['copy', 'docker-archive:a.tar', 'store:back:1']);
    assert.equal(back.exitCode, 0, back.stderr);
    const { stdout } = await ocictl(t, ['inspect', '--raw', 'store:back:1']);
    assert.match(stdout, new RegExp(image.config.descriptor.digest));
  });

  it('gets the image for this machine of an index, or the one that is chosen', async (t) => {
    const { registry, host } = await startServe(t);
    const { index, amd64, arm64 } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    const env = { DOCKER_DEFAULT_PLATFORM: 'linux/amd64' };
    for (const [words, image] of [
      [[], amd64],
      [['--platform', 'linux/arm64'], arm64],
    ] as const) {
      const copied = await ocictl(t, ['copy', ...words, `${host}/${app}:1`, 'docker-archive:a.tar'], { env });
      assert.equal(copied.exitCode, 0, copied.stderr);
      const [docker] = await documentIn<DockerManifest>(join((await sandbox(t)).home, 'a.tar'), 'manifest.json');
      const { config } = JSON.parse(Buffer.from(image.manifest.bytes).toString()) as { config: { digest: string } };
      assert.equal(docker?.Config, `${hexOf(config.digest)}.json`);
    }
  });

  it('refuses an index of several platforms, before anything is written', async (t) => {
    const { registry, host } = await startServe(t);
    const { index } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    const file = join((await sandbox(t)).home, 'a.tar');
    await writeFile(file, 'before');
    const refused = await ocictl(t, ['copy', '--platform', 'all', `${host}/${app}:1`, 'docker-archive:a.tar']);
    assert.equal(refused.exitCode, 1, refused.stderr);
    assert.match(refused.stderr, /one platform of an index\nhint: choose it with --platform/);
    assert.equal(await readFile(file, 'utf8'), 'before');
  });

  it('leaves no temporary file of a layer when it fails', async (t) => {
    const { registry, host } = await startServe(t);
    const image = await imageFor('amd64');
    await pushImage(registry, app, one, image);
    const [layer] = image.blobs.slice(-1);
    if (layer) await registry.deleteBlob(app, layer.descriptor.digest);
    const failed = await ocictl(t, ['copy', `${host}/${app}:1`, 'docker-archive:a.tar']);
    assert.equal(failed.exitCode, 3, failed.stderr);
  });
});
