import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { json } from '../support/fake-server.ts';
import { fails, fakeRegistry, repo } from './fake-registry.ts';
import { blob, bytes, methods, mib, source, uploads } from './fake-uploads.ts';

describe('an upload that is interrupted', () => {
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
    assert.match(waits[0] ?? '', /^127\.0\.0\.1:\d+: the connection was cut, trying again$/);
  });

  it('is only committed where every byte had arrived', async (t) => {
    const offsets: number[] = [];
    const watched = {
      open: async (offset: number) => {
        offsets.push(offset);
        return source.open(offset);
      },
    };
    const { registry, state, server } = await uploads(t, (s, own) => ({
      put: (request, response, incoming) => {
        if (request.nth > 0) return own.put(request, response, incoming);
        s.held = request.body;
        incoming.socket.destroy();
      },
    }));
    await registry.pushBlob(repo, blob, watched);
    assert.deepEqual(state.committed, bytes);
    assert.deepEqual(offsets, [0]);
    assert.equal(methods(server.requests), 'HEAD POST PUT HEAD GET PUT');
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

  it('is given up as well where the last step always fails and the session is gone each time', async (t) => {
    const { registry, server } = await uploads(t, () => ({
      put: (_, __, incoming) => incoming.socket.destroy(),
      get: (_, response) => response.writeHead(404).end(),
    }));
    await assert.rejects(registry.pushBlob(repo, blob, source), fails('BLOB_UPLOAD_UNKNOWN'));
    assert.ok(server.requests.length < 60, String(server.requests.length));
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
});
