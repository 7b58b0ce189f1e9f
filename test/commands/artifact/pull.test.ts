import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { artifactOf, directoryOf, titled } from '../../artifacts/pull/artifacts.ts';
import { symlinkTo } from '../../support/archives/tar.ts';
import { ocictl } from '../../support/command.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { type Built, buildArtifact, buildIndex, pushImage, rawManifest } from '../../support/images.ts';
import { buildBlob } from '../../support/layer.ts';
import { writeLayout } from '../../support/layout.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, one } from '../copy/places.ts';

/** A registry with an artifact as team/app:1. */
async function startWith(t: TestContext, built: Built) {
  const { registry, host } = await startServe(t);
  await pushImage(registry, app, one, built);
  const { home } = await sandbox(t);
  return { registry, name: `${host}/team/app:1`, repository: `${host}/team/app`, home, out: join(home, 'out') };
}

/** Every file below a directory, with its content. */
async function filesIn(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found[path.slice(directory.length + 1)] = await readFile(path, 'utf8');
    if (entry.isSymbolicLink()) found[path.slice(directory.length + 1)] = `-> ${await readlink(path)}`;
  }
  return found;
}

describe('ocictl artifact pull', () => {
  it('writes each file under its title, and prints the paths', async (t) => {
    const blobs = [
      await titled('a', 'a'),
      await titled('x y/ü.txt', 'u'),
      await titled('empty', ''),
      await titled('b', 'a'),
    ];
    const { name, out } = await startWith(t, await artifactOf(...blobs));
    const { exitCode, stdout, stderr } = await ocictl(t, ['artifact', 'pull', '-q', '-o', 'out', name]);
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.equal(stdout, ['a', 'x y/ü.txt', 'empty', 'b'].map((title) => `${join(out, title)}\n`).join(''));
    assert.deepEqual(await filesIn(out), { a: 'a', 'x y/ü.txt': 'u', empty: '', b: 'a' });
    assert.equal((await lstat(join(out, 'a'))).nlink, 1);
  });

  it('unpacks a directory, and replaces files of one that exists, which keeps its others', async (t) => {
    const entries = [
      { name: 'd', flag: '5' },
      { name: 'd/f', content: 'new' },
      { name: 'd/sub/g', content: 'g' },
      symlinkTo('d/l', 'f'),
    ];
    const { name, out } = await startWith(t, await artifactOf(await directoryOf('d', entries)));
    const whole = { 'd/f': 'new', 'd/sub/g': 'g', 'd/l': '-> f' };
    const first = await ocictl(t, ['artifact', 'pull', '-o', 'out', name]);
    assert.equal(first.exitCode, 0, first.stderr);
    assert.deepEqual([first.stdout, await filesIn(out)], [`${out}/d/\n`, whole]);
    await writeFile(join(out, 'd/f'), 'old');
    await writeFile(join(out, 'd/mine'), 'mine');
    assert.equal((await ocictl(t, ['artifact', 'pull', '-o', 'out', name])).exitCode, 0);
    assert.deepEqual(await filesIn(out), { ...whole, 'd/mine': 'mine' });
    assert.equal((await lstat(join(out, 'd/f'))).mtimeMs, 0);
  });

  it('refuses titles that lead elsewhere or contradict each other, before anything is written', async (t) => {
    const rows: readonly (readonly [titles: readonly string[], why: RegExp])[] = [
      [['ok', '../evil'], /"\.\.\/evil"/],
      [['ok', '/tmp/evil'], /"\/tmp\/evil"/],
      [['C:evil'], /"C:evil"/],
      [['a', 'b', './a'], /"a" and "\.\/a"/],
      [['a', 'a/b'], /"a\/b" lies in/],
      [['.'], /names a directory/],
    ];
    for (const [titles, why] of rows) {
      const blobs = await Promise.all(titles.map((title, i) => titled(title, String(i))));
      const { name, home } = await startWith(t, await artifactOf(...blobs));
      const { exitCode, stderr } = await ocictl(t, ['artifact', 'pull', '-o', 'out', name]);
      assert.equal(exitCode, 7, titles.join(' '));
      assert.match(stderr, why);
      assert.ok(!(await readdir(home)).includes('out'), titles.join(' '));
    }
  });

  it('writes through no link in the directory, and over no directory', async (t) => {
    const { name, home, out } = await startWith(
      t,
      await artifactOf(await titled('ok', '1'), await titled('sub/f', '2')),
    );
    await mkdir(join(home, 'elsewhere'));
    await mkdir(out);
    await symlink(join(home, 'elsewhere'), join(out, 'sub'));
    const { exitCode, stderr } = await ocictl(t, ['artifact', 'pull', '-o', 'out', name]);
    assert.equal(exitCode, 9, stderr);
    assert.match(stderr, /out\/sub is a link: sub\/f cannot be put there/);
    assert.deepEqual([await readdir(join(home, 'elsewhere')), await readdir(out)], [[], ['sub']]);
    // A link in the place of the file itself is replaced, not followed.
    await writeFile(join(home, 'target'), 'kept');
    await mkdir(join(home, 'second', 'sub'), { recursive: true });
    await symlink(join(home, 'target'), join(home, 'second', 'ok'));
    assert.equal((await ocictl(t, ['artifact', 'pull', '-o', 'second', name])).exitCode, 0);
    assert.deepEqual(await filesIn(join(home, 'second')), { ok: '1', 'sub/f': '2' });
    assert.equal(await readFile(join(home, 'target'), 'utf8'), 'kept');
    await mkdir(join(home, 'third', 'ok'), { recursive: true });
    const third = await ocictl(t, ['artifact', 'pull', '-o', 'third', name]);
    assert.deepEqual([third.exitCode, await readdir(join(home, 'third'))], [9, ['ok']]);
  });

  it('refuses a directory whose archive leads out of it, and leaves nothing', async (t) => {
    const entries = [{ name: 'd/f', content: 'f' }, symlinkTo('d/up', '../..')];
    const { name, home } = await startWith(
      t,
      await artifactOf(await titled('ok', '1'), await directoryOf('d', entries)),
    );
    const { exitCode, stderr } = await ocictl(t, ['artifact', 'pull', '-o', 'out', name]);
    assert.equal(exitCode, 7, stderr);
    assert.match(stderr, /"d\/up" is a link out of it/);
    assert.ok(!(await readdir(home)).includes('out'));
  });

  it('compares the archive of a directory with its annotation', async (t) => {
    const wrong = `sha256:${'0'.repeat(64)}`;
    const { name, home } = await startWith(t, await artifactOf(await directoryOf('d', [{ name: 'd/f' }], wrong)));
    const { exitCode, stderr } = await ocictl(t, ['artifact', 'pull', '-o', 'out', name]);
    assert.equal(exitCode, 7, stderr);
    assert.match(stderr, /the archive of the directory "d" is sha256:.*, not sha256:0000/);
    assert.ok(!(await readdir(home)).includes('out'));
  });

  it('leaves nothing if the registry sends more than it announced, or something else', async (t) => {
    const built = await artifactOf(await titled('ok', 'ok'), await titled('big', 'small'));
    const [, ok, big] = built.blobs;
    for (const sent of ['small, and then more and more', 'sm4ll']) {
      const server = await startFakeServer(t, ({ path }, response) => {
        if (path.includes('/manifests/')) {
          response.setHeader('Content-Type', built.manifest.mediaType);
          return response.end(built.manifest.bytes);
        }
        if (path.endsWith(String(ok?.descriptor.digest))) return response.end('ok');
        if (path.endsWith(String(big?.descriptor.digest))) {
          // Without a length, as a server may do.
          response.write(sent.slice(0, 3));
          return response.end(sent.slice(3));
        }
        return response.end('{}');
      });
      const { home } = await sandbox(t);
      const { exitCode, stderr } = await ocictl(t, ['artifact', 'pull', '-o', 'out', `${server.host}/team/app:1`]);
      assert.equal(exitCode, 7, stderr);
      assert.ok(!(await readdir(home)).includes('out'), sent);
    }
  });

  it('keeps what exists with --keep-old, and is told before a byte is fetched', async (t) => {
    const { name, out } = await startWith(t, await artifactOf(await titled('a', 'new a'), await titled('b', 'new b')));
    await mkdir(out);
    await writeFile(join(out, 'b'), 'mine');
    const refused = await ocictl(t, ['artifact', 'pull', '-k', '-o', 'out', name]);
    assert.equal(refused.exitCode, 9);
    assert.match(refused.stderr, /out\/b exists, and --keep-old keeps it: nothing was written/);
    assert.deepEqual(await filesIn(out), { b: 'mine' });
    assert.equal((await ocictl(t, ['artifact', 'pull', '-o', 'out', name])).exitCode, 0);
    assert.deepEqual(await filesIn(out), { a: 'new a', b: 'new b' });
  });

  it('tells of layers without titles, and of an artifact without files', async (t) => {
    const { name, repository, out, registry } = await startWith(
      t,
      await artifactOf(await titled(undefined, 'x'), await titled('a', 'a'), await titled(undefined, 'y')),
    );
    const { exitCode, stderr } = await ocictl(t, ['artifact', 'pull', '-q', '-o', 'out', name]);
    assert.equal(exitCode, 0);
    assert.match(
      stderr,
      /^warning: 2 layers have no title and became no files: .* ocictl blob get reads one, as \S+@sha256:/,
    );
    assert.deepEqual(await filesIn(out), { a: 'a' });
    const empty = await artifactOf(await buildBlob('{}', mediaTypes.ociEmpty));
    await pushImage(registry, app, parseTag('none'), empty);
    const none = await ocictl(t, ['artifact', 'pull', '-q', '-o', 'none', `${repository}:none`]);
    assert.deepEqual([none.exitCode, none.stdout], [0, '']);
    assert.match(none.stderr, /has no files/);
  });

  it('prints one JSON document with --json', async (t) => {
    const built = await artifactOf(await titled('a', 'a'));
    const { name, repository, out } = await startWith(t, built);
    const { stdout } = await ocictl(t, ['artifact', 'pull', '--json', '-o', 'out', name]);
    const { digest, mediaType, size } = built.descriptor;
    const layer = built.blobs[1]?.descriptor;
    assert.deepEqual(JSON.parse(stdout), {
      reference: `${repository}@${digest}`,
      mediaType,
      digest,
      size,
      artifactType: 'application/vnd.example.files',
      files: [{ path: join(out, 'a'), reference: `${repository}@${layer?.digest}`, ...layer }],
    });
  });

  it('writes the config too with --config, if it has the type', async (t) => {
    const built = await buildArtifact({ artifactType: 'text/x', typeInConfig: true, blobs: [await titled('a', 'a')] });
    const { name, home } = await startWith(t, built);
    for (const [word, files] of [
      ['c.json', { a: 'a', 'c.json': '{}' }],
      ['c.json:text/x', { a: 'a', 'c.json': '{}' }],
      ['c.json:text/y', { a: 'a' }],
    ] as const) {
      const out = word.replaceAll(/[:/]/g, '_');
      const { exitCode, stderr } = await ocictl(t, ['artifact', 'pull', '--config', word, '-o', out, name]);
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual(await filesIn(join(home, out)), files);
    }
    const out = await ocictl(t, ['artifact', 'pull', '--config', '../c', '-o', 'out', name]);
    assert.deepEqual([out.exitCode, /--config "\.\.\/c" names no file in DIR/.test(out.stderr)], [2, true], out.stderr);
    assert.equal((await ocictl(t, ['artifact', 'pull', '--config', '.', '-o', 'out', name])).exitCode, 2);
  });

  it('writes the only layer to standard output with -o -', async (t) => {
    const { name, registry, repository } = await startWith(t, await artifactOf(await titled(undefined, 'bytes')));
    const { exitCode, stdout, stderr } = await ocictl(t, ['artifact', 'pull', '-o', '-', name]);
    assert.deepEqual([exitCode, stdout], [0, 'bytes'], stderr);
    await pushImage(registry, app, parseTag('2'), await artifactOf(await titled('a', 'a'), await titled('b', 'b')));
    const several = await ocictl(t, ['artifact', 'pull', '-o', '-', `${repository}:2`]);
    assert.deepEqual([several.exitCode, several.stdout], [1, '']);
    assert.match(several.stderr, /has 2 layers: -o - takes exactly one/);
    const json = await ocictl(t, ['artifact', 'pull', '-o', '-', '--json', name]);
    assert.equal(json.exitCode, 2);
  });

  it('chooses the artifact of an index by platform, and refuses to guess', async (t) => {
    const [amd64, arm64] = [await artifactOf(await titled('a', 'amd64')), await artifactOf(await titled('a', 'arm64'))];
    const on = (built: Built, architecture: string): Built => ({
      ...built,
      descriptor: { ...built.descriptor, platform: { os: 'linux', architecture } },
    });
    const index = await buildIndex([on(amd64, 'amd64'), on(arm64, 'arm64')]);
    const { name, home, registry, repository } = await startWith(t, index);
    const chosen = await ocictl(t, ['artifact', 'pull', '--platform', 'linux/arm64', '-o', 'out', name]);
    assert.equal(chosen.exitCode, 0, chosen.stderr);
    assert.deepEqual(await filesIn(join(home, 'out')), { a: 'arm64' });
    const none = await ocictl(t, ['artifact', 'pull', '--platform', 'linux/s390x', '-o', 'none', name]);
    assert.deepEqual([none.exitCode, (await readdir(home)).includes('none')], [3, false]);
    await pushImage(registry, app, parseTag('2'), await buildIndex([amd64, arm64]));
    const unclear = await ocictl(t, ['artifact', 'pull', '-o', 'none', `${repository}:2`]);
    assert.equal(unclear.exitCode, 3);
    assert.match(unclear.stderr, /has 2 artifacts, and none is for a platform[\s\S]*index list/);
    await pushImage(registry, app, parseTag('3'), await buildIndex([amd64]));
    assert.equal((await ocictl(t, ['artifact', 'pull', '-o', 'only', `${repository}:3`])).exitCode, 0);
    assert.deepEqual(await filesIn(join(home, 'only')), { a: 'amd64' });
  });

  it('reads layouts, and the artifact manifests that image-spec withdrew', async (t) => {
    const { home } = await sandbox(t);
    const blob = await titled('a', 'a');
    const manifest = rawManifest(mediaTypes.ociArtifact, { artifactType: 'text/x', blobs: [blob.descriptor] });
    const { registry, host } = await startServe(t);
    await pushImage(registry, app, one, { manifest, descriptor: blob.descriptor, blobs: [blob], children: [] });
    assert.equal((await ocictl(t, ['artifact', 'pull', '-o', 'old', `${host}/team/app:1`])).exitCode, 0);
    assert.deepEqual(await filesIn(join(home, 'old')), { a: 'a' });
    await writeLayout(join(home, 'layout'), '1', await artifactOf(await titled('b', 'b')));
    assert.equal((await ocictl(t, ['artifact', 'pull', '-o', 'new', 'oci:layout:1'])).exitCode, 0);
    assert.deepEqual(await filesIn(join(home, 'new')), { b: 'b' });
  });

  it('lets two pull into one directory at the same time', async (t) => {
    const entries = Array.from({ length: 50 }, (_, i) => ({ name: `d/${i % 5}/${i}`, content: String(i) }));
    const { name, out } = await startWith(t, await artifactOf(await titled('a', 'a'), await directoryOf('d', entries)));
    const pull = () => ocictl(t, ['artifact', 'pull', '-q', '-o', 'out', name], { ownProcess: true });
    for (const { exitCode, stderr } of await Promise.all([pull(), pull()])) assert.equal(exitCode, 0, stderr);
    assert.equal(Object.keys(await filesIn(out)).length, 51);
    assert.deepEqual((await readdir(out)).sort(), ['a', 'd']);
  });
});
