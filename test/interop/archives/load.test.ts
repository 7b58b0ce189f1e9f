/** What other programs write, as read by `ocictl load`. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { type BuiltImage, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { start } from '../../support/process.ts';
import { startContainerd } from '../../support/programs/containerd.ts';
import { needs, podman, skopeo } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';

function imageOf(name: string, architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'): Promise<BuiltImage> {
  return buildImage({
    platform: { os: 'linux', architecture },
    // The same layer twice: programs write it once, or a link to it.
    layers: ['base', name, 'base'].map((layer) => ({ files: { [`${layer}-${architecture}`]: `${layer}\n` } })),
  });
}

async function run(t: TestContext, program: string, words: readonly string[], more: Record<string, string> = {}) {
  const { env, home } = await sandbox(t);
  const { exitCode, stdout, stderr } = await start(t, program, words, { env: { ...env, ...more }, cwd: home }).result;
  assert.equal(exitCode, 0, `${program} ${words.join(' ')}: ${stderr}`);
  return stdout;
}

/** Loads an archive in the home of the test, and checks what is printed, and the image that came of it. */
async function assertLoads(t: TestContext, file: string, names: readonly string[], image: BuiltImage): Promise<void> {
  const { exitCode, stdout, stderr } = await ocictl(t, ['load', '-i', file]);
  assert.deepEqual(
    [exitCode, stdout.split('\n').sort()],
    [0, ['', ...names.map((name) => `Loaded image: ${name}`)].sort()],
    stderr,
  );
  for (const name of names) {
    const id = await ocictl(t, ['images', '--no-trunc', '--quiet', name]);
    assert.equal(id.stdout.trim(), image.config.descriptor.digest, `${file}: ${id.stderr}`);
    // Every blob is read, and compared with its digest.
    const read = await ocictl(t, ['scrub', name]);
    assert.equal(read.exitCode, 0, read.stderr);
  }
}

describe('ocictl load', () => {
  it('takes archives of skopeo, crane, regctl, oras, and of a layout that tar packed', async (t) => {
    if (!needs(t, 'skopeo', 'crane', 'regctl', 'oras', 'umoci', 'tar')) return;
    const image = await imageOf('app');
    const { host, registry } = await startServe(t);
    await pushImage(registry, parseRepositoryName('app'), parseTag('1.0'), image);
    const name = `${host}/app:1.0`;
    await skopeo(t, ['copy', '-q', '--src-tls-verify=false', `docker://${name}`, `docker-archive:skopeo.tar:${name}`]);
    await assertLoads(t, 'skopeo.tar', [name], image);
    await skopeo(t, ['copy', '-q', '--src-tls-verify=false', `docker://${name}`, `oci-archive:skopeo-oci.tar:${name}`]);
    await assertLoads(t, 'skopeo-oci.tar', [name], image);
    await run(t, 'crane', ['--insecure', 'pull', name, 'crane.tar']);
    await assertLoads(t, 'crane.tar', [name], image);
    await run(t, 'regctl', ['registry', 'set', '--tls', 'disabled', host]);
    await run(t, 'regctl', ['image', 'export', name, 'regctl.tar']);
    await assertLoads(t, 'regctl.tar', [name], image);
    await run(t, 'oras', ['backup', '--plain-http', '--output', 'oras.tar', name]);
    await assertLoads(t, 'oras.tar', ['localhost/loaded:1.0'], image);
    await skopeo(t, ['copy', '-q', '--src-tls-verify=false', `docker://${name}`, 'oci:layout:2.0']);
    await run(t, 'umoci', ['tag', '--image', 'layout:2.0', '3.0']);
    await run(t, 'tar', ['-czf', 'umoci.tar.gz', '-C', 'layout', '.']);
    await assertLoads(t, 'umoci.tar.gz', ['localhost/loaded:2.0', 'localhost/loaded:3.0'], image);
  });

  it('takes an index from regctl, and skopeo writes a directory that is read as dir:', async (t) => {
    if (!needs(t, 'skopeo', 'regctl')) return;
    const index = await buildIndex([await imageOf('app', 'amd64'), await imageOf('app', 'arm64')]);
    const { host, registry } = await startServe(t);
    await pushImage(registry, parseRepositoryName('app'), parseTag('1.0'), index);
    await run(t, 'regctl', ['registry', 'set', '--tls', 'disabled', host]);
    await run(t, 'regctl', ['image', 'export', `${host}/app:1.0`, 'regctl.tar']);
    assert.equal((await ocictl(t, ['load', '-i', 'regctl.tar'])).stdout, `Loaded image: ${host}/app:1.0\n`);
    await skopeo(t, ['copy', '-q', '-a', '--src-tls-verify=false', `docker://${host}/app:1.0`, 'dir:skopeo']);
    for (const word of [`store:${host}/app:1.0`, 'dir:skopeo']) {
      assert.equal((await ocictl(t, ['digest', word])).stdout, `${index.descriptor.digest}\n`);
    }
    const copied = await ocictl(t, ['copy', 'dir:skopeo', 'oci:copied:1']);
    assert.equal(copied.exitCode, 0, copied.stderr);
  });

  it('takes what docker saves, by name and by ID, from a file and through a pipe', async (t) => {
    if (!needs(t, 'docker', 'dockerd')) return;
    const [image, other] = [await imageOf('app'), await imageOf('other')];
    await keepImage(t, 'app:1', image);
    await keepImage(t, 'app:latest', image);
    await keepImage(t, 'registry.example.com/team/other:2', other);
    const { home } = await sandbox(t);
    const names = ['app:1', 'app:latest', 'registry.example.com/team/other:2'];
    await ocictl(t, ['save', '-o', 'ours.tar', ...names]);
    const docker = await startDocker(t);
    await run(t, 'docker', ['load', '-i', 'ours.tar'], docker);
    await ocictl(t, ['rmi', ...names]);
    await run(t, 'docker', ['save', '-o', 'docker.tar', 'app:1', 'app:latest'], docker);
    await assertLoads(t, 'docker.tar', ['app:1', 'app:latest'], image);
    const id = other.config.descriptor.digest;
    await run(t, 'docker', ['save', '-o', 'id.tar', id], docker);
    const byId = await ocictl(t, ['load'], { input: await readFile(join(home, 'id.tar')) });
    assert.equal(byId.stdout, `Loaded image ID: ${id}\n`, byId.stderr);
    await run(t, 'docker', ['rmi', 'app:1', 'app:latest'], docker);
    const into = await ocictl(t, ['load', '-i', 'docker.tar', '--into', 'docker-daemon:', 'app:1'], { env: docker });
    assert.equal(into.stdout, 'Loaded image: app:1\n', into.stderr);
    const back = await run(t, 'docker', ['inspect', '-f', '{{.Id}}', 'app:1'], docker);
    assert.equal(back.trim(), image.config.descriptor.digest);
  });

  it('takes both kinds of archives of podman', async (t) => {
    if (!needs(t, 'podman')) return;
    const image = await imageOf('app');
    await keepImage(t, 'localhost/app:1', image);
    await ocictl(t, ['save', '-o', 'ours.tar', 'localhost/app:1']);
    await podman(t, ['load', '-q', '-i', 'ours.tar']);
    for (const format of ['docker-archive', 'oci-archive']) {
      await ocictl(t, ['rmi', 'localhost/app:1']);
      await podman(t, ['save', '-q', '--format', format, '-o', `${format}.tar`, 'localhost/app:1']);
      await assertLoads(t, `${format}.tar`, ['localhost/app:1'], image);
    }
  });

  it('takes what containerd exports, with the digests of its images', async (t) => {
    if (!needs(t, 'ctr', 'containerd')) return;
    const [amd64, arm64] = [await imageOf('app', 'amd64'), await imageOf('app', 'arm64')];
    const index = await buildIndex([amd64, arm64]);
    await keepImage(t, 'app:1', index);
    await ocictl(t, ['save', '--platform', 'all', '-o', 'ours.tar', 'app:1']);
    const ctr = ['--address', await startContainerd(t)];
    await run(t, 'ctr', [...ctr, 'images', 'import', '--all-platforms', '--no-unpack', 'ours.tar']);
    await ocictl(t, ['rmi', 'app:1']);
    for (const [words, missing] of [
      [['--all-platforms'], ''],
      [['--platform', 'linux/arm64'], 'linux/amd64'],
    ] as const) {
      await run(t, 'ctr', [...ctr, 'images', 'export', ...words, 'ctr.tar', 'docker.io/library/app:1']);
      const { stdout, stderr } = await ocictl(t, ['load', '-i', 'ctr.tar']);
      assert.equal(stdout, 'Loaded image: app:1\n', stderr);
      assert.ok(stderr.includes(missing), stderr);
      assert.equal((await ocictl(t, ['digest', 'store:app:1'])).stdout, `${index.descriptor.digest}\n`);
      await ocictl(t, ['rmi', 'app:1']);
      await ocictl(t, ['prune', '--yes']);
    }
  });
});
