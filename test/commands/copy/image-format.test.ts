import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { layoutRepository, openLayout } from '../../../src/layout/layout.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { ocictl } from '../../support/command.ts';
import { buildArtifact, buildAttestation, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { buildLayer } from '../../support/layer.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, imageFor, one, startPlace, two, writes } from './places.ts';

describe('ocictl copy --image-format', () => {
  it("changes media types alone, from OCI's to Docker's, and tells both digests", async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const image = await buildImage({
      layers: [{ files: { a: 'a' } }, { files: { b: 'b' }, compression: 'none' }],
    });
    await pushImage(from.registry, app, one, image);
    const words = ['copy', `${from.host}/team/app:1`, `${to.host}/team/app:1`, '--image-format', 'docker', '--check'];
    const { exitCode, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    const { descriptor, mediaType, view } = await to.registry.getManifest(app, one);
    assert.equal(mediaType, mediaTypes.dockerManifest);
    assert.ok(view.kind === 'image');
    assert.deepEqual(
      [view.config, ...view.layers].map(({ mediaType: type, digest, size }) => [type, digest, size]),
      [image.config, ...image.layers].map(({ descriptor: { digest, size } }, i) => [
        [mediaTypes.dockerConfig, mediaTypes.dockerLayer, 'application/vnd.docker.image.rootfs.diff.tar'][i],
        digest,
        size,
      ]),
    );
    assert.ok(stderr.includes(`${image.descriptor.digest} was converted, and is ${descriptor.digest} in the copy`));
    const before = to.proxy.requests.length;
    const again = JSON.parse((await ocictl(t, [...words, '--json'])).stdout) as Record<string, unknown>;
    assert.deepEqual(
      [again['changed'], again['digest'], again['rewrittenFrom'], again['transferredBytes']],
      [false, descriptor.digest, image.descriptor.digest, 0],
    );
    // Small blobs are looked up by a mount from their own repository.
    assert.deepEqual(
      writes(to.proxy, before).filter((line) => !line.includes('?mount=')),
      [],
    );
  });

  it("changes a list with all its images to OCI's types, also beside the original, and leaves what has the format", async (t) => {
    const from = await startPlace(t);
    const images = await Promise.all(
      ['amd64', 'arm64'].map((architecture) =>
        buildImage({
          format: 'docker',
          platform: { os: 'linux', architecture },
          layers: [{ files: { a: architecture } }],
        }),
      ),
    );
    await pushImage(from.registry, app, one, await buildIndex(images, { format: 'docker' }));
    const words = [`${from.host}/team/app:1`, `${from.host}/team/app:2`, '--image-format', 'oci', '--check-bytes'];
    const { exitCode, stderr } = await ocictl(t, ['copy', ...words]);
    assert.equal(exitCode, 0, stderr);
    const { mediaType, view, descriptor } = await from.registry.getManifest(app, two);
    assert.equal(mediaType, mediaTypes.ociIndex);
    assert.ok(view.kind === 'index');
    for (const entry of view.manifests) {
      assert.equal(entry.mediaType, mediaTypes.ociManifest);
      const child = await from.registry.getManifest(app, entry.digest);
      assert.ok(child.view.kind === 'image');
      const types = [child.view.config, ...child.view.layers].map((blob) => blob.mediaType);
      assert.deepEqual(types, [mediaTypes.ociConfig, mediaTypes.ociLayerGzip]);
    }
    const same = await ocictl(t, ['copy', `${from.host}/team/app:2`, `${from.host}/team/app:3`, ...words.slice(2)]);
    assert.equal(same.exitCode, 0, same.stderr);
    assert.doesNotMatch(same.stderr, /converted/);
    assert.equal(JSON.stringify(await from.registry.statManifest(app, descriptor.digest)), JSON.stringify(descriptor));
  });

  it('makes a smaller index of some platforms in a layout too: the others would not be converted', async (t) => {
    const from = await startPlace(t);
    const images = [await imageFor('amd64'), await imageFor('arm64'), await imageFor('riscv64')];
    await pushImage(from.registry, app, one, await buildIndex(images));
    const words = ['oci:some:1', '--image-format', 'docker', '--platform', 'linux/amd64,linux/arm64'];
    const { exitCode, stderr } = await ocictl(t, ['copy', `${from.host}/team/app:1`, ...words]);
    assert.equal(exitCode, 0, stderr);
    const layout = await openLayout({ directory: join((await sandbox(t)).home, 'some'), readOnly: true });
    const { mediaType, view } = await layout.getManifest(layoutRepository, one);
    assert.equal(mediaType, mediaTypes.dockerList);
    assert.deepEqual(
      view.kind === 'index' && view.manifests.map((entry) => [entry.mediaType, entry.platform?.architecture]),
      [
        [mediaTypes.dockerManifest, 'amd64'],
        [mediaTypes.dockerManifest, 'arm64'],
      ],
    );
  });

  it("refuses what Docker's format cannot hold before a byte is written", async (t) => {
    const [from, to] = [await startPlace(t), await startPlace(t)];
    const layers = [{ files: { a: 'a' } }];
    const image = await buildImage({ layers });
    const zstd = await buildLayer({ files: { a: 'a' }, compression: 'zstd' });
    const cases = [
      [
        await buildImage({ layers, annotations: { 'org.example.\u001b': 'x' } }),
        /no annotations.*"org\.example\.\\u001b"/,
        /leave --image-format out/,
      ],
      [await buildImage({ layers, subject: image.descriptor }), /no subject/, /leave --image-format out/],
      [await buildArtifact({ artifactType: 'a/b' }), /no artifact types, .*"a\/b"/, /leave --image-format out/],
      [await buildArtifact({ artifactType: 'a/b', typeInConfig: true }), /no artifacts, .*"a\/b"/, /leave/],
      [await buildImage({ layers: [zstd] }), /no layers in zstd/, /add --compress gzip/],
      [
        await buildImage({ layers: [{ files: {}, mediaType: 'a/layer' }] }),
        /no layers of the type "a\/layer"/,
        /leave/,
      ],
      [
        await buildIndex([image, await buildAttestation(image)]),
        /no annotations, and the attestation sha256/,
        /--platform/,
      ],
      [await buildIndex([await buildIndex([image])]), /no entries of the type/, /--platform/],
      [await buildIndex([image], { annotations: { a: 'b' } }), /no annotations, and this index has "a"/, /--platform/],
    ] as const;
    for (const [built, message, hint] of cases) {
      await pushImage(from.registry, app, undefined, image);
      await pushImage(from.registry, app, one, built);
      const words = ['copy', `${from.host}/team/app:1`, `${to.host}/team/app:1`, '--image-format', 'docker'];
      const { exitCode, stdout, stderr } = await ocictl(t, words);
      assert.deepEqual([exitCode, stdout], [1, ''], stderr);
      assert.match(stderr, message);
      assert.match(stderr, hint);
    }
    assert.deepEqual(writes(to.proxy), []);
  });

  it('refuses options that need the digest beforehand, or are about another image', async (t) => {
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['--dry-run'], /exclude --dry-run and --plan/],
      [['--plan', 'file'], /exclude --dry-run and --plan/],
      [['--referrers'], /exclude --referrers[\s\S]*signatures and other referrers/],
      [['--digest-tags'], /exclude --digest-tags/],
      [['--if-absent'], /exclude --if-absent/],
      [['--sparse', '--platform', 'linux/amd64'], /exclude --sparse/],
      [['--compress', 'zstd'], /conflicting options: --image-format docker and --compress zstd/],
      [['--compress', 'gzip:10'], /--compress gzip has no level "10"[\s\S]*1 to 9/],
      [['--compress', 'zstd:20'], /--compress zstd has no level "20"[\s\S]*1 to 19/],
      [['--compress', 'none:1'], /--compress none has no level "1"/],
      [['--compress', 'gzip:5:5'], /no level "5:5"/],
      [['--compress', 'xz'], /--compress is not "xz"[\s\S]*gzip, zstd, none/],
    ];
    for (const [words, message] of cases) {
      const { exitCode, stderr } = await ocictl(t, [
        'copy',
        'oci:a:1',
        'oci:b:1',
        '--image-format',
        'docker',
        ...words,
      ]);
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, message);
    }
    assert.equal((await ocictl(t, ['copy', 'oci:a:1', 'oci:b:1', '--image-format', 'OCI'])).exitCode, 2);
  });
});
