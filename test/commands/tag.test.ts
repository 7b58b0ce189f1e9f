import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseReference, parseTag, toStoreName } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { type BuiltImage, buildImage, buildIndex } from '../support/images.ts';
import { keepImage, localStore } from '../support/local-store.ts';
import { sandbox } from '../support/sandbox.ts';

const imageOf = (name: string): Promise<BuiltImage> => buildImage({ layers: [{ files: { [name]: name } }] });

async function digestOf(t: TestContext, name: string): Promise<string> {
  const reference = parseReference(name);
  const store = await localStore(t);
  return (await store.statManifest(toStoreName(reference), reference.tag ?? parseTag('latest'))).digest;
}

async function assertSilent(t: TestContext, words: readonly string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await ocictl(t, ['tag', ...words]);
  assert.deepEqual([exitCode, stdout, stderr], [0, '', '']);
}

describe('ocictl tag', () => {
  it('gives an image another name, silently, and keeps the old one', async (t) => {
    const image = await imageOf('app');
    await keepImage(t, 'alpine:3', image);
    await assertSilent(t, ['alpine:3', 'registry.example.com/base/alpine:3.20']);
    assert.equal(await digestOf(t, 'registry.example.com/base/alpine:3.20'), image.descriptor.digest);
    assert.equal(await digestOf(t, 'alpine:3'), image.descriptor.digest);
  });

  it('means latest where no tag is named, on both sides', async (t) => {
    const image = await imageOf('app');
    await keepImage(t, 'alpine', image);
    await assertSilent(t, ['alpine', 'copy']);
    assert.equal(await digestOf(t, 'copy:latest'), image.descriptor.digest);
  });

  it('takes a digest, an image ID, and the beginning of one', async (t) => {
    const image = await imageOf('app');
    await keepImage(t, 'app:1', image);
    const id = image.config.descriptor.digest;
    const sources = [`app@${image.descriptor.digest}`, id, id.slice(7), id.slice(7, 19), id.slice(0, 14)];
    for (const [at, source] of sources.entries()) {
      await assertSilent(t, [source, `copy:${at}`]);
      assert.equal(await digestOf(t, `copy:${at}`), image.descriptor.digest, source);
    }
  });

  it('moves a tag that names another image', async (t) => {
    const [old, young] = [await imageOf('old'), await imageOf('young')];
    await keepImage(t, 'app:1', old);
    await keepImage(t, 'app:2', young);
    await assertSilent(t, ['app:2', 'app:1']);
    assert.equal(await digestOf(t, 'app:1'), young.descriptor.digest);
    await assertSilent(t, ['app:2', 'app:2']);
  });

  it('tags an index with one pulled image, and copies no blob', async (t) => {
    const [here, absent] = [
      await imageOf('here'),
      await buildImage({ platform: { os: 'linux', architecture: 's390x' }, layers: [{ files: { absent: '' } }] }),
    ];
    const index = await buildIndex([here, absent]);
    await keepImage(t, 'app', index, { omit: [absent] });
    const blobs = join((await sandbox(t)).store, 'docker/registry/v2/blobs/sha256');
    const before = (await readdir(blobs, { recursive: true })).sort();
    await assertSilent(t, ['app', 'localhost:5000/team/app:1']);
    assert.equal(await digestOf(t, 'localhost:5000/team/app:1'), index.descriptor.digest);
    assert.deepEqual((await readdir(blobs, { recursive: true })).sort(), before);
    // The new name does not depend on the old one.
    assert.equal((await ocictl(t, ['rmi', 'app'])).exitCode, 0);
    const store = await localStore(t);
    for (const { descriptor } of here.blobs) {
      await store.statBlob(toStoreName(parseReference('localhost:5000/team/app')), descriptor.digest);
    }
  });

  const digest = `sha256:${'a'.repeat(64)}`;
  const refusals: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ['a target with a digest', ['app', `app@${digest}`], 2, /refusing to create a tag with a digest reference/],
    ['a target with tag and digest', ['app', `app:1@${digest}`], 2, /refusing to create a tag with a digest/],
    ['a target in capitals', ['app', 'App'], 2, /repository name must be lowercase/],
    ['a source that is no reference', ['a b', 'app'], 2, /invalid reference format/],
    ['one name alone', ['app'], 2, /missing required argument/],
    ['an image that is not there', ['none', 'app:2'], 3, /No such image: none:latest/],
    ['a tag that is not there', ['app:9', 'app:2'], 3, /No such image: app:9/],
    ['a digest that is not there', [`app@${digest}`, 'app:2'], 3, /No such image: app@sha256:a/],
    ['an ID that is not there', ['0123456789ab', 'app:2'], 3, /No such image: 0123456789ab/],
  ];
  for (const [title, words, status, message] of refusals) {
    it(`refuses ${title} with status ${status}`, async (t) => {
      await keepImage(t, 'app', await imageOf('app'));
      const { exitCode, stdout, stderr } = await ocictl(t, ['tag', ...words]);
      assert.deepEqual([exitCode, stdout], [status, ''], stderr);
      assert.match(stderr, message);
      if (status === 3) assert.match(stderr, /hint: ocictl images/);
    });
  }

  it('asks for more digits where two images begin alike: status 9', async (t) => {
    const images: BuiltImage[] = [];
    const begins = new Map<string, number>();
    let shared: string | undefined;
    for (let at = 0; shared === undefined; at += 1) {
      const image = await imageOf(`image ${at}`);
      images.push(image);
      const begin = image.config.descriptor.digest.slice(7, 11);
      if (begins.has(begin)) shared = begin;
      begins.set(begin, at);
    }
    for (const [at, image] of images.entries()) {
      if (image.config.descriptor.digest.startsWith(`sha256:${shared}`)) await keepImage(t, `app:${at}`, image);
    }
    const { exitCode, stderr } = await ocictl(t, ['tag', shared, 'app:new']);
    assert.equal(exitCode, 9, stderr);
    assert.match(stderr, /beginning of 2 image IDs/);
  });
});
