import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readManifest } from '../../../src/model/manifest/manifest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { type Built, buildArtifact, buildImage, pushImage } from '../../support/images.ts';
import { buildBlob } from '../../support/layer.ts';
import { app, buildDemoIndex, imageFor, one, two, writes } from '../copy/places.ts';
import { imageAt, indexAt, startChanging } from './changed.ts';

const run = {
  Entrypoint: ['/app'],
  Cmd: ['serve'],
  Env: ['PATH=/bin', 'A=1', 'B=2'],
  User: 'root',
  Labels: { old: 'x', kept: 'y' },
  ExposedPorts: { '80/tcp': {} },
  Volumes: { '/data': {} },
};

/** An image without layers, with a number in its manifest that JavaScript cannot hold. */
async function imageOf(text: string): Promise<Built> {
  const config = await buildBlob(text, mediaTypes.ociConfig);
  const { digest, size } = config.descriptor;
  const entry = JSON.stringify({ mediaType: mediaTypes.ociConfig, digest, size });
  const bytes = Buffer.from(`{"schemaVersion":2, "odd":9007199254740993,"config":${entry},"layers":[]}`);
  const manifest = { mediaType: mediaTypes.ociManifest, bytes };
  return { manifest, descriptor: (await readManifest(manifest)).descriptor, blobs: [config], children: [] };
}

describe('ocictl mutate', () => {
  it('changes what is named, and nothing else', async (t) => {
    const { registry, name, run: ocictlDigest } = await startChanging(t);
    const image = await buildImage({ layers: [{ files: { a: 'a' } }], run, annotations: { k: 'v' } });
    await pushImage(registry, app, one, image);
    const { digest } = await ocictlDigest(
      ...['mutate', `${name}:1`, '-t', `${name}:2`, '--entrypoint', '["/bin/sh","-c"]', '--cmd', "echo 'a b'"],
      ...[
        '--env',
        'A=9',
        '--env',
        'C=x=y',
        '--unset-env',
        'B',
        '--unset-user',
        '--workdir',
        '/w',
        '--stop-signal',
        'SIGINT',
      ],
      ...[
        '--label',
        'new=z',
        '--unset-label',
        'old',
        '--annotation',
        'a=b',
        '--unset-annotation',
        'k',
        '--expose',
        '53/udp',
      ],
      ...['--unset-expose', '80', '--volume', '/v', '--unset-volume', '/data', '--created', '0', '--author', 'ada'],
    );
    const before = await imageAt(registry, image.descriptor.digest);
    const after = await imageAt(registry, digest);
    assert.equal((await registry.statManifest(app, two)).digest, digest);
    assert.deepEqual(after.config.config, {
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['echo', 'a b'],
      Env: ['PATH=/bin', 'A=9', 'C=x=y'],
      Labels: { kept: 'y', new: 'z' },
      ExposedPorts: { '53/udp': {} },
      Volumes: { '/v': {} },
      WorkingDir: '/w',
      StopSignal: 'SIGINT',
    });
    assert.deepEqual([after.config.created, after.config.author], ['1970-01-01T00:00:00Z', 'ada']);
    assert.deepEqual([after.config.rootfs, after.config.history], [before.config.rootfs, before.config.history]);
    assert.deepEqual(after.document.layers, before.document.layers);
    assert.deepEqual(after.view.annotations, { a: 'b' });
    assert.equal((await registry.statManifest(app, one)).digest, image.descriptor.digest);
  });

  it('keeps unknown fields to the byte, and the digest where nothing changes', async (t) => {
    const { registry, name, run: ocictlDigest } = await startChanging(t);
    const config = `{"big":12345678901234567890,"config":{ "Labels" : {"a":"b"},"Odd":1.50},"rootfs":{"type":"layers","diff_ids":[]},\n"os":"linux","architecture":"amd64"}`;
    const image = await imageOf(config);
    await pushImage(registry, app, one, image);
    const same = await ocictlDigest('mutate', `${name}:1`, '-t', `${name}:2`, '--label', 'a=b', '--unset-user');
    assert.equal(same.digest, image.descriptor.digest);
    const { digest } = await ocictlDigest('mutate', `${name}:1`, '-t', `${name}:2`, '--label', 'a=c');
    const after = await imageAt(registry, digest);
    assert.equal(after.configText, config.replace('"a":"b"', '"a":"c"'));
    assert.match(Buffer.from(after.manifest.bytes).toString(), /"odd":9007199254740993/);
  });

  it('gives a new entrypoint no arguments of the old one', async (t) => {
    const { registry, name, run: ocictlDigest } = await startChanging(t);
    await pushImage(registry, app, one, await buildImage({ layers: [], run }));
    const mutated = await ocictlDigest('mutate', `${name}:1`, '-t', `${name}:2`, '--entrypoint', '/other');
    const { config } = await imageAt(registry, mutated.digest);
    assert.deepEqual([config.config.Entrypoint, config.config.Cmd], [['/other'], undefined]);
  });

  it('sends config and manifest alone within a registry, and mounts the rest', async (t) => {
    const { registry, name, proxy, run: ocictlDigest } = await startChanging(t);
    const image = await imageFor('amd64');
    await pushImage(registry, app, one, image);
    const from = proxy.requests.length;
    await ocictlDigest('mutate', `${name}:1`, '-t', `${name}:2`, '--label', 'a=b');
    const uploads = writes(proxy, from).filter((line) => line.startsWith('PUT ') && line.includes('/uploads/'));
    assert.equal(uploads.length, 1, uploads.join('\n'));
    const read = proxy.requests.slice(from).filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'));
    assert.equal(read.length, 1);
    const elsewhere = proxy.requests.length;
    await ocictlDigest('mutate', `${name}:1`, '-t', `${name}-copy:1`, '--label', 'a=b');
    const mounts = writes(proxy, elsewhere).filter(
      (line) => line.includes('mount=') && line.endsWith('from=team%2Fapp'),
    );
    assert.equal(mounts.length, 3);
  });

  it('changes all images of an index, leaves out their attestations, and names what is orphaned', async (t) => {
    const { registry, name, run: ocictlDigest } = await startChanging(t);
    const { amd64, attestation, index } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    const signature = await buildArtifact({ artifactType: 'a/signature', subject: amd64.descriptor });
    await pushImage(registry, app, undefined, signature);
    const sigTag = parseTag(`${index.descriptor.digest.replace(':', '-')}.sig`);
    await pushImage(registry, app, sigTag, await buildArtifact({ artifactType: 'b/signature' }));
    const { digest, stderr } = await ocictlDigest('mutate', `${name}:1`, '-t', `${name}:1`, '--label', 'a=b');
    const { view } = await indexAt(registry, digest);
    assert.deepEqual(
      view.manifests.map(({ platform }) => platform?.architecture),
      ['amd64', 'arm64', 'riscv64'],
    );
    for (const entry of view.manifests) {
      assert.deepEqual((await imageAt(registry, entry.digest)).config.config.Labels, { a: 'b' });
    }
    assert.equal((await registry.statManifest(app, one)).digest, digest);
    for (const orphan of [attestation.descriptor.digest, signature.descriptor.digest, 'a/signature', sigTag]) {
      assert.ok(stderr.includes(orphan), `${orphan}\n${stderr}`);
    }
  });

  it('changes one platform of an index, and keeps the others with their attestations', async (t) => {
    const { registry, name, run: ocictlDigest } = await startChanging(t);
    const { amd64, attestation, index } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    const words = ['--platform', 'linux/arm64', '--set-platform', 'linux/arm/v7'];
    const { digest } = await ocictlDigest('mutate', `${name}:1`, '-t', `${name}:2`, ...words);
    const { view } = await indexAt(registry, digest);
    assert.deepEqual(
      view.manifests.map(({ platform }) => platform),
      [
        { os: 'linux', architecture: 'amd64' },
        { os: 'linux', architecture: 'arm', variant: 'v7' },
        { os: 'linux', architecture: 'riscv64' },
        { os: 'unknown', architecture: 'unknown' },
      ],
    );
    assert.equal(view.manifests[0]?.digest, amd64.descriptor.digest);
    assert.equal(view.manifests[3]?.digest, attestation.descriptor.digest);
    const { config } = await imageAt(registry, view.manifests[1]?.digest ?? assert.fail());
    assert.deepEqual([config.os, config.architecture, config.variant], ['linux', 'arm', 'v7']);
  });

  it('keeps the format of Docker, and writes into every kind of place', async (t) => {
    const { registry, name, run: ocictlDigest } = await startChanging(t);
    const docker = await buildImage({ layers: [{ files: { a: 'a' } }], format: 'docker' });
    await pushImage(registry, app, one, docker);
    const places = ['oci:layout:1', 'store:kept/app:1', 'oci-archive:app.tar', 'docker-archive:saved.tar', 'dir:dir'];
    for (const place of places) {
      const { digest } = await ocictlDigest('mutate', `${name}:1`, '-t', place, '--label', 'a=b');
      if (place.startsWith('docker-')) continue;
      const back = await ocictlDigest('mutate', place, '-t', `${name}:back`, '--user', '1');
      const { manifest, config } = await imageAt(registry, back.digest);
      assert.equal(manifest.mediaType, docker.manifest.mediaType, digest);
      assert.deepEqual(config.config.Labels, { a: 'b' });
    }
    const refused = await ocictl(t, ['mutate', `${name}:1`, '-t', `${name}:2`, '--annotation', 'a=b']);
    assert.deepEqual([refused.exitCode, /no annotations/.test(refused.stderr)], [1, true]);
  });

  it('leaves out images that the store lacks, and says so', async (t) => {
    const { registry, name, run: ocictlDigest } = await startChanging(t);
    const { index } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    assert.equal((await ocictl(t, ['pull', '-q', '--platform', 'linux/arm64', `${name}:1`])).exitCode, 0);
    const words = ['mutate', `store:${name}:1`, '-t', `${name}:3`, '--label', 'a=b'];
    const { digest, stderr } = await ocictlDigest(...words);
    const { view } = await indexAt(registry, digest);
    assert.deepEqual(
      view.manifests.map(({ platform }) => platform?.architecture),
      ['arm64'],
    );
    assert.match(stderr, /left out of the result: linux\/amd64, linux\/riscv64/);
  });

  const refusals: readonly (readonly [words: readonly string[], status: number, message: RegExp])[] = [
    [['--label', 'a=b'], 2, /not said where the result goes/],
    [['-t', '@:2', '--entrypoint', '["a"'], 2, /--entrypoint is no JSON array/],
    [['-t', '@:2', '--cmd', "a 'b"], 2, /ends within a quote/],
    [['-t', '@:2', '--user', 'a', '--unset-user'], 2, /conflicting options: --user and --unset-user/],
    [['-t', '@:2', '--label', 'a=b', '--unset-label', 'a'], 2, /conflicting options/],
    [['-t', '@:2', '--expose', '0'], 2, /takes a port/],
    [['-t', '@:2', '--created', 'yesterday'], 2, /takes a time/],
    [['-t', '@:2', '--set-platform', 'linux/arm64'], 2, /several would get this platform/],
    [['-t', '@:2', '--platform', 'linux/s390x', '--label', 'a=b'], 3, /no matching manifest/],
    [['-t', '@@sha256:00', '--label', 'a=b'], 2, /digest/],
  ];
  it('refuses what cannot be meant, and pushes nothing', async (t) => {
    const { registry, name, proxy } = await startChanging(t);
    const { index } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    for (const [words, status, message] of refusals) {
      const from = proxy.requests.length;
      const { exitCode, stdout, stderr } = await ocictl(t, [
        'mutate',
        `${name}:1`,
        ...words.map((word) => (word.startsWith('@') ? `${name}${word.slice(1)}` : word)),
      ]);
      assert.deepEqual([exitCode, stdout], [status, ''], `${words.join(' ')}: ${stderr}`);
      assert.match(stderr, message);
      assert.deepEqual(writes(proxy, from), []);
    }
  });
});
