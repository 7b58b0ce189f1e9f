import assert from 'node:assert/strict';
import { parseTag } from '../../src/model/reference/reference.ts';
import { pushImage } from '../support/images.ts';
import {
  all,
  assertNoBlob,
  blobOf,
  check,
  failsWith,
  freshRepository,
  pushBytes,
  read,
  type Suite,
  uniqueBytes,
} from './contract.ts';
import { assertNoManifest, configOnly, uniqueImage } from './manifests.ts';

const [one, two, other] = [parseTag('one'), parseTag('two'), parseTag('other')];

export function deleteContract(suite: Suite): void {
  check(
    suite,
    'removes a tag alone',
    async ({ registry, repo }) => {
      const { digest } = await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [one, two] });
      await registry.deleteTag(repo, one);
      await assertNoManifest(registry, repo, one);
      assert.deepEqual(await all(registry.tags(repo)), [two]);
      assert.equal((await registry.statManifest(repo, two)).digest, digest);
      await registry.deleteTag(repo, two);
      assert.equal((await registry.statManifest(repo, digest)).digest, digest);
      assert.deepEqual(await all(registry.tags(repo)), []);
    },
    'delete-tag',
  );

  check(
    suite,
    'says that a tag to remove is unknown',
    async ({ registry, repo }) => {
      await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [one] });
      await assert.rejects(registry.deleteTag(repo, two), failsWith('MANIFEST_UNKNOWN'));
      await registry.deleteTag(repo, one);
      await assert.rejects(registry.deleteTag(repo, one), failsWith('MANIFEST_UNKNOWN'));
    },
    'delete-tag',
  );

  check(suite, 'removes a manifest', async ({ registry, repo }) => {
    const { digest } = await registry.pushManifest(repo, await configOnly(registry, repo));
    await registry.deleteManifest(repo, digest);
    await assertNoManifest(registry, repo, digest);
    await assert.rejects(registry.deleteManifest(repo, digest), failsWith('MANIFEST_UNKNOWN'));
  });

  check(
    suite,
    'removes a manifest with every tag that points at it, and no other',
    async ({ registry, repo }) => {
      const { digest } = await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [one, two] });
      const kept = await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [other] });
      await registry.deleteManifest(repo, digest);
      for (const reference of [digest, one, two]) await assertNoManifest(registry, repo, reference);
      assert.deepEqual(await all(registry.tags(repo)), [other]);
      assert.equal((await registry.statManifest(repo, other)).digest, kept.digest);
    },
    'delete-manifest-tags',
  );

  check(suite, 'keeps the blobs of a removed manifest, so that it can be pushed again', async ({ registry, repo }) => {
    const image = await uniqueImage();
    await pushImage(registry, repo, one, image);
    await registry.deleteManifest(repo, image.descriptor.digest);
    for (const { descriptor } of image.blobs) {
      assert.equal((await registry.statBlob(repo, descriptor.digest)).size, descriptor.size);
    }
    await registry.pushManifest(repo, image.manifest, { tags: [two] });
    assert.equal((await registry.statManifest(repo, two)).digest, image.descriptor.digest);
  });

  check(
    suite,
    'keeps a manifest in other repositories',
    async ({ registry, repo }) => {
      const image = await uniqueImage();
      const elsewhere = freshRepository();
      await pushImage(registry, repo, one, image);
      await pushImage(registry, elsewhere, one, image);
      await registry.deleteManifest(repo, image.descriptor.digest);
      const got = await registry.getManifest(elsewhere, one);
      assert.equal(got.descriptor.digest, image.descriptor.digest);
      for (const { descriptor } of image.blobs) await read(await registry.getBlob(elsewhere, descriptor));
    },
    'several-repositories',
  );

  check(
    suite,
    'removes a blob from a repository, not from others',
    async ({ registry, repo }) => {
      const bytes = uniqueBytes(100);
      const elsewhere = freshRepository();
      const { digest } = await pushBytes(registry, repo, bytes);
      await pushBytes(registry, elsewhere, bytes);
      await registry.deleteBlob(repo, digest);
      await assertNoBlob(registry, repo, digest);
      assert.deepEqual(await read(await registry.getBlob(elsewhere, digest)), Buffer.from(bytes));
      await assert.rejects(registry.deleteBlob(repo, digest), failsWith('BLOB_UNKNOWN'));
    },
    'delete-blob',
    'several-repositories',
  );

  check(
    suite,
    'takes a removed blob again',
    async ({ registry, repo }) => {
      const bytes = uniqueBytes(100);
      const { digest } = await pushBytes(registry, repo, bytes);
      await registry.deleteBlob(repo, digest);
      await pushBytes(registry, repo, bytes);
      assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
    },
    'delete-blob',
  );

  check(suite, 'says that a manifest or blob to remove is unknown', async ({ registry, repo }) => {
    await registry.pushManifest(repo, await configOnly(registry, repo));
    const { digest } = await blobOf(uniqueBytes(10));
    await assert.rejects(registry.deleteManifest(repo, digest), failsWith('MANIFEST_UNKNOWN'));
    await assert.rejects(registry.deleteBlob(repo, digest), failsWith('BLOB_UNKNOWN'));
  });
}
