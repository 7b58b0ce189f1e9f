import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask, startServer } from '../client.ts';

const own = { 'x-request-id': 'edge-1.a/b+c=' };

describe('X-Request-Id', () => {
  it('of a trusted proxy is kept, logged and echoed', async (t) => {
    const server = await startServer(t, { isProxy: (address) => address === '127.0.0.1' });
    const { headers } = await ask(server, 'GET', '/v2/', { headers: own });
    assert.equal(headers['x-request-id'], own['x-request-id']);
    assert.equal(server.log[0]?.requestId, own['x-request-id']);
  });

  it('of anybody else is replaced, in errors too', async (t) => {
    const server = await startServer(t, { isProxy: (address) => address === '192.0.2.1' });
    for (const path of ['/v2/', '/v2/none/tags/list', '/elsewhere']) {
      const { headers } = await ask(server, 'GET', path, { headers: own });
      assert.match(String(headers['x-request-id']), /^[0-9a-f]{8}-[0-9a-f-]{27}$/, path);
      assert.equal(server.log.at(-1)?.requestId, headers['x-request-id']);
    }
  });

  it('of a proxy that is no ID is replaced', async (t) => {
    const server = await startServer(t, { isProxy: () => true });
    for (const id of ['a b', '', 'x'.repeat(129), 'a"b', 'ä']) {
      const { headers } = await ask(server, 'GET', '/v2/', { headers: { 'x-request-id': id } });
      assert.match(String(headers['x-request-id']), /^[0-9a-f]{8}-/, id);
    }
  });
});
