import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { bytesSource } from '../../../src/registry/content.ts';
import { blobEnumerator, garbageCollector, manifestEnumerator, tagHistory } from '../../../src/registry/extensions.ts';
import { globalScope, pathScope, scoped } from '../../../src/registry/wrappers/scoped.ts';
import { all, blobOf, failsWith, pushBytes, uniqueBytes } from '../../contract/contract.ts';
import { configOnly } from '../../contract/manifests.ts';
import { memoryRegistry } from '../../support/memory.ts';

const [team, app, mate] = ['team', 'team/app', 'teammate'].map(parseRepositoryName) as [never, never, never];
const tag = parseTag('1');

async function open() {
  const behind = memoryRegistry();
  const digests = [];
  for (const repo of [team, app, mate]) {
    const { digest } = await behind.pushManifest(repo, await configOnly(behind, repo), { tags: [tag] });
    digests.push(digest);
  }
  return { behind, digests, registry: scoped(behind, pathScope(team)) };
}

describe('the scope of a path', () => {
  it('holds the repository and all below it', () => {
    const scope = pathScope(team);
    assert.deepEqual([team, app, mate].map(scope.contains), [true, true, false]);
    assert.equal(globalScope.contains(mate), true);
  });
});

describe('a registry in a scope', () => {
  it('lists and reads repositories inside', async () => {
    const { registry, digests } = await open();
    assert.deepEqual(await all(registry.repositories()), [team, app]);
    assert.deepEqual(await all(registry.repositories({ limit: 1 })), [team]);
    assert.equal((await registry.statManifest(app, tag)).digest, digests[1]);
  });

  it('answers NAME_UNKNOWN for repositories outside', async () => {
    const { behind, registry, digests } = await open();
    const blob = await pushBytes(behind, mate, uniqueBytes(10));
    const outside = digests[2] as never;
    const [enumerator, histories] = [registry.extension(manifestEnumerator), registry.extension(tagHistory)];
    assert.ok(enumerator && histories);
    for (const read of [
      () => registry.statManifest(mate, tag),
      () => registry.getManifest(mate, outside),
      () => registry.statBlob(mate, blob.digest),
      () => registry.getBlob(mate, blob),
      () => all(registry.tags(mate)),
      () => all(enumerator.manifests(mate)),
      () => all(histories.history(mate, tag)),
    ]) {
      await assert.rejects(read(), failsWith('NAME_UNKNOWN'));
    }
    assert.deepEqual(await all(registry.referrers(mate, outside)), []);
    assert.equal(registry.extension(blobEnumerator), undefined);
    assert.equal(registry.extension(garbageCollector), undefined);
  });

  it('changes nothing outside', async () => {
    const { behind, registry, digests } = await open();
    const bytes = uniqueBytes(10);
    const blob = await blobOf(bytes);
    for (const change of [
      () => registry.pushBlob(mate, blob, bytesSource(blob, bytes)),
      () => registry.startUpload(mate),
      () => registry.resumeUpload(mate, 'any'),
      () => registry.mountBlob(mate, blob.digest, { from: app }),
      async () => registry.pushManifest(mate, await configOnly(behind, mate)),
      () => registry.deleteBlob(mate, blob.digest),
      () => registry.deleteManifest(mate, digests[2] as never),
      () => registry.deleteTag(mate, tag),
    ]) {
      await assert.rejects(change(), failsWith('DENIED'));
    }
    assert.equal((await behind.statManifest(mate, tag)).digest, digests[2]);
  });

  it('mounts nothing from outside, named or found', async () => {
    const { behind, registry } = await open();
    const bytes = uniqueBytes(10);
    const { digest } = await pushBytes(behind, mate, bytes);
    for (const from of [mate, undefined]) {
      const writer = await registry.mountBlob(app, digest, { from });
      assert.ok('commit' in writer);
      await writer.cancel();
      await assert.rejects(registry.statBlob(app, digest), failsWith('BLOB_UNKNOWN'));
    }
    let mountFrom: unknown = 'not asked';
    const watched = scoped(
      {
        ...behind,
        pushBlob: (repo, descriptor, source, opts) => {
          mountFrom = opts?.mountFrom;
          return behind.pushBlob(repo, descriptor, source, opts);
        },
      },
      pathScope(team),
    );
    const blob = await blobOf(bytes);
    await watched.pushBlob(app, blob, bytesSource(blob, bytes), { mountFrom: mate });
    assert.equal(mountFrom, undefined);
    await watched.pushBlob(app, blob, bytesSource(blob, bytes), { mountFrom: team });
    assert.equal(mountFrom, team);
    await pushBytes(behind, team, bytes);
    assert.ok('digest' in (await registry.mountBlob(app, digest, { from: team })));
  });
});
