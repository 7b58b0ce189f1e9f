import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { parseRepositoryName } from '../../src/model/reference.ts';
import { bytesSource, streamContent } from '../../src/registry/content.ts';
import { type Answer, type AskedRequest, json, startFakeServer } from '../support/fake-server.ts';
import { type FakeRegistryOptions, fails, fakeRegistry, repo } from './fake-registry.ts';

const bytes = randomBytes(3_500_000);
const digest = await digestBytes(bytes);
const blob = { mediaType: 'a/b', digest, size: bytes.length };
const source = bytesSource(blob, bytes);
const mib = 1024 * 1024;

/** What a registry does with an upload; a test replaces the parts that misbehave. */
interface Parts {
  readonly head?: Answer;
  readonly post?: Answer;
  readonly patch?: Answer;
  readonly put?: Answer;
  readonly get?: Answer;
}

interface State {
  held: Buffer;
  sessions: number;
  committed: Buffer | undefined;
  cancelled: number;
}

async function uploads(
  t: TestContext,
  parts: (state: State, own: Required<Parts>) => Parts = () => ({}),
  options: FakeRegistryOptions = {},
) {
  const state: State = { held: Buffer.alloc(0), sessions: 0, committed: undefined, cancelled: 0 };
  const range = (): Record<string, string> => ({ range: `0-${Math.max(state.held.length - 1, 0)}` });
  const own: Required<Parts> = {
    head: (_, response) => response.writeHead(state.committed ? 200 : 404).end(),
    post: (_, response) => {
      state.sessions += 1;
      state.held = Buffer.alloc(0);
      response.writeHead(202, { location: `/session/${state.sessions}?state=a%2Bb~c` }).end();
    },
    patch: (request, response) => {
      const start = Number(request.headers['content-range']?.split('-')[0]);
      const location = `/session/${state.sessions}?at=${state.held.length}`;
      if (start !== state.held.length) return response.writeHead(416, { location, ...range() }).end();
      state.held = Buffer.concat([state.held, request.body]);
      response.writeHead(202, { location: `/session/${state.sessions}?at=${state.held.length}`, ...range() }).end();
    },
    put: (request, response) => {
      const whole = Buffer.concat([state.held, request.body]);
      state.committed = whole;
      response.writeHead(201).end();
    },
    get: (_, response) => response.writeHead(204, range()).end(),
  };
  const answer: Answer = (request, response, incoming) => {
    const { method } = request;
    const all = { ...own, ...parts(state, own) };
    if (method === 'HEAD') return all.head(request, response, incoming);
    if (method === 'POST') return all.post(request, response, incoming);
    if (method === 'PATCH') return all.patch(request, response, incoming);
    if (method === 'PUT') return all.put(request, response, incoming);
    if (method === 'GET') return all.get(request, response, incoming);
    state.cancelled += 1;
    response.writeHead(204).end();
  };
  return { ...(await fakeRegistry(t, answer, options)), state };
}

const methods = (requests: readonly AskedRequest[]): string => requests.map(({ method }) => method).join(' ');

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

  it('goes on where the connection was cut, when the registry kept what it had', async (t) => {
    const offsets: number[] = [];
    const watched = {
      open: async (offset: number) => {
        offsets.push(offset);
        return source.open(offset);
      },
    };
    const { registry, state } = await uploads(t, (s, own) => ({
      put: (request, response, incoming) => {
        if (request.nth > 0) return own.put(request, response, incoming);
        s.held = Buffer.from(request.body.subarray(0, mib));
        incoming.socket.destroy();
      },
    }));
    const waits: string[] = [];
    await registry.pushBlob(repo, blob, watched, { onWait: (reason) => void waits.push(reason) });
    assert.deepEqual(state.committed, bytes);
    assert.deepEqual(offsets, [0, mib]);
    assert.match(waits[0] ?? '', /interrupted; trying again/);
  });

  it('starts again where the registry forgot the session', async (t) => {
    const { registry, state, server } = await uploads(t, (s) => ({
      put: ({ nth, body }, response, incoming) => {
        if (nth === 0 && s.sessions === 1) return incoming.socket.destroy();
        s.committed = Buffer.concat([s.held, body]);
        response.writeHead(201).end();
      },
      get: (_, response) => json(response, 404, { errors: [{ code: 'BLOB_UPLOAD_UNKNOWN' }] }),
    }));
    await registry.pushBlob(repo, blob, source);
    assert.deepEqual(state.committed, bytes);
    assert.equal(methods(server.requests), 'HEAD POST PUT HEAD GET POST PATCH PUT');
  });

  it('is not sent again when it is there after all', async (t) => {
    const { registry, server } = await uploads(t, (s) => ({
      put: ({ body }, _, incoming) => {
        s.committed = body;
        incoming.socket.destroy();
      },
    }));
    await registry.pushBlob(repo, blob, source);
    assert.equal(methods(server.requests), 'HEAD POST PUT HEAD');
  });

  it('is given up after five attempts, and the session with it', async (t) => {
    const { registry, server, state } = await uploads(t, () => ({
      put: (_, __, incoming) => incoming.socket.destroy(),
      patch: (_, __, incoming) => incoming.socket.destroy(),
    }));
    await assert.rejects(registry.pushBlob(repo, blob, source), fails('NETWORK'));
    assert.ok(server.requests.length < 60);
    assert.ok(state.cancelled > 0);
  });

  it('is opened again when a token ends in the middle', async (t) => {
    let valid = '';
    let issued = 0;
    let opened = 0;
    const counted = {
      open: async (offset: number) => {
        opened += 1;
        return source.open(offset);
      },
    };
    const { registry, server } = await fakeRegistry(t, ({ path, headers, method, nth, body }, response) => {
      if (path === '/token') {
        issued += 1;
        valid = `t${issued}`;
        return json(response, 200, { token: valid });
      }
      if (method === 'PUT' && nth === 0) valid = 'ended';
      if (headers.authorization !== `Bearer ${valid}`) {
        return response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${headers.host}/token"` }).end();
      }
      if (method === 'HEAD') return response.writeHead(404).end();
      if (method === 'POST') return response.writeHead(202, { location: '/s' }).end();
      assert.deepEqual(body, bytes);
      response.writeHead(201).end();
    });
    await registry.pushBlob(repo, blob, counted);
    assert.equal(opened, 2);
    assert.equal(issued, 2);
    const asked = server.requests.filter(({ path }) => path === '/token');
    assert.deepEqual(
      asked.map(({ query }) => query.get('scope')),
      Array(2).fill('repository:team/app:pull,push'),
    );
  });

  it('of another digest is refused, and its session ended', async (t) => {
    const { registry, state } = await uploads(t, () => ({
      put: (_, response) => json(response, 400, { errors: [{ code: 'DIGEST_INVALID', message: 'no match' }] }),
    }));
    await assert.rejects(registry.pushBlob(repo, blob, source), fails('DIGEST_MISMATCH', /no match/));
    assert.equal(state.cancelled, 1);
  });

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

describe('an upload session', () => {
  it('gathers small writes to chunks, no smaller than the registry takes', async (t) => {
    const { registry, server, state } = await uploads(t, (s) => ({
      post: (_, response) => {
        s.sessions += 1;
        response.writeHead(202, { location: '/session/1', 'oci-chunk-min-length': '250000' }).end();
      },
    }));
    const writer = await registry.startUpload(repo, { chunkBytes: 1000 });
    assert.equal(writer.chunkBytes, 250_000);
    for (let at = 0; at < 600_000; at += 1000) await writer.write(bytes.subarray(at, at + 1000));
    assert.equal(writer.size, 600_000);
    const part = bytes.subarray(0, 600_000);
    await writer.commit({ digest: await digestBytes(part), size: 600_000 });
    assert.deepEqual(state.committed, part);
    const sizes = server.requests.filter(({ method }) => method === 'PATCH').map(({ body }) => body.length);
    assert.deepEqual(sizes, [250_000, 250_000, 100_000]);
  });

  it('sends what fits into one request in one', async (t) => {
    const { registry, server, state } = await uploads(t);
    const writer = await registry.startUpload(repo);
    await writer.write(Buffer.from('small'));
    await writer.commit({ digest: await digestBytes(Buffer.from('small')) });
    assert.equal(methods(server.requests), 'POST PUT');
    assert.equal(state.committed?.toString(), 'small');
  });

  it('asks after a 416, and sends the rest', async (t) => {
    const { registry, state, server } = await uploads(t, (s) => ({
      patch: ({ nth, headers, body }, response) => {
        const start = Number(headers['content-range']?.split('-')[0]);
        // A part of the first chunk had arrived, but not the answer.
        if (nth === 0) s.held = Buffer.from(body.subarray(0, 400));
        if (nth === 0 || start !== s.held.length) return response.writeHead(416, { location: '/session/1' }).end();
        s.held = Buffer.concat([s.held, body]);
        response.writeHead(202, { location: '/session/1', range: `0-${s.held.length - 1}` }).end();
      },
    }));
    const writer = await registry.startUpload(repo, { chunkBytes: 1000 });
    await writer.write(bytes.subarray(0, 1000));
    assert.deepEqual(state.held, bytes.subarray(0, 1000));
    assert.equal(methods(server.requests), 'POST PATCH GET PATCH');
  });

  it('ends where the registry holds what was never sent', async (t) => {
    const { registry } = await uploads(t, (s) => ({
      patch: (_, response) => {
        s.held = Buffer.alloc(5000);
        response.writeHead(416).end();
      },
    }));
    const writer = await registry.startUpload(repo, { chunkBytes: 1000 });
    await assert.rejects(writer.write(bytes.subarray(0, 1000)), fails('RANGE_INVALID', /holds 5000 bytes/));
  });

  it('is found again by every name it had, while its place moves', async (t) => {
    const { registry, state } = await uploads(t);
    const writer = await registry.startUpload(repo, { chunkBytes: 1000 });
    const names = [writer.id];
    await writer.write(bytes.subarray(0, 1500));
    names.push(writer.id);
    await writer[Symbol.asyncDispose]();
    assert.equal(state.held.length, 1500);
    for (const name of names) {
      const again = await registry.resumeUpload(repo, name, { offset: 1500 });
      assert.equal(again.size, 1500);
    }
    const other = parseRepositoryName('team/other');
    await assert.rejects(registry.resumeUpload(other, writer.id), fails('BLOB_UPLOAD_UNKNOWN'));
  });

  it('is not looked for outside the uploads of its repository', async (t) => {
    const { registry, server } = await uploads(t);
    for (const id of ['..', '.', '../../other/manifests/latest', '', 'a/b', '%2e%2e', 'http://elsewhere/']) {
      await assert.rejects(registry.resumeUpload(repo, id), fails('BLOB_UPLOAD_UNKNOWN'), id);
    }
    assert.equal(server.requests.length, 0);
    assert.equal((await registry.resumeUpload(repo, 'a1-b2')).size, 0);
    assert.deepEqual(server.lines, ['GET /v2/team/app/blobs/uploads/a1-b2']);
  });
});
