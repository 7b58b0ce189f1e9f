import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from '../../../src/model/reference/reference.ts';
import type { Driver } from '../../../src/storage/driver.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { failsWith } from '../../contract/contract.ts';
import { imageWith, repo } from '../stores.ts';

const tag = parseTag('v1');

/** A store that takes requests, with a manifest that was read once, and the registry of another process on it. */
async function readOnce() {
  const memory = createMemoryDriver();
  const gets: string[] = [];
  const before: { tag?: () => Promise<void> } = {};
  const driver: Driver = {
    ...memory,
    isRemote: true,
    async get(path, maxBytes) {
      const [kind = ''] = /tags|revisions|blobs/.exec(path) ?? [];
      gets.push(kind);
      if (kind === 'tags') await before.tag?.();
      return await memory.get(path, maxBytes);
    },
  };
  const registry = createStorage({ driver });
  const other = createStorage({ driver: memory });
  const { raw } = await imageWith(other, repo, 'image');
  const { digest } = await other.pushManifest(repo, raw, { tags: [tag] });
  await registry.getManifest(repo, tag);
  assert.deepEqual(gets, ['tags', 'revisions', 'blobs']);
  gets.length = 0;
  return { registry, other, raw, digest, gets, before };
}

describe('a manifest that was read from a store that takes requests', () => {
  it('is not read again, while both links are asked for at once', async () => {
    const { registry, raw, digest, gets } = await readOnce();
    const manifest = await registry.getManifest(repo, tag);
    assert.deepEqual(gets, ['revisions', 'tags']);
    assert.equal(manifest.descriptor.digest, digest);
    assert.deepEqual(Buffer.from(manifest.bytes), Buffer.from(raw.bytes));
    assert.deepEqual(await registry.statManifest(repo, digest), manifest.descriptor);
    assert.deepEqual(gets, ['revisions', 'tags', 'revisions']);
  });

  it('is gone as soon as another process has deleted it or its tag', async () => {
    const { registry, other, digest } = await readOnce();
    await other.deleteTag(repo, tag);
    await assert.rejects(registry.getManifest(repo, tag), failsWith('MANIFEST_UNKNOWN'));
    await registry.getManifest(repo, digest);
    await other.deleteManifest(repo, digest);
    await assert.rejects(registry.getManifest(repo, digest), failsWith('MANIFEST_UNKNOWN'));
  });

  it('is another one as soon as another process has moved the tag', async () => {
    const { registry, other, gets } = await readOnce();
    const { raw } = await imageWith(other, repo, 'another');
    const moved = await other.pushManifest(repo, raw, { tags: [tag] });
    assert.equal((await registry.getManifest(repo, tag)).descriptor.digest, moved.digest);
    assert.deepEqual(gets, ['revisions', 'tags', 'revisions', 'blobs']);
  });

  it('is found if it is pushed again between the two answers', async () => {
    const { registry, other, raw, digest, gets, before } = await readOnce();
    await other.deleteManifest(repo, digest);
    before.tag = async () => void (await other.pushManifest(repo, raw, { tags: [tag] }));
    assert.equal((await registry.getManifest(repo, tag)).descriptor.digest, digest);
    assert.deepEqual(gets, ['revisions', 'tags', 'revisions']);
  });
});
