import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { spawnServe } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { buildImage } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { needs } from '../../support/programs.ts';
import { sandbox } from '../../support/sandbox.ts';

const exec = promisify(execFile);

describe('ocictl serve --store for docker', () => {
  it('is the mirror of Docker Hub that dockerd is told of, without the network', async (t) => {
    if (!needs(t, 'docker', 'dockerd')) return;
    const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' };
    const image = await buildImage({ platform, layers: [{ files: { name: 'from the store' } }] });
    await keepImage(t, 'ocictl-mirrored:1', image);
    const mirror = await spawnServe(t, ['--store', '--mirror-of', 'docker.io', '-v']);
    const [, advice = ''] = await mirror.waitFor(/docker asks it first with: dockerd (.*)\n/);
    const env = { ...(await sandbox(t)).env, ...(await startDocker(t, advice.split(' '))) };
    const { stdout } = await exec('docker', ['pull', 'ocictl-mirrored:1'], { env });
    assert.match(stdout, new RegExp(`Digest: ${image.descriptor.digest}`));
    await mirror.waitFor(/GET \/v2\/library\/ocictl-mirrored\/manifests\/\S+ 200 .*agent="docker\//);
  });

  it('has every image under the name of its registry', async (t) => {
    if (!needs(t, 'docker', 'dockerd')) return;
    await keepImage(t, 'localhost:5001/team/app:1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
    const store = await spawnServe(t, ['--store']);
    const [, name = ''] = await store.waitFor(/with: ocictl pull (\S+)\n/);
    assert.equal(name, `${store.host}/localhost_5001/team/app:1`);
    const env = { ...(await sandbox(t)).env, ...(await startDocker(t)) };
    assert.match((await exec('docker', ['pull', name], { env })).stdout, /Downloaded newer image/);
  });
});
