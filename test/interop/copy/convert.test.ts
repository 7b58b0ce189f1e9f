/** Images in another format and compression, with skopeo, crane, podman and Docker as judges. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { app, one } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { buildLayer, randomLayer } from '../../support/layer.ts';
import { type RunResult, start } from '../../support/process.ts';
import { smallDisk } from '../../support/programs/small-disk.ts';
import { type DockerRegistry, needs, podman, skopeo, startDockerRegistry } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';
import { type Scope, sandbox } from '../../support/sandbox.ts';

async function imageOf(architecture = 'amd64') {
  const layers = [
    await randomLayer(2_000_000, 'plain'),
    await buildLayer({ files: { 'etc/gzip': architecture } }),
    await buildLayer({ files: { 'etc/zstd': architecture }, compression: 'zstd' }),
  ];
  return await buildImage({ platform: { os: 'linux', architecture }, layers, run: { Cmd: ['/bin/true'] } });
}

async function run(
  t: Scope,
  words: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  const { home, env } = await sandbox(t);
  const [program = '', ...rest] = words;
  const result = await start(t, program, rest, { env: { ...env, ...more }, cwd: home }).result;
  assert.equal(result.exitCode, 0, result.stderr);
  return result;
}

async function validated(t: Scope, { host }: DockerRegistry, tag: string): Promise<void> {
  await run(t, ['crane', 'validate', '--insecure', '--remote', `${host}/team/app:${tag}`]);
}

async function rawOf(t: Scope, { host }: DockerRegistry, tag: string): Promise<Record<string, unknown>> {
  const words = ['inspect', '--tls-verify=false', '--raw', `docker://${host}/team/app:${tag}`];
  return JSON.parse((await skopeo(t, words)).stdout) as Record<string, unknown>;
}

describe('copies in another format and compression', { concurrency: false }, () => {
  it("are images of Docker's format for skopeo, crane and podman, with the same image ID", async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo', 'crane', 'podman')) return;
    const registry = await startDockerRegistry(t);
    const images = [await imageOf(), await imageOf('arm64')];
    await pushImage(openRemote(t, registry.url), app, one, await buildIndex(images));
    const name = `${registry.host}/team/app`;
    const words = [
      'copy',
      `${name}:1`,
      `${name}:docker`,
      '--image-format',
      'docker',
      '--compress',
      'gzip',
      '--check-bytes',
    ];
    const { exitCode, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    const list = await rawOf(t, registry, 'docker');
    assert.equal(list['mediaType'], 'application/vnd.docker.distribution.manifest.list.v2+json');
    await validated(t, registry, 'docker');
    await podman(t, ['pull', '-q', '--tls-verify=false', `${name}:docker`]);
    const { stdout } = await podman(t, ['inspect', '--format', '{{.Id}}', `${name}:docker`]);
    assert.equal(`sha256:${stdout.trim()}`, images[0]?.config.descriptor.digest);
    const back = await ocictl(t, [
      'copy',
      `${name}:docker`,
      `${name}:oci`,
      '--image-format',
      'oci',
      '--compress',
      'none',
    ]);
    assert.equal(back.exitCode, 0, back.stderr);
    assert.equal((await rawOf(t, registry, 'oci'))['mediaType'], 'application/vnd.oci.image.index.v1+json');
    await podman(t, ['pull', '-q', '--tls-verify=false', `${name}:oci`]);
    const same = await podman(t, ['inspect', '--format', '{{.Id}}', `${name}:oci`]);
    assert.equal(same.stdout, stdout);
  });

  it('are images in zstd for crane and podman, by a package where Node has none', async (t) => {
    if (!needs(t, 'docker-registry', 'crane', 'podman')) return;
    const registry = await startDockerRegistry(t);
    const image = await imageOf();
    await pushImage(openRemote(t, registry.url), app, one, image);
    const name = `${registry.host}/team/app`;
    const { exitCode, stderr } = await ocictl(t, [
      'copy',
      `${name}:1`,
      `${name}:zstd`,
      '--compress',
      'zstd:5',
      '--check',
    ]);
    assert.equal(exitCode, 0, stderr);
    const layers = (await rawOf(t, registry, 'zstd'))['layers'] as readonly { readonly mediaType: string }[];
    assert.deepEqual(
      new Set(layers.map(({ mediaType }) => mediaType)),
      new Set(['application/vnd.oci.image.layer.v1.tar+zstd']),
    );
    // crane validates layers in gzip alone, but reads others.
    await run(t, ['crane', 'export', '--insecure', `${name}:zstd`, 'all.tar']);
    await podman(t, ['pull', '-q', '--tls-verify=false', `${name}:zstd`]);
    const { stdout } = await podman(t, ['inspect', '--format', '{{.Id}}', `${name}:zstd`]);
    assert.equal(`sha256:${stdout.trim()}`, image.config.descriptor.digest);
  });

  it('are loaded by Docker from an archive', async (t) => {
    if (!needs(t, 'docker-registry', 'dockerd', 'docker')) return;
    const registry = await startDockerRegistry(t);
    const image = await imageOf();
    await pushImage(openRemote(t, registry.url), app, one, image);
    const words = ['docker-archive:app.tar:team/app:1', '--image-format', 'docker', '--compress', 'gzip'];
    const { exitCode, stderr } = await ocictl(t, ['copy', `${registry.host}/team/app:1`, ...words]);
    assert.equal(exitCode, 0, stderr);
    const docker = await startDocker(t);
    await run(t, ['docker', 'load', '-i', 'app.tar'], docker);
    const inspected = await run(t, ['docker', 'inspect', '--format', '{{.Id}}', 'team/app:1'], docker);
    assert.equal(inspected.stdout.trim(), image.config.descriptor.digest);
  });

  it('fail with nothing written and nothing left where the disk for temporary files is full', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const disk = await smallDisk(t, 1_000_000);
    if (disk === undefined) return;
    const registry = await startDockerRegistry(t, { accessLog: true });
    const remote = openRemote(t, registry.url);
    await pushImage(remote, app, one, await imageOf());
    const words = ['copy', `${registry.host}/team/app:1`, `${registry.host}/team/other:1`, '--compress', 'gzip'];
    const { exitCode, stderr } = await ocictl(t, words, { ownProcess: true, env: { TMPDIR: disk } });
    assert.equal(exitCode, 10, stderr);
    assert.match(stderr, /cannot convert layer sha256:\w+ into .*no space is left on the device/);
    assert.match(stderr, /\$TMPDIR/);
    assert.deepEqual(await readdir(disk), []);
    assert.ok(
      !registry
        .requests()
        .some(({ method, path }) => !['GET', 'HEAD'].includes(method) && path.includes('/team/other/')),
    );
  });
});
