import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { RequestContext } from '../../src/registry/request-context.ts';
import { memoryRegistry } from '../support/memory.ts';
import { ask, makeManifest, putBlob, repo, startServer } from './client.ts';

interface Audited {
  readonly what: string;
  readonly request: RequestContext;
}

// An audit as a wrapper, which records what was done and by which user.
function audited(registry: Registry, request: RequestContext, notes: Audited[]): Registry {
  return {
    ...registry,
    pushManifest(...asked) {
      notes.push({ what: 'push', request });
      return registry.pushManifest(...asked);
    },
    getBlob(...asked) {
      notes.push({ what: 'pull', request });
      return registry.getBlob(...asked);
    },
    async resumeUpload(...asked) {
      notes.push({ what: 'upload', request });
      return await registry.resumeUpload(...asked);
    },
  };
}

describe('a registry that is wrapped for each request', () => {
  it('knows who asks, from where and by which client', async (t) => {
    const notes: Audited[] = [];
    const registry = memoryRegistry();
    const manifest = await makeManifest(registry);
    const { digest } = await putBlob(registry, Buffer.from('blob'));
    const server = await startServer(t, {
      registry,
      perRequest: (inner, request) => audited(inner, request, notes),
      async authorize({ headers }) {
        return { outcome: 'grant', ...(headers.authorization !== undefined && { user: headers.authorization }) };
      },
    });
    const headers = { authorization: 'ada', 'user-agent': 'docker/27.3.1 go/go1.22', host: 'localhost' };
    const pushed = await ask(server, 'PUT', `/v2/${repo}/manifests/latest`, {
      headers: { ...headers, 'content-type': manifest.mediaType },
      body: manifest.bytes,
    });
    assert.equal(pushed.status, 201);
    assert.equal((await ask(server, 'GET', `/v2/${repo}/blobs/${digest}`)).status, 200);
    assert.deepEqual(
      notes.map(({ what, request: { user, method } }) => [what, user, method]),
      [
        ['push', 'ada', 'PUT'],
        ['pull', undefined, 'GET'],
      ],
    );
    const [push, pull] = notes.map(({ request }) => request);
    assert.deepEqual(
      [push?.remoteAddress, push?.host, push?.userAgent],
      ['127.0.0.1', 'localhost', headers['user-agent']],
    );
    assert.notEqual(push?.id, pull?.id);
    assert.deepEqual(
      server.log.map(({ requestId, remoteAddress, user }) => [requestId, remoteAddress, user]),
      [
        [push?.id, '127.0.0.1', 'ada'],
        [pull?.id, '127.0.0.1', undefined],
      ],
    );
  });

  it('is another one for every chunk of an upload', async (t) => {
    const notes: Audited[] = [];
    const server = await startServer(t, { perRequest: (inner, request) => audited(inner, request, notes) });
    const body = Buffer.from('blob');
    const { headers } = await ask(server, 'POST', `/v2/${repo}/blobs/uploads/`);
    const session = String(headers.location);
    await ask(server, 'PATCH', session, { body });
    const done = await ask(server, 'PUT', `${session}?digest=${await digestBytes(body)}`);
    assert.equal(done.status, 201);
    assert.deepEqual(
      notes.map(({ what, request: { method } }) => [what, method]),
      [
        ['upload', 'PATCH'],
        ['upload', 'PUT'],
      ],
    );
    assert.equal(new Set(server.log.map(({ requestId }) => requestId)).size, 3);
  });

  it('is not made for a request that is refused', async (t) => {
    let made = 0;
    const server = await startServer(t, {
      perRequest(inner) {
        made += 1;
        return inner;
      },
      async authorize() {
        return { outcome: 'deny' };
      },
    });
    assert.equal((await ask(server, 'GET', `/v2/${repo}/tags/list`)).status, 403);
    assert.equal((await ask(server, 'GET', '/nothing')).status, 404);
    assert.equal(made, 0);
  });
});
