import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readFile, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { nameBytes } from '../../../src/image/tar/names.ts';
import { readTar } from '../../../src/image/tar/read.ts';
import { writeTar } from '../../../src/image/tar/write.ts';
import { createHasher } from '../../../src/model/digest.ts';
import { needs } from '../../support/programs.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

const exec = promisify(execFile);
const maxBuffer = 64 * 1024 * 1024;

/** What all readers are asked about an entry. */
interface Facts {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly owner: string;
  readonly mtime: string;
  readonly size: number;
  readonly link: string;
  readonly xattrs: Readonly<Record<string, string>>;
  readonly digest: string;
}

// Python's reader as a judge: names as hexadecimal bytes, times with all digits that it has.
const python = `
import hashlib, json, sys, tarfile
def b(s): return s.encode('utf-8', 'surrogateescape').hex()
with tarfile.open(sys.argv[1], encoding='utf-8', errors='surrogateescape') as tar:
  for m in tar:
    f = tar.extractfile(m) if m.isreg() else None
    x = {k[13:]: b(v) for k, v in m.pax_headers.items() if k.startswith('SCHILY.xattr.')}
    print(json.dumps(dict(name=b(m.name), type={b'\\0':'0',b'S':'0'}.get(m.type, m.type.decode()), mode=m.mode & 0o7777, owner='%d:%d' % (m.uid, m.gid),
      mtime=m.pax_headers.get('mtime', str(int(m.mtime))), size=m.size if m.isreg() else 0, link=b(m.linkname) if m.type in b'12' else '', xattrs=x,
      digest=hashlib.sha256(f.read()).hexdigest() if f else '')))
`;

async function ours(file: string): Promise<Facts[]> {
  const found: Facts[] = [];
  for await (const reading of readTar(createReadStream(file), { shown: file })) {
    const { entry } = reading;
    if (entry.type === 'global') continue;
    const hasher = await createHasher();
    for await (const chunk of reading.content()) hasher.update(chunk);
    const { seconds, nanoseconds } = entry.mtime;
    found.push({
      name: hex(entry.path.replace(/\/+$/, '')),
      type: entry.type === 'file' ? '0' : entry.flag,
      mode: entry.mode & 0o7777,
      owner: `${entry.uid}:${entry.gid}`,
      mtime: trimmed(`${seconds}.${String(nanoseconds).padStart(9, '0')}`),
      size: entry.size,
      link: hex(entry.linkname),
      xattrs: Object.fromEntries([...entry.xattrs].map(([name, value]) => [name, Buffer.from(value).toString('hex')])),
      digest: entry.type === 'file' ? hasher.digest().slice('sha256:'.length) : '',
    });
  }
  return found;
}

async function pythons(file: string): Promise<Facts[]> {
  const { stdout } = await exec('python3', ['-c', python, file], { maxBuffer });
  const lines = stdout.trim().split('\n');
  return lines.map((line) => {
    const facts = JSON.parse(line) as Facts;
    return { ...facts, mtime: trimmed(facts.mtime) };
  });
}

const hex = (name: string): string => nameBytes(name).toString('hex');

const trimmed = (time: string): string => (time.includes('.') ? time.replace(/\.?0+$/, '') : time);

/** A tree with what is hard to keep. */
async function makeTree(root: string): Promise<void> {
  const bad = Buffer.concat([Buffer.from(`${root}/bad-`), Buffer.from([0xff, 0xe9])]);
  const long = join(root, ...Array.from({ length: 5 }, () => 'long-name-'.repeat(6)));
  await mkdir(long, { recursive: true });
  await writeFile(join(long, 'f'.repeat(120)), 'long');
  await writeFile(bad, 'bad');
  await writeFile(join(root, 'grüße'), 'x'.repeat(1000));
  await writeFile(join(root, 'empty'), '');
  await symlink('t'.repeat(150), join(root, 'link'));
  await symlink('/etc/passwd', join(root, 'absolute'));
  await link(join(root, 'grüße'), join(root, 'hard'));
  await exec('mkfifo', [join(root, 'pipe')]);
  await utimes(join(root, 'empty'), 1_500_000_000.5, 1_500_000_000.5);
  const sparse = await open(join(root, 'sparse'), 'w');
  for (let i = 0; i < 40; i += 1) await sparse.write(Buffer.from(`part ${i}`), 0, undefined, i * 100_000);
  await sparse.close();
  await truncate(join(root, 'sparse'), 5_000_000);
  await exec('chown', ['3000000:4000000', join(root, 'empty')]);
}

const formats: Readonly<Record<string, readonly string[]>> = {
  gnu: ['--format=gnu'],
  'gnu, sparse': ['--format=gnu', '--sparse'],
  oldgnu: ['--format=oldgnu', '--sparse'],
  pax: ['--format=pax'],
  'pax, sparse 0.0': ['--format=pax', '--sparse', '--sparse-version=0.0'],
  'pax, sparse 0.1': ['--format=pax', '--sparse', '--sparse-version=0.1'],
  'pax, sparse 1.0': ['--format=pax', '--sparse', '--sparse-version=1.0'],
};

describe('tar archives of other programs', () => {
  it("GNU tar's are read as Python reads them, and written so that Python and GNU tar read them", async (t) => {
    if (!needs(t, 'tar', 'python3')) return;
    const directory = await temporaryDirectory(t);
    const tree = join(directory, 'tree');
    await mkdir(tree);
    await makeTree(tree);
    for (const [name, words] of Object.entries(formats)) {
      const file = join(directory, 'made.tar');
      await exec('tar', ['-C', tree, '--sort=name', ...words, '-cf', file, '.']);
      const expected = await pythons(file);
      assert.ok(expected.length > 10, name);
      assert.deepEqual(await ours(file), expected, name);
      const again = join(directory, 'again.tar');
      await copy(file, again);
      assert.deepEqual(await pythons(again), expected, `${name}, written again`);
      assert.deepEqual(await compared(tree, again), await compared(tree, file), `${name}, compared`);
    }
  });

  it("Python's are read as it reads them", async (t) => {
    if (!needs(t, 'python3')) return;
    const directory = await temporaryDirectory(t);
    for (const format of ['USTAR_FORMAT', 'GNU_FORMAT', 'PAX_FORMAT']) {
      const file = join(directory, `${format}.tar`);
      await exec('python3', ['-c', makeByPython, file, format]);
      assert.deepEqual(await ours(file), await pythons(file), format);
    }
  });
});

const makeByPython = `
import io, sys, tarfile
f = getattr(tarfile, sys.argv[2])
with tarfile.open(sys.argv[1], 'w', format=f, encoding='utf-8', errors='surrogateescape', pax_headers={'comment': 'global'} if f == tarfile.PAX_FORMAT else None) as tar:
  def add(name, data=b'', **k):
    m = tarfile.TarInfo(name); m.size = len(data)
    for key, value in k.items(): setattr(m, key, value)
    tar.addfile(m, io.BytesIO(data))
  add('plain', b'x' * 600, mtime=1700000000, mode=0o4755)
  add('d' * 60 + '/' + 'e' * 90, b'y')
  add('gr\\u00fc\\udcff', b'z')
  if f != tarfile.USTAR_FORMAT:
    add('n' * 300, b'long'); add('big', b'', uid=2**31, gid=2**21); add('before', b'', mtime=-5)
    add('link', type=tarfile.SYMTYPE, linkname='t' * 200)
  if f == tarfile.PAX_FORMAT: add('xattr', b'', pax_headers={'SCHILY.xattr.user.a': 'v\\n=\\udcfe', 'mtime': '1.25'})
`;

/** What GNU tar finds different; not times, whose fractions it compares in archives of PAX alone. */
async function compared(tree: string, file: string): Promise<readonly string[]> {
  const run = exec('tar', ['-C', tree, '--compare', '-f', file]);
  const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
  return [...stdout.split('\n').filter((line) => !line.endsWith(': Mod time differs')), stderr];
}

async function copy(from: string, to: string): Promise<void> {
  const handle = await open(to, 'w');
  const parts = async function* () {
    for await (const { entry, stored } of withStored(from)) yield { entry, content: stored };
  };
  for await (const chunk of writeTar(parts())) await handle.write(chunk);
  await handle.close();
  assert.ok((await readFile(to)).length > 0);
}

async function* withStored(file: string) {
  for await (const reading of readTar(createReadStream(file), { shown: file })) {
    yield { entry: reading.entry, stored: reading.stored() };
  }
}
