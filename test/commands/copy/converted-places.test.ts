import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { ocictl } from '../../support/command.ts';
import { buildArtifact, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { buildLayer } from '../../support/layer.ts';
import { app, imageFor, one, startPlace } from './places.ts';

const foreignType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';

describe('what ocictl copy converts, by where it is', () => {
  it('leaves the bytes of layers that only their owner may give away, and changes their type', async (t) => {
    const from = await startPlace(t);
    const foreign = await buildLayer({ files: { licence: 'not for everybody' }, mediaType: foreignType });
    const image = await buildImage({ format: 'docker', layers: [{ files: { own: 'own' } }, foreign] });
    await pushImage(from.registry, app, one, image);
    const words = ['copy', `${from.host}/team/app:1`, 'oci:plain:1', '--image-format', 'oci', '--compress', 'none'];
    const { exitCode, stderr } = await ocictl(t, [...words, '--check-bytes']);
    assert.equal(exitCode, 0, stderr);
    const { stdout } = await ocictl(t, ['inspect', '--raw', 'oci:plain:1']);
    const { layers } = JSON.parse(stdout) as { readonly layers: readonly { mediaType: string; digest: string }[] };
    assert.deepEqual(
      layers.map(({ mediaType }) => mediaType),
      [mediaTypes.ociLayer, 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'],
    );
    assert.equal(layers[1]?.digest, foreign.descriptor.digest);
  });

  it('is whole in the store, and one image of a pulled index can be converted from there', async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const [amd64, arm64] = [await imageFor('amd64'), await imageFor('arm64')];
    await pushImage(from.registry, app, one, await buildIndex([amd64, arm64]));
    const name = `${from.host}/team/app:1`;
    const stored = await ocictl(t, ['copy', name, 'store:plain:1', '--compress', 'none', '--check']);
    assert.equal(stored.exitCode, 0, stored.stderr);
    const index = await ocictl(t, ['inspect', '--raw', 'store:plain:1']);
    assert.equal(JSON.parse(index.stdout).manifests.length, 2);
    assert.equal(
      (await ocictl(t, ['copy', name, 'store:some:1', '--platform', 'linux/amd64', '--sparse'])).exitCode,
      0,
    );
    const words = ['copy', 'store:some:1', `${to.host}/team/app:1`, '--image-format', 'docker', '--check'];
    const one64 = await ocictl(t, words);
    assert.equal(one64.exitCode, 0, one64.stderr);
    assert.equal((await to.registry.getManifest(app, one)).mediaType, mediaTypes.dockerManifest);
    // Unchanged, the store would take the index without the other image; that entry would keep its format.
    const reduced = await ocictl(t, ['copy', 'store:some:1', 'store:one:1', '--image-format', 'docker']);
    assert.equal(reduced.exitCode, 0, reduced.stderr);
    const { stdout } = await ocictl(t, ['inspect', '--raw', 'store:one:1']);
    assert.equal(JSON.parse(stdout).mediaType, mediaTypes.dockerManifest);
    const all = await ocictl(t, ['copy', 'store:some:1', 'oci:all:1', '--image-format', 'docker', '--all']);
    assert.equal(all.exitCode, 3);
    assert.match(all.stderr, /the index names images that are not there: linux\/arm64/);
  });

  it('leaves signatures behind, and says why', async (t) => {
    const from = await startPlace(t);
    const image = await imageFor('amd64');
    await pushImage(from.registry, app, one, image);
    const signature = await buildArtifact({ artifactType: 'a/signature', subject: image.descriptor });
    await pushImage(from.registry, app, undefined, signature);
    await ocictl(t, ['copy', '--referrers', `${from.host}/team/app:1`, 'oci:dir:1']);
    const { exitCode, stderr } = await ocictl(t, ['copy', 'oci:dir:1', 'oci:other:1', '--compress', 'none']);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /^1 referrer of oci:dir:1 stays behind: made for its digest before the conversion$/m);
  });
});
