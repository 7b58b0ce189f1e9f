import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Digest, digestHex } from '../../../src/model/digest.ts';
import { parsePlatform } from '../../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { ocictl } from '../../support/command.ts';
import { buildArtifact, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { digestOf, openMirror, requestsIn } from './mirror.ts';

const repo = parseRepositoryName('team/app');
const platforms = ['linux/amd64', 'linux/arm64', 'linux/s390x'];
const file = (more: string): string =>
  `to: DESTINATION/{{.Path}}\n${more}\nsources: [{from: SOURCE/team/app, tags: '1'}]`;

/** A source with an index for three platforms. */
async function withIndex(t: TestContext) {
  const mirror = await openMirror(t);
  const images = await Promise.all(
    platforms.map((name) => buildImage({ platform: parsePlatform(name), layers: [{ files: { name } }] })),
  );
  const index = await buildIndex(images);
  await pushImage(mirror.source.registry, repo, parseTag('1'), index);
  return { ...mirror, index, images };
}

async function referrersOf(registry: Registry, digest: Digest): Promise<number> {
  let count = 0;
  for await (const _ of registry.referrers(repo, digest)) count += 1;
  return count;
}

describe('sync of some platforms', () => {
  it('copies the image of one alone, and finds it there', async (t) => {
    const { destination, images, sync } = await withIndex(t);
    const text = file('platforms: linux/arm64');
    assert.equal((await sync(text)).exitCode, 0);
    assert.equal(await digestOf(destination.registry, 'team/app:1'), images[1]?.descriptor.digest);
    const { stderr } = await sync(text);
    assert.match(stderr, /^1 image: 0 copied, 1 unchanged$/m);
  });

  it('makes an index of several for a registry, and finds it there', async (t) => {
    const { destination, index, sync } = await withIndex(t);
    const text = file('platforms: [linux/amd64, linux/s390x]');
    const { exitCode, stderr } = await sync(text);
    assert.equal(exitCode, 0, stderr);
    assert.notEqual(await digestOf(destination.registry, 'team/app:1'), index.descriptor.digest);
    const { view } = await destination.registry.getManifest(repo, parseTag('1'));
    assert.equal(view.kind === 'index' && view.manifests.length, 2);
    assert.match((await sync(text)).stderr, /^1 image: 0 copied, 1 unchanged$/m);
  });

  it('copies an index with the images of several to a layout', async (t) => {
    const { index, sync } = await withIndex(t);
    const text = file('platforms: [linux/amd64, linux/s390x]').replace(
      'DESTINATION/{{.Path}}',
      'oci:dir:{{.Name}}-{{.Tag}}',
    );
    assert.equal((await sync(text)).exitCode, 0);
    assert.equal((await ocictl(t, ['digest', 'oci:dir:app-1'])).stdout.trim(), index.descriptor.digest);
    assert.match((await sync(text)).stderr, /^1 image: 0 copied, 1 unchanged$/m);
  });

  it('fails for a platform that the source does not have', async (t) => {
    const { sync } = await withIndex(t);
    assert.equal((await sync(file('platforms: [linux/amd64, windows/amd64]'))).exitCode, 3);
  });
});

describe('sync of what belongs to an image', () => {
  it('takes referrers and signature tags along, also those that came later', async (t) => {
    const { source, destination, index, images, sync, tags } = await withIndex(t);
    const [image] = images;
    assert.ok(image);
    const text = file('referrers: true\ndigest-tags: true');
    assert.equal((await sync(text)).exitCode, 0);
    assert.equal(await referrersOf(destination.registry, image.descriptor.digest), 0);
    const artifact = await buildArtifact({ artifactType: 'application/x-signature', subject: image.descriptor });
    await pushImage(source.registry, repo, undefined, artifact);
    const signature = `sha256-${digestHex(index.descriptor.digest)}.sig`;
    await pushImage(source.registry, repo, parseTag(signature), await buildArtifact({ artifactType: 'a/b' }));
    assert.match((await sync(file(''))).stderr, /1 unchanged/);
    assert.equal(await referrersOf(destination.registry, image.descriptor.digest), 0);
    const { stderr } = await sync(text);
    assert.match(stderr, /^1 image: 1 copied, 0 unchanged$/m);
    assert.equal(await referrersOf(destination.registry, image.descriptor.digest), 1);
    assert.equal(await tags('team/app'), `1 ${signature}`);
    assert.match((await sync(text)).stderr, /^1 image: 0 copied, 1 unchanged$/m);
  });

  it('mounts what several repositories of the destination share', async (t) => {
    const { push, sync, tags } = await openMirror(t);
    for (const name of ['team/a:1', 'team/b:1']) await push(name, 'the same');
    const { exitCode, stderr } = await sync("to: DESTINATION/{{.Path}}\nsources: [{from: 'SOURCE/team/*'}]", '-v');
    assert.equal(exitCode, 0, stderr);
    assert.equal(await tags('team/b'), '1');
    assert.equal(requestsIn(stderr).filter((request) => request === 'GET blobs').length, 2);
  });
});
