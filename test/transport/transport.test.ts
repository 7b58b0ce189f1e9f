import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { isOciError } from '../../src/model/errors.ts';
import type { RequestTrace } from '../../src/transport/request-trace.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { atEnd } from '../support/sandbox.ts';
import { fails, get, open, start, waits } from './open.ts';

describe('a transport', () => {
  it('asks for bytes as they are, with its headers, and reuses its connection', async (t) => {
    const { server, transport } = await start(t, (_, response) => response.end('hello'), {
      headers: { 'X-Meta': 'yes' },
      userAgent: 'ocictl/1',
    });
    for (const _ of [1, 2, 3]) {
      const response = await get(transport);
      assert.equal(Buffer.from(await response.body.bytes(10)).toString(), 'hello');
    }
    const head = await transport.request({ method: 'HEAD', url: 'x' });
    await head.body.discard();
    await (await get(transport)).body.discard();
    const [first] = server.requests;
    assert.equal(first?.headers['accept-encoding'], 'identity');
    assert.equal(first?.headers['x-meta'], 'yes');
    assert.equal(first?.headers['user-agent'], 'ocictl/1');
    assert.equal(server.connections, 1);
  });

  it('keeps the prefix of its base', async (t) => {
    const server = await startFakeServer(t, (_, response) => response.end());
    const transport = open(t, `${server.url}prefix`);
    await (await get(transport, './v2/')).body.discard();
    assert.deepEqual(server.lines, ['GET /prefix/v2/']);
  });

  it('leaves the socket alone while nobody reads', async (t) => {
    let taken = 0;
    const chunk = Buffer.alloc(256 * 1024);
    const { transport } = await start(t, (_, response) => {
      const write = (): void => {
        while (taken < 400 * chunk.length) {
          taken += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    });
    const response = await get(transport);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(taken < 60 * chunk.length, `${taken} bytes were taken in`);
    let size = 0;
    for await (const part of response.body) size += part.length;
    assert.equal(size, 400 * chunk.length);
  });

  it('gives a sink the bytes in order, one chunk after the other, however they came', async (t) => {
    const parts = Array.from({ length: 500 }, (_, i) => Buffer.alloc(997, i));
    const { transport } = await start(t, async (_, response) => {
      for (const part of parts) response.write(part);
      response.end();
    });
    const response = await get(transport);
    const got: Buffer[] = [];
    let busy = false;
    await response.body.drainTo({
      async write(chunk) {
        assert.ok(!busy);
        busy = true;
        await new Promise((resolve) => setImmediate(resolve));
        got.push(Buffer.from(chunk));
        busy = false;
      },
    });
    assert.deepEqual(Buffer.concat(got), Buffer.concat(parts));
  });

  it('refuses a body longer than allowed, as soon as it is', async (t) => {
    const { transport } = await start(t, (_, response) => {
      const timer = setInterval(() => response.write(Buffer.alloc(10_000)), 1);
      response.on('close', () => clearInterval(timer));
    });
    const response = await get(transport);
    await assert.rejects(response.body.bytes(50_000), fails('TOO_LARGE', /longer than 50000 bytes/));
  });

  it('ends with the reason of the signal: before the answer, in the body, after its end', async (t) => {
    const { transport } = await start(t, ({ path }, response) => {
      if (path === '/slow') return;
      response.writeHead(200, { 'content-length': path === '/half' ? 20 : 10 });
      response.write('0123456789');
    });
    const reason = new Error('stop');
    for (const path of ['slow', 'half', 'whole']) {
      const stop = new AbortController();
      const run = async (): Promise<void> => {
        const response = await get(transport, path, { signal: stop.signal });
        await new Promise((resolve) => setTimeout(resolve, 20));
        stop.abort(reason);
        await response.body.bytes(100);
      };
      if (path === 'slow') setTimeout(() => stop.abort(reason), 20);
      await assert.rejects(run(), (error) => error === reason, path);
    }
    await assert.rejects(get(transport, 'x', { signal: AbortSignal.abort(reason) }), (error) => error === reason);
  });

  it('repeats at once when the server closed a kept connection', async (t) => {
    waits.length = 0;
    const { server, transport } = await start(t, ({ nth }, response, incoming) => {
      if (nth === 1) return void incoming.socket.resetAndDestroy();
      response.end('ok');
    });
    for (const _ of [1, 2]) await (await get(transport)).body.discard();
    assert.equal(server.requests.length, 3);
    assert.deepEqual(waits, []);
  });

  it('takes headers of 60 KB, and says when there are more', async (t) => {
    const { transport } = await start(
      t,
      ({ path }, response) => {
        response.setHeader('x-long', 'x'.repeat(path === '/x' ? 60_000 : 70_000));
        response.end('ok');
      },
      { retry: { attempts: 1 } },
    );
    await (await get(transport)).body.discard();
    await assert.rejects(get(transport, 'longer'), fails('PROTOCOL', /more headers/));
  });

  it('gets the answer to a body that is still being sent', async (t) => {
    const { transport } = await start(
      t,
      (_, response) => {
        response.writeHead(413, { 'content-type': 'text/plain', connection: 'close' }).end('too much');
      },
      { early: true },
    );
    let sent = 0;
    async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
      for (; sent < 500; sent += 1) {
        yield Buffer.alloc(1000);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    const response = await transport.request({ method: 'PUT', url: 'x', body: endless(), contentBytes: 500_000 });
    assert.equal(response.status, 413);
    assert.equal(Buffer.from(await response.body.bytes(100)).toString(), 'too much');
    assert.ok(sent < 500);
  });

  it('passes on what the body of a request throws', async (t) => {
    const { transport } = await start(t, (_, response) => response.end());
    const broken = new Error('disk');
    async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
      yield Buffer.alloc(10);
      throw broken;
    }
    const request = transport.request({ method: 'PUT', url: 'x', body: body(), contentBytes: 20 });
    await assert.rejects(request, (error) => error === broken);
  });

  it('tells what it did, and nothing that is secret', async (t) => {
    const events: RequestTrace[] = [];
    const { transport } = await start(t, (_, response) => response.writeHead(404).end(), {
      trace: (event) => void events.push(event),
      headers: { 'X-Api-Key': 'secret1' },
    });
    await (await get(transport, 'x?sig=secret2', { authorization: 'Bearer secret3' })).body.discard();
    const [event] = events;
    assert.equal(event?.status, 404);
    assert.equal(event?.attempt, 1);
    assert.match(event?.url ?? '', /\/x\?…$/);
    assert.doesNotMatch(JSON.stringify(events), /secret/);
  });
});

describe('silence', () => {
  it('before the answer is a timeout', async (t) => {
    const { transport } = await start(t, () => {}, { limits: { headersTimeoutMs: 300 } });
    await assert.rejects(get(transport), fails('TIMEOUT', /no answer came in time/));
  });

  it('in the body is a timeout, and what had come is read before', async (t) => {
    const { transport } = await start(t, (_, response) => void response.write('12345'), {
      limits: { idleTimeoutMs: 300 },
    });
    const response = await get(transport);
    let text = '';
    const read = async (): Promise<void> => {
      for await (const chunk of response.body) text += Buffer.from(chunk).toString();
    };
    await assert.rejects(read(), fails('TIMEOUT', /stopped in the middle/));
    assert.equal(text, '12345');
  });

  it('after a connection that is never accepted is one as well', async (t) => {
    const { transport } = await start(t, (_, response) => response.end(), { limits: { connectTimeoutMs: 1 } });
    // An address of TEST-NET, which nobody uses; some machines have no route to it at all.
    const request = get(transport, 'http://192.0.2.1/');
    await assert.rejects(request, (error) => isOciError(error, 'TIMEOUT', 'NETWORK'));
  });
});

describe('what is no HTTP', () => {
  for (const [what, answer, code] of [
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'PROTOCOL'],
    ['a body that is cut', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n12345', 'NETWORK'],
    ['a chunked body that is cut', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n', 'NETWORK'],
    ['nothing', '', 'NETWORK'],
  ] as const) {
    it(`is an error for ${what}`, async (t) => {
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => socket.end(answer));
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      atEnd(t, () => server.close());
      const { port } = server.address() as { port: number };
      const transport = open(t, `http://127.0.0.1:${port}/`, { retry: { attempts: 1 } });
      await assert.rejects(async () => (await get(transport)).body.bytes(1000), fails(code, /^127\.0\.0\.1:\d+: /));
    });
  }
});
