import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { formatScope } from '../../../src/server/auth/access.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { ask, type Served, startServer } from '../client.ts';

async function registryOf(...names: string[]) {
  const registry = memoryRegistry();
  const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
  for (const name of names) await pushImage(registry, parseRepositoryName(name), parseTag('1'), image);
  return registry;
}

async function namesFor(server: Served, query: string): Promise<unknown> {
  const answer = await ask(server, 'GET', `/v1/search?${query}`);
  assert.equal(answer.status, 200);
  return (answer.json()['results'] as { name: string }[]).map(({ name }) => name);
}

describe('the search of the first API', () => {
  it('is announced', async (t) => {
    const answer = await ask(await startServer(t), 'GET', '/v1/_ping');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['x-docker-registry-standalone'], 'true');
    assert.equal(answer.body.toString(), 'true\n');
  });

  it('answers in Docker’s form', async (t) => {
    const server = await startServer(t, { registry: await registryOf('app', 'team/app') });
    assert.deepEqual((await ask(server, 'GET', '/v1/search?q=team&n=5')).json(), {
      num_pages: 1,
      num_results: 1,
      page: 1,
      page_size: 5,
      query: 'team',
      results: [{ name: 'team/app', description: '', star_count: 0, is_official: false, is_automated: false }],
    });
  });

  it('finds the exact name first and then those that hold it, as many as are asked for', async (t) => {
    const server = await startServer(t, {
      registry: await registryOf('a/redis', 'redis', 'redis-x', 'z'),
    });
    assert.deepEqual(await namesFor(server, 'q=REDIS'), ['redis', 'a/redis', 'redis-x']);
    assert.deepEqual(await namesFor(server, 'q=redis&n=1'), ['redis']);
    assert.deepEqual(await namesFor(server, 'q=redis&n=2'), ['redis', 'a/redis']);
    assert.deepEqual(await namesFor(server, 'q=a%2Fredis'), ['a/redis']);
    assert.deepEqual(await namesFor(server, 'q=nothing'), []);
    assert.deepEqual(await namesFor(server, ''), ['a/redis', 'redis', 'redis-x', 'z']);
    assert.deepEqual(await namesFor(server, 'n=-3'), ['a/redis', 'redis', 'redis-x', 'z']);
  });

  it('gives 25 results where no number is asked for, and never more than 100', async (t) => {
    const names = Array.from({ length: 120 }, (_, i) => `app${String(i).padStart(3, '0')}`);
    const server = await startServer(t, { registry: await registryOf(...names) });
    assert.equal(((await namesFor(server, 'q=app')) as string[]).length, 25);
    assert.equal(((await namesFor(server, 'q=app&n=1000')) as string[]).length, 100);
  });

  it('gives the page that is asked for, and says whether another follows', async (t) => {
    const server = await startServer(t, { registry: await registryOf('a', 'b', 'c', 'd', 'e') });
    const pageOf = async (query: string) => {
      const { num_pages: pages, num_results: count, page } = (await ask(server, 'GET', `/v1/search?${query}`)).json();
      return { names: await namesFor(server, query), pages, count, page };
    };
    const uncounted = { pages: undefined, count: undefined };
    assert.deepEqual(await pageOf('n=2'), { names: ['a', 'b'], page: 1, ...uncounted });
    assert.deepEqual(await pageOf('n=2&page=2'), { names: ['c', 'd'], page: 2, ...uncounted });
    assert.deepEqual(await pageOf('n=2&page=3'), { names: ['e'], pages: 3, count: 5, page: 3 });
    assert.deepEqual((await pageOf('n=2&page=999999999')).names, []);
    assert.deepEqual((await pageOf('n=2&page=x')).names, ['a', 'b']);
  });

  it('is refused to clients that may not read the catalog', async (t) => {
    const asked: string[] = [];
    const server = await startServer(t, {
      registry: await registryOf('secret'),
      authorize: async ({ access }) => {
        asked.push(formatScope(access) ?? '');
        return { outcome: 'challenge', challenges: [{ scheme: 'basic', parameters: { realm: 'test' } }] };
      },
    });
    const answer = await ask(server, 'GET', '/v1/search?q=');
    assert.equal(answer.status, 401);
    assert.doesNotMatch(answer.body.toString(), /secret/);
    assert.deepEqual(asked, ['registry:catalog:*']);
  });

  it('is only read', async (t) => {
    const server = await startServer(t, { registry: await registryOf('app') });
    for (const path of ['/v1/_ping', '/v1/search']) {
      const refused = await ask(server, 'POST', path);
      assert.equal(refused.status, 405);
      assert.equal(refused.headers.allow, 'GET, HEAD');
      const head = await ask(server, 'HEAD', path);
      assert.deepEqual([head.status, head.body.length], [200, 0]);
    }
  });
});
