import assert from 'node:assert/strict';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { unpackTar } from '../../../src/artifacts/pull/unpack.ts';
import { isOciError } from '../../../src/model/errors.ts';
import { type RawEntry, symlinkTo, tarOf } from '../../support/archives/tar.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

async function unpack(t: TestContext, entries: readonly RawEntry[] | Buffer, prefix: readonly string[] = ['d']) {
  const bytes = Buffer.isBuffer(entries) ? entries : tarOf(entries);
  const into = join(await temporaryDirectory(t), 'into');
  const file = {
    shown: 'the directory "d"',
    size: bytes.length,
    read: async (target: Uint8Array, position: number) => bytes.copy(target, 0, position),
    close: () => {},
  };
  const directories = await unpackTar(file, { into, prefix });
  return { into, directories };
}

const directory = (name: string, mode = 0o755): RawEntry => ({ name, flag: '5', mode });
const file = (name: string, content = 'x'): RawEntry => ({ name, content });

describe('the directory of an artifact', () => {
  it('has files, directories and links as its archive has them', async (t) => {
    const { into } = await unpack(t, [
      directory('d/', 0o750),
      { name: 'd/run', content: 'run', mode: 0o755 },
      file('d/a/b/deep', 'deep'),
      file('d/empty', ''),
      symlinkTo('d/a/link', '../run'),
      symlinkTo('d/dangling', 'a/none'),
      { name: 'd/hard', linkName: 'd/run', flag: '1' },
    ]);
    assert.equal((await lstat(into)).mode & 0o777, 0o750);
    assert.equal((await lstat(join(into, 'run'))).mode & 0o777, 0o755);
    assert.equal(await readFile(join(into, 'a/b/deep'), 'utf8'), 'deep');
    assert.equal(await readFile(join(into, 'empty'), 'utf8'), '');
    assert.equal(await readlink(join(into, 'a/link')), '../run');
    assert.equal(await readFile(join(into, 'a/link'), 'utf8'), 'run');
    assert.equal((await lstat(join(into, 'hard'))).ino, (await lstat(join(into, 'run'))).ino);
  });

  it('has no bits that make a program run as its owner', async (t) => {
    const { into } = await unpack(t, [directory('d', 0o6755), { name: 'd/su', content: 'x', mode: 0o6755 }]);
    for (const path of [into, join(into, 'su')]) assert.equal((await lstat(path)).mode & 0o7777, 0o755, path);
  });

  it('may be the output directory itself, whose names have no beginning', async (t) => {
    const { into } = await unpack(t, [directory('.'), file('./f'), file('g/h')], []);
    assert.deepEqual((await readdir(into)).sort(), ['f', 'g']);
  });

  it('is filled although it may not be written to afterwards', async (t) => {
    const { directories } = await unpack(t, [directory('d'), directory('d/ro', 0o555), file('d/ro/f')]);
    assert.deepEqual(directories.find(({ path }) => path.length === 1)?.without, 0o200);
  });

  const hostile: readonly (readonly [what: string, entries: readonly RawEntry[], why: RegExp])[] = [
    ['a name out of it', [file('../evil')], /"\.\.\/evil" is not in this directory/],
    ['a name that rises within it', [file('d/../../evil')], /leads out/],
    ['an absolute name', [file('/etc/evil')], /absolute/],
    ['a name beside it', [file('e/f')], /not in this directory/],
    ['a name that only begins like it', [file('dd/f')], /not in this directory/],
    ['a backslash', [file('d/..\\evil')], /backslash/],
    ['a drive letter', [file('C:evil')], /drive letter/],
    ['a control character', [file('d/a\nb')], /control character/],
    ['a link that is absolute', [symlinkTo('d/l', '/etc/passwd')], /link out of it/],
    ['a link that rises', [symlinkTo('d/l', '../x')], /link out of it/],
    ['a link that rises from deep', [directory('d/a'), symlinkTo('d/a/l', '../../x')], /link out of it/],
    ['a link that rises after it went down', [symlinkTo('d/l', 'a/../../x')], /link out of it/],
    ['links that rise through each other', [symlinkTo('d/here', '.'), symlinkTo('d/up', 'here/..')], /link out of it/],
    ['a link to nothing', [symlinkTo('d/l', '')], /link out of it/],
    ['a link with a backslash', [symlinkTo('d/l', '..\\x')], /link out of it/],
    ['a file through a link', [symlinkTo('d/l', 'sub'), file('d/l/f')], /twice/],
    ['a directory over a link', [directory('d/s'), symlinkTo('d/l', 's'), directory('d/l')], /twice/],
    ['a file over a link', [symlinkTo('d/l', 'f'), file('d/l')], /twice/],
    ['a file twice', [file('d/f'), file('d/f', 'y')], /"d\/f" is in it twice/],
    ['a file in a file', [file('d/f'), file('d/f/g')], /twice/],
    ['a hard link out of it', [{ name: 'd/h', linkName: '../x', flag: '1' }], /link out of it/],
    ['a hard link to an absolute name', [{ name: 'd/h', linkName: '/etc/passwd', flag: '1' }], /link out of it/],
    ['a hard link to nothing in it', [{ name: 'd/h', linkName: 'd/none', flag: '1' }], /nothing in it/],
    ['a hard link to a link', [symlinkTo('d/l', 'f'), { name: 'd/h', linkName: 'd/l', flag: '1' }], /nothing in it/],
    [
      'a hard link through a link',
      [symlinkTo('d/l', '.'), { name: 'd/h', linkName: 'd/l/l', flag: '1' }],
      /nothing in it/,
    ],
    ['a device', [{ name: 'd/null', flag: '3' }], /device/],
    ['a block device', [{ name: 'd/sda', flag: '4' }], /device/],
    ['a pipe', [{ name: 'd/p', flag: '6' }], /pipe/],
    ['a sparse file', [{ name: 'd/s', flag: 'S', content: 'x' }], /sparse/],
    ['a sparse file of PAX', [{ name: 'd/s', pax: { 'GNU.sparse.major': '1' }, content: 'x' }], /sparse/],
    ['a file in place of the directory', [file('d')], /name of the directory itself/],
    ['a link with content', [{ name: 'd/l', linkName: 'x', flag: '2', content: 'x' }], /has a size/],
    ['nothing at all', [], /is empty|not a tar/],
  ];
  for (const [what, entries, why] of hostile) {
    it(`may not have ${what}`, async (t) => {
      await assert.rejects(unpack(t, entries), (error) => {
        assert.ok(isOciError(error, 'ARCHIVE_INVALID'), String(error));
        assert.match(error.message, why);
        return true;
      });
    });
  }

  it('may not be cut off, nor too deep', async (t) => {
    await assert.rejects(unpack(t, tarOf([file('d/f', 'x'.repeat(2000))]).subarray(0, 1024)), /cut off/);
    const deep = `d/${'d/'.repeat(129)}f`;
    await assert.rejects(unpack(t, [{ name: 'x', pax: { path: deep }, content: 'x' }]), /directories/);
  });
});
