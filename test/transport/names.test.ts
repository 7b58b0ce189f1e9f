import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Names } from '../../src/transport/names.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { fails, get, open } from './open.ts';

describe('the address of a host', () => {
  it('is asked for once, for all connections', async (t) => {
    const server = await startFakeServer(t, (_, response) => response.end('hello'));
    const asked: string[] = [];
    const names = new Names(async (hostname) => {
      asked.push(hostname);
      return [{ address: '127.0.0.1', family: 4 }];
    });
    const url = server.url.replace('127.0.0.1', 'registry.example');
    const one = open(t, url, { names });
    const other = open(t, url, { names, intent: 'push' });
    await Promise.all([get(one), get(one), get(other)].map(async (asking) => (await asking).body.discard()));
    assert.equal(server.connections, 3);
    assert.deepEqual(asked, ['registry.example']);
  });

  it('is asked for again after a connection that failed, and after an answer that was none', async (t) => {
    const server = await startFakeServer(t, (_, response) => response.end('hello'));
    const answers = [[], [{ address: '127.0.0.2', family: 4 }], [{ address: '127.0.0.1', family: 4 }]];
    const names = new Names(async () => {
      const [next = []] = answers.splice(0, 1);
      if (next.length === 0) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
      return next;
    });
    const transport = open(t, server.url.replace('127.0.0.1', 'registry.example'), { names, retry: { attempts: 1 } });
    await assert.rejects(get(transport), fails('NETWORK', /no such host/));
    await assert.rejects(get(transport), fails('NETWORK', /connection refused/));
    await (await get(transport)).body.discard();
    assert.equal(answers.length, 0);
  });
});
