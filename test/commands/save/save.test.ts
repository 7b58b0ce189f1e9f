import assert from 'node:assert/strict';
import { chmod, link, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { layoutRepository } from '../../../src/layout/layout.ts';
import { ocictl } from '../../support/command.ts';
import { documentIn, entriesOf, namesIn, sumOf, unpackLayout } from '../../support/images/archives.ts';
import { type Built, blobsIn, pushImage } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { start } from '../../support/process.ts';
import { findProgram } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, assertWhole, buildDemoIndex, imageFor, one, two } from '../copy/places.ts';

interface IndexDocument {
  readonly manifests: readonly { digest: string; annotations?: Readonly<Record<string, string>> }[];
}
type DockerManifest = readonly { Config: string; RepoTags: readonly string[] | null; Layers: readonly string[] }[];

/** Runs save, which must succeed. @returns The path of the file. */
async function saved(t: TestContext, words: readonly string[], file = 'a.tar'): Promise<string> {
  const path = join((await sandbox(t)).home, file);
  const { exitCode, stderr, stdout } = await ocictl(t, ['save', '-o', path, ...words]);
  assert.equal(exitCode, 0, stderr);
  assert.equal(stdout, '');
  return path;
}

/** The names beside the archive that begin like one that is not complete. */
async function leftovers(t: TestContext): Promise<readonly string[]> {
  return (await readdir((await sandbox(t)).home)).filter((name) => /archive|\.tar/.test(name));
}

function blobPaths(built: Built): readonly string[] {
  const digests = [built.descriptor.digest, ...blobsIn(built).map(({ descriptor }) => descriptor.digest)];
  return digests.map((digest) => `blobs/${digest.replace(':', '/')}`).sort();
}

describe('ocictl save', () => {
  it('writes an image of the local store as a layout that docker reads too', async (t) => {
    const image = await imageFor('amd64');
    await keepImage(t, 'app:1', image);
    const file = await saved(t, ['app:1']);

    assert.deepEqual(await namesIn(file), ['oci-layout', 'index.json', 'manifest.json', ...blobPaths(image)]);
    const { manifests } = await documentIn<IndexDocument>(file, 'index.json');
    assert.deepEqual(manifests, [
      {
        mediaType: image.descriptor.mediaType,
        digest: image.descriptor.digest,
        size: image.descriptor.size,
        annotations: {
          'io.containerd.image.name': 'docker.io/library/app:1',
          'org.opencontainers.image.ref.name': '1',
        },
      },
    ]);
    const [docker] = await documentIn<DockerManifest>(file, 'manifest.json');
    assert.deepEqual(docker?.RepoTags, ['app:1']);
    assert.equal(docker?.Layers.length, 3);
    await assertWhole(await unpackLayout(t, file), layoutRepository, image);
  });

  it('writes an image of a registry without a pull', async (t) => {
    const { registry, host } = await startServe(t);
    const image = await imageFor('amd64');
    await pushImage(registry, app, one, image);
    const file = await saved(t, [`${host}/${app}:1`]);
    await assertWhole(await unpackLayout(t, file), layoutRepository, image);
    const [docker] = await documentIn<DockerManifest>(file, 'manifest.json');
    assert.deepEqual(docker?.RepoTags, [`${host}/${app}:1`]);
    assert.equal((await ocictl(t, ['images', '-q'])).stdout, '');
  });

  it('reads from the registry with --remote, and from the store otherwise', async (t) => {
    const { registry, host } = await startServe(t);
    const [there, here] = [await imageFor('amd64', ['there']), await imageFor('amd64', ['here'])];
    await pushImage(registry, app, one, there);
    await keepImage(t, `${host}/${app}:1`, here);
    const digestOf = async (file: string) => (await documentIn<IndexDocument>(file, 'index.json')).manifests[0]?.digest;
    assert.equal(await digestOf(await saved(t, [`${host}/${app}:1`])), here.descriptor.digest);
    assert.equal(await digestOf(await saved(t, ['--remote', `${host}/${app}:1`])), there.descriptor.digest);
  });

  it('has the same owner, mode and time for every file, and the same bytes each time', async (t) => {
    const { registry, host } = await startServe(t);
    const { index } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    await pushImage(registry, app, two, await imageFor('arm64', ['b', 'd']));
    const words = ['--platform', 'all', `${host}/${app}:1`, `${host}/${app}:2`];
    const file = await saved(t, words);
    for (const line of await entriesOf(file)) assert.match(line, /^-rw-r--r-- 0\/0 +\d+ 1970-01-01 00:00:00 /);
    const sums = [await sumOf(file)];
    for (let run = 0; run < 3; run += 1) sums.push(await sumOf(await saved(t, words)));
    sums.push(await sumOf(await saved(t, [...words].reverse().slice(0, 2).concat('--platform', 'all'))));
    assert.equal(new Set(sums).size, 1);
  });

  it('has what several images share once, and each under its names', async (t) => {
    await keepImage(t, 'app:1', await imageFor('amd64', ['a', 'b']));
    await keepImage(t, 'app:2', await imageFor('amd64', ['b', 'c']));
    await keepImage(t, 'example.com/team/other:3', await imageFor('amd64', ['a', 'b']));
    const file = await saved(t, ['app:1', 'app:2', 'example.com/team/other:3']);
    const names = await namesIn(file);
    assert.equal(new Set(names).size, names.length);
    const docker = await documentIn<DockerManifest>(file, 'manifest.json');
    assert.deepEqual(
      docker.map(({ RepoTags }) => RepoTags),
      [['app:1', 'example.com/team/other:3'], ['app:2']],
    );
    assert.equal((await documentIn<IndexDocument>(file, 'index.json')).manifests.length, 3);
  });

  it('has the image of one platform, of some, or the whole index', async (t) => {
    const { registry, host } = await startServe(t);
    const { index, arm64 } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    const name = `${host}/${app}:1`;
    const of = async (platform: string) => {
      const file = await saved(t, ['--platform', platform, name]);
      const [entry] = (await documentIn<IndexDocument>(file, 'index.json')).manifests;
      return { digest: entry?.digest, layout: await unpackLayout(t, file), files: (await namesIn(file)).length };
    };
    const whole = await of('all');
    assert.equal(whole.digest, index.descriptor.digest);
    await assertWhole(whole.layout, layoutRepository, index);
    const single = await of('linux/arm64');
    assert.equal(single.digest, arm64.descriptor.digest);
    const some = await of('linux/arm64,linux/riscv64');
    assert.notEqual(some.digest, index.descriptor.digest);
    assert.ok(some.files > single.files && some.files < whole.files);
    const { view } = await some.layout.getManifest(layoutRepository, one);
    assert.equal(view.kind === 'index' && view.manifests.length, 2);
  });

  it('names no image that was named by its digest', async (t) => {
    const { registry, host } = await startServe(t);
    const image = await imageFor('amd64');
    await pushImage(registry, app, one, image);
    const file = await saved(t, [`${host}/${app}@${image.descriptor.digest}`]);
    const [entry] = (await documentIn<IndexDocument>(file, 'index.json')).manifests;
    assert.equal(entry?.annotations, undefined);
    const [docker] = await documentIn<DockerManifest>(file, 'manifest.json');
    assert.equal(docker?.RepoTags, null);
  });

  it('replaces a file when the new one is complete, also through a link, and keeps other links to it', async (t) => {
    const { home } = await sandbox(t);
    await keepImage(t, 'app:1', await imageFor('amd64'));
    await writeFile(join(home, 'real.tar'), 'before');
    await link(join(home, 'real.tar'), join(home, 'other.tar'));
    await symlink('real.tar', join(home, 'a.tar'));
    const file = await saved(t, ['app:1']);
    assert.equal(await readlink(file), 'real.tar');
    assert.ok((await namesIn(join(home, 'real.tar'))).includes('index.json'));
    assert.equal(await readFile(join(home, 'other.tar'), 'utf8'), 'before');
  });

  it('leaves the old file and nothing else when it fails', async (t) => {
    const { home } = await sandbox(t);
    const { registry, host } = await startServe(t);
    await pushImage(registry, app, one, await imageFor('amd64'));
    await writeFile(join(home, 'a.tar'), 'before');
    const { exitCode, stderr } = await ocictl(t, ['save', '-o', 'a.tar', `${host}/${app}:1`, `${host}/${app}:2`]);
    assert.equal(exitCode, 3, stderr);
    assert.equal(await readFile(join(home, 'a.tar'), 'utf8'), 'before');
    assert.deepEqual(await leftovers(t), ['a.tar']);
  });

  it('refuses a directory, and names a directory that is not there or may not be written', async (t) => {
    const { home } = await sandbox(t);
    await keepImage(t, 'app:1', await imageFor('amd64'));
    await mkdir(join(home, 'd'));
    const attempt = async (output: string) => ocictl(t, ['save', '-o', output, 'app:1']);
    const onDirectory = await attempt('d');
    assert.equal(onDirectory.exitCode, 9);
    assert.match(onDirectory.stderr, /d is a directory: nothing was written/);
    const absent = await attempt('none/a.tar');
    assert.equal(absent.exitCode, 10);
    assert.match(absent.stderr, /there is no directory .*none/);
    const inFile = await attempt('/proc/self/a.tar');
    assert.equal(inFile.exitCode, 10);
    await chmod(join(home, 'd'), 0o500);
    if (process.getuid?.() !== 0) assert.equal((await attempt('d/a.tar')).exitCode, 10);
  });

  it('writes to standard output, and to a pipe that has a name', async (t) => {
    await keepImage(t, 'app:1', await imageFor('amd64'));
    const { home, env } = await sandbox(t);
    const file = await saved(t, ['app:1']);
    const program = `'${process.execPath}' '${join(process.cwd(), 'bin', 'ocictl.js')}'`;
    const lines = [
      `${program} save app:1 > 1.tar`,
      `${program} save -o - app:1 | cat > 2.tar`,
      `${program} save -o /dev/stdout app:1 | cat > 3.tar`,
      `mkfifo p; timeout 60 cat p > 4.tar & ${program} save -o p app:1; wait`,
      `${program} save -o /dev/null app:1; test -c /dev/null`,
      `${program} save app:1 | head -c 100 > /dev/null; test "\${PIPESTATUS[0]}" = 0`,
    ];
    for (const line of lines) {
      const { exitCode, stderr } = await start(t, 'bash', ['-c', line], { env, cwd: home }).result;
      assert.equal(exitCode, 0, `${line}: ${stderr}`);
    }
    for (const name of ['1.tar', '2.tar', '3.tar', '4.tar'])
      assert.equal(await sumOf(join(home, name)), await sumOf(file), name);
    assert.deepEqual(await readdir(join(home, 'tmp')), []);
  });

  it('refuses a terminal', async (t) => {
    await keepImage(t, 'app:1', await imageFor('amd64'));
    const { exitCode, stdout } = await ocictl(t, ['save', 'app:1'], { tty: true });
    assert.equal(exitCode, 2);
    assert.match(stdout, /refusing to write an archive to a terminal/);
  });

  it('prints a document for each image with --json, and not beside an archive', async (t) => {
    const image = await imageFor('amd64');
    await keepImage(t, 'app:1', image);
    const { stdout, exitCode } = await ocictl(t, ['save', '--json', '-o', 'a.tar', 'app:1']);
    assert.equal(exitCode, 0);
    const { digest, reference, file } = JSON.parse(stdout) as Record<string, string>;
    assert.deepEqual(
      { digest, reference, file },
      { digest: image.descriptor.digest, reference: 'docker.io/library/app:1', file: 'a.tar' },
    );
    assert.equal((await ocictl(t, ['save', '--json', 'app:1'])).exitCode, 2);
  });

  it('is compressed as a whole with --outer, the same bytes inside', async (t) => {
    const { home, env } = await sandbox(t);
    await keepImage(t, 'app:1', await imageFor('amd64'));
    const plain = await saved(t, ['app:1']);
    const packed = await saved(t, ['--outer', 'gzip', 'app:1'], 'a.tar.gz');
    const sums = [await sumOf(packed), await sumOf(await saved(t, ['--outer', 'gzip', 'app:1'], 'b.tar.gz'))];
    assert.equal(sums[0], sums[1]);
    const { exitCode } = await start(t, 'sh', ['-c', 'gzip -dc a.tar.gz | cmp - a.tar'], { env, cwd: home }).result;
    assert.equal(exitCode, 0);
    assert.deepEqual([...(await leftovers(t))].sort(), ['a.tar', 'a.tar.gz', 'b.tar.gz']);
    assert.ok(plain);
    const zstd = await ocictl(t, ['save', '--outer', 'zstd', '-o', 'a.tar.zst', 'app:1']);
    assert.equal(zstd.exitCode, 0, zstd.stderr);
    if (findProgram('zstd') !== undefined) {
      const line = 'zstd -dc a.tar.zst | cmp - a.tar';
      assert.equal((await start(t, 'sh', ['-c', line], { env, cwd: home }).result).exitCode, 0);
    }
    const unknown = await ocictl(t, ['save', '--outer', 'xz', '-o', 'a.tar.xz', 'app:1']);
    assert.equal(unknown.exitCode, 2);
    assert.deepEqual(
      (await leftovers(t)).filter((name) => /xz|zst/.test(name)),
      ['a.tar.zst'],
    );
  });
});
