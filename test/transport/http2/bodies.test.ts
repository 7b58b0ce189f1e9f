import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { HttpRequest, HttpResponse } from '../../../src/transport/http.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { fails, get } from '../open.ts';
import { expecting, text } from './open.ts';
import { say, startHttp2 } from './server.ts';

const put = (transport: Transport, body: HttpRequest['body'], contentBytes?: number): Promise<HttpResponse> =>
  transport.request({ method: 'PUT', url: 'x', body, contentBytes });

async function* pieces(count: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i += 1) yield Buffer.alloc(bytes, i);
}

describe('what is sent to a server that speaks HTTP/2', () => {
  const echo = { ':status': 201 };
  const counting = (t: TestContext, window?: number) =>
    startHttp2(
      t,
      (stream) => {
        let bytes = 0;
        stream.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        stream.on('end', () => {
          stream.respond(echo);
          stream.end(String(bytes));
        });
      },
      window === undefined ? {} : { settings: { initialWindowSize: window } },
    );
  const pushing = async (t: TestContext, url: string): Promise<Transport> => {
    const transport = expecting(t, url, { intent: 'push' });
    // After it, the server has told what it takes.
    await (await get(transport, 'first', { method: 'HEAD' })).body.discard();
    return transport;
  };

  it('is a stream as far as the server takes it at once, from memory or from a source', async (t) => {
    const server = await counting(t);
    const transport = await pushing(t, server.url);
    assert.equal(await text(put(transport, Buffer.alloc(20_000))), '20000');
    assert.equal(await text(put(transport, pieces(3, 10_000), 30_000)), '30000');
    assert.equal(await text(put(transport, pieces(30, 100_000), 3_000_000)), 'plain');
    assert.equal(await text(put(transport, pieces(3, 10_000))), 'plain');
    assert.equal(server.sessions.length, 1);
  });

  it('takes HTTP/1.1 where the server has no room', async (t) => {
    const server = await counting(t, 0);
    const transport = await pushing(t, server.url);
    assert.equal(await text(put(transport, Buffer.alloc(1))), 'plain');
    assert.equal(await text(put(transport, Buffer.alloc(0))), '0');
  });

  it('has a connection in time, if it was announced and is large', async (t) => {
    const server = await startHttp2(t, (stream) => say(stream));
    const transport = await pushing(t, server.url);
    const post = { method: 'POST', url: 'x', body: new Uint8Array(0), bodyFollows: 10_000_000 } as const;
    assert.equal(await text(transport.request(post)), 'hello');
    while (server.connections < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal(await text(put(transport, pieces(10, 1_000_000), 10_000_000)), 'plain');
    assert.equal(server.connections, 2);
  });

  it('leaves streams for the answers that its bytes may come from', async (t) => {
    const server = await startHttp2(
      t,
      (stream, { ':method': method }) => {
        if (method === 'PUT') stream.on('end', () => say(stream)).resume();
        else say(stream, 'x'.repeat(30_000));
      },
      { settings: { maxConcurrentStreams: 3 } },
    );
    const transport = await pushing(t, server.url);
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield* (await get(transport, 'source')).body;
    };
    const answers = Array.from({ length: 4 }, () => text(put(transport, source(), 30_000)));
    assert.deepEqual((await Promise.all(answers)).toSorted(), ['hello', 'plain', 'plain', 'plain']);
  });

  it('may be answered before it was read', async (t) => {
    const server = await startHttp2(t, (stream, headers) => {
      if (headers[':method'] === 'HEAD') return say(stream);
      stream.respond({ ':status': 413, 'content-length': 2 });
      stream.end('no');
    });
    const transport = await pushing(t, server.url);
    const { status, body } = await put(transport, pieces(6, 10_000), 60_000);
    assert.deepEqual([status, Buffer.from(await body.bytes(10)).toString()], [413, 'no']);
    assert.equal(await text(get(transport)), await text(get(transport)));
    assert.deepEqual(server.plain, []);
  });

  it('ends with the error of its source, and nothing else does', async (t) => {
    const server = await counting(t);
    const transport = await pushing(t, server.url);
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(1000);
      throw new Error('the disk is gone');
    };
    await assert.rejects(put(transport, broken(), 5000), /the disk is gone/);
    assert.equal(await text(put(transport, Buffer.alloc(10))), '10');
    assert.equal(server.sessions.length, 1);
  });

  it('is not sent twice after a failure, if the caller did not say that it may be', async (t) => {
    const server = await startHttp2(t, (stream, headers) => {
      if (headers[':method'] === 'HEAD') say(stream);
      else stream.close(2);
    });
    const transport = await pushing(t, server.url);
    await assert.rejects(put(transport, Buffer.alloc(10)), fails('NETWORK', /cut/));
    assert.deepEqual([server.streams, server.plain], [['HEAD /first', 'PUT /x'], []]);
    assert.equal(await text(put(transport, Buffer.alloc(10))), 'plain');
  });
});
