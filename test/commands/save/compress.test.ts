import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { layoutRepository as repo } from '../../../src/layout/layout.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { unpackLayout } from '../../support/images/archives.ts';
import { buildImage } from '../../support/images.ts';
import { buildLayer } from '../../support/layer.ts';
import { keepImage } from '../../support/local-store.ts';
import { sandbox } from '../../support/sandbox.ts';

describe('ocictl save --compress', () => {
  it('compresses the layers again, keeps the image ID, and tells the new digest', async (t) => {
    const plain = await buildLayer({ files: { a: 'a'.repeat(5000) }, compression: 'none' });
    const gzip = await buildLayer({ files: { b: 'b' } });
    const image = await buildImage({ layers: [plain, gzip] });
    await keepImage(t, 'app:1', image);
    const { exitCode, stdout, stderr } = await ocictl(t, [
      ...['save', '--json', '--compress', 'gzip:9', '-o', 'a.tar', 'app:1'],
    ]);
    assert.equal(exitCode, 0, stderr);
    const told = JSON.parse(stdout) as { readonly digest: string };
    const { home } = await sandbox(t);
    const layout = await unpackLayout(t, join(home, 'a.tar'));
    const { view, descriptor } = await layout.getManifest(repo, parseTag('1'));
    assert.ok(view.kind === 'image');
    assert.equal(view.config.digest, image.config.descriptor.digest);
    assert.deepEqual(
      view.layers.map(({ mediaType }) => mediaType),
      [mediaTypes.ociLayerGzip, mediaTypes.ociLayerGzip],
    );
    assert.equal(view.layers[1]?.digest, gzip.descriptor.digest, 'it has the compression already');
    assert.equal(told.digest, descriptor.digest);
    assert.notEqual(descriptor.digest, image.descriptor.digest);
    assert.ok(stderr.includes(`${image.descriptor.digest} was converted, and is ${descriptor.digest}`), stderr);
    const loaded = await ocictl(t, ['load', '-i', 'a.tar']);
    assert.equal(loaded.exitCode, 0, loaded.stderr);
  });

  it('tells of each layer that it is converted, while that takes time', async (t) => {
    const layer = await buildLayer({ files: { a: 'a' }, compression: 'none' });
    await keepImage(t, 'app:1', await buildImage({ layers: [layer] }));
    const words = ['save', '--compress', 'gzip', '--progress', 'json', '-o', 'a.tar', 'app:1'];
    const { exitCode, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /"reason":"is converted first"/);
  });

  it('is refused where it has no meaning', async (t) => {
    for (const [option, value] of [
      ['--since', 'receipt.json'],
      ['--image-format', 'docker'],
    ] as const) {
      const { exitCode, stderr } = await ocictl(t, [
        ...['save', '--compress', 'gzip', option, value, '-o', 'a.tar', 'app:1'],
      ]);
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, /^error: conflicting options: --compress and /);
    }
    const level = await ocictl(t, ['save', '--compress', 'gzip:11', '-o', 'a.tar', 'app:1']);
    assert.equal(level.exitCode, 2, level.stderr);
  });
});
