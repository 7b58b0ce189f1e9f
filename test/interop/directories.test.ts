import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { readContent } from '../../src/registry/content.ts';
import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { all } from '../contract/contract.ts';
import { blobsIn, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { layoutRoot, writeLayout } from '../support/layout.ts';
import { needs, skopeo, startDockerRegistry } from '../support/programs.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const repo = parseRepositoryName('team/app');

describe('the directory of a storage', () => {
  it('is read after docker-registry wrote it', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const writer = await startDockerRegistry(t);
    const [one, two] = [await demoIndex('one'), await demoIndex('two')];
    for (const [tag, built] of [
      ['1', one],
      ['2', two],
      // A moved tag: the first index stays as an untagged revision.
      ['1', two],
    ] as const) {
      const source = await temporaryDirectory(t);
      await writeLayout(source, tag, built);
      const to = `docker://${writer.host}/team/app:${tag}`;
      await skopeo(t, ['copy', '--all', '--dest-tls-verify=false', `oci:${source}:${tag}`, to]);
    }
    await writer.stop();

    const driver = await openFilesystemDriver({ root: writer.root, readOnly: true });
    const registry = createStorage({ driver });
    assert.deepEqual(await all(registry.repositories()), [repo]);
    assert.deepEqual(await all(registry.tags(repo)), ['1', '2']);
    for (const tag of ['1', '2']) {
      const got = await registry.getManifest(repo, parseTag(tag));
      assert.equal(got.descriptor.digest, two.descriptor.digest);
      assert.equal(got.mediaType, two.descriptor.mediaType);
    }
    const untagged = await registry.getManifest(repo, one.descriptor.digest);
    assert.deepEqual(Buffer.from(untagged.bytes), Buffer.from(one.manifest.bytes));
    for (const { descriptor } of [...blobsIn(one), ...blobsIn(two)]) {
      const bytes = await readContent(await registry.getBlob(repo, descriptor), 1 << 20);
      assert.equal(bytes.length, descriptor.size);
    }
    for (const child of one.children) {
      assert.equal((await registry.getManifest(repo, child.descriptor.digest)).view.kind, 'image');
    }
  });

  it('is served by docker-registry after we wrote it', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const root = await temporaryDirectory(t);
    const registry = createStorage({ driver: await openFilesystemDriver({ root }) });
    const [old, built] = [await demoIndex('old'), await demoIndex('new')];
    await pushImage(registry, repo, parseTag('1'), old);
    await pushImage(registry, repo, parseTag('1'), built);
    await pushImage(registry, repo, parseTag('2'), built);
    await registry.deleteTag(repo, parseTag('2'));

    const { host } = await startDockerRegistry(t, { root });
    const tags = await skopeo(t, ['list-tags', '--tls-verify=false', `docker://${host}/team/app`]);
    assert.deepEqual((JSON.parse(tags.stdout) as { Tags: string[] }).Tags, ['1']);
    const target = await temporaryDirectory(t);
    const plain = ['copy', '--all', '--src-tls-verify=false'];
    await skopeo(t, [...plain, `docker://${host}/team/app:1`, `oci:${target}:1`]);
    assert.equal(await layoutRoot(target), built.descriptor.digest);
    const older = join(target, 'old');
    await skopeo(t, [...plain, `docker://${host}/team/app@${old.descriptor.digest}`, `oci:${older}:1`]);
    assert.equal(await layoutRoot(older), old.descriptor.digest);
  });

  it('is used by both in turns', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const root = await temporaryDirectory(t);
    const ours = createStorage({ driver: await openFilesystemDriver({ root }) });
    const [first, second, third] = [await demoIndex('a'), await demoIndex('b'), await demoIndex('c')];
    await pushImage(ours, repo, parseTag('a'), first);
    const theirs = await startDockerRegistry(t, { root });
    const source = await temporaryDirectory(t);
    await writeLayout(source, 'b', second);
    const to = `docker://${theirs.host}/team/app:b`;
    await skopeo(t, ['copy', '--all', '--dest-tls-verify=false', `oci:${source}:b`, to]);
    await theirs.stop();
    await pushImage(ours, repo, parseTag('c'), third);
    assert.deepEqual(await all(ours.tags(repo)), ['a', 'b', 'c']);
    await ours.deleteManifest(repo, second.descriptor.digest);
    assert.deepEqual(await all(ours.tags(repo)), ['a', 'c']);
    const again = await startDockerRegistry(t, { root });
    const tags = await skopeo(t, ['list-tags', '--tls-verify=false', `docker://${again.host}/team/app`]);
    // Distribution 2.8 does not sort tags.
    assert.deepEqual((JSON.parse(tags.stdout) as { Tags: string[] }).Tags.sort(), ['a', 'c']);
  });
});

async function demoIndex(id: string) {
  const image = (architecture: string) =>
    buildImage({ platform: { os: 'linux', architecture }, layers: [{ files: { id } }, { files: { architecture } }] });
  return buildIndex([await image('amd64'), await image('arm64')], { annotations: { id } });
}
