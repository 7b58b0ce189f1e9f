import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { app, buildDemoIndex, imageFor, one } from '../commands/copy/places.ts';
import { ocictl } from '../support/command.ts';
import { blobsIn, pushImage } from '../support/images.ts';
import { keepImage } from '../support/local-store.ts';
import { start } from '../support/process.ts';
import { needs } from '../support/programs.ts';
import { startServe } from '../support/registries.ts';
import { sandbox } from '../support/sandbox.ts';

const hexOf = (digest: string): string => digest.slice('sha256:'.length);

describe('dir: as a destination', () => {
  it('has one image as skopeo writes it, and replaces such a directory', async (t) => {
    const { home } = await sandbox(t);
    await keepImage(t, 'other:1', await imageFor('amd64', ['other']));
    const image = await imageFor('amd64');
    await keepImage(t, 'app:1', image);
    for (const name of ['other:1', 'app:1']) {
      const copied = await ocictl(t, ['copy', `store:${name}`, 'dir:d']);
      assert.equal(copied.exitCode, 0, copied.stderr);
      assert.equal(copied.stdout, 'dir:d\n');
    }
    const blobs = blobsIn(image).map(({ descriptor }) => hexOf(descriptor.digest));
    assert.deepEqual((await readdir(join(home, 'd'))).sort(), [...blobs, 'manifest.json', 'version'].sort());
    assert.deepEqual(await readFile(join(home, 'd', 'manifest.json')), Buffer.from(image.manifest.bytes));
    assert.equal((await ocictl(t, ['digest', 'dir:d'])).stdout, `${image.descriptor.digest}\n`);
    assert.deepEqual(
      (await readdir(home)).filter((name) => name.startsWith('.ocictl')),
      [],
    );
  });

  it('has an index with all its images, which skopeo reads', async (t) => {
    if (!needs(t, 'skopeo')) return;
    const { registry, host } = await startServe(t);
    const { home, env } = await sandbox(t);
    const { index, arm64 } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    const copied = await ocictl(t, ['copy', `${host}/${app}:1`, 'dir:d']);
    assert.equal(copied.exitCode, 0, copied.stderr);
    assert.ok((await readdir(join(home, 'd'))).includes(`${hexOf(arm64.descriptor.digest)}.manifest.json`));
    const line = 'skopeo copy --all --preserve-digests dir:d oci:taken:1 && skopeo inspect --raw oci:taken:1';
    const { exitCode, stdout, stderr } = await start(t, 'bash', ['-c', line], { env, cwd: home }).result;
    assert.equal(exitCode, 0, stderr);
    assert.ok(stdout.includes(arm64.descriptor.digest));
  });

  it('leaves a directory with something else alone, and nothing after a failure', async (t) => {
    const { registry, host } = await startServe(t);
    const { home } = await sandbox(t);
    const image = await imageFor('amd64');
    await pushImage(registry, app, one, image);
    await mkdir(join(home, 'photos'));
    await writeFile(join(home, 'photos', 'cat.jpg'), 'miau');
    assert.equal((await ocictl(t, ['copy', `${host}/${app}:1`, 'dir:photos'])).exitCode, 9);
    assert.deepEqual(await readdir(join(home, 'photos')), ['cat.jpg']);
    const [layer] = image.blobs.slice(-1);
    if (layer) await registry.deleteBlob(app, layer.descriptor.digest);
    assert.equal((await ocictl(t, ['copy', `${host}/${app}:1`, 'dir:d'])).exitCode, 3);
    assert.deepEqual(
      (await readdir(home)).filter((name) => name === 'd' || name.startsWith('.ocictl')),
      [],
    );
  });
});
