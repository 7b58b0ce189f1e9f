import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from '../../src/model/reference/reference.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startServe } from '../support/registries.ts';
import { openRemote } from '../support/remotes.ts';
import { all, failsWith, freshRepository, pushBytes, uniqueBytes } from './contract.ts';
import { configOnly } from './manifests.ts';
import { registryContract } from './registry.ts';

registryContract(
  'remote → HTTP → server → memory',
  async (t) => {
    const { url } = await startServe(t);
    return { registry: openRemote(t, url) };
  },
  { 'sparse-indexes': 'only a local store takes them' },
);

describe('lists over HTTP', () => {
  it('come at once, or in pages where a part is wanted', async (t) => {
    const { url, registry: behind } = await startServe(t);
    const proxy = await startFaultProxy(t, url);
    const registry = openRemote(t, proxy.url);
    const repo = freshRepository();
    const tags = Array.from({ length: 2100 }, (_, i) => parseTag(`t${String(i).padStart(4, '0')}`));
    await behind.pushManifest(repo, await configOnly(behind, repo), { tags });
    assert.deepEqual(await all(registry.tags(repo)), tags);
    assert.equal(proxy.count(/\/tags\/list/), 1);
    assert.deepEqual(await all(registry.tags(repo, { after: 't0500', limit: 1200 })), tags.slice(501, 1701));
    assert.deepEqual(await all(registry.tags(repo, { after: 't0500', limit: 900 })), tags.slice(501, 1401));
    assert.match(proxy.requests.at(-1)?.path ?? '', /n=900/);
  });
});

describe('ranges over HTTP', () => {
  it('are refused without a request where the size is known, or no blob could have them', async (t) => {
    const { url, registry: behind } = await startServe(t);
    const proxy = await startFaultProxy(t, url);
    const registry = openRemote(t, proxy.url);
    const repo = freshRepository();
    const blob = await pushBytes(behind, repo, uniqueBytes(10));
    for (const range of [{ start: -1, end: 3 }, { start: 0, end: 0 }, { start: 0, end: 2.5 }, { start: Number.NaN }]) {
      await assert.rejects(registry.getBlob(repo, blob.digest, { range }), failsWith('RANGE_INVALID'));
    }
    await assert.rejects(registry.getBlob(repo, blob, { range: { start: 10 } }), failsWith('RANGE_INVALID'));
    assert.equal(proxy.count(/./), 0);
    await assert.rejects(registry.getBlob(repo, blob.digest, { range: { start: 10 } }), failsWith('RANGE_INVALID'));
    assert.ok(proxy.count(/\/blobs\//) > 0);
  });
});
