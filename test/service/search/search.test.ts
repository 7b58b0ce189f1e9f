import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError } from '../../../src/model/errors.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { parseSearchIndexInfo, splitSearchTerm } from '../../../src/service/search/search-term.ts';
import { json, startFakeServer } from '../../support/fake-server.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { basic } from '../../support/login-servers.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { deadAddress } from '../../support/network/ports.ts';
import { startServe } from '../../support/registries.ts';
import type { Scope } from '../../support/sandbox.ts';
import { open } from '../opened.ts';
import { startRecorder } from '../recorder.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const nginx = { name: 'nginx', description: 'Official build', star_count: 20_000, is_official: true };
const other = { name: 'ada/nginx', description: '', star_count: 2, is_official: false, is_automated: true };

function answer(results: unknown): object {
  return { num_results: 2, query: 'nginx', results };
}

/** A server with only a search, which finds `results`. */
function startSearch(t: Scope, results: unknown = [nginx, other]) {
  return startFakeServer(t, ({ path }, response) =>
    json(response, path === '/v1/search' ? 200 : 404, path === '/v1/search' ? answer(results) : {}),
  );
}

async function serving(t: Scope, names: readonly string[]) {
  const registry = memoryRegistry();
  const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
  for (const name of names) await pushImage(registry, parseRepositoryName(name), parseTag('1'), image);
  return startServe(t, { registry });
}

/** The same in a modern registry, which lacks the first API. */
async function withoutSearch(t: Scope, names: readonly string[], status = 404) {
  const behind = await serving(t, names);
  return startFakeServer(t, async ({ path, query }, response) => {
    if (path.startsWith('/v1/')) return void response.writeHead(status).end('<html>page not found</html>');
    const onward = await fetch(`${behind.url}${path}?${query}`);
    const link = onward.headers.get('link');
    response.writeHead(200, link === null ? {} : { link }).end(await onward.text());
  });
}

describe('searching Docker Hub', () => {
  it('says that mirrors serve pulls only, where Docker Hub cannot be reached', async (t) => {
    const dead = await deadAddress();
    const defaultSearchIndex = `http://${dead}`;
    const given = { daemon: { 'registry-mirrors': ['http://127.0.0.1:5'] }, defaultSearchIndex };
    const { service } = await open(t, given);
    const hint = /; mirrors serve pulls only; ocictl search 127\.0\.0\.1:5\/nginx searches one by its name$/;
    await assert.rejects(service.search('library/nginx'), (error) => {
      assert.ok(isOciError(error, 'NETWORK'));
      assert.match(error.hint ?? '', hint);
      return true;
    });
    const without = await open(t, { defaultSearchIndex });
    await assert.rejects(without.service.search('nginx'), (error) => {
      assert.ok(isOciError(error, 'NETWORK'));
      assert.doesNotMatch(error.hint ?? '', /mirror/);
      return true;
    });
  });

  it('asks its index as Docker does, and not its mirror', async (t) => {
    const hub = await startSearch(t);
    const mirror = await startRecorder(t, {});
    const { service } = await open(t, {
      daemon: { 'registry-mirrors': [mirror.url] },
      config: { auths: { 'https://index.docker.io/v1/': { auth: base64('ada:x') } } },
      defaultSearchIndex: hub.url,
    });
    assert.deepEqual(await service.search('library/nginx'), {
      registry: 'docker.io',
      query: 'nginx',
      source: 'search',
      results: [
        { name: 'nginx', description: 'Official build', starCount: 20_000, isOfficial: true },
        { name: 'ada/nginx', description: '', starCount: 2, isOfficial: false },
      ],
      found: 2,
      total: 2,
      more: false,
    });
    assert.deepEqual(hub.lines, ['GET /v1/search']);
    const [asked] = hub.requests;
    assert.deepEqual(Object.fromEntries(asked?.query ?? []), { q: 'nginx', n: '25' });
    assert.equal(asked?.headers['x-docker-token'], 'true');
    assert.equal(asked?.headers.authorization, undefined, 'nobody asked who we are');
    assert.deepEqual(mirror.seen, []);
  });

  it('is an error where it does not answer with results', async (t) => {
    const { service } = await open(t, { defaultSearchIndex: (await startSearch(t, 'nonsense')).url });
    await assert.rejects(service.search('nginx'), (error) => isOciError(error, 'PROTOCOL'));
    const broken = await startFakeServer(t, (_request, response) => response.writeHead(503).end());
    const { service: other } = await open(t, { defaultSearchIndex: broken.url });
    await assert.rejects(other.search('nginx'), (error) => isOciError(error, 'UNAVAILABLE'));
  });

  it('removes control characters from results, and drops malformed results', async (t) => {
    const hostile = [
      {
        name: 'evil\u001b]0;title\u0007/\u202eimage',
        description: 'a\r\nb\u001b[2Jc',
        star_count: '7',
        is_official: 1,
      },
      { name: '' },
      { description: 'without a name' },
      null,
      'nginx',
    ];
    const { service } = await open(t, { defaultSearchIndex: (await startSearch(t, hostile)).url });
    assert.deepEqual((await service.search('x')).results, [
      { name: 'evil ]0;title / image', description: 'a b [2Jc', starCount: 0, isOfficial: false },
    ]);
  });
});

describe('the limit and the filters of a search', () => {
  it('are checked before anybody is asked', async (t) => {
    const hub = await startSearch(t);
    const { service } = await open(t, { defaultSearchIndex: hub.url });
    const refused = (message: RegExp) => (error: unknown) => isOciError(error, 'USAGE') && message.test(error.message);
    for (const limit of [-1, 1.5]) {
      const message = new RegExp(`^limit ${limit} is not a number of results$`);
      await assert.rejects(service.search('x', { limit }), refused(message));
    }
    for (const [filter, message] of [
      ['color=red', /^invalid filter 'color'$/],
      ['stars=many', /^invalid filter 'stars=many'$/],
      ['is-official=perhaps', /^invalid filter 'is-official=perhaps'$/],
      ['stars', /^bad format of filter "stars" \(expected name=value\)$/],
      ['=3', /bad format/],
    ] as const) {
      await assert.rejects(service.search('x', { filters: [filter] }), refused(message), filter);
    }
    await assert.rejects(service.search('https://example.com/x'), refused(/should not have a scheme/));
    assert.deepEqual(hub.requests, []);
  });

  it('are sent to the registry, and filter its results', async (t) => {
    const hub = await startSearch(t);
    const { service } = await open(t, { defaultSearchIndex: hub.url });
    const names = async (...filters: string[]) =>
      (await service.search('nginx', { limit: 100, filters })).results.map(({ name }) => name);
    assert.deepEqual(await names(), ['nginx', 'ada/nginx']);
    assert.deepEqual(await names('is-official=true'), ['nginx']);
    assert.deepEqual(await names('is-official=0'), ['ada/nginx']);
    assert.deepEqual(await names('stars=2'), ['nginx', 'ada/nginx']);
    assert.deepEqual(await names('stars=2', 'stars=3'), ['nginx']);
    assert.deepEqual(await names('is-official=false', 'stars=3'), []);
    assert.deepEqual(await names('is-automated=true'), []);
    assert.deepEqual(await names('is-automated=false'), ['nginx', 'ada/nginx']);
    assert.equal(hub.requests[0]?.query.get('n'), '100');
    const { results } = await service.search('nginx', { limit: 1 });
    assert.equal(results.length, 1, 'also of a registry that does not count');
  });
});

describe('searching another registry', () => {
  it('uses its search, with the stored credentials if it asks for some', async (t) => {
    const behind = await serving(t, ['team/nginx', 'nginx', 'redis']);
    const account = { username: 'ada', password: 'x' };
    const registry = await startRecorder(t, { target: behind.url, authorization: basic(account) });
    const { service } = await open(t, { config: { auths: { [registry.host]: { auth: base64('ada:x') } } } });
    const found = await service.search(`${registry.host}/nginx`);
    assert.equal(found.source, 'search');
    assert.equal(found.registry, registry.host);
    assert.deepEqual(
      found.results.map(({ name }) => name),
      ['nginx', 'team/nginx'],
    );
    assert.deepEqual(
      registry.seen.map(({ path }) => path),
      ['/v1/_ping', '/v1/_ping', '/v1/search?q=nginx&n=25'],
    );
  });

  for (const status of [404, 200, 401]) {
    it(`looks through its catalog where it answers with a page of status ${status}`, async (t) => {
      const registry = await withoutSearch(t, ['a/redis', 'redis', 'redis-tools', 'nginx'], status);
      const { service } = await open(t, {});
      const found = await service.search(`${registry.host}/Redis`);
      assert.equal(found.source, 'catalog');
      assert.deepEqual(
        found.results.map(({ name }) => name),
        ['redis', 'a/redis', 'redis-tools'],
      );
      assert.deepEqual((await service.search(`${registry.host}/redis`, { limit: 1 })).results, [
        { name: 'redis', description: '', starCount: 0, isOfficial: false },
      ]);
      assert.deepEqual((await service.search(`${registry.host}/redis`, { filters: ['stars=1'] })).results, []);
    });
  }

  it('says so where it has neither', async (t) => {
    const registry = await startFakeServer(t, (_request, response) => response.writeHead(404).end());
    const { service } = await open(t, {});
    await assert.rejects(
      service.search(`${registry.host}/x`),
      (error) => isOciError(error, 'UNSUPPORTED') && /neither a search nor a list/.test(error.message),
    );
  });

  it('fails with its own words where it fails', async (t) => {
    const private_ = await startRecorder(t, { authorization: 'never' });
    const { service } = await open(t, {});
    await assert.rejects(service.search(`${private_.host}/x`), (error) => isOciError(error, 'UNAUTHORIZED'));
  });

  it("gives it no other registry's credentials", async (t) => {
    const asking = await startRecorder(t, { authorization: 'never' });
    const config = {
      auths: { 'https://index.docker.io/v1/': { auth: base64('ada:x') }, 'a.example': { auth: 'eDp5' } },
    };
    const { service } = await open(t, { config });
    await assert.rejects(service.search(`${asking.host}/x`));
    assert.ok(asking.seen.length > 1);
    assert.doesNotMatch(JSON.stringify(asking.seen), /authorization/);
  });
});

describe('the registry that a search term names', () => {
  const hub = 'docker.io';
  for (const [text, index, query] of [
    ['nginx', hub, 'nginx'],
    ['ada/nginx', hub, 'ada/nginx'],
    ['library/nginx', hub, 'nginx'],
    ['private/base/image', hub, 'private/base/image'],
    ['index.docker.io/library/nginx', hub, 'nginx'],
    ['docker.io/nginx', hub, 'nginx'],
    ['localhost/nginx', 'localhost', 'nginx'],
    ['localhost:5000/a/b', 'localhost:5000', 'a/b'],
    ['example.com/library/nginx', 'example.com', 'library/nginx'],
    ['127.0.0.1:8000/', '127.0.0.1:8000', ''],
    ['example.com', hub, 'example.com'],
  ] as const) {
    it(`is read from ${text}`, () => assert.deepEqual(splitSearchTerm(text), { index, query }));
  }

  it('is not repeated with a password in it', () => {
    for (const text of ['https://me:hunter2@example.com/x', 'https://me:a/hunter2@example.com/x']) {
      assert.throws(
        () => splitSearchTerm(text),
        (error) => isOciError(error, 'USAGE') && !error.message.includes('hunter2'),
      );
    }
  });

  it('is known as an index', async () => {
    const resolve = async (name: string) => (name === 'localhost' ? ['127.0.0.1'] : ['192.0.2.1']);
    const info = async (text: string) => {
      const { name, secure, official } = await parseSearchIndexInfo(text, { resolve });
      return [name, secure, official];
    };
    assert.deepEqual(await info('nginx'), [hub, true, true]);
    assert.deepEqual(await info('localhost:5000/x'), ['localhost:5000', false, false]);
    assert.deepEqual(await info('example.com/x'), ['example.com', true, false]);
  });
});
