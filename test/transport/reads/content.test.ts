import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { HttpBody, HttpResponse } from '../../../src/transport/http.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { issue } from '../../certs/issue.ts';
import { type Answer, startFakeServer } from '../../support/fake-server.ts';
import { fails, get, open, start, waits } from '../open.ts';
import { startRawServer } from '../raw-server.ts';

const authority = issue('An authority');
const localhost = issue('localhost', { by: authority, dnsNames: ['localhost'] });
const content = randomBytes(5_000_003);
const sendContent: Answer = (_, response) => {
  response.writeHead(200, { 'content-length': content.length });
  response.end(content);
};

const read = (transport: Transport): Promise<HttpResponse> => get(transport, 'x', { large: true });

/** Hashes as a store does: each chunk is read some time after it was passed on. */
async function drainSlowly(body: HttpBody): Promise<string> {
  const hash = createHash('sha256');
  await body.drainTo({
    async write(chunk) {
      for (let i = chunk.length % 4; i >= 0; i -= 1) await turn();
      hash.update(chunk);
    },
  });
  return hash.digest('hex');
}

const wanted = createHash('sha256').update(content).digest('hex');
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';

describe('a large body', () => {
  for (const secure of [false, true]) {
    it(`comes as it was sent over ${secure ? 'TLS' : 'plain http'}, time after time over one connection`, async (t) => {
      const server = await startFakeServer(t, sendContent, secure ? { tls: localhost } : {});
      const transport = open(t, server.url, { tls: { ca: [authority.cert] } });
      for (const _ of [1, 2, 3]) assert.equal(await drainSlowly((await read(transport)).body), wanted);
      assert.equal(server.requests.length, 3);
      assert.equal(server.connections, 1);
    });
  }

  it('is not mixed up with others that come at the same time', async (t) => {
    const { server, transport } = await start(t, sendContent);
    const hashes = [1, 2, 3, 4, 5, 6].map(async () => drainSlowly((await read(transport)).body));
    assert.deepEqual(new Set(await Promise.all(hashes)), new Set([wanted]));
    assert.equal(server.requests.length, 6);
  });

  it('belongs to whoever iterates over it', async (t) => {
    const { transport } = await start(t, sendContent);
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await read(transport)).body) chunks.push(chunk);
    assert.ok(content.equals(Buffer.concat(chunks)));
    assert.ok(content.equals(await (await read(transport)).body.bytes(content.length)));
  });

  it('stays with the server while nobody reads', async (t) => {
    let taken = 0;
    const { server, transport } = await start(t, (_, response) => {
      response.writeHead(200, { 'content-length': 100 * 1024 * 1024 });
      const write = (): void => {
        while (taken < 100 * 1024 * 1024) {
          taken += 1024 * 1024;
          if (!response.write(Buffer.alloc(1024 * 1024))) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    });
    const { body } = await read(transport);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(taken < 20 * 1024 * 1024, `${taken} bytes were taken in`);
    let size = 0;
    await body.drainTo({
      async write(chunk) {
        size += chunk.length;
      },
    });
    assert.equal(size, 100 * 1024 * 1024);
    assert.equal(server.requests.length, 1);
  });

  it('is understood however its head is cut', async (t) => {
    const server = await startRawServer(t, async (socket) => {
      for (const byte of ok) {
        socket.write(byte);
        await turn();
      }
    });
    const transport = open(t, server.url);
    for (const _ of [1, 2]) assert.equal(Buffer.from(await (await read(transport)).body.bytes(5)).toString(), 'hello');
    assert.equal(server.requests.length, 2);
    assert.equal(server.connections, 1);
  });

  it('ends with the signal, before its head and in its middle', async (t) => {
    const server = await startRawServer(t, (socket, _nth, connection) => {
      if (connection > 0) socket.write(ok.replace('5', '50'));
    });
    const transport = open(t, server.url);
    const early = new AbortController();
    const asked = get(transport, 'x', { large: true, signal: early.signal });
    setTimeout(() => early.abort(new Error('early')), 50);
    await assert.rejects(asked, /early/);
    const late = new AbortController();
    const { body } = await get(transport, 'x', { large: true, signal: late.signal });
    const drained = body.drainTo({ write: async () => late.abort(new Error('late')) });
    await assert.rejects(drained, /late/);
    assert.equal(server.connections, 2);
  });

  it('ends with its transport, also where nothing has answered yet', async (t) => {
    const server = await startRawServer(t, (socket, _nth, connection) => {
      if (connection === 0) socket.write(ok.replace('5', '50'));
    });
    const transport = open(t, server.url);
    const { body } = await read(transport);
    const results = Promise.allSettled([body.bytes(100), read(transport)]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await transport.close();
    for (const result of await results) {
      assert.ok(result.status === 'rejected' && fails('NETWORK', /the transport is closed/)(result.reason));
    }
  });

  it('fails when its server falls silent, before the head or in the middle', async (t) => {
    const server = await startRawServer(t, (socket, _nth, connection) => {
      if (connection > 0) socket.write(ok.replace('5', '50'));
    });
    const retry = { attempts: 1 };
    const impatient = open(t, server.url, { limits: { headersTimeoutMs: 100 }, retry });
    await assert.rejects(read(impatient), fails('TIMEOUT', /no answer came in time/));
    const { body } = await read(open(t, server.url, { limits: { idleTimeoutMs: 100 }, retry }));
    await assert.rejects(body.bytes(100), fails('TIMEOUT', /the answer stopped in the middle/));
  });
});

describe('a connection for large bodies', () => {
  it('is left after bytes that nobody asked for: none of them is the next answer', async (t) => {
    const evil = ok.replace('hello', 'wrong');
    for (const lateMs of [undefined, 20]) {
      let closed: Promise<unknown> | undefined;
      const server = await startRawServer(t, (socket) => {
        closed = once(socket, 'close');
        if (lateMs === undefined) return socket.write(ok + evil);
        socket.write(ok);
        setTimeout(() => socket.write(evil), lateMs);
      });
      const transport = open(t, server.url);
      for (const _ of [1, 2, 3]) {
        assert.equal(Buffer.from(await (await read(transport)).body.bytes(5)).toString(), 'hello');
        await closed;
      }
      assert.equal(server.connections, 3);
      assert.equal(server.requests.length, 3);
    }
  });

  it('is opened anew when the server has closed it, or said that it would', async (t) => {
    for (const [field, close] of [
      ['connection: close', false],
      ['keep-alive: timeout=1', false],
      ['connection: keep-alive', true],
    ] as const) {
      const server = await startRawServer(t, (socket) => {
        socket.write(ok.replace('\r\n', `\r\n${field}\r\n`));
        if (close) socket.end();
      });
      const transport = open(t, server.url);
      for (const _ of [1, 2]) {
        assert.equal(Buffer.from(await (await read(transport)).body.bytes(5)).toString(), 'hello');
        await turn();
      }
      assert.equal(server.connections, 2, field);
      assert.equal(server.requests.length, 2, field);
    }
  });

  it('that breaks as it is used again is replaced at once', async (t) => {
    const server = await startRawServer(t, (socket, nth) => {
      if (nth === 0) socket.write(ok);
      else socket.resetAndDestroy();
    });
    const transport = open(t, server.url);
    const waited = waits.length;
    for (const _ of [1, 2]) assert.equal(Buffer.from(await (await read(transport)).body.bytes(5)).toString(), 'hello');
    assert.equal(waits.length, waited);
    assert.deepEqual([server.requests.length, server.connections], [3, 2]);
  });
});

describe('a request for a large body', () => {
  it('cannot be made two by what is put into its headers', async (t) => {
    const server = await startRawServer(t, (socket) => socket.write(ok));
    const transport = open(t, server.url, { retry: { attempts: 1 } });
    for (const value of ['a\r\nhost: evil', 'a\r\n\r\nGET /evil HTTP/1.1', 'a\nb', 'a\0b']) {
      await assert.rejects(get(transport, 'x', { large: true, headers: { 'x-meta': value } }));
    }
    assert.deepEqual(server.requests, []);
  });
});
