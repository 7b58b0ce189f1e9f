import assert from 'node:assert/strict';
import http from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { isOciError } from '../../src/model/errors.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { serve } from '../../src/server/server.ts';
import { memoryRegistry } from '../support/memory.ts';
import { ask, latest, makeManifest, pause, putBlob, raw, repo, startServer } from './client.ts';

// A registry whose blobs take this long.
async function slowRegistry(ms: number): Promise<{ registry: Registry; path: string; begun: () => boolean }> {
  const inner = memoryRegistry();
  const { digest } = await putBlob(inner, Buffer.from('slow'));
  let begun = false;
  const registry: Registry = {
    ...inner,
    async getBlob(name, blob, opts) {
      begun = true;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, ms);
        opts?.signal?.addEventListener('abort', () => {
          clearTimeout(timer);
          reject(opts.signal?.reason);
        });
      });
      return await inner.getBlob(name, blob, opts);
    },
  };
  return { registry, path: `/v2/${repo}/blobs/${digest}`, begun: () => begun };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(2);
}

describe('a server', () => {
  it('listens on loopback and a free port unless told otherwise', async (t) => {
    const server = await startServer(t);
    assert.equal(server.host, '127.0.0.1');
    assert.equal(server.url, `http://127.0.0.1:${server.port}`);
    assert.ok(server.port > 0);
  });

  it('fails with the reason if it cannot listen', async (t) => {
    const server = await startServer(t);
    const taken = serve({ registry: memoryRegistry(), port: server.port });
    await assert.rejects(taken, (error) => isOciError(error, 'USAGE') && /another program/.test(error.message));
  });

  it('logs every request, without its query', async (t) => {
    const server = await startServer(t);
    await ask(server, 'GET', '/v2/app/tags/list?secret=1');
    await ask(server, 'POST', `/v2/${repo}/blobs/uploads/`);
    assert.deepEqual(
      server.log.map(({ method, path, status }) => [method, path, status]),
      [
        ['GET', '/v2/app/tags/list', 404],
        ['POST', `/v2/${repo}/blobs/uploads/`, 202],
      ],
    );
    assert.ok(isOciError(server.log[0]?.error, 'NAME_UNKNOWN'));
    assert.equal(server.log[0]?.remoteAddress, '127.0.0.1');
  });

  it('answers a client that sends a large body to an unknown route', async (t) => {
    const server = await startServer(t);
    const socket = connect(server.port, server.host);
    t.after(() => socket.destroy());
    socket.pause();
    const head = 'POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000000\r\n\r\n';
    await new Promise((resolve) => socket.write(head + 'x'.repeat(8_000_000), resolve));
    socket.setEncoding('latin1');
    let answer = '';
    for await (const text of socket) answer += String(text);
    assert.match(answer, /^HTTP\/1\.1 404 .*connection: close/is);
    assert.equal((await ask(server, 'GET', '/v2/')).status, 200);
  });

  it('cuts a client that never ends its header', async (t) => {
    const server = await startServer(t, { idleTimeoutMs: 80 });
    assert.equal(await raw(server, 'GET /v2/ HTTP/1.1\r\nX-Slow: '), '');
  });

  it('cuts a client that asks for much and takes nothing', async (t) => {
    const server = await startServer(t, { idleTimeoutMs: 80 });
    const annotations = { pad: 'x'.repeat(4_000_000) };
    await server.registry.pushManifest(repo, await makeManifest(server.registry, { annotations }), { tags: [latest] });
    const socket = connect(server.port, server.host);
    t.after(() => socket.destroy());
    socket.on('error', () => {}).pause();
    socket.write(`GET /v2/${repo}/manifests/latest HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(10));
    await until(() => server.log.length === 10);
  });

  it('cuts a silent connection', async (t) => {
    const server = await startServer(t, { idleTimeoutMs: 80 });
    const closed = new Promise((resolve) => connect(server.port, server.host).on('close', resolve));
    await closed;
  });
});

describe('stopping a server', () => {
  it('lets a request in flight end, and takes no new ones', async (t) => {
    const { registry, path, begun } = await slowRegistry(100);
    const server = await startServer(t, { registry });
    const agent = new http.Agent({ keepAlive: true });
    t.after(() => agent.destroy());
    const idle = new Promise((resolve) => {
      http.get(`${server.url}/v2/`, { agent }, (response) => response.resume().on('end', resolve));
    });
    await idle;
    const inFlight = ask(server, 'GET', path);
    await until(begun);
    const stopped = server.stop();
    await assert.rejects(ask(server, 'GET', '/v2/'), /ECONNREFUSED/);
    const answer = await inFlight;
    assert.equal(answer.body.toString(), 'slow');
    assert.equal(answer.headers.connection, 'close');
    await stopped;
    await server.stop();
  });

  it('cuts requests that take longer than the grace time', async (t) => {
    const { registry, path, begun } = await slowRegistry(60_000);
    const server = await startServer(t, { registry });
    const inFlight = assert.rejects(ask(server, 'GET', path), /hang up|ECONNRESET/);
    await until(begun);
    const startedMs = performance.now();
    await server.stop({ graceMs: 30 });
    await inFlight;
    assert.ok(performance.now() - startedMs < 50_000);
    assert.equal(server.log[0]?.status, 499);
  });

  it('may be hurried', async (t) => {
    const { registry, path, begun } = await slowRegistry(60_000);
    const server = await startServer(t, { registry });
    const inFlight = assert.rejects(ask(server, 'GET', path), /hang up|ECONNRESET/);
    await until(begun);
    const patient = server.stop({ graceMs: 60_000 });
    await server.stop({ graceMs: 0 });
    await Promise.all([patient, inFlight]);
  });

  it('may be done by a signal', async (t) => {
    const stopping = new AbortController();
    const server = await startServer(t, { signal: stopping.signal });
    stopping.abort();
    await assert.rejects(ask(server, 'GET', '/v2/'), /ECONNREFUSED/);
    await assert.rejects(serve({ registry: memoryRegistry(), signal: stopping.signal }), { name: 'AbortError' });
  });
});
