import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Registry } from '../../../src/registry/registry.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { pause, putBlob, raw, repo, startServer } from '../client.ts';

describe('requests that come without waiting for answers', () => {
  it('are worked on one at a time, in their order', async (t) => {
    const inner = memoryRegistry();
    const { digest } = await putBlob(inner, Buffer.from('blob'));
    let busy = 0;
    let most = 0;
    const registry: Registry = {
      ...inner,
      async getBlob(...asked) {
        busy += 1;
        most = Math.max(most, busy);
        await pause(5);
        busy -= 1;
        return await inner.getBlob(...asked);
      },
    };
    const server = await startServer(t, { registry });
    const request = `GET /v2/${repo}/blobs/${digest} HTTP/1.1\r\nHost: localhost\r\n`;
    const answers = await raw(server, `${`${request}\r\n`.repeat(9)}${request}Connection: close\r\n\r\n`);
    assert.equal(answers.split('HTTP/1.1 200 OK').length - 1, 10);
    assert.equal(most, 1);
  });

  it('cost the connection when they are too many', async (t) => {
    const server = await startServer(t);
    await raw(server, 'GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1000));
    assert.ok(server.log.length < 1000);
  });
});
