import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openArchiveFile } from '../../../src/archive/envelope/open-file.ts';
import { indexTar } from '../../../src/archive/envelope/tar-index.ts';
import { type ErrorCode, OciError } from '../../../src/model/errors.ts';
import { entryBytes, type RawEntry, symlinkTo, tarEnd, tarOf } from '../../support/archives/tar.ts';
import { atEnd, temporaryDirectory } from '../../support/sandbox.ts';

type Limits = Parameters<typeof indexTar>[2];

/** What the files of an archive hold, by name. */
async function filesIn(t: TestContext, bytes: Uint8Array, limits?: Limits): Promise<Record<string, string>> {
  const file = join(await temporaryDirectory(t), 'x.tar');
  await writeFile(file, bytes);
  const opened = await openArchiveFile({ file, stdin: () => process.stdin });
  atEnd(t, () => opened.close());
  const contents: Record<string, string> = {};
  for (const [name, { offset, size }] of (await indexTar(opened, undefined, limits)).files) {
    const content = Buffer.alloc(Math.min(size, 100));
    await opened.read(content, offset);
    contents[name] = content.toString('latin1');
  }
  return contents;
}

async function refused(
  t: TestContext,
  bytes: Uint8Array,
  code: ErrorCode,
  message: RegExp,
  limits?: Limits,
): Promise<void> {
  await assert.rejects(filesIn(t, bytes, limits), (error) => {
    assert.ok(error instanceof OciError, String((error as Error)?.stack));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.notEqual(error.hint, undefined);
    return true;
  });
}

const long = 'x'.repeat(150);

describe('the files of a tar archive', () => {
  it('are found under plain names, in any order, with directories between them', async (t) => {
    const bytes = tarOf([
      { name: './', flag: '5' },
      { name: './blobs/sha256/', flag: '5' },
      { name: './blobs/sha256/a', content: 'one' },
      { name: 'b', content: '' },
      { name: './/blobs/./sha256/c', content: 'x'.repeat(512) },
      { name: 'old/directory/', content: '' },
      { name: 'v7', content: 'old', magic: '' },
      { name: 'gnu', content: 'gnu', magic: 'ustar  \0' },
      { name: 'pipe', flag: '6' },
    ]);
    const found = await filesIn(t, bytes);
    assert.deepEqual(Object.keys(found), ['blobs/sha256/a', 'b', 'blobs/sha256/c', 'v7', 'gnu']);
    assert.deepEqual([found['blobs/sha256/a'], found['v7'], found['gnu']], ['one', 'old', 'gnu']);
  });

  it('have long names and sizes from PAX records, and from GNU headers', async (t) => {
    const bytes = tarOf([
      { name: 'short', content: 'pax', size: 0, pax: { path: `p/${long}`, size: '3' } },
      { name: '././@LongLink', flag: 'L', content: `g/${long}\0` },
      { name: 'cut', content: 'gnu' },
      { name: '././@LongLink', flag: 'K', content: `g/${long}\0` },
      { name: 'link', flag: '1', linkName: 'cut' },
      // 3 in base 256.
      { name: 'base256', content: 'big', size: `\x80${'\0'.repeat(10)}\x03` },
    ]);
    const expected = { [`p/${long}`]: 'pax', [`g/${long}`]: 'gnu', base256: 'big', link: 'gnu' };
    assert.deepEqual(await filesIn(t, bytes), expected);
  });

  it('are found through links, also to links, and a link to nothing is no file', async (t) => {
    const bytes = tarOf([
      symlinkTo('id/layer.tar', '../blob'),
      { name: 'hard', flag: '1', linkName: './blob' },
      symlinkTo('again', 'id/layer.tar'),
      symlinkTo('nothing', 'gone'),
      { name: 'blob', content: 'layer' },
    ]);
    const found = await filesIn(t, bytes);
    assert.deepEqual(found, { blob: 'layer', 'id/layer.tar': 'layer', hard: 'layer', again: 'layer' });
  });

  it('may be in it twice with the same content', async (t) => {
    const [one, link] = [{ name: 'a', content: 'one' }, symlinkTo('l', 'a')];
    assert.deepEqual(await filesIn(t, tarOf([one, link, one, link])), { a: 'one', l: 'one' });
  });

  it('are read without the blocks of zeros that end an archive, or with one of them', async (t) => {
    const entries = [{ name: 'a', content: 'one' }];
    for (const zeros of [0, 512, 1024, 10_240]) {
      assert.deepEqual(await filesIn(t, tarOf(entries, new Uint8Array(zeros))), { a: 'one' });
    }
    const unpadded = tarOf(entries, new Uint8Array(0)).subarray(0, 512 + 3);
    assert.deepEqual(await filesIn(t, unpadded), { a: 'one' });
  });

  it('end with the archive: what follows its end is not read', async (t) => {
    const bytes = Buffer.concat([tarOf([{ name: 'a', content: 'one' }]), tarOf([{ name: 'b', content: 'two' }])]);
    assert.deepEqual(await filesIn(t, bytes), { a: 'one' });
  });

  it('are not read themselves: 64 GB of them take a moment', async (t) => {
    const size = 8 * 1024 ** 3 - 512;
    const entries = [...'abcdefgh'].map((name) => entryBytes({ name, size }));
    const file = join(await temporaryDirectory(t), 'x.tar');
    // Of a sparse file on the disk only the headers are there.
    const { open } = await import('node:fs/promises');
    await using handle = await open(file, 'wx');
    for (const [i, entry] of entries.entries()) await handle.write(entry, 0, 512, i * (size + 512));
    await handle.truncate(entries.length * (size + 512));
    const opened = await openArchiveFile({ file, stdin: () => process.stdin });
    atEnd(t, () => opened.close());
    let bytes = 0;
    const counted = {
      ...opened,
      read: async (into: Uint8Array, position: number) => {
        const count = await opened.read(into, position);
        bytes += count;
        return count;
      },
    };
    assert.equal((await indexTar(counted)).files.get('h')?.size, size);
    assert.ok(bytes < 1024 ** 2, `${bytes} bytes were read`);
  });
});

describe('an archive that programs would read differently, or that is made to harm', () => {
  const hostile: readonly (readonly [what: string, entries: readonly RawEntry[], message: RegExp])[] = [
    ['a name out of it', [{ name: '../../etc/passwd' }], /"\.\.\/\.\.\/etc\/passwd" in it leads out of it$/],
    ['a name out of it and back', [{ name: 'a/../../b' }], /leads out of it/],
    ['an absolute name', [{ name: '/etc/passwd' }], /"\/etc\/passwd" in it leads out of it$/],
    ['a name with a zero in it', [{ name: 'a', pax: { path: 'manifest.json\0x' } }], /"manifest.json\\u0000x"/],
    [
      'a symbolic link out of it',
      [symlinkTo('a/l', '../../x')],
      /"a\/l" in it is a link out of it, to "\.\.\/\.\.\/x"$/,
    ],
    ['an absolute link', [symlinkTo('l', '/etc/passwd')], /is a link out of it, to "\/etc\/passwd"$/],
    ['a hard link out of it', [{ name: 'l', flag: '1', linkName: '../x' }], /is a link out of it/],
    ['links in a circle', [symlinkTo('a', 'b'), symlinkTo('b', 'a')], /link to a link, more than 16 times/],
    ['a sparse file of GNU', [{ name: 'a', flag: 'S' }], /"a" in it is a sparse file$/],
    ['a sparse file of PAX', [{ name: 'a', pax: { 'GNU.sparse.size': '1000000000000' } }], /is a sparse file$/],
    ['an unknown type', [{ name: 'a', flag: 'M' }], /has the type "M", which is not read$/],
    ['a link with content', [{ ...symlinkTo('l', 'a'), content: 'x' }], /not a file, and yet has a size/],
    ['a pipe with content', [{ name: 'l', flag: '6', content: 'x' }], /not a file, and yet has a size/],
    [
      'two files of one name',
      [
        { name: 'manifest.json', content: '[1]' },
        { name: './manifest.json', content: '[2]' },
      ],
      /"manifest.json" is in it twice, with different content$/,
    ],
    ['a file and a link of one name', [{ name: 'a' }, { name: 'b' }, symlinkTo('a', 'b')], /twice/],
    ['a link and a file of one name', [{ name: 'b' }, symlinkTo('a', 'b'), { name: 'a' }], /twice/],
    ['two links of one name', [symlinkTo('a', 'b'), symlinkTo('a', 'c')], /twice/],
  ];
  for (const [what, entries, message] of hostile) {
    it(`is refused for ${what}`, (t) => refused(t, tarOf(entries), 'ARCHIVE_INVALID', message));
  }

  it('is refused for a negative size, one that is no number, and one beyond the end', async (t) => {
    const cases: readonly (readonly [RawEntry, RegExp])[] = [
      [{ name: 'a', size: `\xff${'\xff'.repeat(10)}\x01` }, /there is no header at byte 512|is not a tar/],
      [{ name: 'a', pax: { size: '-512' } }, /there is no header at byte/],
      [{ name: 'a', pax: { size: 'many' } }, /there is no header at byte/],
      [{ name: 'a', size: 5000 }, /is cut off: it ends in the middle of "a"$/],
      [{ name: 'a', pax: { size: '9'.repeat(30) } }, /is cut off/],
    ];
    for (const [entry, message] of cases) {
      await refused(t, tarOf([{ name: 'first' }, entry]), 'ARCHIVE_INVALID', message);
    }
  });

  it('is refused for headers and names that are too long', async (t) => {
    const record = { name: 'a', pax: { comment: 'x'.repeat(2 * 1024 * 1024) } };
    await refused(t, tarOf([record]), 'TOO_LARGE', /has a header of more than \d+ bytes/);
    await refused(t, tarOf([{ name: 'a', pax: { path: 'x'.repeat(5000) } }]), 'TOO_LARGE', /has a name of more than/);
    const names = Array.from({ length: 9 }, (_, i) => ({ name: 'a', pax: { path: `${i}${'x'.repeat(4000)}` } }));
    const limits = { entries: 10, nameBytes: 4096, namesBytes: 36_008 };
    await refused(t, tarOf(names), 'TOO_LARGE', /has names of more than 36008 bytes in all$/, limits);
    assert.equal(Object.keys(await filesIn(t, tarOf(names), { ...limits, namesBytes: 36_009 })).length, 9);
  });

  // The soak tier has an archive past the real limits.
  it('is refused for more entries than an archive of images has', async (t) => {
    const limits = { entries: 3, nameBytes: 4096, namesBytes: 10_000 };
    const entries = [...'abcd'].map((name) => ({ name }));
    await refused(t, tarOf(entries), 'TOO_LARGE', /has more than 3 entries$/, limits);
    assert.deepEqual(Object.keys(await filesIn(t, tarOf(entries.slice(1)), limits)), ['b', 'c', 'd']);
  });
});

describe('a damaged archive', () => {
  const whole = tarOf([
    { name: 'a', content: 'x'.repeat(1000) },
    { name: 'b', content: 'y'.repeat(1000) },
  ]);

  it('is refused wherever it was cut off', async (t) => {
    await refused(t, whole.subarray(0, 100), 'ARCHIVE_INVALID', /is not a tar archive$/);
    await refused(t, whole.subarray(0, 900), 'ARCHIVE_INVALID', /cut off: it ends in the middle of "a"$/);
    await refused(t, whole.subarray(0, 1536 + 100), 'ARCHIVE_INVALID', /cut off: it ends in the middle of a header$/);
    await refused(t, whole.subarray(0, 1536 + 600), 'ARCHIVE_INVALID', /cut off: it ends in the middle of "b"$/);
    const inPax = tarOf([{ name: 'a', pax: { comment: 'x'.repeat(2000) } }]).subarray(0, 1200);
    await refused(t, inPax, 'ARCHIVE_INVALID', /cut off: it ends in the middle of a header$/);
  });

  it('is refused with the place of the damage', async (t) => {
    const broken = Buffer.from(whole);
    broken[1536] = 0x7a;
    await refused(t, broken, 'ARCHIVE_INVALID', /is damaged: there is no header at byte 1536$/);
    const gap = Buffer.concat([whole.subarray(0, 1536), Buffer.alloc(512), whole.subarray(1536)]);
    await refused(t, gap, 'ARCHIVE_INVALID', /has a gap in it, at byte 1536$/);
  });

  it('is refused if it is something else', async (t) => {
    await refused(t, Buffer.from('{"schemaVersion":2}'), 'ARCHIVE_INVALID', /is not a tar archive$/);
    await refused(t, Buffer.from('PK\x03\x04'.padEnd(2000, 'x')), 'ARCHIVE_INVALID', /is not a tar archive$/);
    await refused(t, new Uint8Array(0), 'ARCHIVE_INVALID', /is empty$/);
    assert.deepEqual(await filesIn(t, tarEnd), {});
  });
});
