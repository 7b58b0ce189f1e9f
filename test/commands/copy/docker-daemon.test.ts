import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestHex } from '../../../src/model/digest.ts';
import { ocictl } from '../../support/command.ts';
import { fail, startFakeDaemon } from '../../support/daemon/fake-daemon.ts';
import { startLoadingDaemon } from '../../support/daemon/loading-daemon.ts';
import { buildArtifact, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, assertWhole, imageFor, one, startPlace, two } from './places.ts';

describe('copy to docker-daemon:NAME', () => {
  it('sends the image for what the daemon runs, and prints its full name there', async (t) => {
    const { registry, host } = await startPlace(t);
    const daemon = await startLoadingDaemon(t);
    const [amd64, arm64] = [await imageFor('amd64'), await imageFor('arm64')];
    await pushImage(registry, app, one, await buildIndex([arm64, amd64]));
    const env = { DOCKER_HOST: daemon.host };
    const copied = await ocictl(t, ['copy', `${host}/team/app:1`, 'docker-daemon:app:1'], { env });
    assert.equal(copied.exitCode, 0, copied.stderr);
    assert.equal(copied.stdout, 'docker-daemon:docker.io/library/app:1\n');
    const [files] = daemon.loads;
    const [image] = JSON.parse(String(files?.get('manifest.json')));
    assert.deepEqual(image.RepoTags, ['app:1']);
    assert.equal(image.Config, `blobs/sha256/${digestHex(amd64.blobs[0]?.descriptor.digest ?? assert.fail())}`);
    assert.equal((await ocictl(t, ['tags', 'docker-daemon:app'], { env })).stdout, '1\n');
  });

  it('takes an image for another platform if it is in no index', async (t) => {
    const { registry, host } = await startPlace(t);
    const { host: daemon } = await startLoadingDaemon(t);
    await pushImage(registry, app, one, await imageFor('arm64'));
    const copied = await ocictl(t, ['copy', `${host}/team/app:1`, 'docker-daemon:app'], {
      env: { DOCKER_HOST: daemon },
    });
    assert.equal(copied.exitCode, 0, copied.stderr);
  });

  for (const [what, options] of [
    ['leaves out layers that the daemon has, and does not read them', {}],
    ['sends everything again to a daemon that refuses an archive without them', { whole: true }],
    ['sends everything at once to a daemon that keeps manifests', { manifests: true }],
  ] as const) {
    it(what, async (t) => {
      const { registry, host, proxy } = await startPlace(t);
      const daemon = await startLoadingDaemon(t, options);
      const first = await buildImage({ layers: [{ files: { base: 'base' } }, { files: { a: 'a' } }] });
      const second = await buildImage({ layers: [{ files: { base: 'base' } }, { files: { b: 'b' } }] });
      await pushImage(registry, app, one, first);
      await pushImage(registry, app, two, second);
      const env = { DOCKER_HOST: daemon.host };
      assert.equal((await ocictl(t, ['copy', `${host}/team/app:1`, 'docker-daemon:app:1'], { env })).exitCode, 0);
      const before = proxy.requests.length;
      const copied = await ocictl(t, ['copy', `${host}/team/app:2`, 'docker-daemon:app:2'], { env });
      assert.equal(copied.exitCode, 0, copied.stderr);
      const base = second.layers[0]?.descriptor.digest ?? assert.fail();
      const sent = daemon.loads.slice(1).map((files) => files.has(`blobs/sha256/${digestHex(base)}`));
      const isRead = proxy.requests.slice(before).some(({ path }) => path.endsWith(base));
      if ('whole' in options) assert.deepEqual([sent, isRead], [[false, true], true]);
      else if ('manifests' in options) assert.deepEqual([sent, isRead], [[true], true]);
      else assert.deepEqual([sent, isRead], [[false], false]);
    });
  }

  it('sends its image while a registry beside it gets the whole index', async (t) => {
    const { registry, host } = await startPlace(t);
    const daemon = await startLoadingDaemon(t);
    const index = await buildIndex([await imageFor('arm64'), await imageFor('amd64')]);
    await pushImage(registry, app, one, index);
    const words = ['copy', `${host}/team/app:1`, `${host}/team/app:2`, 'docker-daemon:app:1'];
    const copied = await ocictl(t, words, { env: { DOCKER_HOST: daemon.host } });
    assert.equal(copied.exitCode, 0, copied.stderr);
    assert.equal((await registry.statManifest(app, two)).digest, index.descriptor.digest);
    assert.equal(daemon.loads.length, 1);
  });

  it('sends all platforms to a daemon that keeps manifests with --platform all', async (t) => {
    const { registry, host } = await startPlace(t);
    const daemon = await startLoadingDaemon(t, { manifests: true });
    const index = await buildIndex([await imageFor('arm64'), await imageFor('amd64')]);
    await pushImage(registry, app, one, index);
    const env = { DOCKER_HOST: daemon.host };
    const copied = await ocictl(t, ['copy', '--platform', 'all', `${host}/team/app:1`, 'docker-daemon:app:1'], { env });
    assert.equal(copied.exitCode, 0, copied.stderr);
    assert.equal((await ocictl(t, ['digest', 'docker-daemon:app:1'], { env })).stdout, `${index.descriptor.digest}\n`);
  });

  it('sends nothing again under the same name, and everything under another', async (t) => {
    const { registry, host } = await startPlace(t);
    const daemon = await startLoadingDaemon(t, { manifests: true });
    await pushImage(registry, app, one, await imageFor('amd64'));
    const env = { DOCKER_HOST: daemon.host };
    for (const [word, count] of [
      ['docker-daemon:app:1', 1],
      ['docker-daemon:app:1', 1],
      ['docker-daemon:app:2', 2],
    ] as const) {
      const copied = await ocictl(t, ['copy', `${host}/team/app:1`, word], { env });
      assert.equal(copied.exitCode, 0, copied.stderr);
      assert.equal(daemon.loads.length, count);
    }
  });

  it('overwrites nothing with --if-absent', async (t) => {
    const { registry, host } = await startPlace(t);
    const daemon = await startLoadingDaemon(t);
    await pushImage(registry, app, one, await imageFor('amd64'));
    const words = ['copy', '--if-absent', `${host}/team/app:1`, 'docker-daemon:app:1'];
    const env = { DOCKER_HOST: daemon.host };
    assert.equal((await ocictl(t, words, { env })).exitCode, 0);
    const again = await ocictl(t, words, { env });
    assert.equal(again.exitCode, 9);
    assert.match(again.stderr, /docker-daemon:app:1 exists already/);
    assert.equal(daemon.loads.length, 1);
  });

  it('sends nothing if a layer cannot be read, and refuses what is no image', async (t) => {
    const { registry, host, proxy } = await startPlace(t);
    const daemon = await startLoadingDaemon(t);
    const image = await imageFor('amd64');
    await pushImage(registry, app, one, image);
    await pushImage(registry, app, two, await buildArtifact({ artifactType: 'text/plain' }));
    const env = { DOCKER_HOST: daemon.host };
    const artifact = await ocictl(t, ['copy', `${host}/team/app:2`, 'docker-daemon:app:2'], { env });
    assert.equal(artifact.exitCode, 1);
    assert.match(artifact.stderr, /takes images that can be run, and this is none/);
    proxy.fail({ path: /blobs/, status: 404 });
    const failed = await ocictl(t, ['copy', `${host}/team/app:1`, 'docker-daemon:app:1'], { env });
    assert.notEqual(failed.exitCode, 0);
    assert.equal(daemon.loads.length, 0);
  });

  it('says what the daemon says where it refuses, and what to do where there is none', async (t) => {
    const { registry, host } = await startPlace(t);
    await pushImage(registry, app, one, await imageFor('amd64'));
    const { host: full } = await startFakeDaemon(
      t,
      { version: '1.41' },
      {
        'GET /version': (response) => response.end('{"Os":"linux","Arch":"amd64"}'),
        'GET /info': (response) => response.end('{}'),
        'GET /images/json': (response) => response.end('[]'),
        'POST /images/load': (response) => response.end('{"error":"no space left on device"}'),
        '*': (response) => fail(response, 404, 'No such image'),
      },
    );
    const words = ['copy', `${host}/team/app:1`, 'docker-daemon:app:1'];
    const refused = await ocictl(t, words, { env: { DOCKER_HOST: full } });
    assert.equal(refused.exitCode, 5);
    assert.match(refused.stderr, /refuses the image: "no space left on device"\nhint: make room/);
    const { home } = await sandbox(t);
    const away = await ocictl(t, words, { env: { DOCKER_HOST: `unix://${home}/none.sock` } });
    assert.equal(away.exitCode, 5);
    assert.match(away.stderr, /error: there is no Docker daemon at unix:.*\nhint: start it/);
    const ssh = await ocictl(t, words, { env: { DOCKER_HOST: 'ssh://far' } });
    assert.match(ssh.stderr, /ssh -nNT -L/);
  });
});

describe('docker-daemon:NAME as a source', () => {
  it('has the image with its own digests where the daemon keeps them', async (t) => {
    const { registry, host } = await startPlace(t);
    const daemon = await startLoadingDaemon(t, { manifests: true });
    const image = await imageFor('amd64');
    await pushImage(registry, app, one, image);
    const env = { DOCKER_HOST: daemon.host };
    await ocictl(t, ['copy', `${host}/team/app:1`, 'docker-daemon:team/app:1'], { env });
    for (const word of [
      'team/app:1',
      image.descriptor.digest,
      image.descriptor.digest.slice(0, 20),
      image.descriptor.digest.slice(7, 19),
    ]) {
      const digest = await ocictl(t, ['digest', `docker-daemon:${word}`], { env });
      assert.equal(digest.stdout, `${image.descriptor.digest}\n`, digest.stderr);
      assert.equal(digest.stderr, '');
    }
    const copied = await ocictl(t, ['copy', 'docker-daemon:team/app:1', `${host}/team/app:2`], { env });
    assert.equal(copied.exitCode, 0, copied.stderr);
    await assertWhole(registry, app, image);
    const inspected = await ocictl(t, ['inspect', '--json', 'docker-daemon:team/app:1'], { env });
    assert.equal(JSON.parse(inspected.stdout).Digest, image.descriptor.digest, inspected.stderr);
  });

  it('is a name rather than an image ID where it may be both', async (t) => {
    const { registry, host } = await startPlace(t);
    const daemon = await startLoadingDaemon(t, { manifests: true });
    const image = await imageFor('amd64');
    await pushImage(registry, app, one, image);
    const env = { DOCKER_HOST: daemon.host };
    await ocictl(t, ['copy', `${host}/team/app:1`, 'docker-daemon:cafe'], { env });
    const copied = await ocictl(t, ['copy', '--json', 'docker-daemon:cafe', 'oci:layout:1'], { env });
    assert.equal(JSON.parse(copied.stdout).digest, image.descriptor.digest, copied.stderr);
    const absent = await ocictl(t, ['digest', 'docker-daemon:beef'], { env });
    assert.match(absent.stderr, /No such image in the Docker daemon: beef\n/);
  });

  it('says that the daemon lacks an image', async (t) => {
    const { host } = await startLoadingDaemon(t);
    for (const word of ['absent', `sha256:${'a'.repeat(64)}`]) {
      const failed = await ocictl(t, ['digest', `docker-daemon:${word}`], { env: { DOCKER_HOST: host } });
      assert.equal(failed.exitCode, 3);
      assert.match(failed.stderr, /No such image in the Docker daemon: /);
    }
  });

  it('is not deleted by ocictl', async (t) => {
    const failed = await ocictl(t, ['delete', '--yes', 'docker-daemon:app:1']);
    assert.equal(failed.exitCode, 2);
    assert.match(failed.stderr, /docker rmi app:1/);
  });
});
