/** Other programs as judges of what `ocictl save` writes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { type BuiltImage, buildImage, buildIndex } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { start } from '../../support/process.ts';
import { startContainerd } from '../../support/programs/containerd.ts';
import { needs } from '../../support/programs.ts';
import { sandbox } from '../../support/sandbox.ts';

const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** An image whose files no other has. */
function imageOf(name: string, architectureOf = architecture): Promise<BuiltImage> {
  return buildImage({
    platform: { os: 'linux', architecture: architectureOf },
    layers: ['base', name].map((layer) => ({ files: { [`${layer}-${architectureOf}`]: `${layer}\n` } })),
  });
}

/** Saves two images of the store, one of them with two names. */
async function saveTwo(t: TestContext, words: readonly string[] = []) {
  const [first, second] = [await imageOf('first'), await imageOf('second')];
  await keepImage(t, 'app:1', first);
  await keepImage(t, 'app:latest', first);
  await keepImage(t, 'registry.example.com/team/other:2', second);
  const file = join((await sandbox(t)).home, 'a.tar');
  const names = ['app:1', 'app:latest', 'registry.example.com/team/other:2'];
  const { exitCode, stderr } = await ocictl(t, ['save', '-o', file, ...words, ...names]);
  assert.equal(exitCode, 0, stderr);
  return { file, first, second };
}

/** Runs a program, which must succeed. @returns Its standard output. */
async function run(t: TestContext, program: string, words: readonly string[], more: Record<string, string> = {}) {
  const { env, home } = await sandbox(t);
  const { exitCode, stdout, stderr } = await start(t, program, words, { env: { ...env, ...more }, cwd: home }).result;
  assert.equal(exitCode, 0, `${program} ${words.join(' ')}: ${stderr}`);
  return stdout;
}

describe('an archive of ocictl save', () => {
  it('is loaded by docker, with the names and the IDs of its images', async (t) => {
    if (!needs(t, 'docker', 'dockerd')) return;
    const { file, first, second } = await saveTwo(t);
    const docker = await startDocker(t);
    const loaded = await run(t, 'docker', ['load', '-i', file], docker);
    assert.match(loaded, /^Loaded image: app:1$/m);
    assert.match(loaded, /^Loaded image: app:latest$/m);
    const idOf = async (name: string) => (await run(t, 'docker', ['inspect', '-f', '{{.Id}}', name], docker)).trim();
    assert.equal(await idOf('app:1'), first.config.descriptor.digest);
    assert.equal(await idOf('registry.example.com/team/other:2'), second.config.descriptor.digest);
    await run(t, 'docker', ['create', '--name', 'made', 'app:1'], docker);
    assert.match(await run(t, 'sh', ['-c', 'docker export made | tar -t'], docker), /^first-/m);
  });

  it('of what is new since an image is loaded by a docker that has that image', async (t) => {
    if (!needs(t, 'docker', 'dockerd')) return;
    const [before, after] = [await imageOf('before'), await imageOf('after')];
    await keepImage(t, 'app:1', before);
    await keepImage(t, 'app:2', after);
    const docker = await startDocker(t);
    for (const words of [['app:1'], ['--since', 'app:1', 'app:2']]) {
      const { exitCode, stderr } = await ocictl(t, ['save', '-o', 'a.tar', ...words]);
      assert.equal(exitCode, 0, stderr);
      await run(t, 'docker', ['load', '-i', 'a.tar'], docker);
    }
    const id = await run(t, 'docker', ['inspect', '-f', '{{.Id}}', 'app:2'], docker);
    assert.equal(id.trim(), after.config.descriptor.digest);
    await run(t, 'docker', ['create', '--name', 'made', 'app:2'], docker);
    const files = await run(t, 'sh', ['-c', 'docker export made | tar -t'], docker);
    assert.match(files, /^base-/m);
    assert.match(files, /^after-/m);
  });

  it('is loaded by podman', async (t) => {
    if (!needs(t, 'podman')) return;
    const { file, first, second } = await saveTwo(t);
    const { home } = await sandbox(t);
    const store = ['--root', join(home, 'podman'), '--runroot', join(home, 'podman-run'), '--storage-driver', 'vfs'];
    await run(t, 'podman', [...store, 'load', '-i', file]);
    const idOf = async (name: string) =>
      (await run(t, 'podman', [...store, 'image', 'inspect', '-f', '{{.Id}}', name])).trim();
    assert.equal(`sha256:${await idOf('app:1')}`, first.config.descriptor.digest);
    assert.equal(`sha256:${await idOf('registry.example.com/team/other:2')}`, second.config.descriptor.digest);
  });

  it('is imported by containerd, with the digests of its images', async (t) => {
    if (!needs(t, 'ctr', 'containerd')) return;
    const { file, first, second } = await saveTwo(t);
    const ctr = ['--address', await startContainerd(t)];
    await run(t, 'ctr', [...ctr, 'images', 'import', '--no-unpack', file]);
    const list = await run(t, 'ctr', [...ctr, 'images', 'list']);
    const digestOf = (name: string) =>
      list
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(/ +/)[2];
    assert.equal(digestOf('docker.io/library/app:1'), first.descriptor.digest);
    assert.equal(digestOf('docker.io/library/app:latest'), first.descriptor.digest);
    assert.equal(digestOf('registry.example.com/team/other:2'), second.descriptor.digest);
  });

  it('with an index is loaded by docker and podman as the image of this platform, and by containerd as the index', async (t) => {
    if (!needs(t, 'docker', 'dockerd', 'podman', 'ctr', 'containerd')) return;
    const [own, other] = [await imageOf('x'), await imageOf('x', 'riscv64')];
    const index = await buildIndex([other, own]);
    await keepImage(t, 'app:1', index);
    const { home } = await sandbox(t);
    const file = join(home, 'a.tar');
    assert.equal((await ocictl(t, ['save', '-o', file, '--platform', 'all', 'app:1'])).exitCode, 0);
    const docker = await startDocker(t);
    await run(t, 'docker', ['load', '-i', file], docker);
    const id = await run(t, 'docker', ['inspect', '-f', '{{.Id}}', 'app:1'], docker);
    assert.equal(id.trim(), own.config.descriptor.digest);
    const store = ['--root', join(home, 'podman'), '--runroot', join(home, 'podman-run'), '--storage-driver', 'vfs'];
    await run(t, 'podman', [...store, 'load', '-i', file]);
    const ctr = ['--address', await startContainerd(t)];
    await run(t, 'ctr', [...ctr, 'images', 'import', '--no-unpack', file]);
    assert.match(await run(t, 'ctr', [...ctr, 'images', 'list']), new RegExp(index.descriptor.digest));
  });

  it('is read by skopeo, crane, regctl and umoci, the same bytes', async (t) => {
    if (!needs(t, 'skopeo', 'crane', 'regctl', 'umoci', 'tar')) return;
    const image = await imageOf('only');
    await keepImage(t, 'app:1', image);
    const { home } = await sandbox(t);
    const file = join(home, 'a.tar');
    assert.equal((await ocictl(t, ['save', '-o', file, 'app:1'])).exitCode, 0);
    const { digest } = image.descriptor;
    for (const name of [`oci-archive:${file}`, `oci-archive:${file}:1`]) {
      assert.equal((await run(t, 'skopeo', ['inspect', '-f', '{{.Digest}}', name])).trim(), digest);
    }
    const inDocker = await run(t, 'skopeo', ['inspect', '--config', '--raw', `docker-archive:${file}:app:1`]);
    assert.equal(inDocker, await textOf(image));
    await run(t, 'sh', ['-c', `mkdir layout && tar -xf ${file} -C layout`]);
    assert.equal((await run(t, 'crane', ['digest', '--tarball', file])).trim().length, digest.length);
    assert.match(await run(t, 'crane', ['validate', '--tarball', file]), /PASS/);
    await run(t, 'regctl', ['image', 'import', 'ocidir://imported:1', file]);
    assert.equal((await run(t, 'regctl', ['image', 'digest', 'ocidir://imported:1'])).trim(), digest);
    await run(t, 'umoci', ['unpack', '--rootless', '--image', 'layout:1', 'bundle']);
  });
});

async function textOf({ config }: BuiltImage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await config.source.open(0)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('an archive of ocictl save --image-format docker', () => {
  it('with gzip, zstd and plain layers is loaded by docker, podman, ctr, skopeo and crane', async (t) => {
    if (!needs(t, 'docker', 'dockerd', 'podman', 'ctr', 'containerd', 'skopeo', 'crane')) return;
    const compressions = ['gzip', 'zstd', 'none'] as const;
    const image = await buildImage({
      platform: { os: 'linux', architecture },
      layers: compressions.map((compression) => ({ files: { [compression]: compression }, compression })),
    });
    await keepImage(t, 'app:1', image);
    const { home } = await sandbox(t);
    const file = join(home, 'a.tar');
    const written = await ocictl(t, ['save', '--image-format', 'docker', '-o', file, 'app:1']);
    assert.equal(written.exitCode, 0, written.stderr);
    const id = image.config.descriptor.digest;
    const docker = await startDocker(t);
    await run(t, 'docker', ['load', '-i', file], docker);
    assert.equal((await run(t, 'docker', ['inspect', '-f', '{{.Id}}', 'app:1'], docker)).trim(), id);
    const store = ['--root', join(home, 'podman'), '--runroot', join(home, 'podman-run'), '--storage-driver', 'vfs'];
    await run(t, 'podman', [...store, 'load', '-i', file]);
    const inPodman = await run(t, 'podman', [...store, 'image', 'inspect', '-f', '{{.Id}}', 'app:1']);
    assert.equal(`sha256:${inPodman.trim()}`, id);
    const ctr = ['--address', await startContainerd(t)];
    await run(t, 'ctr', [...ctr, 'images', 'import', '--no-unpack', file]);
    assert.match(await run(t, 'ctr', [...ctr, 'images', 'list']), /^docker\.io\/library\/app:1 /m);
    const config = await run(t, 'skopeo', ['inspect', '--config', '--raw', `docker-archive:${file}:app:1`]);
    assert.equal(config, await textOf(image));
    assert.match(await run(t, 'crane', ['validate', '--tarball', file]), /PASS/);
  });
});
