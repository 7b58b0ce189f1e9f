import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpMethod, HttpResponse } from '../../../src/transport/http.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { get, open, start } from '../open.ts';
import { startRawServer } from '../raw-server.ts';

const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello';

const read = (transport: Transport): Promise<HttpResponse> => get(transport, 'x', { large: true });

const odd: Readonly<Record<string, string>> = {
  'a chunked body': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'a body without a length': 'HTTP/1.1 200 OK\r\n\r\nhello',
  'an interim answer': `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${ok}`,
  'HTTP/1.0': ok.replace('1.1', '1.0'),
  'another version': ok.replace('1.1', '3.7'),
  'a status of four digits': ok.replace('200', '2000'),
  'a status that is none': ok.replace('200', '099'),
  'a switch of protocols': 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\nhello',
  'no content that has a length': 'HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello',
  'an endless status line': `HTTP/1.1 200 ${'x'.repeat(300_000)}`,
  'a flood of headers': `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(60_000)}`,
  'one long header': `HTTP/1.1 200 OK\r\na: ${'b'.repeat(100_000)}\r\ncontent-length: 5\r\n\r\nhello`,
  'two lengths': ok.replace('\r\n\r\n', '\r\ncontent-length: 6\r\n\r\n'),
  'the same length twice': ok.replace('\r\n\r\n', '\r\ncontent-length: 5\r\n\r\n'),
  'a list of lengths': ok.replace(': 5', ': 5, 5'),
  'a negative length': ok.replace(': 5', ': -5'),
  'a length with a sign': ok.replace(': 5', ': +5'),
  'a length in hexadecimal': ok.replace(': 5', ': 0x5'),
  'a length without end': ok.replace(': 5', `: ${'5'.repeat(40)}`),
  'no length at all': ok.replace(': 5', ': '),
  'a length and chunks': ok.replace('\r\n\r\n', '\r\ntransfer-encoding: chunked\r\n\r\n'),
  'a length and an encoding nobody knows': ok.replace('\r\n\r\n', '\r\ntransfer-encoding: xchunked\r\n\r\n'),
  'a bare LF between lines': ok.replace('OK\r\n', 'OK\n'),
  'a bare LF in a value': ok.replace('\r\n\r\n', '\r\na: b\nc: d\r\n\r\n'),
  'a bare CR in a value': ok.replace('\r\n\r\n', '\r\na: b\rc: d\r\n\r\n'),
  'lines that end with LF alone': ok.replaceAll('\r\n', '\n'),
  'a folded line': ok.replace('\r\n\r\n', '\r\na: b\r\n c: d\r\n\r\n'),
  'a folded first line': ok.replace('OK\r\n', 'OK\r\n folded: x\r\n'),
  'a blank before the colon': ok.replace('content-length:', 'content-length :'),
  'a line without a colon': ok.replace('\r\n\r\n', '\r\nnothing\r\n\r\n'),
  'a name that is empty': ok.replace('\r\n\r\n', '\r\n: x\r\n\r\n'),
  'a NUL in a value': ok.replace('\r\n\r\n', '\r\na: b\0c\r\n\r\n'),
  'bytes beyond ASCII': ok.replace('\r\n\r\n', '\r\na: \xff\r\n\r\n'),
  'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n\r\n',
  'a TLS alert': '\x15\x03\x01\x00\x02\x02\x46\r\n\r\n',
  'a body that is cut': ok.replace(': 5', ': 50'),
  'a head that is cut': ok.slice(0, 25),
  nothing: '',
};

describe('an answer that is not of the plainest kind', () => {
  /** The outcome of a response, by the client for reads or by undici. */
  async function outcome(transport: Transport, large: boolean, method: HttpMethod = 'GET'): Promise<string> {
    try {
      const { status, headers, body } = await get(transport, 'x', { method, large });
      const text = Buffer.from(await body.bytes(1000)).toString('latin1');
      return `${status} ${JSON.stringify(headers['a'] ?? null)} ${text}`;
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      return `${code} ${message.replace(/:\d+/, '')}`;
    }
  }

  for (const [what, answer] of Object.entries(odd)) {
    it(`comes out as by the common way: ${what}`, async (t) => {
      const server = await startRawServer(t, (socket) => socket.end(answer, 'latin1'));
      const results = [];
      for (const large of [false, true, true]) {
        results.push(await outcome(open(t, server.url, { retry: { attempts: 1 }, intent: 'push' }), large));
      }
      assert.equal(results[1], results[0]);
      assert.equal(results[2], results[0]);
      assert.ok(server.requests.length <= 5, `${server.requests.length} requests`);
    });
  }

  for (const [what, answer] of Object.entries(odd)) {
    it(`comes out as by the common way when only its head was asked for: ${what}`, async (t) => {
      const server = await startRawServer(t, (socket) => socket.end(answer, 'latin1'));
      const results = [];
      for (const large of [false, true]) {
        results.push(await outcome(open(t, server.url, { retry: { attempts: 1 }, intent: 'push' }), large, 'HEAD'));
      }
      assert.equal(results[1], results[0]);
    });
  }

  it('is not waited for when it cannot become one', async (t) => {
    for (const answer of [
      'SSH-2.0-OpenSSH_9.2\r\n',
      'HTTP/1.1 200 OK\ncontent-length: 5\n\nhello',
      '\x15\x03\x01\x00',
    ]) {
      const server = await startRawServer(t, (socket, _nth, connection) => {
        if (connection === 0) socket.write(answer, 'latin1');
        else socket.end(ok);
      });
      const { body } = await read(open(t, server.url));
      assert.equal(Buffer.from(await body.bytes(5)).toString(), 'hello');
    }
  });

  it('leaves its origin to the common way for good', async (t) => {
    const server = await startRawServer(t, (socket) => socket.write(odd['an interim answer'] ?? ''));
    const transport = open(t, server.url);
    for (const _ of [1, 2, 3])
      assert.equal(Buffer.from(await (await read(transport)).body.bytes(5)).toString(), 'hello');
    assert.equal(server.requests.length, 4);
    assert.equal(server.connections, 2);
  });

  it('is followed where it redirects, and asked for again where the server is busy', async (t) => {
    const { server, transport } = await start(t, ({ path, nth }, response) => {
      if (path === '/x') return response.writeHead(307, { location: '/there', 'content-length': 0 }).end();
      if (nth === 0) return response.writeHead(503, { 'content-length': 4 }).end('busy');
      response.writeHead(404, { 'content-length': 5 }).end('hello');
    });
    const response = await read(transport);
    assert.equal(response.status, 404);
    assert.equal(response.url.pathname, '/there');
    await response.body.discard();
    assert.deepEqual(server.lines, ['GET /x', 'GET /there', 'GET /there']);
  });
});
