import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { parseTag } from '../../../src/model/reference/reference.ts';
import type { Driver } from '../../../src/storage/driver.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { blobPath } from '../../../src/storage/paths.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { failsWith } from '../../contract/contract.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';
import { blobFile, imageWith, repo, text } from '../stores.ts';

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
  const clock = { ms: Date.UTC(2026, 0, 1) };
  const registry = createStorage({ driver, now: () => new Date(clock.ms) });
  const other = createStorage({ driver: memory });
  const { raw } = await imageWith(other, repo, 'image');
  const { digest } = await other.pushManifest(repo, raw, { tags: [tag] });
  await registry.getManifest(repo, tag);
  assert.deepEqual(gets, ['tags', 'revisions', 'blobs']);
  gets.length = 0;
  return { registry, other, memory, raw, digest, gets, before, clock };
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

  it('is read again after five seconds, so that its damage and its loss are not hidden', async () => {
    const { registry, memory, digest, gets, clock } = await readOnce();
    const path = blobPath(digest);
    await memory.put(path, text('damaged'));
    clock.ms += 4_999;
    await registry.getManifest(repo, tag);
    clock.ms += 1;
    for (const reference of [tag, digest]) {
      await assert.rejects(registry.getManifest(repo, reference), failsWith('STORAGE_DAMAGED'));
      await assert.rejects(registry.statManifest(repo, reference), failsWith('STORAGE_DAMAGED'));
    }
    await memory.delete(path);
    await assert.rejects(registry.getManifest(repo, tag), failsWith('MANIFEST_UNKNOWN'));
    assert.equal(gets.filter((kind) => kind === 'blobs').length, 5);
  });

  it('is read again if the clock was set back', async () => {
    const { registry, gets, clock } = await readOnce();
    clock.ms -= 60_000;
    await registry.getManifest(repo, tag);
    assert.equal(gets.at(-1), 'blobs');
  });

  it('is found if it is pushed again between the two answers', async () => {
    const { registry, other, raw, digest, gets, before } = await readOnce();
    await other.deleteManifest(repo, digest);
    before.tag = async () => void (await other.pushManifest(repo, raw, { tags: [tag] }));
    assert.equal((await registry.getManifest(repo, tag)).descriptor.digest, digest);
    assert.deepEqual(gets, ['revisions', 'tags', 'revisions']);
  });
});

describe('a manifest that was read from a directory', () => {
  it('is read each time: damage and loss are seen at once', async (t) => {
    const root = await temporaryDirectory(t);
    const registry = createStorage({ driver: await openFilesystemDriver({ root }) });
    const { raw } = await imageWith(registry, repo, 'image');
    const { digest } = await registry.pushManifest(repo, raw, { tags: [tag] });
    await registry.getManifest(repo, tag);
    await writeFile(blobFile(root, digest), 'damaged');
    await assert.rejects(registry.getManifest(repo, tag), failsWith('STORAGE_DAMAGED'));
    await rm(blobFile(root, digest));
    await assert.rejects(registry.getManifest(repo, tag), failsWith('MANIFEST_UNKNOWN'));
  });
});
