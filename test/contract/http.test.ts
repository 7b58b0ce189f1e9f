import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from '../../src/model/reference/reference.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startServe } from '../support/registries.ts';
import { openRemote } from '../support/remotes.ts';
import { all, freshRepository } from './contract.ts';
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
  it('come in pages, and only as many as are read', async (t) => {
    const { url, registry: behind } = await startServe(t);
    const proxy = await startFaultProxy(t, url);
    const registry = openRemote(t, proxy.url);
    const repo = freshRepository();
    const tags = Array.from({ length: 2100 }, (_, i) => parseTag(`t${String(i).padStart(4, '0')}`));
    await behind.pushManifest(repo, await configOnly(behind, repo), { tags });
    assert.deepEqual(await all(registry.tags(repo)), tags);
    assert.equal(proxy.count(/\/tags\/list/), 3);
    for await (const tag of registry.tags(repo)) {
      assert.equal(tag, 't0000');
      break;
    }
    assert.equal(proxy.count(/\/tags\/list/), 4);
    assert.deepEqual(await all(registry.tags(repo, { after: 't0500', limit: 1200 })), tags.slice(501, 1701));
  });
});
