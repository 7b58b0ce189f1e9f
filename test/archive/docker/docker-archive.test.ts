import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { layoutRepository as repo } from '../../../src/layout/layout.ts';
import { digestBytes } from '../../../src/model/digest.ts';
import type { Tag } from '../../../src/model/reference/reference.ts';
import { all } from '../../contract/contract.ts';
import {
  blobManifestJson,
  classicSave,
  containerdSave,
  craneSave,
  hybridSave,
  layoutEntries,
  namedIndex,
} from '../../support/archives/docker-saves.ts';
import { type BuiltImage, buildImage, buildIndex } from '../../support/images.ts';
import { assertImage, imageOf, openTar, refusal } from './opened.ts';

const schema2 = 'application/vnd.docker.distribution.manifest.v2+json';
const oci = 'application/vnd.oci.image.manifest.v1+json';

describe('an archive of docker save up to Docker 24', () => {
  it('has an image for each name, with the config as it is and a manifest that is always the same', async (t) => {
    const [one, two] = [await imageOf(['a', 'b']), await imageOf(['a', 'c'])];
    const entries = await classicSave([
      { image: one, names: ['app:1', 'app:latest'] },
      { image: two, names: ['registry.example.com/team/other:2'] },
    ]);
    const archive = await openTar(t, entries);
    assert.deepEqual(
      archive.images.map(({ name }) => name),
      ['app:1', 'app:latest', 'registry.example.com/team/other:2'],
    );
    const digest = await assertImage(archive, 'app:1', one, schema2);
    assert.equal(await assertImage(archive, 'docker.io/library/app:latest', one, schema2), digest);
    await assertImage(archive, 'registry.example.com/team/other:2', two, schema2);
    assert.deepEqual(await all(archive.registry.tags(repo)), ['1', '2', 'latest']);
    const again = await openTar(t, [...entries].reverse());
    assert.equal((await again.registry.statManifest(repo, 'app:1' as Tag)).digest, digest);
  });

  it('may have an image without a name', async (t) => {
    const image = await imageOf(['a']);
    const archive = await openTar(t, await classicSave([{ image, names: [] }]));
    assert.deepEqual(
      archive.images.map(({ name }) => name),
      [undefined],
    );
    const { view } = await archive.registry.getManifest(repo, archive.images[0]?.descriptor.digest ?? ('x' as Tag));
    assert.equal(view.kind === 'image' && view.config.digest, image.config.descriptor.digest);
  });

  it('loses the image that is incomplete, and no other', async (t) => {
    const [one, two] = [await imageOf(['a', 'b']), await imageOf(['c'])];
    const entries = await classicSave([
      { image: one, names: ['app:1'] },
      { image: two, names: ['app:2'] },
    ]);
    const lost = `${'01'.padStart(64, '0')}/layer.tar`;
    const archive = await openTar(
      t,
      entries.filter(({ name }) => name !== lost),
    );
    await assertImage(archive, 'app:2', two, schema2);
    assert.deepEqual(
      archive.faults.map(({ names }) => names),
      [['app:1']],
    );
    assert.match(archive.faults[0]?.error.message ?? '', new RegExp(`is not complete: it lacks ${lost}$`));
    const alone = openTar(
      t,
      (await classicSave([{ image: one, names: ['app:1'] }])).filter(({ name }) => name !== lost),
    );
    await assert.rejects(alone, refusal('ARCHIVE_INVALID', /is not complete: it lacks/));
  });
});

describe('an archive of crane', () => {
  it('has compressed layers, which stay as they are', async (t) => {
    const image = await imageOf(['a', 'b'], 'gzip');
    const archive = await openTar(t, await craneSave({ image, names: ['app:1'] }));
    await assertImage(archive, 'app:1', image, schema2);
    const { view } = await archive.registry.getManifest(repo, 'app:1' as Tag);
    assert.deepEqual(
      view.kind === 'image' && view.layers.map(({ mediaType }) => mediaType),
      Array(2).fill('application/vnd.docker.image.rootfs.diff.tar.gzip'),
    );
  });

  it('is an OCI image where layers are compressed with zstd, for which Docker has no type', async (t) => {
    const image = await imageOf(['a'], 'zstd');
    const archive = await openTar(t, await craneSave({ image, names: ['app:1'] }));
    await assertImage(archive, 'app:1', image, oci);
  });
});

describe('an archive with a layout and a manifest.json', () => {
  it('has the images of the layout, with their digests (Docker 25 and later)', async (t) => {
    const [one, two] = [await imageOf(['a', 'b']), await imageOf(['c'])];
    const saves = [
      { image: one, names: ['app:1', 'app:latest'] },
      { image: two, names: [] },
    ];
    const archive = await openTar(t, await hybridSave(saves));
    assert.equal(await assertImage(archive, 'app:latest', one, oci), one.descriptor.digest);
    assert.deepEqual(
      archive.images.map(({ name }) => name),
      ['docker.io/library/app:1', 'docker.io/library/app:latest', undefined],
    );
    assert.deepEqual(archive.faults, []);
  });

  it('takes from manifest.json what the layout has without its layers (Docker 25.0.0)', async (t) => {
    const image = await imageOf(['a', 'b']);
    const empty = { ...image, ...(await withoutLayers(image)) };
    const entries = [
      ...(await layoutEntries([image, empty])),
      namedIndex([{ image: empty, names: ['app:1'] }]),
      blobManifestJson([{ image, names: ['app:1'] }]),
    ];
    const archive = await openTar(t, entries);
    await assertImage(archive, 'app:1', image, schema2);
    assert.equal(archive.images.length, 1);
  });

  it('has the whole index, also where only one platform was pulled (containerd)', async (t) => {
    const [amd64, arm64] = [await imageOf(['a'], 'gzip'), await platformImage('arm64')];
    const index = await buildIndex([amd64, arm64]);
    const absent = [
      arm64.descriptor.digest,
      arm64.config.descriptor.digest,
      ...arm64.layers.map((l) => l.descriptor.digest),
    ];
    const archive = await openTar(t, await containerdSave(index, { image: amd64, names: ['app:1'] }, absent));
    const { descriptor } = await archive.registry.getManifest(repo, 'app:1' as Tag);
    assert.equal(descriptor.digest, index.descriptor.digest);
    assert.deepEqual(
      archive.images.map(({ name }) => name),
      ['docker.io/library/app:1'],
    );
  });

  it('gives an image of the layout the names that only manifest.json has', async (t) => {
    const image = await imageOf(['a'], 'gzip');
    const entries = [
      ...(await layoutEntries([image])),
      namedIndex([{ image, names: [] }]),
      blobManifestJson([{ image, names: ['app:1'] }]),
    ];
    const archive = await openTar(t, entries);
    assert.equal(await assertImage(archive, 'app:1', image, oci), image.descriptor.digest);
  });

  it('is refused if the two name different images', async (t) => {
    const [one, two] = [await imageOf(['a']), await imageOf(['b'])];
    const entries = [
      ...(await layoutEntries([one, two])),
      namedIndex([{ image: one, names: ['app:1'] }]),
      blobManifestJson([{ image: two, names: ['app:1'] }]),
    ];
    const message = /contradicts itself: manifest.json and index.json have different images as "app:1"$/;
    await assert.rejects(openTar(t, entries), refusal('ARCHIVE_INVALID', message));
  });
});

/** The same image with a manifest that names no layers. */
async function withoutLayers(image: BuiltImage): Promise<BuiltImage> {
  const { manifest } = image;
  const document = JSON.parse(Buffer.from(manifest.bytes).toString('utf8'));
  const bytes = Buffer.from(JSON.stringify({ ...document, layers: [] }));
  const descriptor = { ...image.descriptor, digest: await digestBytes(bytes), size: bytes.length };
  return { ...image, manifest: { ...manifest, bytes }, descriptor };
}

function platformImage(architecture: string): Promise<BuiltImage> {
  return buildImage({
    platform: { os: 'linux', architecture },
    layers: [{ files: { [architecture]: 'x' } }],
  });
}
