import assert from 'node:assert/strict';
import { digestBytes } from '../../src/model/digest.ts';
import { isOciError } from '../../src/model/errors.ts';
import { parseTag, type RepositoryName } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { all, check, failsWith, freshRepository, type Suite } from './contract.ts';
import { configOnly } from './manifests.ts';

const nobody = await digestBytes(Buffer.from('nobody'));
const byCodeUnit = ['0', '10', '9', 'A', 'B', '_', 'a', 'a-b', 'a.b', 'a_b', 'b'].sort();

export function listContract(suite: Suite): void {
  check(
    suite,
    'lists tags sorted by code unit',
    async ({ registry, repo }) => {
      await pushTags(registry, repo, ['a', 'b', 'B', '9', '10', '_', 'a.b', 'A', 'a_b', '0', 'a-b']);
      assert.deepEqual(await all(registry.tags(repo)), byCodeUnit);
    },
    'sorted-tags',
  );

  check(
    suite,
    'lists tags behind an entry, be it there or not',
    async ({ registry, repo }) => {
      const tags = ['a', 'c', 'e', 'g', 'i', 'k', 'm', 'o'];
      await pushTags(registry, repo, tags);
      assert.deepEqual(await all(registry.tags(repo, { after: 'a' })), tags.slice(1));
      assert.deepEqual(await all(registry.tags(repo, { after: 'b' })), tags.slice(1));
      assert.deepEqual(await all(registry.tags(repo, { after: 'o' })), []);
      assert.deepEqual(await all(registry.tags(repo, { after: 'z' })), []);
    },
    'sorted-tags',
  );

  check(
    suite,
    'lists at most as many tags as asked for, the first ones',
    async ({ registry, repo }) => {
      const tags = ['a', 'c', 'e', 'g', 'i', 'k', 'm', 'o'];
      await pushTags(registry, repo, tags);
      assert.deepEqual(await all(registry.tags(repo, { limit: 1 })), ['a']);
      assert.deepEqual(await all(registry.tags(repo, { limit: 2, after: 'a' })), ['c', 'e']);
      assert.deepEqual(await all(registry.tags(repo, { limit: 50 })), tags);
    },
    'sorted-tags',
  );

  check(suite, 'lists no more tags than asked for', async ({ registry, repo }) => {
    await pushTags(registry, repo, ['a', 'b', 'c']);
    assert.deepEqual(await all(registry.tags(repo, { limit: 0 })), []);
    assert.equal((await all(registry.tags(repo, { limit: 1 }))).length, 1);
    assert.equal((await all(registry.tags(repo, { limit: 50 }))).length, 3);
  });

  check(suite, 'refuses a limit that is no number of entries', async ({ registry, repo }) => {
    await pushTags(registry, repo, ['a']);
    for (const limit of [Number.NaN, -1, 1.5, Number.NEGATIVE_INFINITY, '5' as unknown as number]) {
      const wrong = (error: unknown): boolean => isOciError(error, 'USAGE') && /option limit/.test(error.message);
      await assert.rejects(all(registry.tags(repo, { limit })), wrong);
      await assert.rejects(all(registry.repositories({ limit })), wrong);
      await assert.rejects(all(registry.referrers(repo, nobody, { limit })), wrong);
    }
    assert.deepEqual(await all(registry.tags(repo, { limit: Number.POSITIVE_INFINITY })), ['a']);
  });

  check(suite, 'lists more than a hundred tags', async ({ registry, repo }) => {
    const tags = manyTags(110);
    await pushTags(registry, repo, tags);
    assert.deepEqual((await all(registry.tags(repo))).sort(), tags);
  });

  check(
    suite,
    'lists more than a hundred tags in any number of pages',
    async ({ registry, repo }) => {
      const tags = manyTags(130);
      await pushTags(registry, repo, tags);
      assert.deepEqual(await all(registry.tags(repo)), tags);
      assert.deepEqual(await all(registry.tags(repo, { limit: 110 })), tags.slice(0, 110));
      assert.deepEqual(await all(registry.tags(repo, { after: 't0019' })), tags.slice(20));
    },
    'sorted-tags',
  );

  check(suite, 'lets a loop over tags break, and another begin', async ({ registry, repo }) => {
    await pushTags(registry, repo, ['a', 'b', 'c']);
    const list = registry.tags(repo);
    for await (const tag of list) {
      assert.ok(['a', 'b', 'c'].includes(tag));
      break;
    }
    assert.equal((await all(registry.tags(repo))).length, 3);
  });

  check(
    suite,
    'lists no tags where manifests have none',
    async ({ registry, repo }) => {
      await registry.pushManifest(repo, await configOnly(registry, repo));
      assert.deepEqual(await all(registry.tags(repo)), []);
    },
    'untagged-repositories',
  );

  check(
    suite,
    'says that a repository to list is unknown',
    async ({ registry, repo }) => {
      await assert.rejects(all(registry.tags(repo)), failsWith('NAME_UNKNOWN'));
    },
    'several-repositories',
  );

  check(
    suite,
    'lists repositories, sorted, nested ones among them',
    async ({ registry }) => {
      const base = freshRepository();
      const names = ['', '/a', '/a/b', '/b', '0'].map((suffix) => `${base}${suffix}` as RepositoryName);
      for (const name of names) await pushTags(registry, name, ['latest']);
      const listed = await all(registry.repositories());
      assert.deepEqual(
        listed.filter((name) => name.startsWith(base)),
        [...names].sort(),
      );
      assert.equal(new Set(listed).size, listed.length);
    },
    'several-repositories',
  );

  check(
    suite,
    'lists repositories in pages, from any name on',
    async ({ registry }) => {
      const base = freshRepository();
      const names = Array.from({ length: 5 }, (_, i) => `${base}/${i}` as RepositoryName);
      for (const name of names) await pushTags(registry, name, ['latest']);
      // This name sorts before all of ours, and is not a repository itself.
      assert.deepEqual(await all(registry.repositories({ after: base, limit: 3 })), names.slice(0, 3));
      assert.deepEqual(await all(registry.repositories({ after: names[2], limit: 2 })), names.slice(3));
      assert.deepEqual(await all(registry.repositories({ limit: 0 })), []);
      assert.equal((await all(registry.repositories({ limit: 1 }))).length, 1);
      for await (const name of registry.repositories()) {
        assert.equal(typeof name, 'string');
        break;
      }
    },
    'list-paging',
  );

  check(
    suite,
    'lists more than a hundred repositories',
    async ({ registry }) => {
      const base = freshRepository();
      const names = Array.from({ length: 105 }, (_, i) => `${base}/${String(i).padStart(3, '0')}` as RepositoryName);
      await Promise.all(names.map((name) => pushTags(registry, name, ['latest'])));
      const listed = await all(registry.repositories());
      assert.deepEqual(
        listed.filter((name) => name.startsWith(base)),
        names,
      );
    },
    'several-repositories',
  );
}

function manyTags(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `t${String(i).padStart(4, '0')}`);
}

async function pushTags(registry: Registry, repo: RepositoryName, tags: readonly string[]): Promise<void> {
  await registry.pushManifest(repo, await configOnly(registry, repo), { tags: tags.map(parseTag) });
}
