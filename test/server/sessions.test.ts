import assert from 'node:assert/strict';
import http from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import type { BlobWriter, Registry } from '../../src/registry/registry.ts';
import type { RunningServer } from '../../src/server/options.ts';
import { memoryRegistry } from '../support/memory.ts';
import { type Answer, ask, codeOf, pause, repo, startServer } from './client.ts';

const uploads = `/v2/${repo}/blobs/uploads/`;

async function open(server: RunningServer): Promise<string> {
  return String((await ask(server, 'POST', uploads)).headers.location);
}

/** Waits until a session has so many bytes: the server has taken a request that is still open. */
async function held(
  server: RunningServer & { readonly registry: Registry },
  place: string,
  bytes: number,
): Promise<void> {
  const id = place.slice(place.lastIndexOf('/') + 1);
  while ((await server.registry.resumeUpload(repo, id)).size < bytes) await pause(5);
}

// A PATCH whose body stays open until `end` is called.
function slowPatch(server: RunningServer, path: string, headers: http.OutgoingHttpHeaders = {}) {
  const { host, port } = server;
  const request = http.request({ host, port, method: 'PATCH', path, headers, agent: false });
  const status = new Promise<number>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
  });
  return { request, status };
}

describe('two requests on one upload session', () => {
  it('run one after the other', async (t) => {
    const server = await startServer(t);
    const place = await open(server);
    const first = slowPatch(server, place);
    first.request.write('first ');
    await held(server, place, 6);
    let secondDone = false;
    const second = ask(server, 'PATCH', place, { body: 'second' }).then((answer: Answer) => {
      secondDone = true;
      return answer;
    });
    await pause(30);
    assert.equal(secondDone, false);
    first.request.end('one ');
    assert.equal(await first.status, 202);
    assert.equal((await second).headers.range, '0-15');
    const digest = await digestBytes(Buffer.from('first one second'));
    assert.equal((await ask(server, 'PUT', `${place}?digest=${digest}`)).status, 201);
  });

  it('are refused with 429 where the first takes too long', async (t) => {
    const server = await startServer(t, { sessionWaitMs: 50 });
    const place = await open(server);
    const first = slowPatch(server, place);
    first.request.write('first');
    await held(server, place, 5);
    const second = await ask(server, 'PATCH', place, { body: 'second' });
    assert.equal(second.status, 429);
    assert.equal(codeOf(second), 'TOOMANYREQUESTS');
    assert.equal(second.headers['retry-after'], '1');
    first.request.end();
    assert.equal(await first.status, 202);
    assert.equal((await ask(server, 'GET', place)).headers.range, '0-4');
  });

  it('with the same range: one of them is answered with the offset', async (t) => {
    const server = await startServer(t);
    const place = await open(server);
    const patch = () => ask(server, 'PATCH', place, { headers: { 'content-range': '0-4' }, body: 'chunk' });
    const statuses = (await Promise.all([patch(), patch(), patch()])).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [202, 416, 416]);
  });
});

describe('an upload that is cut', () => {
  it('keeps the bytes so far, and continues from there', async (t) => {
    const server = await startServer(t);
    const place = await open(server);
    const socket = connect(server.port, server.host, () => {
      socket.write(`PATCH ${place} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n${'a'.repeat(600)}`);
    });
    await held(server, place, 600);
    socket.destroy();
    const status = await ask(server, 'GET', place);
    assert.equal(status.headers.range, '0-599');
    const headers = { 'content-range': '600-999' };
    assert.equal((await ask(server, 'PATCH', place, { headers, body: 'b'.repeat(400) })).status, 202);
    const digest = await digestBytes(Buffer.from('a'.repeat(600) + 'b'.repeat(400)));
    assert.equal((await ask(server, 'PUT', `${place}?digest=${digest}`)).status, 201);
  });

  it('in a PUT is no blob', async (t) => {
    const server = await startServer(t);
    const place = await open(server);
    const digest = await digestBytes(Buffer.from('a'.repeat(600)));
    const socket = connect(server.port, server.host, () => {
      socket.write(
        `PUT ${place}?digest=${digest} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n${'a'.repeat(600)}`,
      );
    });
    await held(server, place, 600);
    socket.destroy();
    assert.equal((await ask(server, 'GET', place)).headers.range, '0-599');
    assert.equal((await ask(server, 'GET', `/v2/${repo}/blobs/${digest}`)).status, 404);
  });

  it('is cut by the server when nothing comes any more', async (t) => {
    const server = await startServer(t, { idleTimeoutMs: 500 });
    const place = await open(server);
    const slow = slowPatch(server, place);
    slow.request.write('a few bytes');
    await assert.rejects(slow.status, /hang up|ECONNRESET/);
    assert.equal((await ask(server, 'GET', place)).headers.range, '0-10');
  });
});

describe('a session whose ID has special characters', () => {
  // As with a remote registry: the session names are URLs, and change with every chunk.
  function addressed(): { registry: Registry; asked: string[] } {
    const inner = memoryRegistry();
    const asked: string[] = [];
    let turn = 0;
    const outside = (writer: BlobWriter): BlobWriter => ({
      id: `https://upstream.test/up/${writer.id}?turn=${turn++}`,
      startedAt: writer.startedAt,
      chunkBytes: 5,
      get size() {
        return writer.size;
      },
      write: (chunk, opts) => writer.write(chunk, opts),
      commit: (expected, opts) => writer.commit(expected, opts),
      cancel: () => writer.cancel(),
      [Symbol.asyncDispose]: async () => writer[Symbol.asyncDispose](),
    });
    const registry: Registry = {
      ...inner,
      startUpload: async (name, opts) => outside(await inner.startUpload(name, opts)),
      async resumeUpload(name, id, opts) {
        asked.push(id);
        const word = /up\/([^?]+)/.exec(id)?.[1] ?? id;
        return outside(await inner.resumeUpload(name, word, opts));
      },
    };
    return { registry, asked };
  }

  it('has another name over HTTP, so that a client cannot name an address', async (t) => {
    const { registry, asked } = addressed();
    const server = await startServer(t, { registry });
    const opened = await ask(server, 'POST', uploads);
    const place = String(opened.headers.location);
    assert.match(place, /uploads\/[0-9a-f-]{36}$/);
    assert.equal(opened.headers['oci-chunk-min-length'], '5');
    assert.equal((await ask(server, 'PATCH', place, { body: 'hello' })).headers.location, place);
    assert.equal((await ask(server, 'PATCH', place, { body: ' there' })).headers.range, '0-10');
    const digest = await digestBytes(Buffer.from('hello there'));
    assert.equal((await ask(server, 'PUT', `${place}?digest=${digest}`)).status, 201);
    assert.deepEqual(
      asked.map((id) => /turn=(\d+)/.exec(id)?.[1]),
      ['0', '1', '2'],
      'the name the registry gave last',
    );
    const forged = encodeURIComponent('https://inside.test/admin');
    const refused = await ask(server, 'PATCH', `${uploads}${forged}`, { body: 'x' });
    assert.equal(codeOf(refused), 'BLOB_UPLOAD_UNKNOWN');
    assert.equal(asked.length, 3);
  });
});
