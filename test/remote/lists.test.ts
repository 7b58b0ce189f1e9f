import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { all } from '../contract/contract.ts';
import { type Answer, json, startFakeServer } from '../support/fake-server.ts';
import { connect, fails, fakeRegistry, repo } from './fake-registry.ts';

const next = (target: string): Record<string, string> => ({ link: `<${target}>; rel="next"` });
const subject = { mediaType: mediaTypes.ociManifest, digest: await digestBytes(Buffer.from('subject')), size: 7 };

describe('a list from a remote registry', () => {
  it('goes on where Link says, also behind a short page', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ query }, response) => {
      const last = query.get('last');
      if (last === null) return json(response, 200, { tags: ['a'] }, next('/v2/team/app/tags/list?last=zz&n=1'));
      if (last === 'zz') return json(response, 200, { tags: [] }, next('list?last=end'));
      json(response, 200, { tags: ['b', 'c'] });
    });
    assert.deepEqual(await all(registry.tags(repo)), ['a', 'b', 'c']);
    assert.equal(server.requests.length, 3);
  });

  it('fetches a page when it is reached', async (t) => {
    const { registry, server } = await fakeRegistry(t, (_, response) =>
      json(response, 200, { repositories: ['a', 'b'] }, next('/v2/_catalog?last=b')),
    );
    for await (const name of registry.repositories()) if (name === 'b') break;
    assert.equal(server.requests.length, 1);
    assert.deepEqual(await all(registry.repositories({ limit: 0 })), []);
    assert.equal(server.requests.length, 1);
    assert.deepEqual(await all(registry.repositories({ limit: 2 })), ['a', 'b']);
    assert.equal(server.requests.at(-1)?.query.get('n'), '2');
  });

  it('leaves out what is no tag', async (t) => {
    const tags = ['ok', null, 7, 'sha256:abc', 'a/b', '', '-x', 'x'.repeat(200), 'ok2'];
    const { registry } = await fakeRegistry(t, (_, response) => json(response, 200, { name: 'team/app', tags }));
    assert.deepEqual(await all(registry.tags(repo)), ['ok', 'ok2']);
  });

  it('may be null', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) =>
      json(response, 200, { tags: null, repositories: null }),
    );
    assert.deepEqual(await all(registry.tags(repo)), []);
    assert.deepEqual(await all(registry.repositories()), []);
  });

  it('is not followed to another origin', async (t) => {
    const other = await startFakeServer(t, (_, response) => json(response, 200, { tags: ['theirs'] }));
    const { registry } = await fakeRegistry(t, (_, response) =>
      json(response, 200, { tags: ['a'] }, next(`${other.url}v2/`)),
    );
    await assert.rejects(all(registry.tags(repo)), fails('PROTOCOL', /elsewhere: not followed/));
    assert.equal(other.requests.length, 0);
  });

  it('does not run in a circle', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ query }, response) =>
      json(response, 200, { tags: ['a'] }, next(`list?page=${query.get('page') === '1' ? 2 : 1}`)),
    );
    await assert.rejects(all(registry.tags(repo)), fails('PROTOCOL', /circle/));
    assert.equal(server.requests.length, 3);
  });

  it('goes on behind any number of empty pages', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ query }, response) => {
      const page = Number(query.get('page') ?? 0);
      json(response, 200, { tags: page === 12 ? ['a'] : [] }, page < 12 ? next(`?page=${page + 1}`) : {});
    });
    assert.deepEqual(await all(registry.tags(repo)), ['a']);
    assert.equal(server.requests.length, 13);
  });

  it('ends where empty pages do not, and says so', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ query, path }, response) => {
      const page = Number(query.get('page') ?? 0);
      const entries = page === 5 ? ['a'] : [];
      json(
        response,
        200,
        path.endsWith('_catalog') ? { repositories: null } : { tags: entries },
        next(`?page=${page + 1}`),
      );
    });
    const endless = /1000 pages in a row were empty, and each named another after it$/;
    await assert.rejects(
      all(registry.repositories()),
      fails('TOO_LARGE', endless, /paging of this registry is broken/),
    );
    assert.equal(server.requests.length, 1000);
    const tags = registry.tags(repo)[Symbol.asyncIterator]();
    assert.equal((await tags.next()).value, 'a');
    await assert.rejects(tags.next(), fails('TOO_LARGE', endless));
    assert.equal(server.requests.length, 2006);
  });

  it('goes on where a Link without brackets says', async (t) => {
    const { registry } = await fakeRegistry(t, ({ query }, response) =>
      query.has('last')
        ? json(response, 200, { tags: ['c'] })
        : json(response, 200, { tags: ['a', 'b'] }, { link: '/v2/team/app/tags/list?last=b&n=2; rel="next"' }),
    );
    assert.deepEqual(await all(registry.tags(repo)), ['a', 'b', 'c']);
  });

  it('has no end at a Link that cannot be read', async (t) => {
    for (const link of ['<list?last=a', 'more', '; rel="next"']) {
      const { registry } = await fakeRegistry(t, (_, response) => json(response, 200, { tags: ['a'] }, { link }));
      await assert.rejects(all(registry.tags(repo)), fails('PROTOCOL', /the Link to the next page .* cannot be read/));
      await assert.rejects(all(registry.referrers(repo, subject.digest)), fails('PROTOCOL', /cannot be read/));
    }
  });

  it('goes on at its own path where a link leads past the path of a proxy', async (t) => {
    const tags = ['a', 'b', 'c', 'd', 'e'];
    const pages: Answer = ({ path, query }, response) => {
      if (path !== '/prefix/v2/team/app/tags/list') return response.writeHead(404).end();
      const from = tags.indexOf(query.get('last') ?? '') + 1;
      const page = tags.slice(from, from + 2);
      const more = from + 2 < tags.length ? next(`/v2/team/app/tags/list?last=${page[1]}&n=2`) : {};
      json(response, 200, { tags: page }, more);
    };
    const server = await startFakeServer(t, pages);
    assert.deepEqual(await all(connect(t, `${server.url}prefix/`).tags(repo)), tags);
    assert.deepEqual(
      server.requests.map(({ path, query }) => [path.split('/')[1], query.get('last')]),
      [
        ['prefix', null],
        ['v2', 'b'],
        ['prefix', 'b'],
        ['prefix', 'd'],
      ],
    );
  });

  it('goes on behind its last entry where such a link has no query', async (t) => {
    const { registry } = await fakeRegistry(t, ({ path, query }, response) => {
      if (path === '/more') return response.writeHead(404).end();
      if (query.get('last') === 'b') return json(response, 200, { tags: ['c'] });
      json(response, 200, { tags: ['a', 'b'] }, next('/more'));
    });
    assert.deepEqual(await all(registry.tags(repo)), ['a', 'b', 'c']);
  });

  it('fails where the next page is gone', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ query }, response) =>
      query.has('last')
        ? response.writeHead(404).end()
        : json(response, 200, { tags: ['a'] }, next('/v2/team/app/tags/list?last=a')),
    );
    await assert.rejects(all(registry.tags(repo)), fails('NAME_UNKNOWN'));
    assert.equal(server.requests.length, 2);
  });

  it('ends when there are more entries than any registry has', async (t) => {
    const page = `{"tags":[${'0,'.repeat(2_000_000)}0]}`;
    const { registry } = await fakeRegistry(t, ({ nth }, r) =>
      r.writeHead(200, nth < 6 ? next(`?page=${nth}`) : {}).end(page),
    );
    await assert.rejects(all(registry.tags(repo)), fails('TOO_LARGE', /no end .* after 5 pages and 10000005 entries/));
  });

  it('is refused when a page has no end', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) => {
      const timer = setInterval(() => response.write(Buffer.alloc(500_000, 0x20)), 1);
      response.on('close', () => clearInterval(timer));
    });
    await assert.rejects(
      all(registry.tags(repo)),
      fails('TOO_LARGE', /^tags of \S+\/team\/app: the answer of \S+:\d+ is/),
    );
  });

  it('is refused when a small page has no end once it is decoded, and named', async (t) => {
    const bomb = gzipSync(`{"tags":["${'a'.repeat(10_000_000)}"]}`);
    const { registry, server } = await fakeRegistry(t, (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb),
    );
    const named = new RegExp(
      `^tags of ${server.host}/team/app: ${server.host}: decoded, the answer is longer than 4194304`,
    );
    await assert.rejects(all(registry.tags(repo)), fails('TOO_LARGE', named));
  });

  it('is refused when it is no JSON', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) => response.end('<html>'));
    await assert.rejects(all(registry.tags(repo)), fails('PROTOCOL', /not the JSON of a list/));
  });

  it('is asked for without a page size where that is too large', async (t) => {
    const errors = [{ code: 'PAGINATION_NUMBER_INVALID' }];
    const { registry } = await fakeRegistry(t, ({ query }, response) =>
      query.has('n') ? json(response, 400, { errors }) : json(response, 200, { tags: ['a'], repositories: ['b'] }),
    );
    assert.deepEqual(await all(registry.tags(repo, { limit: 500 })), ['a']);
    assert.deepEqual(await all(registry.repositories()), ['b']);
  });

  it('of tags is asked for at once, and with a number only where few are wanted', async (t) => {
    const { registry, server } = await fakeRegistry(t, (_, response) => json(response, 200, { tags: ['a', 'b'] }));
    assert.deepEqual(await all(registry.tags(repo)), ['a', 'b']);
    assert.deepEqual(await all(registry.tags(repo, { limit: 1 })), ['a']);
    assert.deepEqual(
      server.requests.map(({ query }) => query.get('n')),
      [null, '1'],
    );
  });

  it('of tags is asked for in long pages where the registry sends short ones', async (t) => {
    const tags = Array.from({ length: 120 }, (_, i) => `v${String(i).padStart(3, '0')}`);
    const { registry, server } = await fakeRegistry(t, ({ query }, response) => {
      const n = Number(query.get('n') ?? 50);
      const from = tags.indexOf(query.get('last') ?? '') + 1;
      const page = tags.slice(from, from + n);
      json(response, 200, { tags: page }, from + n < tags.length ? next(`list?n=${n}&last=${page.at(-1)}`) : {});
    });
    assert.deepEqual(await all(registry.tags(repo)), tags);
    assert.deepEqual(
      server.requests.map(({ query }) => query.get('n')),
      [null, '1000'],
    );
  });

  it('of tags goes on with the pages of the registry where it refuses longer ones', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ query }, response) => {
      if (query.get('n') === '1000') return json(response, 400, { errors: [{ code: 'PAGINATION_NUMBER_INVALID' }] });
      if (query.has('last')) return json(response, 200, { tags: ['c'] });
      json(response, 200, { tags: ['a', 'b'] }, next('list?n=2&last=b'));
    });
    assert.deepEqual(await all(registry.tags(repo)), ['a', 'b', 'c']);
    assert.equal(server.requests.at(-1)?.query.get('n'), '2');
  });

  it('of tags follows a Link that has a place of its own as it is', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ query }, response) =>
      query.has('next_page')
        ? json(response, 200, { tags: ['b'] })
        : json(response, 200, { tags: ['a'] }, next('list?next_page=gAAAA&n=50')),
    );
    assert.deepEqual(await all(registry.tags(repo)), ['a', 'b']);
    assert.equal(server.requests.at(-1)?.query.get('n'), '50');
  });

  for (const [why, status, body] of [
    ['are longer than what is read', 200, Buffer.alloc(4 * 1024 * 1024 + 1, 0x20)],
    ['are an error of the registry', 501, Buffer.from('{}')],
  ] as const) {
    it(`of tags comes in pages where all at once ${why}`, async (t) => {
      const { registry, server } = await fakeRegistry(t, ({ query }, response) =>
        query.has('n') ? json(response, 200, { tags: ['a'] }) : response.writeHead(status).end(body),
      );
      assert.deepEqual(await all(registry.tags(repo)), ['a']);
      assert.equal(server.requests.at(-1)?.query.get('n'), '1000');
    });
  }

  it('of tags comes in pages where all at once is cut', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ query }, response) =>
      query.has('n') ? json(response, 200, { tags: ['a'] }) : response.destroy(),
    );
    assert.deepEqual(await all(registry.tags(repo)), ['a']);
    assert.equal(server.requests.at(-1)?.query.get('n'), '1000');
  });

  it('begins behind an entry where the registry knows no `last`', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) => json(response, 200, { tags: ['c', 'a', 'b', 'B'] }));
    assert.deepEqual(await all(registry.tags(repo)), ['B', 'a', 'b', 'c']);
    assert.deepEqual(await all(registry.tags(repo, { after: 'a', limit: 1 })), ['b']);
  });

  it('of an unknown repository says so', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) => response.writeHead(404).end());
    await assert.rejects(all(registry.tags(repo)), fails('NAME_UNKNOWN'));
    await assert.rejects(all(registry.repositories()), fails('UNSUPPORTED'));
  });
});
