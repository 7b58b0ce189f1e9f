import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { nameOf } from '../../../src/image/tar/names.ts';
import { readTar } from '../../../src/image/tar/read.ts';
import { ocictl } from '../../support/command.ts';
import { tarLayer } from '../../support/images/tar-layer.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { sandbox } from '../../support/sandbox.ts';

const mtime = { seconds: 1_700_000_000, nanoseconds: 120_000_000 };
const image = await buildImage({
  layers: [
    await tarLayer([
      [{ path: 'etc/', type: 'directory', mode: 0o755, mtime }],
      [{ path: 'etc/hosts', type: 'file', mode: 0o644, uid: 3, gid: 4, mtime }, 'localhost\n'],
      [{ path: 'etc/mtab', type: 'symlink', linkname: '/proc/mounts', mtime }],
      [{ path: 'etc/same', type: 'link', linkname: 'etc/hosts', mode: 0o644, uid: 3, gid: 4, mtime }],
      [{ path: 'etc/gone', type: 'file' }, 'x'],
      [{ path: `etc/b${nameOf(Buffer.from([0xff]))}d`, type: 'file' }, 'bad'],
      [{ path: 'null', type: 'character', devmajor: 1, devminor: 3 }],
    ]),
    await tarLayer([
      [{ path: 'etc/.wh.gone', type: 'file' }],
      [{ path: 'bin/su', type: 'file', mode: 0o4755, xattrs: new Map([['user.x', Buffer.from('v')]]) }, 'su'],
    ]),
  ],
});

async function withImage(t: TestContext): Promise<(...words: string[]) => ReturnType<typeof ocictl>> {
  const { home } = await sandbox(t);
  await writeLayout(join(home, 'layout'), '1', image);
  return (...words) => ocictl(t, words, { cwd: home });
}

describe('ocictl files', () => {
  it('lists a directory, all below it, or a file, as a container sees it', async (t) => {
    const run = await withImage(t);
    const lines = async (...words: string[]): Promise<string[]> =>
      (await run('files', ...words)).stdout.trim().split('\n');
    assert.deepEqual(await lines('oci:layout:1'), ['/bin', '/etc', '/null']);
    assert.deepEqual(await lines('oci:layout:1', 'etc'), ['/etc/b\\xffd', '/etc/hosts', '/etc/mtab', '/etc/same']);
    assert.equal((await lines('-R', 'oci:layout:1')).length, 8);
    assert.deepEqual(await lines('-lR', '--layer', '2', 'oci:layout:1'), [
      'drwxr-xr-x 0:0                  0 1970-01-01T00:00:00Z /bin',
      '-rwsr-xr-x 0:0                  2 1970-01-01T00:00:00Z /bin/su',
      'drwxr-xr-x 0:0                  0 1970-01-01T00:00:00Z /etc',
      'wrw-r--r-- 0:0                  0 1970-01-01T00:00:00Z /etc/.wh.gone',
    ]);
    assert.deepEqual(await lines('-l', 'oci:layout:1', '/etc/hosts'), [
      '-rw-r--r-- 3:4                 10 2023-11-14T22:13:20.12Z /etc/hosts',
    ]);
  });

  it('prints an object for each with --json', async (t) => {
    const run = await withImage(t);
    const { stdout } = await run('files', '--json', '-R', 'oci:layout:1');
    const records = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const find = (path: string): unknown => records.find((record) => record['path'] === path);
    const common = { mode: '0644', uid: 3, gid: 4, mtime: '2023-11-14T22:13:20.12Z', size: 10, layer: 1 };
    assert.deepEqual(find('/etc/hosts'), { path: '/etc/hosts', type: 'file', ...common });
    assert.deepEqual((find('/bin/su') as { xattrs: unknown }).xattrs, { 'user.x': 'dg==' });
    assert.equal((find('/etc/mtab') as { linkname: unknown }).linkname, '/proc/mounts');
    assert.deepEqual(
      records.flatMap(({ path, pathBase64 }) => (path === undefined ? [pathBase64] : [])),
      [Buffer.from([...Buffer.from('/etc/b'), 0xff, 0x64]).toString('base64')],
    );
  });

  it('lists the whiteouts of a layer by itself, and of an image none', async (t) => {
    const { home } = await sandbox(t);
    const layers = [
      await tarLayer([[{ path: 'a/old', type: 'file' }], [{ path: 'gone', type: 'file' }]]),
      await tarLayer([
        [{ path: '.wh.gone', type: 'file' }],
        [{ path: 'gone', type: 'file' }],
        [{ path: 'a/.wh..wh..opq', type: 'file' }],
        [{ path: '.wh..wh.plnk', type: 'directory' }],
      ]),
    ];
    await writeLayout(join(home, 'layout'), '1', await buildImage({ layers }));
    const listed = async (...words: string[]): Promise<string[]> => {
      const { stdout } = await ocictl(t, ['files', '-R', '--json', ...words, 'oci:layout:1'], { cwd: home });
      const records = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      return records.map(({ path, type }) => `${path} ${type}`);
    };
    assert.deepEqual(await listed(), ['/a directory', '/gone file']);
    assert.deepEqual(await listed('--layer', '2'), [
      '/.wh..wh.plnk directory',
      '/.wh.gone whiteout',
      '/a directory',
      '/a/.wh..wh..opq opaque',
      '/gone file',
    ]);
  });

  it('refuses a layer that there is not, and a path that there is not', async (t) => {
    const run = await withImage(t);
    assert.deepEqual((await run('files', '--layer', '3', 'oci:layout:1')).exitCode, 2);
    const { exitCode, stderr } = await run('files', 'oci:layout:1', '/ect');
    assert.deepEqual([exitCode, /there is "\/etc"/.test(stderr)], [3, true]);
  });
});

describe('ocictl cat', () => {
  it('prints a file, by any of its names', async (t) => {
    const run = await withImage(t);
    for (const path of ['/etc/hosts', 'etc/same', './etc/../etc/hosts']) {
      assert.deepEqual([(await run('cat', 'oci:layout:1', path)).stdout], ['localhost\n']);
    }
  });

  it('refuses what is no file', async (t) => {
    const run = await withImage(t);
    for (const [path, status] of [
      ['/etc', 2],
      ['/null', 2],
      ['/etc/mtab', 3],
      ['/etc/gone', 3],
    ] as const) {
      assert.equal((await run('cat', 'oci:layout:1', path)).exitCode, status, path);
    }
  });
});

describe('ocictl export', () => {
  it('writes the file system, parents first, hard links as such, and the same bytes again', async (t) => {
    const run = await withImage(t);
    const { home } = await sandbox(t);
    for (const file of ['a.tar', 'b.tar']) assert.equal((await run('export', 'oci:layout:1', '-o', file)).exitCode, 0);
    const bytes = await readFile(join(home, 'a.tar'));
    assert.ok(bytes.equals(await readFile(join(home, 'b.tar'))));
    const source = async function* () {
      yield bytes;
    };
    const found: string[] = [];
    for await (const { entry } of readTar(source(), { shown: 'a.tar' })) {
      found.push(`${entry.type} ${entry.path} ${entry.linkname} ${entry.mode.toString(8)} ${entry.xattrs.size}`);
    }
    assert.deepEqual(found, [
      'directory bin/  755 0',
      'directory etc/  755 0',
      'symlink etc/mtab /proc/mounts 644 0',
      'character null  644 0',
      'file etc/hosts  644 0',
      'link etc/same etc/hosts 644 0',
      `file etc/b${nameOf(Buffer.from([0xff]))}d  644 0`,
      'file bin/su  4755 1',
    ]);
  });
});

describe('ocictl extract', () => {
  it('writes files and directories to DIR/PATH, and nothing outside', async (t) => {
    const run = await withImage(t);
    const { home } = await sandbox(t);
    const { stdout, stderr, exitCode } = await run('extract', 'oci:layout:1', '/', '-o', 'out');
    assert.deepEqual([exitCode, stdout], [0, `${join(home, 'out')}\n`], stderr);
    const out = join(home, 'out');
    assert.equal(await readlink(join(out, 'etc', 'mtab')), '../proc/mounts');
    assert.equal((await lstat(join(out, 'bin', 'su'))).mode & 0o7777, 0o755);
    const [one, other] = [await lstat(join(out, 'etc', 'hosts')), await lstat(join(out, 'etc', 'same'))];
    assert.deepEqual([one.ino, Math.round(one.mtimeMs)], [other.ino, 1_700_000_000_120]);
    assert.deepEqual(await readdir(out), ['bin', 'etc']);
    assert.match(stderr, /"\/null" is left out: it is a device/);
    assert.match(stderr, /is left out: its name is no UTF-8/);
    const file = await run('extract', '--json', 'oci:layout:1', '/etc/hosts', 'bin', '-o', 'some');
    assert.deepEqual(
      file.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
      [{ path: join(home, 'some', 'etc', 'hosts') }, { path: join(home, 'some', 'bin') }],
    );
    assert.deepEqual(await readdir(join(home, 'some')), ['bin', 'etc']);
  });

  it('refuses a link on the way, two paths in each other, and no directory', async (t) => {
    const run = await withImage(t);
    const { home } = await sandbox(t);
    await mkdir(join(home, 'out'));
    await symlink('/tmp', join(home, 'out', 'etc'));
    assert.equal((await run('extract', 'oci:layout:1', '/etc/hosts', '-o', 'out')).exitCode, 9);
    assert.equal((await run('extract', 'oci:layout:1', '/etc', '/etc/hosts', '-o', 'new')).exitCode, 2);
    assert.equal((await run('extract', 'oci:layout:1', '/etc')).exitCode, 2);
    assert.deepEqual((await readdir(home)).includes('new'), false);
  });
});
