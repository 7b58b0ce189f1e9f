import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TarEntry } from '../../../src/image/tar/entry.ts';
import { isText, nameBytes, nameOf } from '../../../src/image/tar/names.ts';
import { readTar } from '../../../src/image/tar/read.ts';
import { type NewEntry, type TarPart, writeTar } from '../../../src/image/tar/write.ts';

const shown = 'layer';

async function written(parts: readonly TarPart[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeTar(parts)) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  // The memory is used again, as that of a file is.
  const memory = Buffer.alloc(size);
  for (let at = 0; at < bytes.length; at += size) {
    const count = bytes.copy(memory, 0, at, at + size);
    yield memory.subarray(0, count);
  }
}

async function read(bytes: Buffer, size = 65_536): Promise<{ entry: TarEntry; stored: Buffer }[]> {
  const found: { entry: TarEntry; stored: Buffer }[] = [];
  for await (const reading of readTar(pieces(bytes, size), { shown })) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of reading.stored()) chunks.push(Uint8Array.from(chunk));
    found.push({ entry: reading.entry, stored: Buffer.concat(chunks) });
  }
  return found;
}

const bytes = (...values: number[]): string => nameOf(Buffer.from(values));
const epoch = { seconds: 0, nanoseconds: 0 };
const deep = `${'directory/'.repeat(20)}file`;
const full = (entry: NewEntry): TarEntry => ({
  flag: {
    file: '0',
    link: '1',
    symlink: '2',
    character: '3',
    block: '4',
    directory: '5',
    fifo: '6',
    global: 'g',
    unknown: 'V',
  }[entry.type],
  mode: 0o640,
  uid: 0,
  gid: 0,
  uname: '',
  gname: '',
  mtime: epoch,
  size: 0,
  linkname: '',
  devmajor: 0,
  devminor: 0,
  xattrs: new Map(),
  sparse: undefined,
  records: new Map(),
  ...entry,
});

const cases: Readonly<Record<string, NewEntry>> = {
  'a file': { path: 'a', type: 'file', size: 3 },
  'a directory': { path: 'a/', type: 'directory' },
  'a name of 100 bytes': { path: 'x'.repeat(100), type: 'file' },
  'a name of 101 bytes': { path: 'x'.repeat(101), type: 'file' },
  'a name of two fields': { path: `${'x'.repeat(150)}/${'y'.repeat(99)}`, type: 'file' },
  'a directory whose slash is the 101st byte': { path: `${'x'.repeat(100)}/`, type: 'directory' },
  'a deep name': { path: deep, type: 'file' },
  'a name of 5000 bytes': { path: 'd/'.repeat(2500), type: 'directory' },
  'a name in UTF-8': { path: 'grüße/日本/😀', type: 'file' },
  'a name in no UTF-8': { path: `a${bytes(0xff, 0xe9)}b`, type: 'file' },
  'a long name in no UTF-8': { path: `${bytes(0xe9, 0x80)}${'x'.repeat(200)}`, type: 'file' },
  'an owner over 21 bits': { path: 'a', type: 'file', uid: 3_000_000, gid: 4_294_967_294 },
  'a time with a fraction': { path: 'a', type: 'file', mtime: { seconds: 1_700_000_000, nanoseconds: 123_456_789 } },
  'a time before 1970': { path: 'a', type: 'file', mtime: { seconds: -2, nanoseconds: 250_000_000 } },
  'a time before 1970 without a fraction': { path: 'a', type: 'file', mtime: { seconds: -86_400, nanoseconds: 0 } },
  'a time far away': { path: 'a', type: 'file', mtime: { seconds: 2 ** 40, nanoseconds: 0 } },
  'names of owners': { path: 'a', type: 'file', uname: 'grün', gname: 'g'.repeat(40) },
  'an xattr of any bytes': {
    path: 'a',
    type: 'file',
    xattrs: new Map([
      ['security.capability', Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
      ['user.é', Buffer.from('x\ny=z')],
      ['user.empty', Buffer.alloc(0)],
    ]),
  },
  'a symbolic link': { path: 'a', type: 'symlink', linkname: '../../b' },
  'a long link in no UTF-8': { path: 'a', type: 'symlink', linkname: bytes(0xff) + 'x'.repeat(300) },
  'a hard link': { path: 'a', type: 'link', linkname: deep },
  'a device': { path: 'a', type: 'character', devmajor: 5, devminor: 1 },
  'a device with large numbers': { path: 'a', type: 'block', devmajor: 4_000_000, devminor: 3_000_000_000 },
  'a pipe': { path: 'a', type: 'fifo', mode: 0o100_644 },
  'a volume label': { path: 'label', type: 'unknown', flag: 'V' },
  'records that it does not know': {
    path: 'a',
    type: 'file',
    records: new Map([
      ['atime', '1.5'],
      ['comment', bytes(0xfe)],
    ]),
  },
  'a sparse file': {
    path: `s${bytes(0xff)}`,
    type: 'file',
    size: 2 ** 40,
    sparse: [
      { offset: 4096, size: 600 },
      { offset: 2 ** 39, size: 1 },
    ],
  },
  'a sparse file without content': { path: 's', type: 'file', size: 5, sparse: [] },
  'a sparse file of many parts': {
    path: 's',
    type: 'file',
    size: 100_000,
    sparse: Array.from({ length: 1000 }, (_, i) => ({ offset: i * 100, size: 1 })),
  },
};

const contentOf = ({ size = 0, sparse }: NewEntry): Buffer =>
  Buffer.alloc(sparse ? sparse.reduce((sum, span) => sum + span.size, 0) : size, 'content');

describe('a tar archive that is written and read', () => {
  for (const [name, entry] of Object.entries(cases)) {
    it(`has ${name} as it was, and again the same bytes`, async () => {
      const expected = full(entry);
      const archive = await written([{ entry: expected, content: [contentOf(entry)] }]);
      const found = await read(archive);
      assert.deepEqual(found, [{ entry: expected, stored: contentOf(entry) }]);
      assert.deepEqual(await written(found.map(({ entry, stored }) => ({ entry, content: [stored] }))), archive);
    });
  }

  it('has all of them in one, in chunks of any size', async () => {
    const parts = Object.values(cases).map((entry) => ({ entry: full(entry), content: [contentOf(entry)] }));
    const archive = await written(parts);
    const expected = parts.map(({ entry, content }) => ({ entry, stored: Buffer.concat(content) }));
    for (const size of [1, 7, 511, 512, 513, 4096, archive.length])
      assert.deepEqual(await read(archive, size), expected);
  });

  it('has names that are any bytes', () => {
    let state = 12_345;
    const next = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state >>> 16;
    };
    for (let round = 0; round < 3000; round += 1) {
      const piece = (): Buffer =>
        next() % 2 === 0
          ? Buffer.from(String.fromCodePoint(next() % 0xd800))
          : Buffer.from([next() % 256, next() % 256]);
      const name = Buffer.concat(Array.from({ length: next() % 8 }, piece));
      assert.deepEqual(nameBytes(nameOf(name)), name);
      assert.equal(isText(nameOf(name)), Buffer.from(name.toString()).equals(name));
    }
  });

  it('has global records as an entry, which changes no other', async () => {
    const entries = [
      full({
        path: 'PaxHeaders.0/entry',
        type: 'global',
        records: new Map([
          ['comment', 'x'],
          ['path', 'evil'],
        ]),
      }),
      full({ path: 'a', type: 'file' }),
    ];
    const found = await read(await written(entries.map((entry) => ({ entry }))));
    assert.deepEqual(
      found.map(({ entry: { type, path, records } }) => [type, path, records.size]),
      [
        ['global', 'evil', 2],
        ['file', 'a', 0],
      ],
    );
  });

  it('gives the zeros of a sparse file, and its content in between', async () => {
    const entry = full({ path: 's', type: 'file', size: 200_000, sparse: [{ offset: 100_000, size: 3 }] });
    const archive = await written([{ entry, content: [Buffer.from('abc')] }]);
    for await (const reading of readTar(pieces(archive, 1000), { shown })) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of reading.content()) chunks.push(Uint8Array.from(chunk));
      const expected = Buffer.alloc(200_000);
      expected.write('abc', 100_000);
      assert.ok(Buffer.concat(chunks).equals(expected));
    }
  });

  it('passes over content that nobody reads, also where it was begun', async () => {
    const entry = full({ path: 'a', type: 'file', size: 3000 });
    const archive = await written([1, 2].map(() => ({ entry, content: [Buffer.alloc(3000, 1)] })));
    let count = 0;
    for await (const reading of readTar(pieces(archive, 700), { shown })) {
      count += 1;
      for await (const _ of reading.content()) break;
    }
    assert.equal(count, 2);
  });
});

describe('what no archive can hold', () => {
  const refused: Readonly<Record<string, [NewEntry, string?]>> = {
    'an empty path': [{ path: '', type: 'file' }],
    'a zero byte in a path': [{ path: 'a\0b', type: 'file' }],
    'a zero byte in a link': [{ path: 'a', type: 'symlink', linkname: '\0' }],
    'an xattr with = in its name': [{ path: 'a', type: 'file', xattrs: new Map([['user.a=b', new Uint8Array(1)]]) }],
    'too little content': [{ path: 'a', type: 'file', size: 5 }, 'abc'],
    'too much content': [{ path: 'a', type: 'file', size: 2 }, 'abc'],
    'content of a directory': [{ path: 'a', type: 'directory' }, 'abc'],
  };
  for (const [name, [entry, content = '']] of Object.entries(refused)) {
    it(`is refused: ${name}`, () =>
      assert.rejects(written([{ entry, content: [Buffer.from(content)] }]), { name: 'OciError' }));
  }
});
