import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Digest, parseDigest } from '../../../src/model/digest.ts';
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { RunningServer } from '../../../src/server/options.ts';
import { parseNextLink } from '../../../src/wire/headers.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { ask, codeOf, makeManifest, repo, startServer } from '../client.ts';

const tagsAt = `/v2/${repo}/tags/list`;

async function withTags(...tags: string[]): Promise<Registry> {
  const registry = memoryRegistry();
  await registry.pushManifest(repo, await makeManifest(registry), { tags: tags.map((tag) => parseTag(tag)) });
  return registry;
}

/** Follows the links of a list to its end. */
async function pages(server: RunningServer, path: string, key: string): Promise<unknown[][]> {
  const found: unknown[][] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const answer = await ask(server, 'GET', next);
    assert.equal(answer.status, 200);
    found.push(answer.json()[key] as unknown[]);
    const link = parseNextLink(answer.headers['link']);
    next = typeof link === 'string' ? undefined : link.target;
    assert.ok(next === undefined ? link === 'none' : next.startsWith('/v2/'), next);
  }
  return found;
}

describe('the list of tags', () => {
  it('is sorted, and names the repository', async (t) => {
    const server = await startServer(t, { registry: await withTags('c', 'B', 'a') });
    const answer = await ask(server, 'GET', tagsAt);
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
    assert.deepEqual(answer.json(), { name: repo, tags: ['B', 'a', 'c'] });
    assert.equal(answer.headers['link'], undefined);
  });

  it('comes in pages of n, by links', async (t) => {
    const server = await startServer(t, { registry: await withTags('a', 'b', 'c', 'd', 'e') });
    assert.deepEqual(await pages(server, `${tagsAt}?n=2`, 'tags'), [['a', 'b'], ['c', 'd'], ['e']]);
    assert.deepEqual(await pages(server, `${tagsAt}?n=5`, 'tags'), [['a', 'b', 'c', 'd', 'e']]);
    assert.deepEqual(await pages(server, `${tagsAt}?n=2&last=bb`, 'tags'), [['c', 'd'], ['e']]);
    assert.deepEqual(await pages(server, `${tagsAt}?last=z`, 'tags'), [[]]);
    assert.deepEqual(await pages(server, `${tagsAt}?n=999999999`, 'tags'), [['a', 'b', 'c', 'd', 'e']]);
  });

  it('is empty for n=0, and 400 if n is not a number', async (t) => {
    const server = await startServer(t, { registry: await withTags('a') });
    const empty = await ask(server, 'GET', `${tagsAt}?n=0`);
    assert.deepEqual(empty.json(), { name: repo, tags: [] });
    assert.equal(empty.headers['link'], undefined);
    for (const n of ['-1', 'x', '', '1.5', '1e3', '9'.repeat(30)]) {
      const answer = await ask(server, 'GET', `${tagsAt}?n=${n}`);
      assert.equal(answer.status, 400, n);
      assert.equal(codeOf(answer), 'PAGINATION_NUMBER_INVALID');
    }
  });

  it('of a repository that is not there is 404', async (t) => {
    const answer = await ask(await startServer(t), 'GET', tagsAt);
    assert.equal(answer.status, 404);
    assert.equal(codeOf(answer), 'NAME_UNKNOWN');
  });
});

describe('the catalog', () => {
  it('comes in pages', async (t) => {
    const server = await startServer(t);
    for (const name of ['b/two', 'a', 'b', 'b/one']) {
      const into = parseRepositoryName(name);
      await server.registry.pushManifest(into, await makeManifest(server.registry, {}, into), {
        tags: [parseTag('latest')],
      });
    }
    const all = await ask(server, 'GET', '/v2/_catalog');
    assert.deepEqual(all.json(), { repositories: ['a', 'b', 'b/one', 'b/two'] });
    assert.deepEqual(await pages(server, '/v2/_catalog?n=3', 'repositories'), [['a', 'b', 'b/one'], ['b/two']]);
  });
});

describe('the referrers of a digest', () => {
  const subject: Descriptor = {
    mediaType: mediaTypes.ociManifest,
    digest: parseDigest(`sha256:${'5'.repeat(64)}`),
    size: 7,
  };
  const referrersOf = (digest: Digest, query = ''): string => `/v2/${repo}/referrers/${digest}${query}`;

  async function withReferrers(): Promise<Registry> {
    const registry = memoryRegistry();
    for (const artifactType of ['test/signature', 'test/sbom', 'test/signature+2']) {
      const annotations = { made: 'today' };
      await registry.pushManifest(repo, await makeManifest(registry, { subject, artifactType, annotations }));
    }
    return registry;
  }

  it('are an index, with their artifact types and annotations', async (t) => {
    const server = await startServer(t, { registry: await withReferrers() });
    const answer = await ask(server, 'GET', referrersOf(subject.digest));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], mediaTypes.ociIndex);
    assert.equal(answer.headers['oci-filters-applied'], undefined);
    const { schemaVersion, mediaType, manifests } = answer.json() as { [key: string]: Descriptor[] };
    assert.deepEqual([schemaVersion, mediaType], [2, mediaTypes.ociIndex]);
    assert.equal(manifests?.length, 3);
    for (const entry of manifests ?? []) {
      assert.match(entry.artifactType ?? '', /^test\//);
      assert.deepEqual(entry.annotations, { made: 'today' });
    }
  });

  it('can be filtered', async (t) => {
    const server = await startServer(t, { registry: await withReferrers() });
    const query = `?${new URLSearchParams({ artifactType: 'test/signature+2' })}`;
    const answer = await ask(server, 'GET', referrersOf(subject.digest, query));
    assert.equal(answer.headers['oci-filters-applied'], 'artifactType');
    const found = answer.json()['manifests'] as Descriptor[];
    assert.deepEqual(
      found.map(({ artifactType }) => artifactType),
      ['test/signature+2'],
    );
  });

  it('are an empty list for an unknown digest or repository, and 400 for an invalid digest', async (t) => {
    const server = await startServer(t, { registry: await withReferrers() });
    const unknown = parseDigest(`sha256:${'6'.repeat(64)}`);
    for (const path of [referrersOf(unknown), `/v2/other/app/referrers/${unknown}`]) {
      const answer = await ask(server, 'GET', path);
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json()['manifests'], []);
    }
    assert.equal((await ask(server, 'GET', `/v2/${repo}/referrers/latest`)).status, 400);
  });

  it('go on behind a referrer that was deleted since the last page', async (t) => {
    const server = await startServer(t, { registry: await withReferrers() });
    const whole = (await ask(server, 'GET', referrersOf(subject.digest))).json()['manifests'] as Descriptor[];
    for (const gone of [`sha256:${'0'.repeat(64)}`, `${whole[0]?.digest.slice(0, -1)}`]) {
      const answer = await ask(server, 'GET', referrersOf(subject.digest, `?last=${gone}`));
      assert.deepEqual(answer.json()['manifests'], whole);
    }
    const rest = await ask(server, 'GET', referrersOf(subject.digest, `?last=${whole[0]?.digest}`));
    assert.deepEqual(rest.json()['manifests'], whole.slice(1));
  });

  it('come in pages when an index would get too large, with the filter kept', async (t) => {
    const many = Array.from({ length: 9 }, (_, i) => ({
      ...subject,
      digest: parseDigest(`sha256:${String(i).repeat(64)}`),
      artifactType: 'test/large',
      annotations: { text: 'x'.repeat(500_000) },
      platform: { os: 'windows', architecture: 'amd64', osVersion: '10.0' },
    }));
    const asked: unknown[] = [];
    const registry: Registry = {
      ...memoryRegistry(),
      async *referrers(_repo, _digest, opts) {
        asked.push(`${opts?.artifactType} after ${opts?.after?.slice(0, 8)}`);
        yield* many.filter(({ digest }) => digest > (opts?.after ?? ''));
      },
    };
    const server = await startServer(t, { registry });
    const found = await pages(server, referrersOf(subject.digest, '?artifactType=test/large'), 'manifests');
    assert.deepEqual(
      found.map(({ length }) => length),
      [4, 4, 1],
    );
    assert.deepEqual(asked, ['test/large after undefined', 'test/large after sha256:3', 'test/large after sha256:7']);
    const entries = found.flat() as { digest: string; platform: unknown }[];
    assert.deepEqual(
      entries.map(({ digest }) => digest),
      many.map(({ digest }) => digest),
    );
    assert.deepEqual(entries[0]?.platform, { os: 'windows', architecture: 'amd64', 'os.version': '10.0' });
  });
});
