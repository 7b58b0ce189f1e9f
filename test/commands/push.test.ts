import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseTag } from '../../src/model/reference/reference.ts';
import { ocictl, spawnOcictl, spawnServe } from '../support/command.ts';
import { type Built, buildImage, pushImage } from '../support/images.ts';
import { buildBlob, randomLayer } from '../support/layer.ts';
import { keepImage } from '../support/local-store.ts';
import { app, imageFor, latest, startPlace, until } from './copy/places.ts';

const layerIds = (image: Built): string[] =>
  image.blobs.slice(1).map(({ descriptor }) => descriptor.digest.slice(7, 19));

describe('ocictl push', () => {
  it('prints what docker push prints, on stdout, and nothing else there', async (t) => {
    const { host, registry } = await startPlace(t);
    const image = await imageFor('amd64');
    await keepImage(t, `${host}/team/app`, image);
    const { exitCode, stdout, stderr } = await ocictl(t, ['push', `${host}/team/app`]);
    assert.equal(exitCode, 0, stderr);
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual(lines.slice(0, 2), [
      'Using default tag: latest',
      `The push refers to repository [${host}/team/app]`,
    ]);
    assert.deepEqual(
      lines.slice(2, -1).sort(),
      layerIds(image)
        .map((id) => `${id}: Pushed`)
        .sort(),
    );
    assert.equal(lines.at(-1), `latest: digest: ${image.descriptor.digest} size: ${image.manifest.bytes.length}`);
    assert.equal((await registry.statManifest(app, latest)).digest, image.descriptor.digest);
  });

  it('says that the layers exist the second time, and sends nothing', async (t) => {
    const { host, proxy } = await startPlace(t);
    const image = await imageFor('amd64');
    await keepImage(t, `${host}/team/app`, image);
    await ocictl(t, ['push', '-q', `${host}/team/app`]);
    const before = proxy.requests.length;
    const { stdout } = await ocictl(t, ['push', `${host}/team/app:latest`]);
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      `The push refers to repository [${host}/team/app]`,
      ...layerIds(image).map((id) => `${id}: Layer already exists`),
      `latest: digest: ${image.descriptor.digest} size: ${image.manifest.bytes.length}`,
    ]);
    const asked = proxy.requests.slice(before);
    assert.ok(asked.every(({ method, receivedBytes }) => ['GET', 'HEAD'].includes(method) && receivedBytes === 0));
  });

  it('sends only the layers that are not there, and says which is which', async (t) => {
    const { host, registry, proxy } = await startPlace(t);
    const [base, image] = [await imageFor('amd64', ['a', 'b']), await imageFor('amd64', ['a', 'b', 'c'])];
    await pushImage(registry, app, parseTag('base'), base);
    await keepImage(t, `${host}/team/app:2`, image);
    const { stdout } = await ocictl(t, ['push', `${host}/team/app:2`]);
    const [a, b, c] = layerIds(image);
    const lines = stdout.trimEnd().split('\n').slice(1, -1).sort();
    assert.deepEqual(lines, [`${a}: Layer already exists`, `${b}: Layer already exists`, `${c}: Pushed`].sort());
    assert.equal(proxy.count(/\/blobs\/uploads\//, 'PUT'), 2, 'the layer and the config');
  });

  it('mounts what another repository of the registry has, and says from where', async (t) => {
    const { host, proxy } = await startPlace(t);
    const image = await imageFor('amd64');
    await keepImage(t, `${host}/team/app`, image);
    await ocictl(t, ['push', '-q', `${host}/team/app`]);
    assert.equal((await ocictl(t, ['tag', `${host}/team/app`, `${host}/other/copy:1`])).exitCode, 0);
    const before = proxy.requests.length;
    const { exitCode, stdout } = await ocictl(t, ['push', `${host}/other/copy:1`]);
    assert.equal(exitCode, 0);
    const mounted = layerIds(image).map((id) => `${id}: Mounted from team/app`);
    assert.deepEqual(stdout.trimEnd().split('\n').slice(1, -1).sort(), mounted.sort());
    const blobBytes = proxy.requests.slice(before).filter(({ path }) => path.includes('/blobs/'));
    assert.ok(blobBytes.every(({ receivedBytes }) => receivedBytes === 0));
  });

  it('uploads when the other repository has gone from the registry', async (t) => {
    const { host, registry } = await startPlace(t);
    const image = await imageFor('amd64');
    await keepImage(t, `${host}/gone/app`, image);
    await ocictl(t, ['tag', `${host}/gone/app`, `${host}/team/app`]);
    const { exitCode, stdout } = await ocictl(t, ['push', `${host}/team/app`]);
    assert.equal(exitCode, 0);
    assert.equal(stdout.match(/: Pushed$/gm)?.length, 3);
    assert.equal((await registry.statManifest(app, latest)).digest, image.descriptor.digest);
  });

  it('prints only the full name with -q, and nothing on stderr', async (t) => {
    const { host } = await startPlace(t);
    await keepImage(t, `${host}/team/app:1`, await imageFor('amd64'));
    const { stdout, stderr } = await ocictl(t, ['push', '-q', `${host}/team/app:1`]);
    assert.deepEqual([stdout, stderr], [`${host}/team/app:1\n`, '']);
  });

  it('tells as JSON what was pushed', async (t) => {
    const { host } = await startPlace(t);
    const image = await imageFor('amd64');
    await keepImage(t, `${host}/team/app:1`, image);
    const first = JSON.parse((await ocictl(t, ['push', '--json', `${host}/team/app:1`])).stdout) as Outcome;
    const blobBytes = image.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    assert.deepEqual(
      [first.reference, first.digest, first.size, first.changed, first.transferredBytes],
      [`${host}/team/app:1`, image.descriptor.digest, image.manifest.bytes.length, true, blobBytes],
    );
    assert.deepEqual(new Set(first.layers.map(({ outcome }) => outcome)), new Set(['transferred']));
    const again = JSON.parse((await ocictl(t, ['push', '--json', `${host}/team/app:1`])).stdout) as Outcome;
    assert.deepEqual([again.changed, again.transferredBytes, again.layers.length], [false, 0, 3]);
    assert.deepEqual(new Set(again.layers.map(({ outcome }) => outcome)), new Set(['exists']));
  });

  const refusals: [title: string, words: (host: string) => string[], status: number, message: RegExp, hint: RegExp][] =
    [
      [
        'a tag with -a',
        (host) => ['push', '-a', `${host}/team/app:1`],
        2,
        /tag can't be used with --all-tags\/-a/,
        /repository alone/,
      ],
      [
        'a digest',
        (host) => ['push', `${host}/team/app@sha256:${'a'.repeat(64)}`],
        2,
        /cannot push a digest reference/,
        /ocictl tag/,
      ],
      [
        'a name that is not in the store',
        (host) => ['push', `${host}/team/none`],
        3,
        /An image does not exist locally with the tag: \S+\/team\/none\n/,
        /ocictl images/,
      ],
      [
        'a tag that is not in the store',
        (host) => ['push', `${host}/team/app:9`],
        3,
        /tag does not exist: \S+\/team\/app:9\n/,
        /ocictl images/,
      ],
      [
        'every tag of nothing',
        (host) => ['push', '-a', `${host}/team/none`],
        3,
        /An image does not exist locally with the tag: \S+\/team\/none\n/,
        /ocictl images/,
      ],
      [
        'a platform that the image is not for',
        (host) => ['push', '--platform', 'linux/s390x', `${host}/team/app`],
        3,
        /the image is for linux\/amd64 alone/,
        /linux\/amd64/,
      ],
    ];
  for (const [title, words, status, message, hint] of refusals) {
    it(`refuses ${title} with status ${status} and what to do`, async (t) => {
      const { host, proxy } = await startPlace(t);
      await keepImage(t, `${host}/team/app`, await imageFor('amd64'));
      const { exitCode, stdout, stderr } = await ocictl(t, words(host));
      assert.equal(exitCode, status, stderr);
      assert.match(stderr, message);
      assert.match(stderr, hint);
      if (status === 2) assert.equal(stdout, '');
      assert.equal(proxy.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD').length, 0);
    });
  }

  it('says that the registry is read-only: status 4', async (t) => {
    const { host } = await spawnServe(t, ['--memory', '--read-only']);
    await keepImage(t, `${host}/team/app`, await imageFor('amd64'));
    const { exitCode, stderr } = await ocictl(t, ['push', '--json', `${host}/team/app`]);
    assert.equal(exitCode, 4, stderr);
    assert.match(stderr, /read-only/);
    assert.match(stderr, /takes no pushes: /);
    assert.doesNotMatch(stderr, /log in/);
    const { error } = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '') as { error: Record<string, unknown> };
    assert.equal(error['code'], 'DENIED');
  });

  it('does not send layers that may not be redistributed', async (t) => {
    const { host, registry } = await startPlace(t);
    const foreign = await buildBlob('secret sauce', mediaTypes.dockerForeignLayer);
    const urls = ['https://example.com/layer'];
    const layer = { ...foreign, descriptor: { ...foreign.descriptor, urls }, diffId: foreign.descriptor.digest };
    const image = await buildImage({ format: 'docker', layers: [layer, { files: { own: 'own' } }] });
    await keepImage(t, `${host}/team/app`, image);
    const { exitCode, stdout, stderr } = await ocictl(t, ['push', `${host}/team/app`]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, new RegExp(`^${foreign.descriptor.digest.slice(7, 19)}: Skipped foreign layer$`, 'm'));
    assert.equal((await registry.statManifest(app, latest)).digest, image.descriptor.digest);
    await assert.rejects(registry.statBlob(app, foreign.descriptor.digest));
  });
});

describe('an interrupted ocictl push', () => {
  it('ends with status 130 on Ctrl-C, leaves no tag, and the next one completes', async (t) => {
    const { host, registry, proxy } = await startPlace(t);
    const image = await buildImage({
      layers: [await randomLayer(3_000_000, 'large'), { files: { small: 'small' } }],
    });
    await keepImage(t, `${host}/team/app`, image);
    const [, large] = image.blobs;
    proxy.fail({ path: /\/blobs\/uploads\/.*digest=/, method: 'PUT', delayMs: 60_000 });
    const running = await spawnOcictl(t, ['push', `${host}/team/app`]);
    await until(() => proxy.count(/digest=/, 'PUT') > 0);
    running.child.kill('SIGINT');
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 130, stderr);
    assert.match(stderr, /interrupted/);
    const opened = proxy.requests.filter(({ method }) => method === 'PUT').map(({ path }) => path.split('?')[0]);
    for (const session of new Set(opened)) {
      const told = proxy.requests.filter(({ method, path }) => method === 'DELETE' && path.split('?')[0] === session);
      assert.deepEqual(
        told.map(({ status }) => status),
        [204],
        'the registry keeps no session',
      );
    }
    await assert.rejects(registry.statManifest(app, latest));
    await assert.rejects(registry.statBlob(app, large?.descriptor.digest ?? image.descriptor.digest));
    proxy.heal();
    const next = await ocictl(t, ['push', '-q', `${host}/team/app`]);
    assert.equal(next.exitCode, 0, next.stderr);
    assert.equal((await registry.statManifest(app, latest)).digest, image.descriptor.digest);
  });
});

describe('an ocictl push that was interrupted at a registry that has gone silent', () => {
  const start = async (t: TestContext) => {
    const { host, proxy } = await startPlace(t);
    await keepImage(t, `${host}/team/app`, await imageFor('amd64', ['a']));
    proxy.fail({ path: /digest=/, method: 'PUT', silent: true });
    proxy.fail({ method: 'DELETE', silent: true });
    const running = await spawnOcictl(t, ['push', `${host}/team/app`]);
    await until(() => proxy.count(/digest=/, 'PUT') === 2);
    running.child.kill('SIGTERM');
    await until(() => proxy.count(undefined, 'DELETE') > 0);
    return running;
  };

  it('does not wait for it: the registry forgets the uploads by itself', async (t) => {
    const { result } = await start(t);
    const { exitCode, stderr } = await result;
    assert.equal(exitCode, 143);
    assert.match(stderr, /interrupted/);
  });

  it('ends at once on a second signal', async (t) => {
    const { child, result } = await start(t);
    await new Promise((resolve) => setTimeout(resolve, 200));
    child.kill('SIGTERM');
    const { exitCode, stderr } = await result;
    assert.equal(exitCode, 143);
    assert.doesNotMatch(stderr, /interrupted/);
  });
});

interface Outcome {
  readonly reference: string;
  readonly digest: string;
  readonly size: number;
  readonly changed: boolean;
  readonly transferredBytes: number;
  readonly layers: readonly { readonly outcome: string }[];
}
