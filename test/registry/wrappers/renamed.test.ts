import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  parseRepositoryName,
  parseTag,
  type RepositoryName,
  tryParseRepositoryName,
} from '../../../src/model/reference/reference.ts';
import {
  blobEnumerator,
  garbageCollector,
  manifestEnumerator,
  repositoryRemover,
  tagHistory,
} from '../../../src/registry/extensions.ts';
import { type Renaming, renamed } from '../../../src/registry/wrappers/renamed.ts';
import { all, failsWith, pushBytes, read } from '../../contract/contract.ts';
import { configOnly } from '../../contract/manifests.ts';
import { memoryRegistry } from '../../support/memory.ts';

const name = (text: string): RepositoryName => parseRepositoryName(text);
const tag = parseTag('latest');

const hub: Renaming = {
  inside: (outer) => name(`docker.io/${outer}`),
  outside: (inner) => (inner.startsWith('docker.io/') ? tryParseRepositoryName(inner.slice(10)) : undefined),
};

// Reverses each name, so that the names inside sort differently from those outside.
const reversed: Renaming = {
  inside: (outer) => name([...outer].reverse().join('')),
  outside: (inner) => name([...inner].reverse().join('')),
};

describe('a registry under other names', () => {
  it('has the images that its names lead to, and shows no other', async () => {
    const registry = memoryRegistry();
    for (const place of ['docker.io/library/alpine', 'docker.io/a/b', 'quay.io/team/app']) {
      await registry.pushManifest(name(place), await configOnly(registry, name(place)), { tags: [tag] });
    }
    const outer = renamed(registry, hub);
    assert.deepEqual(await all(outer.repositories()), ['a/b', 'library/alpine']);
    const inside = await registry.statManifest(name('docker.io/library/alpine'), tag);
    assert.deepEqual(await outer.statManifest(name('library/alpine'), tag), inside);
    assert.deepEqual(await all(outer.tags(name('library/alpine'))), [tag]);
    await assert.rejects(all(outer.tags(name('quay.io/team/app'))), failsWith('NAME_UNKNOWN'));
  });

  it('writes to the names inside, mounts included', async () => {
    const registry = memoryRegistry();
    const outer = renamed(registry, hub);
    const { digest } = await pushBytes(outer, name('library/base'), Buffer.from('shared'));
    assert.equal((await registry.statBlob(name('docker.io/library/base'), digest)).size, 6);
    const mounted = await outer.mountBlob(name('library/app'), digest, { from: name('library/base') });
    assert.ok('digest' in mounted);
    assert.equal((await read(await registry.getBlob(name('docker.io/library/app'), digest))).toString(), 'shared');
  });

  it('lists in the order of the names outside, in parts as well', async () => {
    const registry = memoryRegistry();
    const outer = renamed(registry, reversed);
    for (const place of ['az', 'by', 'cx', 'dw']) {
      await outer.pushManifest(name(place), await configOnly(outer, name(place)), { tags: [tag] });
    }
    assert.deepEqual(await all(registry.repositories()), ['wd', 'xc', 'yb', 'za']);
    assert.deepEqual(await all(outer.repositories()), ['az', 'by', 'cx', 'dw']);
    assert.deepEqual(await all(outer.repositories({ after: 'by', limit: 1 })), ['cx']);
    assert.deepEqual(await all(outer.repositories({ limit: 0 })), []);
  });

  it('maps the names in capabilities, and denies capabilities over all repositories', async () => {
    const outer = renamed(memoryRegistry(), hub);
    const app = name('library/app');
    const { digest } = await outer.pushManifest(app, await configOnly(outer, app), { tags: [tag] });
    const manifests = outer.extension(manifestEnumerator);
    assert.ok(manifests);
    assert.deepEqual(await all(manifests.manifests(app)), [digest]);
    const history = outer.extension(tagHistory);
    assert.ok(history);
    assert.deepEqual(await all(history.history(app, tag)), [digest]);
    await outer.extension(repositoryRemover)?.removeRepository(app);
    assert.deepEqual(await all(outer.repositories()), []);
    assert.equal(outer.extension(blobEnumerator), undefined);
    assert.equal(outer.extension(garbageCollector), undefined);
  });
});
