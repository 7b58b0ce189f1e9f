import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Digest, parseDigest } from '../../../src/model/digest.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { ocictl } from '../../support/command.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { startServe } from '../../support/registries.ts';
import { type Scope, sandbox } from '../../support/sandbox.ts';

const repo = parseRepositoryName('team/app');

/** A registry behind a proxy, with an image and an index of two images. */
async function setUp(t: Scope) {
  const { home } = await sandbox(t);
  const { url, registry } = await startServe(t);
  const proxy = await startFaultProxy(t, url);
  await writeFile(join(home, 'sbom.json'), '{}');
  const image = await buildImage({ layers: [] });
  const images = ['amd64', 'arm64'].map((architecture) =>
    buildImage({ layers: [], platform: { os: 'linux', architecture } }),
  );
  const index = await buildIndex(await Promise.all(images));
  await pushImage(registry, repo, parseTag('1'), image);
  await pushImage(registry, repo, parseTag('index'), index);
  const name = `${proxy.host}/${repo}`;
  const attach = (words: readonly string[]) => ocictl(t, ['attach', ...words]);
  return { home, registry, proxy, name, attach, image: image.descriptor.digest };
}

async function referrersOf(registry: Registry, digest: Digest): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for await (const { artifactType, annotations, ...entry } of registry.referrers(repo, digest)) {
    found.push([entry.digest, artifactType, annotations ?? {}]);
  }
  return found;
}

describe('ocictl attach', () => {
  it('pushes a manifest with a subject, which the registry lists', async (t) => {
    const { registry, name, attach, image } = await setUp(t);
    const { exitCode, stdout, stderr } = await attach([
      `${name}:1`,
      'sbom.json:a/b',
      '--artifact-type',
      'c/d',
      '-a',
      'k=v',
    ]);
    assert.equal(exitCode, 0, stderr);
    const digest = parseDigest(stdout.trim().split('@')[1] ?? '');
    assert.equal(stdout, `${name}@${digest}\n`);
    assert.deepEqual(await referrersOf(registry, image), [[digest, 'c/d', { k: 'v' }]]);
    const { view } = await registry.getManifest(repo, digest);
    assert.ok(view.kind === 'image');
    assert.equal(view.subject?.digest, image);
    assert.deepEqual(
      view.layers.map(({ mediaType }) => mediaType),
      ['a/b'],
    );
  });

  it('attaches annotations alone, by digest, and tells in JSON what it did', async (t) => {
    const { registry, name, attach, image } = await setUp(t);
    const words = [`${name}@${image}`, '--artifact-type', 'c/d', '-a', 'by=ada', '--json'];
    const { exitCode, stdout, stderr } = await attach(words);
    assert.equal(exitCode, 0, stderr);
    const { reference, digest, artifactType, annotations, subject } = JSON.parse(stdout);
    assert.deepEqual(
      [reference, artifactType, annotations, subject.digest],
      [`${name}@${digest}`, 'c/d', { by: 'ada' }, image],
    );
    assert.deepEqual(await referrersOf(registry, image), [[digest, 'c/d', { by: 'ada' }]]);
  });

  it('attaches to an index, or to an image of it', async (t) => {
    const { registry, name, attach } = await setUp(t);
    const { view, descriptor } = await registry.getManifest(repo, parseTag('index'));
    assert.ok(view.kind === 'index');
    const arm = view.manifests[1]?.digest ?? assert.fail();
    for (const [more, subject] of [
      [[], descriptor.digest],
      [['--platform', 'linux/arm64'], arm],
    ] as const) {
      const { exitCode, stderr } = await attach([`${name}:index`, 'sbom.json', '--artifact-type', 'c/d', ...more]);
      assert.equal(exitCode, 0, stderr);
      assert.equal((await referrersOf(registry, subject)).length, 1);
    }
    const none = await attach([`${name}:index`, 'sbom.json', '--artifact-type', 'c/d', '--platform', 'linux/s390x']);
    assert.equal(none.exitCode, 3);
  });

  it('attaches in a layout and in the local store', async (t) => {
    const { name, attach, image } = await setUp(t);
    for (const place of ['oci:layout:1', 'store:kept/app:1']) {
      assert.equal((await ocictl(t, ['copy', `${name}:1`, place])).exitCode, 0);
      const { exitCode, stdout, stderr } = await attach([place, 'sbom.json', '--artifact-type', 'c/d']);
      assert.equal(exitCode, 0, stderr);
      const got = await ocictl(t, ['manifest', 'get', stdout.trim()]);
      assert.equal(JSON.parse(got.stdout).subject.digest, image);
      await ocictl(t, ['copy', '--referrers', place, `${name}:from-${place.split(':')[0]}`]);
    }
  });

  it('reads files while it looks for the subject, and needs no more requests than that', async (t) => {
    const { name, attach, proxy } = await setUp(t);
    const before = proxy.requests.length;
    assert.equal((await attach([`${name}:1`, '-a', 'k=v', '--artifact-type', 'c/d'])).exitCode, 0);
    const sent = proxy.requests
      .slice(before)
      .map(({ method, path }) => `${method} ${path.replace(/[?].*|sha256:.*/, '')}`);
    assert.ok(sent.length <= 6, sent.join('\n'));
  });

  it('refuses what is not there, with status 3, and leaves no layout behind', async (t) => {
    const { home, name, attach, proxy } = await setUp(t);
    const digest = `sha256:${'0'.repeat(64)}`;
    for (const word of [`${name}:none`, `${name}@${digest}`, `${proxy.host}/other:1`, 'oci:new:1', 'store:none:1']) {
      const { exitCode, stdout, stderr } = await attach([word, 'sbom.json', '--artifact-type', 'c/d']);
      assert.deepEqual([exitCode, stdout], [3, ''], stderr);
      assert.match(stderr, /is not there, so nothing can be attached to it|No such image/);
    }
    assert.ok(!existsSync(join(home, 'new')));
    assert.equal(proxy.count(/./, 'PUT') + proxy.count(/./, 'POST'), 0);
  });

  it('refuses to attach nothing, or without a type', async (t) => {
    const { name, attach } = await setUp(t);
    for (const [words, said] of [
      [['sbom.json'], /attach needs --artifact-type/],
      [['--artifact-type', 'c/d'], /there is nothing to attach/],
    ] as const) {
      const { exitCode, stderr } = await attach([`${name}:1`, ...words]);
      assert.equal(exitCode, 2);
      assert.match(stderr, said);
    }
  });
});
