import assert from 'node:assert/strict';
import { parseTag } from '../../src/model/reference/reference.ts';
import {
  blobEnumerator,
  blobLocator,
  type ExtensionKey,
  endpointReport,
  garbageCollector,
  leases,
  manifestEnumerator,
  repositoryRemover,
  tagHistory,
} from '../../src/registry/extensions.ts';
import { all, check, failsWith, freshRepository, pushBytes, type Suite, uniqueBytes } from './contract.ts';
import { configOnly } from './manifests.ts';

const methods: readonly (readonly [ExtensionKey<unknown>, string])[] = [
  [blobEnumerator, 'blobs'],
  [blobLocator, 'locate'],
  [manifestEnumerator, 'manifests'],
  [repositoryRemover, 'removeRepository'],
  [tagHistory, 'history'],
  [garbageCollector, 'collect'],
  [leases, 'lease'],
  [endpointReport, 'servedBy'],
];

const tag = parseTag('latest');

export function extensionContract(suite: Suite): void {
  check(suite, 'answers a ping, and has a name', async ({ registry }) => {
    const { authorized, challenges } = await registry.ping();
    assert.equal(authorized, true);
    assert.deepEqual([...challenges], []);
    assert.notEqual(registry.name, '');
  });

  check(suite, 'offers a capability whole or not at all', async ({ registry }) => {
    for (const [key, method] of methods) {
      const extension = registry.extension(key) as Record<string, unknown> | undefined;
      if (extension) assert.equal(typeof extension[method], 'function', key.name);
      assert.equal(registry.extension({ name: key.name }), undefined, 'keys are compared by identity');
    }
  });

  check(suite, 'enumerates every blob, where it can', async ({ registry, repo }) => {
    const enumerator = registry.extension(blobEnumerator);
    if (!enumerator) return;
    const pushed = await Promise.all([10, 20, 0].map((size) => pushBytes(registry, repo, uniqueBytes(size))));
    const found = new Map((await all(enumerator.blobs())).map(({ digest, size }) => [digest, size]));
    for (const { digest, size } of pushed) assert.equal(found.get(digest), size);
  });

  check(suite, 'enumerates every manifest, where it can', async ({ registry, repo }) => {
    const enumerator = registry.extension(manifestEnumerator);
    if (!enumerator) return;
    const tagged = await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [tag] });
    const untagged = await registry.pushManifest(repo, await configOnly(registry, repo));
    const found = await all(enumerator.manifests(repo));
    assert.deepEqual(found.sort(), [tagged.digest, untagged.digest].sort());
    await assert.rejects(all(enumerator.manifests(freshRepository())), failsWith('NAME_UNKNOWN'));
  });

  check(suite, 'removes a repository, where it can', async ({ registry, repo }) => {
    const remover = registry.extension(repositoryRemover);
    if (!remover) return;
    const inner = freshRepository('/inner');
    for (const name of [repo, inner]) {
      await registry.pushManifest(name, await configOnly(registry, name), { tags: [tag] });
    }
    await remover.removeRepository(repo);
    await assert.rejects(all(registry.tags(repo)), failsWith('NAME_UNKNOWN'));
    assert.ok(!(await all(registry.repositories())).includes(repo));
    assert.deepEqual(await all(registry.tags(inner)), [tag]);
    await assert.rejects(remover.removeRepository(repo), failsWith('NAME_UNKNOWN'));
  });

  check(suite, 'remembers what a tag pointed to, where it can', async ({ registry, repo }) => {
    const history = registry.extension(tagHistory);
    if (!history) return;
    const first = await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [tag] });
    const second = await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [tag] });
    const found = await all(history.history(repo, tag));
    assert.deepEqual(found.sort(), [first.digest, second.digest].sort());
  });

  check(suite, 'collects what nobody names, and nothing else, where it can', async ({ registry, repo }) => {
    const collector = registry.extension(garbageCollector);
    if (!collector) return;
    const kept = await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [tag] });
    const { view } = await registry.getManifest(repo, tag);
    assert.ok(view.kind === 'image');
    const loose = await pushBytes(registry, repo, uniqueBytes(100));
    const planned = await collector.collect({ graceMs: 0, dryRun: true });
    assert.ok(planned.removed.some(({ digest }) => digest === loose.digest));
    assert.equal((await registry.statBlob(repo, loose.digest)).size, 100);
    const { removed } = await collector.collect({ graceMs: 0 });
    assert.ok(removed.some(({ digest }) => digest === loose.digest));
    assert.equal((await registry.statManifest(repo, tag)).digest, kept.digest);
    assert.equal((await registry.statBlob(repo, view.config.digest)).size, view.config.size);
  });

  check(suite, 'spares what is young, where it collects', async ({ registry, repo }) => {
    const collector = registry.extension(garbageCollector);
    if (!collector) return;
    const loose = await pushBytes(registry, repo, uniqueBytes(100));
    const { removed } = await collector.collect({ graceMs: 3_600_000 });
    assert.ok(!removed.some(({ digest }) => digest === loose.digest));
    assert.equal((await registry.statBlob(repo, loose.digest)).size, 100);
  });

  check(suite, 'gives leases back, where it has some', async ({ registry }) => {
    const lease = await registry.extension(leases)?.lease();
    await lease?.[Symbol.asyncDispose]();
  });
}
