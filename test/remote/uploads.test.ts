import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestBytes } from '../../src/model/digest.ts';
import { parseRepositoryName } from '../../src/model/reference/reference.ts';
import { bytesContent, bytesSource, type Sink, streamContent } from '../../src/registry/content.ts';
import { type Answer, json, startFakeServer } from '../support/fake-server.ts';
import { fails, fakeRegistry, repo } from './fake-registry.ts';
import { blob, bytes, digest, methods, mib, source, uploads } from './fake-uploads.ts';

const smallBytes = bytes.subarray(0, 1000);
const small = { mediaType: 'a/b', digest: await digestBytes(smallBytes), size: smallBytes.length };
const smallSource = bytesSource(small, smallBytes);
/** More than the buffers of a connection hold. */
const bigBytes = randomBytes(16_000_000);
const big = { mediaType: 'a/b', digest: await digestBytes(bigBytes), size: bigBytes.length };

describe('a blob to a remote registry', () => {
  it('goes in one request, to the Location as it was given', async (t) => {
    const { registry, server, state } = await uploads(t);
    assert.equal((await registry.pushBlob(repo, blob, source)).outcome, 'pushed');
    assert.equal(methods(server.requests), 'HEAD POST PUT');
    const put = server.requests[2];
    assert.equal(put?.path, '/session/1');
    assert.deepEqual(
      [...(put?.query ?? [])],
      [
        ['state', 'a+b~c'],
        ['digest', digest],
      ],
    );
    assert.equal(put?.headers['content-length'], String(bytes.length));
    assert.deepEqual(state.committed, bytes);
  });

  it('leaves no session behind, where it is stopped before it begins', async (t) => {
    const { registry, server } = await uploads(t);
    const stopped = {
      open: smallSource.open,
      ready: () => Promise.reject(new Error('another layer failed')),
    };
    await assert.rejects(registry.pushBlob(repo, small, stopped), /another layer failed/);
    assert.equal(methods(server.requests), 'POST DELETE');
  });

  it('may end with a 204', async (t) => {
    const { registry } = await uploads(t, () => ({ put: (_, response) => response.writeHead(204).end() }));
    assert.equal((await registry.pushBlob(repo, blob, source)).outcome, 'pushed');
  });

  it('goes to another host without authorisation, when the Location says so', async (t) => {
    const storage = await startFakeServer(t, (_, response) => response.writeHead(201).end());
    const { registry, server } = await uploads(
      t,
      () => ({
        head: ({ headers }, response) =>
          headers.authorization === undefined
            ? response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
            : response.writeHead(404).end(),
        post: (_, response) => response.writeHead(202, { location: `${storage.url}up?sig=1` }).end(),
      }),
      { credential: { kind: 'password', username: 'u', password: 'p', source: 's' } },
    );
    await registry.pushBlob(repo, blob, source);
    assert.deepEqual(storage.lines, ['PUT /up']);
    assert.equal(storage.requests[0]?.headers.authorization, undefined);
    assert.match(server.requests.at(-1)?.headers.authorization ?? '', /^Basic/);
  });

  for (const [what, post] of [
    ['does not say where', (_, response) => response.writeHead(202).end()],
    ['says a file', (_, response) => response.writeHead(202, { location: 'file:///tmp/x' }).end()],
    ['says a user', (_, response) => response.writeHead(202, { location: 'http://u:p@h/x' }).end()],
  ] as readonly (readonly [string, Answer])[]) {
    it(`goes nowhere when the registry ${what}`, async (t) => {
      const { registry } = await uploads(t, () => ({ post }));
      await assert.rejects(registry.pushBlob(repo, blob, source), fails('PROTOCOL'));
    });
  }

  it('is mounted, or goes on in the session that a refused mount opens', async (t) => {
    const mountFrom = parseRepositoryName('team/base');
    const mounted = await uploads(t, () => ({ post: (_, response) => response.writeHead(201).end() }));
    assert.equal((await mounted.registry.pushBlob(repo, blob, source, { mountFrom })).outcome, 'mounted');
    const { query } = mounted.server.requests[1] ?? {};
    assert.equal(query?.get('mount'), digest);
    assert.equal(query?.get('from'), 'team/base');
    const refused = await uploads(t);
    assert.equal((await refused.registry.pushBlob(repo, blob, source, { mountFrom })).outcome, 'pushed');
    assert.equal(methods(refused.server.requests), 'HEAD POST PUT');
    const denied = await uploads(t, (_, own) => ({
      post: (request, response, incoming) =>
        request.query.has('mount') ? response.writeHead(403).end() : own.post(request, response, incoming),
    }));
    assert.equal((await denied.registry.pushBlob(repo, blob, source, { mountFrom })).outcome, 'pushed');
  });

  it('of few bytes is not asked for: a mount from its own repository says whether it is there', async (t) => {
    const there = await uploads(t, () => ({ post: (_, response) => response.writeHead(201).end() }));
    assert.equal((await there.registry.pushBlob(repo, small, smallSource)).outcome, 'exists');
    assert.equal(methods(there.server.requests), 'POST');
    const { query } = there.server.requests[0] ?? {};
    assert.deepEqual([query?.get('mount'), query?.get('from')], [small.digest, repo]);
    const absent = await uploads(t);
    assert.equal((await absent.registry.pushBlob(repo, small, smallSource)).outcome, 'pushed');
    assert.equal(methods(absent.server.requests), 'POST PUT');
    assert.deepEqual(absent.state.committed, smallBytes);
  });

  for (const [status, mounts] of [
    [405, 1],
    [500, 5],
  ] as const) {
    it(`of few bytes is asked for as others are by a registry that answers mounts with ${status}`, async (t) => {
      const { registry, server } = await uploads(t, (_, own) => ({
        post: (request, response, incoming) =>
          request.query.has('mount') ? response.writeHead(status).end() : own.post(request, response, incoming),
      }));
      await registry.pushBlob(repo, small, smallSource);
      const first = `${'POST '.repeat(mounts)}POST PUT`;
      assert.equal(methods(server.requests), first);
      assert.equal((await registry.pushBlob(repo, small, smallSource)).outcome, 'exists');
      assert.equal(methods(server.requests), `${first} HEAD`);
    });
  }

  it('of few bytes is not sent when its source has others', async (t) => {
    const { registry, server } = await uploads(t);
    const short = bytesSource(small, smallBytes.subarray(1));
    await assert.rejects(registry.pushBlob(repo, small, short), fails('SIZE_MISMATCH'));
    assert.equal(methods(server.requests), 'POST DELETE');
  });

  it('goes in chunks where one request is too large, and so does the next at once', async (t) => {
    const { registry, server, state } = await uploads(
      t,
      (s) => ({
        put: ({ body }, response) => {
          if (body.length > 2 * mib) return response.writeHead(413).end();
          s.committed = Buffer.concat([s.held, body]);
          response.writeHead(201).end();
        },
      }),
      { uploadChunkBytes: 2 * mib },
    );
    await registry.pushBlob(repo, blob, source);
    assert.deepEqual(state.committed, bytes);
    assert.equal(methods(server.requests), 'HEAD POST PUT DELETE POST PATCH PATCH PUT');
    const ranges = server.requests
      .filter(({ method }) => method === 'PATCH')
      .map(({ headers }) => headers['content-range']);
    assert.deepEqual(ranges, [`0-${2 * mib - 1}`, `${2 * mib}-${bytes.length - 1}`]);
    state.committed = undefined;
    await registry.pushBlob(repo, blob, source);
    assert.equal(methods(server.requests.slice(8)), 'HEAD POST PATCH PATCH PUT');
  });

  it('goes in smaller chunks until they fit', async (t) => {
    const whenSmall =
      (then: Answer): Answer =>
      (request, response, incoming) =>
        request.body.length > mib ? response.writeHead(413).end() : then(request, response, incoming);
    const { registry, state, server } = await uploads(
      t,
      (_, own) => ({ patch: whenSmall(own.patch), put: whenSmall(own.put) }),
      { uploadChunkBytes: 4 * mib },
    );
    await registry.pushBlob(repo, blob, source);
    assert.deepEqual(state.committed, bytes);
    const sizes = server.requests.filter(({ method }) => method === 'PATCH').map(({ body }) => body.length);
    assert.deepEqual(sizes, [bytes.length, 2 * mib, mib, mib, mib, bytes.length - 3 * mib]);
  });

  it('is refused for good when even small chunks are too large', async (t) => {
    const { registry, state } = await uploads(t, () => ({
      patch: (_, response) => response.writeHead(413).end(),
      put: (_, response) => response.writeHead(413).end(),
    }));
    await assert.rejects(registry.pushBlob(repo, blob, source), fails('TOO_LARGE'));
    assert.ok(state.cancelled > 0);
  });

  it('reads a 413 that comes while it is sent', async (t) => {
    let refused = 0;
    const { registry, server } = await fakeRegistry(
      t,
      async ({ method }, response, incoming) => {
        if (method === 'HEAD') return response.writeHead(404).end();
        if (method === 'POST') return response.writeHead(202, { location: '/s' }).end();
        if (method === 'PUT' && refused === 0) {
          refused += 1;
          return response.writeHead(413, { connection: 'close' }).end('too large');
        }
        incoming.resume();
        await once(incoming, 'end');
        response.writeHead(method === 'PATCH' ? 202 : 201, { location: '/s' }).end();
      },
      { early: true },
    );
    await registry.pushBlob(repo, blob, source);
    assert.equal(methods(server.requests), 'HEAD POST PUT DELETE POST PATCH PUT');
  });

  it('of another digest is refused, and its session ended', async (t) => {
    const { registry, state } = await uploads(t, () => ({
      put: (_, response) => json(response, 400, { errors: [{ code: 'DIGEST_INVALID', message: 'no match' }] }),
    }));
    await assert.rejects(registry.pushBlob(repo, blob, source), fails('DIGEST_MISMATCH', /no match/));
    assert.equal(state.cancelled, 1);
  });

  for (const pieceBytes of [1000, 70_000, 1_000_000]) {
    it(`arrives whole at a slow registry from memory that is used again, ${pieceBytes} bytes at a time`, async (t) => {
      const { registry, server } = await fakeRegistry(
        t,
        async ({ method }, response, incoming) => {
          if (method === 'HEAD') return response.writeHead(404).end();
          if (method === 'POST') return response.writeHead(202, { location: '/s' }).end();
          const hash = createHash('sha256');
          await sleep(50); // until every buffer on the way is full
          for await (const chunk of incoming) hash.update(chunk);
          response.writeHead(`sha256:${hash.digest('hex')}` === big.digest ? 201 : 400).end();
        },
        { early: true },
      );
      const lending = {
        open: async () => ({
          ...bytesContent(big, bigBytes),
          async drainTo(sink: Sink) {
            const memory = new Uint8Array(pieceBytes);
            for (let at = 0; at < bigBytes.length; at += pieceBytes) {
              const part = bigBytes.subarray(at, at + pieceBytes);
              memory.set(part);
              await sink.write(memory.subarray(0, part.length));
              memory.fill(0);
            }
          },
        }),
      };
      await registry.pushBlob(repo, big, lending);
      assert.equal(methods(server.requests), 'HEAD POST PUT');
    });
  }

  it('does not hang on a source that does', async (t) => {
    const { registry } = await uploads(t);
    async function* stalling(): AsyncGenerator<Uint8Array, void, undefined> {
      yield bytes.subarray(0, 1000);
      await new Promise((resolve) => setTimeout(resolve, 2000).unref());
    }
    const reason = new Error('enough');
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 50);
    const push = registry.pushBlob(
      repo,
      blob,
      { open: async () => streamContent(blob, stalling()) },
      { signal: stop.signal },
    );
    await assert.rejects(push, (error) => error === reason);
  });
});
