import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { startServe } from '../../support/registries.ts';
import { type Scope, sandbox } from '../../support/sandbox.ts';

const repo = parseRepositoryName('team/app');
const amd64 = await buildImage({ layers: [{ files: { a: 'a' } }] });
const arm64 = await buildImage({
  layers: [{ files: { b: 'b' } }],
  platform: { os: 'linux', architecture: 'arm64' },
});
const index = await buildIndex([amd64, arm64]);

async function setUp(t: Scope) {
  const { home } = await sandbox(t);
  const { registry, host } = await startServe(t);
  await pushImage(registry, repo, parseTag('1'), index);
  return { home, registry, name: `${host}/${repo}` };
}

describe('ocictl manifest get', () => {
  it('prints the bytes that the digest is of', async (t) => {
    const { name, home } = await setUp(t);
    const { exitCode, stdout, stderr } = await ocictl(t, ['manifest', 'get', `${name}:1`]);
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.equal(stdout, Buffer.from(index.manifest.bytes).toString());
    const one = await ocictl(t, ['manifest', 'get', '--platform', 'linux/arm64', `${name}:1`]);
    assert.equal(one.stdout, Buffer.from(arm64.manifest.bytes).toString());
    const file = join(home, 'manifest.json');
    const written = await ocictl(t, ['manifest', 'get', '-o', file, `${name}@${amd64.descriptor.digest}`]);
    assert.deepEqual([written.exitCode, written.stdout], [0, '']);
    assert.deepEqual(await readFile(file), Buffer.from(amd64.manifest.bytes));
  });

  it('ends with 3 where there is none', async (t) => {
    const { name } = await setUp(t);
    const { exitCode, stdout } = await ocictl(t, ['manifest', 'get', `${name}:none`]);
    assert.deepEqual([exitCode, stdout], [3, '']);
  });
});

describe('ocictl manifest head', () => {
  it('shows the descriptors of several', async (t) => {
    const { name } = await setUp(t);
    const words = [`${name}:1`, `${name}@${arm64.descriptor.digest}`];
    const { stdout } = await ocictl(t, ['manifest', 'head', ...words]);
    const lines = [index, arm64].map(({ descriptor: { mediaType, digest, size } }, at) =>
      [mediaType, digest, size, words[at]].join('\t'),
    );
    assert.equal(stdout, `${lines.join('\n')}\n`);
  });
});

describe('ocictl manifest put', () => {
  it('sets tags, moves them, and needs none', async (t) => {
    const { name, home, registry } = await setUp(t);
    const file = join(home, 'm.json');
    await writeFile(file, amd64.manifest.bytes);
    const { digest } = amd64.descriptor;
    for (const word of [`${name}:2`, `${name}:1`, name, `${name}@${digest}`]) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['manifest', 'put', word, file]);
      assert.deepEqual([exitCode, stdout, stderr], [0, `${name}@${digest}\n`, ''], word);
    }
    for (const tag of ['1', '2']) {
      assert.equal((await registry.statManifest(repo, parseTag(tag))).digest, digest);
    }
    await assert.rejects(registry.statManifest(repo, parseTag('latest')), { code: 'MANIFEST_UNKNOWN' });
  });

  it('takes a copy of the manifest of another repository by a pipe', async (t) => {
    const { name, registry } = await setUp(t);
    const input = Buffer.from(index.manifest.bytes);
    const { exitCode, stdout } = await ocictl(t, ['manifest', 'put', '--json', `${name}:3`, '-'], { input });
    assert.equal(exitCode, 0);
    const { mediaType, digest, size } = index.descriptor;
    assert.deepEqual(JSON.parse(stdout), { reference: `${name}@${digest}`, mediaType, digest, size, tags: ['3'] });
    assert.equal((await registry.statManifest(repo, parseTag('3'))).digest, digest);
  });

  const invalid: readonly (readonly [string, string, readonly string[], number, RegExp])[] = [
    ['what is no JSON', 'hello', [], 7, /JSON/],
    ['a manifest of no known type', '{}', [], 7, /neither mediaType/],
    ['what names missing blobs', '', [], 3, /not|unknown/i],
  ];
  for (const [what, body, more, status, message] of invalid) {
    it(`refuses ${what}`, async (t) => {
      const { name, registry } = await setUp(t);
      const absent = await buildImage({ layers: [{ files: { absent: 'absent' } }] });
      const input = body === '' ? Buffer.from(absent.manifest.bytes) : body;
      const { exitCode, stdout, stderr } = await ocictl(t, ['manifest', 'put', ...more, `${name}:1`, '-'], { input });
      assert.equal(stdout, '');
      assert.match(stderr, message);
      assert.equal(exitCode, status);
      assert.equal((await registry.statManifest(repo, parseTag('1'))).digest, index.descriptor.digest);
    });
  }

  it('sends nothing that has another digest than was named', async (t) => {
    const { name } = await setUp(t);
    const input = Buffer.from(amd64.manifest.bytes);
    const word = `${name}:1@${arm64.descriptor.digest}`;
    const { exitCode, stderr } = await ocictl(t, ['manifest', 'put', word, '-'], { input });
    assert.equal(exitCode, 7);
    assert.match(stderr, /nothing was sent/);
  });
});

describe('ocictl manifest delete', () => {
  it('deletes what a tag points at, with its other tags, when told twice', async (t) => {
    const { name, registry } = await setUp(t);
    await registry.pushManifest(repo, index.manifest, { tags: [parseTag('2')] });
    const asked = await ocictl(t, ['manifest', 'delete', `${name}:1`]);
    assert.deepEqual([asked.exitCode, asked.stdout], [9, '']);
    assert.match(asked.stderr, /team\/app:1, .*team\/app:2/);
    const { exitCode, stdout } = await ocictl(t, ['manifest', 'delete', '--yes', `${name}:1`]);
    assert.equal(exitCode, 0);
    const { digest } = index.descriptor;
    assert.equal(stdout, ['@'.concat(digest), ':1', ':2'].map((end) => `Deleted: ${name}${end}\n`).join(''));
    await assert.rejects(registry.statManifest(repo, digest), { code: 'MANIFEST_UNKNOWN' });
    await registry.statManifest(repo, amd64.descriptor.digest);
    const nameless = await ocictl(t, ['manifest', 'delete', '--yes', name]);
    assert.equal(nameless.exitCode, 2);
  });
});

describe('commands of two words', () => {
  it('are listed by the first, and suggested', async (t) => {
    const listed = await ocictl(t, ['manifest']);
    assert.equal(listed.exitCode, 0);
    for (const word of ['get', 'head', 'put', 'delete']) assert.match(listed.stdout, new RegExp(`^ {2}${word} `, 'm'));
    assert.equal((await ocictl(t, ['manifest', '--help'])).stdout, listed.stdout);
    const mistyped = await ocictl(t, ['manifest', 'gte', 'x']);
    assert.equal(mistyped.exitCode, 2);
    assert.match(mistyped.stderr, /unknown command 'gte'\nhint: did you mean get\?/);
    assert.match((await ocictl(t, ['manifset'])).stderr, /did you mean manifest\?/);
    const option = await ocictl(t, ['manifest', 'get', '--foo', 'x']);
    assert.match(option.stderr, /ocictl manifest get --help shows/);
    assert.equal((await ocictl(t, ['help', 'blob', 'put'])).stdout, (await ocictl(t, ['blob', 'put', '-h'])).stdout);
  });
});
