import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { HttpResponse } from '../../../src/transport/http.ts';
import { ChunkedFraming } from '../../../src/transport/reads/chunked.ts';
import { issue } from '../../certs/issue.ts';
import { atEnd } from '../../support/sandbox.ts';
import { fails, get, open, start, waits } from '../open.ts';
import { startRawServer } from '../raw-server.ts';

const authority = issue('An authority');
const leaf = issue('localhost', { by: authority, dnsNames: ['localhost'] });
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';
const chunkedHead = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';

const text = async ({ body }: HttpResponse): Promise<string> => Buffer.from(await body.bytes(100_000)).toString();

describe('reads', () => {
  it('one after the other need one connection and one handshake, whatever is read', async (t) => {
    const { server, transport } = await start(
      t,
      ({ path }, response) => {
        // Without a length, Node's server sends chunks.
        if (path === '/list') response.write('a list');
        response.end(path === '/list' ? ' in chunks' : 'x'.repeat(50_000));
      },
      { tls: { ca: [authority.cert] }, serverTls: leaf },
    );
    await text(await get(transport, 'x', { method: 'HEAD' }));
    assert.equal((await text(await get(transport, 'x'))).length, 50_000);
    assert.equal(await text(await get(transport, 'list')), 'a list in chunks');
    assert.equal((await text(await get(transport, 'x', { large: true }))).length, 50_000);
    assert.equal(server.connections, 1);
  });

  it('before a write share its connection', async (t) => {
    const { server, transport } = await start(t, (_, response) => response.end('hello'), { intent: 'push' });
    await text(await get(transport, 'x'));
    await text(await get(transport, 'x', { method: 'POST', body: Buffer.from('x') }));
    await text(await get(transport, 'x'));
    assert.equal(server.connections, 1);
  });

  it('that begin together do not count on the same idle connection', async (t) => {
    const { server, transport } = await start(t, (_, response) => response.end('hello'), { intent: 'push' });
    await text(await get(transport, 'x', { large: true }));
    const several = [1, 2, 3].map(async () => text(await get(transport, 'x')));
    assert.deepEqual(await Promise.all(several), ['hello', 'hello', 'hello']);
    await text(await get(transport, 'x', { method: 'POST', body: Buffer.from('x') }));
    assert.equal(server.connections, 3);
  });

  it('go over the connection that is free first, and wait for no other', async (t) => {
    const answers: (() => void)[] = [];
    const secure = createHttps(leaf, (_, response) => void answers.push(() => response.end('hello')));
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      // The handshake of the second connection is never answered.
      if (sockets.length === 1) secure.emit('connection', socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(t, () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    const { port } = server.address() as AddressInfo;
    const transport = open(t, `https://localhost:${port}/`, { tls: { ca: [authority.cert] } });
    const first = get(transport, 'x');
    while (answers.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const second = get(transport, 'x');
    while (sockets.length < 2) await new Promise((resolve) => setImmediate(resolve));
    answers[0]?.();
    assert.equal(await text(await first), 'hello');
    while (answers.length < 2) await new Promise((resolve) => setImmediate(resolve));
    answers[1]?.();
    assert.equal(await text(await second), 'hello');
  });

  it('are repeated at once where several idle connections have been closed', async (t) => {
    const server = await startRawServer(t, (socket, nth) => {
      if (nth === 0) socket.write(ok);
      else socket.resetAndDestroy();
    });
    const transport = open(t, server.url);
    await Promise.all([1, 2, 3].map(async () => text(await get(transport, 'x'))));
    const before = waits.length;
    for (const _ of [1, 2, 3, 4]) assert.equal(await text(await get(transport, 'x')), 'hello');
    assert.equal(waits.length, before);
  });
});

describe('a body in chunks', () => {
  const sent = '5\r\nhello\r\n1; name="value"\r\n \r\nA\r\n0123456789\r\n00\r\ntrailer: x\r\n\r\n';

  it('is the same however it is cut', () => {
    for (let size = 1; size <= sent.length; size += 1) {
      const framing = new ChunkedFraming();
      let content = '';
      let between = 0;
      for (let at = 0; at < sent.length; at += size) {
        const rest = framing.read(Buffer.from(sent.slice(at, at + size)), {
          content: (piece) => {
            content += Buffer.from(piece).toString();
          },
          framing: (piece) => {
            between += piece.length;
          },
        });
        assert.equal(rest.length, 0);
      }
      assert.ok(framing.ended);
      assert.equal(content, 'hello 0123456789');
      assert.equal(between + content.length, sent.length);
    }
  });

  it('is refused where parsers might disagree', async (t) => {
    for (const [what, error] of [
      ['-5\r\nhello\r\n0\r\n\r\n', fails('PROTOCOL')],
      ['0x5\r\nhello\r\n0\r\n\r\n', fails('PROTOCOL')],
      ['5\nhello\n0\n\n', fails('PROTOCOL')],
      ['5\r\nhelloo\r\n0\r\n\r\n', fails('PROTOCOL')],
      ['\r\nhello', fails('PROTOCOL')],
      ['fffffffff\r\nhello', fails('PROTOCOL')],
      [`5;${'x'.repeat(20_000)}`, fails('PROTOCOL')],
      [`0\r\n${'a: b\r\n'.repeat(5_000)}\r\n`, fails('PROTOCOL')],
      ['5\r\nhel', fails('NETWORK')],
      ['5\r\nhello\r\n', fails('NETWORK')],
    ] as const) {
      const server = await startRawServer(t, (socket) => socket.end(chunkedHead + what, 'latin1'));
      const transport = open(t, server.url, { retry: { attempts: 1 } });
      await assert.rejects(async () => text(await get(transport, 'x')), error, what.slice(0, 30));
    }
  });

  it('leaves nothing behind for the next one', async (t) => {
    const server = await startRawServer(t, (socket) =>
      socket.write(`${chunkedHead}${sent}${ok.replace('hello', 'wrong')}`),
    );
    const transport = open(t, server.url);
    for (const _ of [1, 2]) assert.equal(await text(await get(transport, 'x')), 'hello 0123456789');
    assert.equal(server.connections, 2);
  });
});
