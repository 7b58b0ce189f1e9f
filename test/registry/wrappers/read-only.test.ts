import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { bytesSource } from '../../../src/registry/content.ts';
import {
  blobEnumerator,
  type ExtensionKey,
  garbageCollector,
  leases,
  manifestEnumerator,
  repositoryRemover,
  tagHistory,
} from '../../../src/registry/extensions.ts';
import { readOnly } from '../../../src/registry/wrappers/read-only.ts';
import { all, failsWith, freshRepository, pushBytes, read } from '../../contract/contract.ts';
import { configOnly } from '../../contract/manifests.ts';
import { memoryRegistry } from '../../support/memory.ts';

const repo = freshRepository();
const tag = parseTag('latest');

describe('a read-only registry', () => {
  it('is read as before', async () => {
    const registry = memoryRegistry();
    const { digest } = await pushBytes(registry, repo, Buffer.from('bytes'));
    const manifest = await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [tag] });
    const sealed = readOnly(registry);
    assert.equal(sealed.name, registry.name);
    assert.equal((await sealed.ping()).authorized, true);
    assert.equal((await sealed.statBlob(repo, digest)).size, 5);
    assert.equal((await read(await sealed.getBlob(repo, digest))).toString(), 'bytes');
    assert.equal((await sealed.statManifest(repo, tag)).digest, manifest.digest);
    assert.equal((await sealed.getManifest(repo, tag)).descriptor.digest, manifest.digest);
    assert.deepEqual(await all(sealed.tags(repo)), [tag]);
    assert.deepEqual(await all(sealed.repositories()), [repo]);
    assert.deepEqual(await all(sealed.referrers(repo, manifest.digest)), []);
  });

  it('denies every write and delete, and changes nothing', async () => {
    const registry = memoryRegistry();
    const descriptor = await pushBytes(registry, repo, Buffer.from('bytes'));
    const raw = await configOnly(registry, repo);
    const { digest } = await registry.pushManifest(repo, raw, { tags: [tag] });
    const { id } = await registry.startUpload(repo);
    const sealed = readOnly(registry);
    const other = freshRepository();
    const writes: readonly (() => Promise<unknown>)[] = [
      () => sealed.pushBlob(other, descriptor, bytesSource(descriptor, Buffer.from('bytes'))),
      () => sealed.startUpload(repo),
      () => sealed.resumeUpload(repo, id),
      () => sealed.mountBlob(other, descriptor.digest, { from: repo }),
      () => sealed.pushManifest(repo, raw, { tags: [parseTag('other')] }),
      () => sealed.deleteBlob(repo, descriptor.digest),
      () => sealed.deleteManifest(repo, digest),
      () => sealed.deleteTag(repo, tag),
    ];
    for (const write of writes) await assert.rejects(write(), failsWith('DENIED'));
    assert.deepEqual(await all(registry.repositories()), [repo]);
    assert.deepEqual(await all(registry.tags(repo)), [tag]);
    assert.equal((await registry.statBlob(repo, descriptor.digest)).digest, await digestBytes(Buffer.from('bytes')));
  });

  it('has the capabilities that read, and no other', () => {
    const registry = memoryRegistry();
    const sealed = readOnly(registry);
    const has = (key: ExtensionKey<unknown>): boolean => sealed.extension(key) !== undefined;
    for (const key of [blobEnumerator, manifestEnumerator, tagHistory]) assert.equal(has(key), true, key.name);
    for (const key of [repositoryRemover, garbageCollector, leases]) assert.equal(has(key), false, key.name);
    assert.ok(registry.extension(garbageCollector));
  });
});
