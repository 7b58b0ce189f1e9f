import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from '../../src/model/reference/reference.ts';
import { bytesSource } from '../../src/registry/content.ts';
import {
  blobEnumerator,
  garbageCollector,
  leases,
  manifestEnumerator,
  repositoryRemover,
  tagHistory,
} from '../../src/registry/extensions.ts';
import { readOnly } from '../../src/registry/wrappers/read-only.ts';
import { buildArtifact, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { all, blobOf, failsWith, freshRepository, read, uniqueBytes } from './contract.ts';
import { configOnly, uniqueImage } from './manifests.ts';

const tag = parseTag('1');

describe('a read-only registry', () => {
  it('reads as the registry behind it', async () => {
    const behind = memoryRegistry();
    const repo = freshRepository();
    const image = await uniqueImage();
    await pushImage(behind, repo, tag, image);
    const artifact = await buildArtifact({ artifactType: 'a/b', subject: image.descriptor });
    await pushImage(behind, repo, undefined, artifact);
    const registry = readOnly(behind);
    assert.equal(registry.name, behind.name);
    assert.deepEqual(await registry.ping(), await behind.ping());
    assert.deepEqual(await registry.getManifest(repo, tag), await behind.getManifest(repo, tag));
    assert.equal((await registry.statManifest(repo, tag)).digest, image.descriptor.digest);
    for (const { descriptor } of image.blobs) {
      assert.equal((await registry.statBlob(repo, descriptor.digest)).size, descriptor.size);
      assert.equal((await read(await registry.getBlob(repo, descriptor))).length, descriptor.size);
    }
    assert.deepEqual(await all(registry.repositories()), [repo]);
    assert.deepEqual(await all(registry.tags(repo)), [tag]);
    assert.equal((await all(registry.referrers(repo, image.descriptor.digest))).length, 1);
  });

  it('denies every change', async () => {
    const behind = memoryRegistry();
    const repo = freshRepository();
    const manifest = await configOnly(behind, repo);
    const { digest } = await behind.pushManifest(repo, manifest, { tags: [tag] });
    const bytes = uniqueBytes(10);
    const blob = await blobOf(bytes);
    const registry = readOnly(behind);
    for (const change of [
      () => registry.pushBlob(repo, blob, bytesSource(blob, bytes)),
      () => registry.startUpload(repo),
      () => registry.resumeUpload(repo, 'any'),
      () => registry.mountBlob(repo, blob.digest, { from: repo }),
      () => registry.pushManifest(repo, manifest),
      () => registry.deleteBlob(repo, blob.digest),
      () => registry.deleteManifest(repo, digest),
      () => registry.deleteTag(repo, tag),
    ]) {
      await assert.rejects(change(), failsWith('DENIED'));
    }
    assert.equal((await behind.statManifest(repo, tag)).digest, digest);
  });

  it('forwards reads and denies changes', () => {
    const registry = readOnly(memoryRegistry());
    for (const key of [blobEnumerator, manifestEnumerator, tagHistory]) {
      assert.ok(registry.extension<unknown>(key), key.name);
    }
    for (const key of [repositoryRemover, garbageCollector, leases]) {
      assert.equal(registry.extension<unknown>(key), undefined, key.name);
    }
  });
});
