import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import { type BlobDescriptorService, createDescriptorCache } from '../../../src/registry/descriptor-cache.ts';
import { garbageCollector, repositoryRemover, tagHistory } from '../../../src/registry/extensions.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { cachedDescriptors } from '../../../src/registry/wrappers/cached-descriptors.ts';
import { blobOf, failsWith, pushBytes, uniqueBytes } from '../../contract/contract.ts';
import { memoryRegistry } from '../../support/memory.ts';

const repo = parseRepositoryName('team/app');
const other = parseRepositoryName('team/other');

/** A storage that counts its `statBlob` calls. */
function counting(): { registry: Registry; behind: Registry; stats: () => number } {
  const behind = memoryRegistry();
  let stats = 0;
  const statBlob: Registry['statBlob'] = (...words) => {
    stats += 1;
    return behind.statBlob(...words);
  };
  return { registry: { ...behind, statBlob }, behind, stats: () => stats };
}

describe('a cache of descriptors', () => {
  it('answers for the registry from the second time on', async () => {
    const { registry, behind, stats } = counting();
    const cached = cachedDescriptors(registry, createDescriptorCache());
    const { digest } = await pushBytes(behind, repo, uniqueBytes(10));
    const first = await cached.statBlob(repo, digest);
    assert.deepEqual(await cached.statBlob(repo, digest), first);
    assert.equal(stats(), 1);
    await assert.rejects(cached.statBlob(other, digest), failsWith('BLOB_UNKNOWN', 'NAME_UNKNOWN'));
  });

  it('knows a blob that was pushed, in one piece or in several', async () => {
    const { registry, stats } = counting();
    const cached = cachedDescriptors(registry, createDescriptorCache());
    const whole = await pushBytes(cached, repo, uniqueBytes(10));
    const asked = stats();
    const bytes = uniqueBytes(20);
    const { digest } = await blobOf(bytes);
    const writer = await cached.startUpload(repo);
    await writer.write(bytes);
    await writer.commit({ digest });
    assert.equal((await cached.statBlob(repo, digest)).size, 20);
    assert.equal((await cached.statBlob(repo, whole.digest)).size, 10);
    assert.equal(stats(), asked);
  });

  it('forgets deleted blobs, and blobs that turn out to be missing', async () => {
    const { registry, behind } = counting();
    const cached = cachedDescriptors(registry, createDescriptorCache());
    const [gone, lost] = [uniqueBytes(10), uniqueBytes(11)];
    const { digest } = await pushBytes(cached, repo, gone);
    await cached.deleteBlob(repo, digest);
    await assert.rejects(cached.statBlob(repo, digest), failsWith('BLOB_UNKNOWN'));
    const { digest: lostDigest } = await pushBytes(cached, repo, lost);
    await behind.deleteBlob(repo, lostDigest);
    await assert.rejects(cached.getBlob(repo, lostDigest), failsWith('BLOB_UNKNOWN'));
    await assert.rejects(cached.statBlob(repo, lostDigest), failsWith('BLOB_UNKNOWN'));
  });

  it('forgets a blob that somebody asked for while it was deleted', async () => {
    const { registry } = counting();
    let meanwhile = async (): Promise<unknown> => undefined;
    const deleteBlob: Registry['deleteBlob'] = async (...words) => {
      await meanwhile();
      await registry.deleteBlob(...words);
    };
    const cached = cachedDescriptors({ ...registry, deleteBlob }, createDescriptorCache());
    const { digest } = await pushBytes(cached, repo, uniqueBytes(10));
    meanwhile = () => cached.statBlob(repo, digest);
    await cached.deleteBlob(repo, digest);
    await assert.rejects(cached.statBlob(repo, digest), failsWith('BLOB_UNKNOWN'));
  });

  it('that fails is reported and ignored, except in a delete', async () => {
    const { registry } = counting();
    const broken = async (): Promise<never> => {
      throw new Error('the cache is down');
    };
    const cache: BlobDescriptorService = { stat: broken, setDescriptor: broken, clear: broken };
    const errors: unknown[] = [];
    const cached = cachedDescriptors(registry, cache, { onCacheError: (error) => errors.push(error) });
    const { digest } = await pushBytes(cached, repo, uniqueBytes(10));
    assert.equal((await cached.statBlob(repo, digest)).size, 10);
    await (await cached.getBlob(repo, digest)).cancel();
    assert.ok(errors.length >= 3);
    await assert.rejects(cached.deleteBlob(repo, digest), /the cache is down/);
    assert.equal((await cached.statBlob(repo, digest)).size, 10);
  });

  it('is not believed when it answers with another blob', async () => {
    const { registry } = counting();
    const cache = createDescriptorCache();
    const cached = cachedDescriptors(registry, cache);
    const { digest } = await pushBytes(cached, repo, uniqueBytes(10));
    await cache.setDescriptor(repo, digest, await blobOf(uniqueBytes(5)));
    assert.equal((await cached.statBlob(repo, digest)).size, 10);
  });

  it('drops the least recently used descriptor', async () => {
    const cache = createDescriptorCache({ maxDescriptors: 2 });
    const [a, b, c] = await Promise.all([1, 2, 3].map((size) => blobOf(uniqueBytes(size))));
    assert.ok(a && b && c);
    await cache.setDescriptor(repo, a.digest, a);
    await cache.setDescriptor(repo, b.digest, b);
    await cache.stat(repo, a.digest);
    await cache.setDescriptor(repo, c.digest, c);
    const known = await Promise.all([a, b, c].map(({ digest }) => cache.stat(repo, digest)));
    assert.deepEqual(
      known.map((descriptor) => descriptor !== undefined),
      [true, false, true],
    );
  });

  it('denies capabilities that remove blobs behind its back', () => {
    const cached = cachedDescriptors(memoryRegistry(), createDescriptorCache());
    assert.ok(cached.extension(tagHistory));
    assert.equal(cached.extension(garbageCollector), undefined);
    assert.equal(cached.extension(repositoryRemover), undefined);
  });
});
