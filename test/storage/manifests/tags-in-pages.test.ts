import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from '../../../src/model/reference/reference.ts';
import type { Driver } from '../../../src/storage/driver.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { ListedTags } from '../../../src/storage/manifests/listed-tags.ts';
import { tagCurrentPath } from '../../../src/storage/paths.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { all, imageWith, repo } from '../stores.ts';

/** A driver as that of a bucket: it tells a few keys at once, at any depth. Its lists are counted. */
function pagedDriver(limit: number): { readonly driver: Driver; readonly lists: () => number } {
  const memory = createMemoryDriver();
  let lists = 0;
  const driver: Driver = {
    ...memory,
    list(prefix, opts) {
      lists += 1;
      return memory.list(prefix, { ...opts, limit: Math.min(limit, opts?.limit ?? limit) });
    },
  };
  return { driver, lists: () => lists };
}

const names = ['v1', 'v1-rc', 'v1.0', 'w'];

describe('the tags of a store that lists keys', () => {
  it('come sorted and in pages, without reading their histories', async () => {
    for (const limit of [2, 3, 5, 1000]) {
      const { driver, lists } = pagedDriver(limit);
      const registry = createStorage({ driver });
      for (let i = 0; i < 10; i += 1) {
        const { raw } = await imageWith(registry, repo, `image ${i}`);
        await registry.pushManifest(repo, raw, { tags: names.map(parseTag) });
      }
      const before = lists();
      assert.deepEqual(await all(registry.tags(repo)), names, `pages of ${limit}`);
      const asked = lists() - before;
      assert.ok(asked <= (limit === 1000 ? 1 : names.length + 1), `${asked} pages of ${limit}`);
    }
  });

  it('are those with a current link', async () => {
    const { driver } = pagedDriver(3);
    const registry = createStorage({ driver });
    const { raw } = await imageWith(registry, repo, 'image');
    await registry.pushManifest(repo, raw, { tags: names.map(parseTag) });
    await driver.delete(tagCurrentPath(repo, parseTag('v1-rc')));
    assert.deepEqual(await all(registry.tags(repo)), ['v1', 'v1.0', 'w']);
    assert.deepEqual(await all(registry.tags(repo, { after: 'v1', limit: 1 })), ['v1.0']);
  });
});

/** A store whose lists of tags are counted by what they read, and another process's registry on it. */
async function listedStore({ exist = false } = {}) {
  const memory = createMemoryDriver();
  let looks = 0;
  const lists: ('names' | 'all keys')[] = [];
  const driver: Driver = {
    ...memory,
    list(prefix, opts) {
      lists.push(opts?.deep === true ? 'all keys' : 'names');
      return memory.list(prefix, opts);
    },
    ...(exist && {
      exist: async (paths) => {
        looks += paths.length;
        return await Promise.all(paths.map(async (path) => (await memory.stat(path)) !== undefined));
      },
    }),
  };
  let nowMs = 0;
  const listed = new ListedTags(driver, () => nowMs);
  const other = createStorage({ driver: memory });
  const { raw } = await imageWith(other, repo, 'image');
  await other.pushManifest(repo, raw, { tags: names.map(parseTag) });
  return {
    memory,
    other,
    raw,
    listed,
    /** How many links were looked for. */
    looks: () => looks,
    later: (ms: number) => {
      nowMs += ms;
    },
    /** What so many requests list at the same time, and by which lists. */
    async list(requests = 1) {
      lists.length = 0;
      const [first] = await Promise.all(Array.from({ length: requests }, () => listed.tags(repo, {})));
      return { tags: first?.names, lists: [...lists] };
    },
  };
}

describe('a list of all keys', () => {
  it('is followed by lists of the names, until there is another name', async () => {
    const { list, other, raw } = await listedStore();
    assert.deepEqual(await list(), { tags: names, lists: ['all keys'] });
    assert.deepEqual(await list(), { tags: names, lists: ['names'] });
    await other.pushManifest(repo, raw, { tags: [parseTag('x')] });
    assert.deepEqual(await list(), { tags: [...names, 'x'], lists: ['names', 'all keys'] });
    assert.deepEqual(await list(), { tags: [...names, 'x'], lists: ['names'] });
    await other.deleteTag(repo, parseTag('v1'));
    assert.deepEqual((await list()).tags, [...names.slice(1), 'x']);
  });

  it('vouches for no list with a tag that is not whole, nor for longer than some seconds', async () => {
    const { list, later, memory } = await listedStore();
    await list();
    // As a deletion that was killed leaves it.
    await memory.delete(tagCurrentPath(repo, parseTag('v1')));
    later(9_000);
    assert.deepEqual((await list()).lists, ['names']);
    later(2_000);
    assert.deepEqual(await list(), { tags: names.slice(1), lists: ['all keys'] });
    assert.deepEqual(await list(), { tags: names.slice(1), lists: ['all keys'] });
  });

  it('is renewed by one request at a time', async () => {
    const { list, later } = await listedStore();
    await list();
    later(11_000);
    assert.deepEqual((await list(2)).lists, ['all keys', 'names']);
    later(9_000);
    assert.deepEqual((await list()).lists, ['names']);
    later(12_000);
    assert.deepEqual((await list()).lists, ['all keys']);
  });
});

describe('a look for each link', () => {
  it('vouches for the names in the same way, until a tag is removed here or is new', async () => {
    const { list, looks, listed, memory, other, raw, later } = await listedStore({ exist: true });
    assert.deepEqual((await list()).tags, names);
    assert.ok(looks() >= names.length);
    await list();
    const first = looks();
    assert.deepEqual(await list(), { tags: names, lists: ['names'] });
    assert.equal(looks(), first);
    await other.pushManifest(repo, raw, { tags: [parseTag('x')] });
    assert.deepEqual((await list()).tags, [...names, 'x']);
    assert.ok(looks() > first);
    // What keeps the directory of a tag whose link is gone.
    await memory.delete(tagCurrentPath(repo, parseTag('v1')));
    listed.removed(repo);
    assert.deepEqual((await list()).tags, [...names.slice(1), 'x']);
    await memory.delete(tagCurrentPath(repo, parseTag('x')));
    later(21_000);
    assert.deepEqual((await list()).tags, names.slice(1));
  });

  it('vouches for nothing if a tag was removed meanwhile', async () => {
    const { list, listed, looks, memory } = await listedStore({ exist: true });
    await list();
    const during = list();
    await memory.delete(tagCurrentPath(repo, parseTag('v1')));
    listed.removed(repo);
    await during;
    const before = looks();
    assert.deepEqual((await list()).tags, names.slice(1));
    assert.ok(looks() > before);
  });
});
