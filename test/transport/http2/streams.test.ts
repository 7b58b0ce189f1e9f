import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHostFacts } from '../../../src/host-facts/host-facts.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { deadAddress } from '../../support/network/ports.ts';
import { fails, get, open } from '../open.ts';
import { block, data, endHeaders, endStream, frame, head, types } from './frames.ts';
import { expecting, text } from './open.ts';
import { identity, startRawHttp2, trusted } from './raw-http2.ts';
import { say, startHttp2 } from './server.ts';

describe('requests to a server that speaks HTTP/2', () => {
  it('share one connection, if many are expected', async (t) => {
    const server = await startHttp2(t, (stream) => setTimeout(() => say(stream), 20));
    const hostFacts = createHostFacts();
    const transport = expecting(t, server.url, { hostFacts });
    const answers = await Promise.all(Array.from({ length: 20 }, () => text(get(transport))));
    assert.deepEqual(answers, Array(20).fill('hello'));
    assert.equal(await text(get(transport, 'y')), 'hello');
    assert.deepEqual([server.connections, server.streams.length], [1, 21]);
    assert.equal(hostFacts.of(new URL(server.url)).known.http2, true);
  });

  it('use HTTP/1.1 if few are expected, if they are large, or if the server was seen not to speak HTTP/2', async (t) => {
    const server = await startHttp2(t, (stream) => say(stream));
    const hostFacts = createHostFacts();
    assert.equal(await text(get(open(t, server.url, { tls: trusted, hostFacts }))), 'plain');
    assert.equal(hostFacts.of(new URL(server.url)).known.http2, undefined);
    const transport = expecting(t, server.url, { hostFacts });
    assert.equal(await text(get(transport)), 'hello');
    assert.equal(await text(get(transport, 'x', { large: true })), 'plain');
    hostFacts.of(new URL(server.url)).learn({ http2: false });
    assert.equal(await text(get(expecting(t, server.url, { hostFacts }))), 'plain');
    assert.equal(server.sessions.length, 1);
  });

  it('use HTTP/1.1 where the certificate is not verified', async (t) => {
    const server = await startHttp2(t, (stream) => say(stream));
    assert.equal(await text(get(expecting(t, server.url, { tls: { verify: false } }))), 'plain');
  });

  it('have connections opened ahead for large answers too', async (t) => {
    const server = await startHttp2(t, (stream) => say(stream));
    const transport = open(t, server.url, { tls: trusted });
    transport.open(3);
    const large = [1, 2].map(() => text(get(transport, 'x', { large: true })));
    assert.deepEqual(await Promise.all([text(get(transport)), ...large]), ['hello', 'plain', 'plain']);
    assert.equal(server.connections, 3);
  });

  for (const intent of ['pull', 'push'] as const) {
    it(`keep the connection where the server chooses HTTP/1.1 (${intent})`, async (t) => {
      const server = await startFakeServer(t, (_, response) => response.end('plain'), { tls: identity });
      const hostFacts = createHostFacts();
      const transport = expecting(t, server.url, { hostFacts, intent });
      assert.equal(await text(get(transport)), 'plain');
      assert.equal(hostFacts.of(new URL(server.url)).known.http2, false);
      assert.equal(server.connections, 1);
    });
  }

  it('have every field of an answer, those that come several times as a list, and no interim answers', async (t) => {
    const server = await startHttp2(t, (stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</x>' });
      stream.respond({ ':status': 401, 'www-authenticate': ['Basic realm="a"', 'Bearer realm="b"'], 'x-one': '1' });
      stream.end('no');
    });
    const { status, headers, body } = await get(expecting(t, server.url));
    assert.deepEqual(
      [status, headers['www-authenticate'], headers['x-one']],
      [401, ['Basic realm="a"', 'Bearer realm="b"'], '1'],
    );
    assert.equal(Buffer.from(await body.bytes(10)).toString(), 'no');
    assert.deepEqual(server.plain, []);
  });

  it('do not have trailers', async (t) => {
    const trailers = (stream: number): Buffer =>
      frame(types.headers, endStream | endHeaders, stream, block(['x-last', '1']));
    const server = await startRawHttp2(t, (socket, stream) =>
      socket.write(Buffer.concat([head(stream, ['content-length', '5']), data(stream, 'never', 0), trailers(stream)])),
    );
    const { headers, body } = await get(expecting(t, server.url));
    assert.equal(Buffer.from(await body.bytes(10)).toString(), 'never');
    assert.deepEqual([headers['x-last'], server.plain], [undefined, []]);
  });

  it('send what HTTP/1.1 would, and nothing of a connection', async (t) => {
    const server = await startHttp2(t, (stream, headers) => say(stream, JSON.stringify(headers)));
    const transport = expecting(t, server.url, { headers: { 'X-Own': 'a' }, userAgent: 'me' });
    const url = `${server.url}v2/?a=%2F`;
    const sent = JSON.parse(await text(get(transport, url, { authorization: 'Basic eDp5', headers: { Accept: 'b' } })));
    const { host } = new URL(server.url);
    assert.deepEqual(sent, {
      ...{ ':method': 'GET', ':scheme': 'https', ':authority': host, ':path': '/v2/?a=%2F', 'user-agent': 'me' },
      ...{ 'accept-encoding': 'identity', 'x-own': 'a', accept: 'b', authorization: 'Basic eDp5' },
    });
  });

  it('are answered by HEAD without a body', async (t) => {
    const server = await startHttp2(t, (stream) => {
      stream.respond({ ':status': 200, 'content-length': 77 }, { endStream: true });
    });
    const { headers, body } = await get(expecting(t, server.url), 'x', { method: 'HEAD' });
    assert.equal(headers['content-length'], '77');
    assert.equal((await body.bytes(10)).length, 0);
    assert.deepEqual(server.plain, []);
  });

  it('go on over a new connection after a GOAWAY', async (t) => {
    const server = await startHttp2(t, (stream, _, session) => {
      say(stream);
      session.goaway(0);
    });
    const transport = expecting(t, server.url);
    for (let i = 0; i < 5; i += 1) assert.equal(await text(get(transport)), 'hello');
    assert.deepEqual([server.sessions.length, server.plain.length], [5, 0]);
  });

  it('wait for each other where few are allowed at a time', async (t) => {
    const settings = { maxConcurrentStreams: 2 };
    const server = await startHttp2(t, (stream) => setTimeout(() => say(stream), 5), { settings });
    const transport = expecting(t, server.url);
    assert.equal(await text(get(transport)), 'hello');
    const answers = await Promise.all(Array.from({ length: 12 }, () => text(get(transport))));
    assert.deepEqual(answers, Array(12).fill('hello'));
    assert.deepEqual([server.connections, server.plain], [1, []]);
  });

  it('are all answered where the server allows fewer than were sent, or changes the number', async (t) => {
    const settings = { maxConcurrentStreams: 1 };
    const server = await startHttp2(
      t,
      (stream, _, session) => {
        session.settings({ maxConcurrentStreams: 1 + (server.streams.length % 3) });
        setTimeout(() => say(stream), 5);
      },
      { settings },
    );
    const transport = expecting(t, server.url);
    const answers = await Promise.all(Array.from({ length: 12 }, () => text(get(transport))));
    assert.ok(answers.every((answer) => answer === 'hello' || answer === 'plain'));
  });

  it('wait for a slow reader, and not for that of another', async (t) => {
    const size = 8 * 1024 * 1024;
    let written = 0;
    const server = await startHttp2(t, (stream, headers) => {
      if (headers[':path'] !== '/large') return say(stream);
      stream.respond({ ':status': 200, 'content-length': size });
      const more = (): void => {
        while (written < size) {
          written += 16_384;
          if (!stream.write(Buffer.alloc(16_384, 1))) return void stream.once('drain', more);
        }
        stream.end();
      };
      more();
    });
    const transport = expecting(t, server.url);
    const { body } = await get(transport, 'large');
    let release = (): void => {};
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    let read = 0;
    const reading = body.drainTo({
      async write(chunk) {
        await blocked;
        read += chunk.length;
      },
    });
    for (let before = -1; before !== written; ) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(written < size / 2, `${written} bytes were sent`);
    assert.equal(await text(get(transport)), 'hello');
    release();
    await reading;
    assert.equal(read, size);
    assert.deepEqual([server.sessions.length, server.plain.length], [1, 0]);
  });

  it('are cancelled alone', async (t) => {
    const server = await startHttp2(t, (stream, headers) => headers[':path'] === '/x' && say(stream));
    const transport = expecting(t, server.url);
    const stop = new AbortController();
    const stopped = get(transport, 'never', { signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await assert.rejects(stopped, /enough/);
    assert.equal(await text(get(transport)), 'hello');
    assert.deepEqual([server.sessions.length, server.plain.length], [1, 0]);
  });

  it('fail when the transport is closed', async (t) => {
    const server = await startHttp2(t, () => {});
    const transport = expecting(t, server.url);
    const asked = get(transport);
    setTimeout(() => void transport.close(), 100);
    await assert.rejects(asked, fails('NETWORK'));
  });

  it('are refused for the same reasons', async (t) => {
    const server = await startHttp2(t, (stream) => say(stream));
    await assert.rejects(get(expecting(t, server.url, { tls: {} })), fails('TLS', /unknown authority/));
    const demanding = await startHttp2(t, (stream) => say(stream), { requestCert: true, rejectUnauthorized: true });
    await assert.rejects(get(expecting(t, demanding.url)), fails('TLS', /client certificate/));
    const dead = `https://${await deadAddress()}/`;
    await assert.rejects(get(expecting(t, dead)), fails('NETWORK', /connection refused/));
  });
});
