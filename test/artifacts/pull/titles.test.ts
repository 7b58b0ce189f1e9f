import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pathOfTitle, refuseConflicts } from '../../../src/artifacts/pull/titles.ts';
import { isOciError } from '../../../src/model/errors.ts';

const hostile: readonly (readonly [title: string, why: RegExp])[] = [
  ['/etc/passwd', /absolute/],
  ['//server/share', /absolute/],
  ['/', /absolute/],
  ['..', /leads out/],
  ['../up', /leads out/],
  ['a/../../up', /leads out/],
  ['a/../b', /leads out/],
  ['a/..', /leads out/],
  ['./../up', /leads out/],
  ['a//..//..//b', /leads out/],
  ['C:x', /drive letter/],
  ['c:/windows', /drive letter/],
  ['./C:x', /drive letter/],
  ['C:', /drive letter/],
  ['\\\\server\\share\\x', /backslash/],
  ['..\\up', /backslash/],
  ['a\\b', /backslash/],
  ['\\', /backslash/],
  ['a\0b', /control character/],
  ['\0', /control character/],
  ['a\nb', /control character/],
  ['a\u001b[2J', /control character/],
  ['a\u007f', /control character/],
  ['a\u0085b', /control character/],
  ['\r', /control character/],
  ['', /empty/],
  ['\ud800', /Unicode/],
  ['.ocictl-pull.x', /unfinished/],
  ['.OCICTL-PULL.x/y', /unfinished/],
  ['x'.repeat(256), /255 bytes/],
  [`a/${'ü'.repeat(128)}`, /255 bytes/],
  [Array.from({ length: 129 }, () => 'd').join('/'), /128 directories/],
  [Array.from({ length: 20 }, () => 'd'.repeat(200)).join('/'), /3072 bytes/],
];

const onWindows: readonly string[] = [
  ...['con', 'NUL', 'aux.txt', 'a/COM1', 'lpt9.tar.gz', 'com²', 'prn ', 'a:b/c', 'x:y:z', 'a<b', 'a>b', 'a"b', 'a|b'],
  ...['a?b', 'a*', 'a.', 'a ', 'dir./x', 'stream.txt:$DATA'],
];

describe('the titles of an artifact', () => {
  for (const [title, why] of hostile) {
    it(`may not be ${JSON.stringify(title).slice(0, 40)}`, () => {
      assert.throws(
        () => pathOfTitle(title, 'linux'),
        (error) => {
          assert.ok(isOciError(error, 'MANIFEST_INVALID'));
          assert.match(error.message, why);
          assert.doesNotMatch(error.message, /\p{Cc}/u);
          return true;
        },
      );
    });
  }

  for (const title of onWindows) {
    it(`may not be ${JSON.stringify(title)} on Windows`, () => {
      assert.throws(() => pathOfTitle(title, 'win32'), /Windows/);
    });
  }

  it('may be whatever a file can be called elsewhere', () => {
    for (const title of [
      'con',
      'a:b',
      'aux.txt',
      'with space',
      'ü/日本語.txt',
      'a?b',
      '...',
      '..a',
      'a..',
      '-',
      '.x',
    ]) {
      if (/^[a-z]:/i.test(title)) continue;
      assert.deepEqual(pathOfTitle(title, 'linux'), title.split('/'));
    }
  });

  it('mean the same with what means nothing', () => {
    for (const title of ['a/b', './a/b', 'a//b', 'a/./b', 'a/b/', './/a/b//']) {
      assert.deepEqual(pathOfTitle(title), ['a', 'b'], title);
    }
    assert.deepEqual(pathOfTitle('.'), []);
  });
});

describe('the titles of several files', () => {
  const of = (...titles: readonly string[]) => titles.map((title) => ({ title, path: pathOfTitle(title, 'linux') }));

  it('differ', () => {
    refuseConflicts(of('a', 'b', 'c/a', 'c/b', 'A', 'ab'));
    for (const [one, other] of [
      ['a', 'a'],
      ['a', './a'],
      ['x/y', 'x//y'],
      ['x', 'x/'],
      ['a b', './a b'],
    ] as const) {
      assert.throws(
        () => refuseConflicts(of(one, 'z', other)),
        /two files have the titles ".*" and ".*"/,
        `${one} ${other}`,
      );
    }
  });

  it('do not lie in each other', () => {
    for (const titles of [
      ['a', 'a/b'],
      ['a/b/c', 'a'],
      ['a/b', 'a/b/c/d'],
      ['.', 'a'],
    ]) {
      assert.throws(() => refuseConflicts(of(...titles)), /lies in the file or directory/, titles.join(' '));
    }
  });

  it('differ as the file system sees it', () => {
    const fold = (name: string): string => name.toLowerCase();
    assert.throws(() => refuseConflicts(of('Read.me', 'README', 'read.ME'), fold), /"Read.me" and "read.ME"/);
    assert.throws(() => refuseConflicts(of('A', 'a/b'), fold), /"a\/b" lies in the file or directory "A"/);
  });

  it('are compared quickly, however many there are', () => {
    refuseConflicts(of(...Array.from({ length: 20_000 }, (_, i) => `d/${i % 100}/${i}`)));
  });
});
