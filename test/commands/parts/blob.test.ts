import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseDigest } from '../../../src/model/digest.ts';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import { ocictl, spawnOcictl } from '../../support/command.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startServe } from '../../support/registries.ts';
import { type Scope, sandbox } from '../../support/sandbox.ts';

const text = 'hello\n';
const digest = parseDigest('sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03');
const other = parseDigest(`sha256:${'0'.repeat(64)}`);
const repo = parseRepositoryName('team/app');

/** A registry behind a proxy that counts, and a file with the text. */
async function setUp(t: Scope) {
  const { home } = await sandbox(t);
  const { url, registry } = await startServe(t);
  const proxy = await startFaultProxy(t, url);
  const file = join(home, 'hello.txt');
  await writeFile(file, text);
  return { home, file, registry, proxy, name: `${proxy.host}/${repo}` };
}

/** The same, with the blob in the registry. */
async function withBlob(t: Scope) {
  const all = await setUp(t);
  const { exitCode } = await ocictl(t, ['blob', 'put', all.name, all.file]);
  assert.equal(exitCode, 0);
  return all;
}

describe('ocictl blob put', () => {
  it('uploads a file, and not again what is there', async (t) => {
    const { name, file, proxy } = await setUp(t);
    const put = await ocictl(t, ['blob', 'put', name, file]);
    assert.deepEqual([put.exitCode, put.stdout, put.stderr], [0, `${name}@${digest}\n`, '']);
    const before = proxy.count(/uploads/, 'PUT');
    const again = await ocictl(t, ['blob', 'put', '--json', name, file]);
    assert.deepEqual(JSON.parse(again.stdout), { reference: `${name}@${digest}`, digest, size: 6, outcome: 'exists' });
    assert.equal(proxy.count(/uploads/, 'PUT'), before);
  });

  it('uploads what comes by standard input, of any length', async (t) => {
    const { name, registry } = await setUp(t);
    const input = Buffer.alloc(3_000_000, 'x');
    const { exitCode, stdout } = await ocictl(t, ['blob', 'put', name, '-'], { input });
    assert.equal(exitCode, 0);
    const found = await registry.statBlob(repo, parseDigest(stdout.trim().split('@')[1] ?? ''));
    assert.equal(found.size, input.length);
  });

  for (const source of ['a file', 'standard input'] as const) {
    it(`stores nothing of ${source} that has another digest`, async (t) => {
      const { name, file, registry } = await setUp(t);
      const word = source === 'a file' ? file : '-';
      const { exitCode, stderr } = await ocictl(t, ['blob', 'put', '--digest', other, name, word], { input: text });
      assert.equal(exitCode, 7);
      assert.match(stderr, /has the digest sha256:5891/);
      await assert.rejects(registry.statBlob(repo, digest), { code: 'BLOB_UNKNOWN' });
    });
  }

  it('mounts a blob of another repository without sending it', async (t) => {
    const { name, proxy } = await withBlob(t);
    const target = `${proxy.host}/other`;
    const words = ['blob', 'put', '--json', '--mount-from', name, '--digest', digest, target];
    const { stdout } = await ocictl(t, words);
    assert.deepEqual(JSON.parse(stdout), { reference: `${target}@${digest}`, digest, size: 6, outcome: 'mounted' });
  });

  it('sends the file where the registry cannot mount, and says so without one', async (t) => {
    const { name, file, proxy } = await setUp(t);
    const words = ['blob', 'put', '--mount-from', `${proxy.host}/none`, '--digest', digest, name];
    const without = await ocictl(t, words);
    assert.equal(without.exitCode, 1);
    assert.match(without.stderr, /the registry did not mount/);
    const { exitCode, stdout } = await ocictl(t, [...words, file]);
    assert.deepEqual([exitCode, stdout], [0, `${name}@${digest}\n`]);
  });

  const refused: readonly (readonly [string, (name: string, file: string) => readonly string[], RegExp])[] = [
    ['no file', (name) => [name], /no file was named/],
    ['a file that is not there', (name) => [name, 'nothing.txt'], /there is no file nothing\.txt/],
    ['a directory', (name) => [name, '.'], /\. is a directory/],
    ['a tag', (name, file) => [`${name}:1`, file], /a blob belongs to a repository/],
    ['a digest', (name, file) => [`${name}@${digest}`, file], /cannot write to a digest/],
    ['a mount of nothing', (name) => ['--mount-from', 'other', name], /--mount-from needs --digest/],
    [
      'another registry to mount from',
      (name) => ['--mount-from', 'localhost:1/a', '--digest', digest, name],
      /not in the registry of/,
    ],
    ['an archive', (_, file) => ['oci-archive:x.tar', file], /takes whole images/],
  ];
  for (const [what, words, message] of refused) {
    it(`refuses ${what}`, async (t) => {
      const { name, file } = await setUp(t);
      const { exitCode, stdout, stderr } = await ocictl(t, ['blob', 'put', ...words(name, file)]);
      assert.deepEqual([exitCode, stdout], [what === 'an archive' ? 1 : 2, '']);
      assert.match(stderr, message);
    });
  }
});

describe('ocictl blob put of a named pipe', () => {
  it('waits for its writer, and can be interrupted until it comes', async (t) => {
    const { name, home } = await setUp(t);
    const pipe = join(home, 'pipe');
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    const waiting = await spawnOcictl(t, ['-v', 'blob', 'put', name, pipe]);
    // The session is open: only bytes are missing.
    await waiting.waitFor(/POST \S+ → 202/);
    waiting.child.kill('SIGINT');
    assert.equal((await waiting.result).exitCode, 130);
    const running = await spawnOcictl(t, ['-v', 'blob', 'put', name, pipe]);
    await running.waitFor(/POST \S+ → 202/);
    await writeFile(pipe, text);
    const { exitCode, stdout } = await running.result;
    assert.deepEqual([exitCode, stdout], [0, `${name}@${digest}\n`]);
  });
});

describe('ocictl blob get', () => {
  it('prints a blob, or a part of it', async (t) => {
    const { name } = await withBlob(t);
    for (const [words, wanted] of [
      [[], text],
      [['--range', '1-2'], 'el'],
      [['--range', '3-'], 'lo\n'],
      [['--range', '0-100'], text],
    ] as const) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['blob', 'get', ...words, `${name}@${digest}`]);
      assert.deepEqual([exitCode, stdout, stderr], [0, wanted, '']);
    }
  });

  it('writes no file of a blob that is wrong', async (t) => {
    const { name, home, proxy } = await withBlob(t);
    const file = join(home, 'got.txt');
    const right = await ocictl(t, ['blob', 'get', '-o', file, `${name}@${digest}`]);
    assert.deepEqual([right.exitCode, right.stdout, await readFile(file, 'utf8')], [0, '', text]);
    proxy.fail({ path: /blobs\/sha256/, flipByteAt: 1 });
    const wrong = await ocictl(t, ['blob', 'get', '-o', join(home, 'wrong.txt'), `${name}@${digest}`]);
    assert.equal(wrong.exitCode, 7);
    assert.deepEqual(
      (await readdir(home)).filter((entry) => /wrong|ocictl-archive/.test(entry)),
      [],
    );
  });

  for (const [what, words, exitCode] of [
    ['a range backwards', ['--range', '5-2'], 2],
    ['a range without a beginning', ['--range', '-5'], 2],
    ['a range behind the end', ['--range', '100-'], 3],
  ] as const) {
    it(`refuses ${what}`, async (t) => {
      const { name } = await withBlob(t);
      const result = await ocictl(t, ['blob', 'get', ...words, `${name}@${digest}`]);
      assert.notEqual(result.exitCode, 0);
      if (exitCode === 2) assert.equal(result.exitCode, 2);
      assert.equal(result.stdout, '');
    });
  }

  it('says how a blob is named', async (t) => {
    const { name } = await withBlob(t);
    const { exitCode, stderr } = await ocictl(t, ['blob', 'get', `${name}:1`]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /NAME@DIGEST/);
  });
});

describe('ocictl blob head and delete', () => {
  it('show what is there, and delete it when told twice', async (t) => {
    const { name, registry } = await withBlob(t);
    const word = `${name}@${digest}`;
    assert.equal((await ocictl(t, ['blob', 'head', word])).stdout, `${digest}\t6\t${word}\n`);
    const asked = await ocictl(t, ['blob', 'delete', word]);
    assert.deepEqual([asked.exitCode, asked.stdout], [9, '']);
    await registry.statBlob(repo, digest);
    const { exitCode, stdout } = await ocictl(t, ['blob', 'delete', '--yes', word]);
    assert.deepEqual([exitCode, stdout], [0, `Deleted: ${word}\n`]);
    const gone = await ocictl(t, ['blob', 'head', word]);
    assert.deepEqual([gone.exitCode, gone.stdout], [3, '']);
  });
});
