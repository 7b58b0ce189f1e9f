import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { parseRepositoryName } from '../../src/model/reference/reference.ts';
import { bytesSource } from '../../src/registry/content.ts';
import { type Answer, type FakeServer, json } from '../support/fake-server.ts';
import { fails, fakeRegistry, repo } from './fake-registry.ts';
import { blob, digest, methods, source, uploads } from './fake-uploads.ts';

/** It sorts after `team/app`, so its scope comes second. */
const mountFrom = parseRepositoryName('team/base');
const target = `repository:${repo}:pull,push`;
const both = [target, `repository:${mountFrom}:pull`];
const otherBytes = Buffer.from('another blob');
const other = { mediaType: 'a/b', digest: await digestBytes(otherBytes), size: otherBytes.length };

/**
 * A registry whose tokens state their scopes.
 *
 * @param grant Returns the scopes that are granted, or how they are refused.
 */
async function withTokens(
  t: TestContext,
  grant: (scopes: readonly string[]) => readonly string[] | number | 'no token',
) {
  const asked: (readonly string[])[] = [];
  let url = '';
  const answer: Answer = ({ method, path, query, headers }, response) => {
    if (path === '/token') {
      const scopes = query.getAll('scope');
      asked.push(scopes);
      const granted = grant(scopes);
      if (typeof granted === 'number') return json(response, granted, {});
      if (granted === 'no token') return json(response, 200, {});
      return json(response, 200, { token: Buffer.from(JSON.stringify(granted)).toString('base64url') });
    }
    const token = headers.authorization?.slice('Bearer '.length);
    const held = JSON.parse(token === undefined ? '[]' : Buffer.from(token, 'base64url').toString()) as string[];
    const wanted = query.get('from') === mountFrom ? both : [target];
    if (!wanted.every((scope) => held.includes(scope))) {
      const challenge = `Bearer realm="${url}token",service="s",scope="${wanted.join(' ')}"`;
      return response.writeHead(401, { 'www-authenticate': challenge }).end();
    }
    if (method === 'HEAD') return response.writeHead(404).end();
    if (wanted === both) return response.writeHead(201).end();
    response.writeHead(method === 'POST' ? 202 : 201, { location: '/session' }).end();
  };
  const fake = await fakeRegistry(t, answer);
  url = fake.server.url;
  return { ...fake, asked };
}

/** `HEAD`, …, `token`, and `mount` for a POST that requests one. */
function told({ requests }: FakeServer): string {
  return requests
    .map(({ method, path, query }) =>
      path === '/token' ? 'token' : query.get('from') === mountFrom ? 'mount' : method,
    )
    .join(' ');
}

describe('a mount at a registry with a token server', () => {
  it('has its blob looked for with the token that it needs itself', async (t) => {
    const { registry, server, asked } = await withTokens(t, (scopes) => scopes);
    assert.equal((await registry.pushBlob(repo, blob, source, { mountFrom })).outcome, 'mounted');
    assert.equal(told(server), 'HEAD token HEAD mount');
    assert.deepEqual(asked, [both]);
  });

  for (const status of [400, 401, 403]) {
    it(`is not asked for where the wider token is refused with ${status}`, async (t) => {
      const { registry, server, asked } = await withTokens(t, (scopes) => (scopes.length > 1 ? status : scopes));
      assert.equal((await registry.pushBlob(repo, blob, source, { mountFrom })).outcome, 'pushed');
      assert.equal(told(server), 'HEAD token token HEAD POST PUT');
      assert.deepEqual(asked, [both, [target]]);
      await registry.pushBlob(repo, other, bytesSource(other, otherBytes), { mountFrom });
      assert.equal(asked.length, 2);
    });
  }

  for (const [answer, failure] of [
    ['500', 500],
    ['429', 429],
    ['no token', 'no token'],
  ] as const) {
    it(`is not asked for where the token server has ${answer} for both scopes`, async (t) => {
      const { registry, server, asked } = await withTokens(t, (scopes) => (scopes.length > 1 ? failure : scopes));
      assert.equal((await registry.pushBlob(repo, blob, source, { mountFrom })).outcome, 'pushed');
      assert.match(told(server), /^HEAD( token)+ HEAD POST PUT$/);
      assert.deepEqual(asked.at(-1), [target]);
      const writer = await registry.mountBlob(repo, digest, { from: mountFrom });
      assert.ok('commit' in writer);
    });

    it(`becomes the writer of an upload where the token server has ${answer} for both scopes`, async (t) => {
      const { registry } = await withTokens(t, (scopes) => (scopes.length > 1 ? failure : scopes));
      assert.ok('commit' in (await registry.mountBlob(repo, digest, { from: mountFrom })));
    });
  }

  it('is an error where the token server fails over the target alone, too', async (t) => {
    const { registry } = await withTokens(t, () => 500);
    await assert.rejects(
      registry.pushBlob(repo, blob, source, { mountFrom }),
      fails('UNAVAILABLE', /token for/, /the token server \S+ failed; try again later/),
    );
  });

  it('is not asked for where the last scope alone is granted', async (t) => {
    const { registry, asked } = await withTokens(t, (scopes) => scopes.slice(-1));
    assert.equal((await registry.pushBlob(repo, blob, source, { mountFrom })).outcome, 'pushed');
    assert.deepEqual(asked, [both, [target]]);
    await registry.pushBlob(repo, other, bytesSource(other, otherBytes), { mountFrom });
    assert.equal(asked.length, 2);
  });

  it('becomes an upload where the first scope alone is granted, and is not tried again', async (t) => {
    const { registry, server } = await withTokens(t, (scopes) => scopes.slice(0, 1));
    assert.equal((await registry.pushBlob(repo, blob, source, { mountFrom })).outcome, 'pushed');
    await registry.pushBlob(repo, other, bytesSource(other, otherBytes), { mountFrom });
    assert.equal(told(server).split('mount').length - 1, 2);
  });

  it('becomes the writer of an upload where it is refused', async (t) => {
    const { registry } = await withTokens(t, (scopes) => (scopes.length > 1 ? 403 : scopes));
    const writer = await registry.mountBlob(repo, digest, { from: mountFrom });
    assert.ok('commit' in writer);
  });
});

describe('a mount from another repository', () => {
  for (const status of [429, 500, 503]) {
    it(`becomes an upload after the retries of a ${status}, and is not tried again`, async (t) => {
      const { registry, server } = await uploads(
        t,
        (_, own) => ({
          post: (request, response, incoming) =>
            request.query.has('from') ? response.writeHead(status).end() : own.post(request, response, incoming),
        }),
        { attempts: 2 },
      );
      assert.equal((await registry.pushBlob(repo, blob, source, { mountFrom })).outcome, 'pushed');
      assert.equal(methods(server.requests), 'HEAD POST POST POST PUT');
      await registry.pushBlob(repo, blob, source, { mountFrom });
      assert.equal(methods(server.requests), 'HEAD POST POST POST PUT HEAD');
    });
  }

  it('is tried again where one blob was not there', async (t) => {
    const { registry, server } = await uploads(t, (_, own) => ({
      head: (_request, response) => response.writeHead(404).end(),
      post: (request, response, incoming) =>
        request.query.has('from') ? response.writeHead(404).end() : own.post(request, response, incoming),
    }));
    await registry.pushBlob(repo, blob, source, { mountFrom });
    await registry.pushBlob(repo, blob, source, { mountFrom });
    assert.equal(methods(server.requests), 'HEAD POST POST PUT HEAD POST POST PUT');
  });
});

describe('a mount from the very repository, which stands for a look', () => {
  it('is an error where the registry says "later" to the end, as an upload would be', async (t) => {
    const { registry, server } = await uploads(t, () => ({ post: (_, response) => response.writeHead(429).end() }), {
      attempts: 2,
    });
    const small = bytesSource(other, otherBytes);
    await assert.rejects(registry.pushBlob(repo, other, small), fails('TOOMANYREQUESTS'));
    assert.equal(methods(server.requests), 'POST POST');
  });
});

describe('a mount that is tried first', () => {
  it('is one request where it succeeds', async (t) => {
    const { registry, server } = await fakeRegistry(t, (_, response) => response.writeHead(201).end());
    const pushed = await registry.pushBlob(repo, blob, source, { mountFrom, mountFirst: true });
    assert.equal(pushed.outcome, 'mounted');
    assert.equal(told(server), 'mount');
  });

  it('is followed by a look where it opens an upload; from then on blobs are looked up first', async (t) => {
    let there = true;
    const { registry, server } = await fakeRegistry(t, ({ method }, response) => {
      if (method === 'HEAD') return response.writeHead(there ? 200 : 404).end();
      response.writeHead(method === 'POST' ? 202 : 201, { location: '/session' }).end();
    });
    const push = () => registry.pushBlob(repo, blob, source, { mountFrom, mountFirst: true });
    assert.equal((await push()).outcome, 'exists');
    assert.equal(told(server), 'mount HEAD DELETE');
    assert.equal((await push()).outcome, 'exists');
    assert.equal(told(server), 'mount HEAD DELETE HEAD');
    there = false;
    assert.equal((await push()).outcome, 'pushed');
    assert.equal(told(server), 'mount HEAD DELETE HEAD HEAD mount PUT');
  });

  it('goes on in its upload where the blob is not there', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ method }, response) =>
      method === 'HEAD'
        ? response.writeHead(404).end()
        : response.writeHead(method === 'POST' ? 202 : 201, { location: '/session' }).end(),
    );
    const pushed = await registry.pushBlob(repo, blob, source, { mountFrom, mountFirst: true });
    assert.equal(pushed.outcome, 'pushed');
    assert.equal(told(server), 'mount HEAD PUT');
  });

  it('is not tried again where it is refused', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ method, query }, response) => {
      if (query.has('mount')) return json(response, 405, {});
      if (method === 'HEAD') return response.writeHead(404).end();
      response.writeHead(method === 'POST' ? 202 : 201, { location: '/session' }).end();
    });
    for (let i = 0; i < 2; i += 1) await registry.pushBlob(repo, blob, source, { mountFrom, mountFirst: true });
    assert.equal(told(server), 'mount HEAD POST PUT HEAD POST PUT');
  });
});
