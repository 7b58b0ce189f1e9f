import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { cp, readdir, utimes } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isOciError } from '../../src/model/errors.ts';
import type { RunningServer } from '../../src/server/options.ts';
import { UploadSessions } from '../../src/server/sessions.ts';
import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { memoryRegistry } from '../support/memory.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { ask, latest, makeManifest, pause, putBlob, repo, startServer } from './client.ts';

const uploads = `/v2/${repo}/blobs/uploads/`;

/** Writes text to a connection piece by piece until it closes. @returns What was received. */
async function drip(
  t: TestContext,
  server: RunningServer,
  begin: string,
  piece: string,
  everyMs: number,
): Promise<string> {
  const socket = connected(t, server);
  socket.write(begin);
  const timer = setInterval(() => socket.write(piece), everyMs);
  let received = '';
  socket.setEncoding('latin1').on('data', (text) => {
    received += String(text);
  });
  await new Promise((resolve) => socket.on('close', resolve));
  clearInterval(timer);
  return received;
}

function connected(t: TestContext, server: RunningServer): Socket {
  const socket = connect(server.port, server.host).on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await pause(5);
}

async function open(server: RunningServer): Promise<string> {
  const { status, headers } = await ask(server, 'POST', uploads);
  assert.equal(status, 202);
  return String(headers.location);
}

describe('a client that drips', () => {
  it('is cut while it sends a blob, and the bytes so far are kept', async (t) => {
    const server = await startServer(t, { minBytesPerSecond: 1000, rateWindowMs: 200 });
    const place = await open(server);
    const head = `PATCH ${place} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nxx`;
    assert.equal(await drip(t, server, head, 'x', 20), '');
    await until(() => server.log.length === 2);
    assert.match(String(server.log[1]?.error), /the client was too slow/);
    const answer = await ask(server, 'GET', place);
    assert.equal(answer.status, 204);
    assert.notEqual(answer.headers.range, '0-0');
  });

  it('is cut while it takes a blob', async (t) => {
    const server = await startServer(t, { minBytesPerSecond: 50_000_000, rateWindowMs: 100 });
    const { digest } = await putBlob(server.registry, randomBytes(64 * 1024 * 1024));
    const socket = connected(t, server);
    socket.on('data', () => {
      socket.pause();
      setTimeout(() => socket.resume(), 30);
    });
    socket.write(`GET /v2/${repo}/blobs/${digest} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await until(() => server.log.length === 1);
    assert.match(String(server.log[0]?.error), /too slow/);
  });

  it('is cut while it takes a large manifest', async (t) => {
    const server = await startServer(t, { minBytesPerSecond: 50_000_000, rateWindowMs: 100 });
    const annotations = { pad: 'x'.repeat(4_000_000) };
    await server.registry.pushManifest(repo, await makeManifest(server.registry, { annotations }), { tags: [latest] });
    const socket = connected(t, server);
    socket.pause();
    socket.write(`GET /v2/${repo}/manifests/${latest} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(8));
    await until(() => server.log.some(({ error }) => /too slow/.test(String(error))));
  });

  it('is cut while it sends a header', async (t) => {
    const server = await startServer(t, { headersTimeoutMs: 100 });
    const received = await drip(t, server, 'GET /v2/ HTTP/1.1\r\nX-Slow: ', 'x', 20);
    assert.match(received, /^(?:HTTP\/1\.1 408 [\s\S]*)?$/);
    // On a busy machine, an honest header may take as long.
    await until(() =>
      ask(server, 'GET', '/v2/').then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
  });
});

describe('an abandoned upload session', () => {
  it('is given up after a while', async (t) => {
    const server = await startServer(t, { sessionIdleMs: 50 });
    const place = await open(server);
    const id = place.slice(place.lastIndexOf('/') + 1);
    const gone = (error: unknown): boolean => isOciError(error, 'BLOB_UPLOAD_UNKNOWN');
    await until(() => server.registry.resumeUpload(repo, id).then(() => false, gone));
    assert.equal((await ask(server, 'GET', place)).status, 404);
  });

  it('is not while a request is at it', async () => {
    const registry = memoryRegistry();
    const sessions = new UploadSessions(registry, { waitMs: 1000, idleMs: 0, maxOpen: 10, restMs: 0 });
    const id = await sessions.add(repo, await registry.startUpload(repo), '');
    await sessions.use(
      repo,
      id,
      async (writer) => {
        await sessions.expire();
        await writer.write(Buffer.from('still there'));
      },
      { registry },
    );
    assert.equal((await registry.resumeUpload(repo, id)).size, 11);
    await sessions.expire();
    await assert.rejects(registry.resumeUpload(repo, id), (error) => isOciError(error, 'BLOB_UPLOAD_UNKNOWN'));
  });

  it('is not while somebody comes back to it in time', async (t) => {
    let nowMs = 1000;
    t.mock.method(performance, 'now', () => nowMs);
    const registry = memoryRegistry();
    const sessions = new UploadSessions(registry, { waitMs: 1000, idleMs: 500, maxOpen: 10, restMs: 0 });
    const id = await sessions.add(repo, await registry.startUpload(repo), '');
    for (let size = 1; size <= 5; size += 1) {
      nowMs += 400;
      await sessions.expire();
      await sessions.use(repo, id, (writer) => writer.write(Buffer.from('x')), { registry });
      assert.equal((await registry.resumeUpload(repo, id)).size, size);
    }
    nowMs += 500;
    await sessions.expire();
    await assert.rejects(registry.resumeUpload(repo, id), (error) => isOciError(error, 'BLOB_UPLOAD_UNKNOWN'));
  });

  it('of an earlier run goes too, and a young one stays', async (t) => {
    const root = await temporaryDirectory(t);
    const registry = createStorage({ driver: await openFilesystemDriver({ root }), name: 'test' });
    const young = await registry.startUpload(repo);
    await young.write(Buffer.from('x'));
    await young[Symbol.asyncDispose]();
    const directory = join(root, 'docker/registry/v2/repositories', repo, '_uploads');
    // As if another process had left it: a session of this process does not expire by the times of its files.
    const old = join(directory, randomUUID());
    await cp(join(directory, young.id), old, { recursive: true });
    const dayAgo = new Date(Date.now() - 25 * 60 * 60_000);
    for (const name of await readdir(old)) await utimes(join(old, name), dayAgo, dayAgo);
    const server = await startServer(t, { registry });
    await until(async () => (await readdir(directory)).length === 1);
    assert.deepEqual(await readdir(directory), [young.id]);
    assert.equal((await ask(server, 'GET', `${uploads}${young.id}`)).status, 204);
  });
});

describe('upload sessions', () => {
  it('are refused with 429 past a number, until one of them ends', async (t) => {
    const server = await startServer(t, { maxSessions: 2 });
    const [first] = [await open(server), await open(server)];
    const refused = await ask(server, 'POST', uploads);
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '60']);
    assert.equal((await ask(server, 'DELETE', first)).status, 204);
    const blob = 'sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae';
    assert.equal((await ask(server, 'PUT', `${await open(server)}?digest=${blob}`, { body: 'foo' })).status, 201);
    await open(server);
    for (let i = 0; i < 3; i += 1) assert.equal((await ask(server, 'GET', `${uploads}unknown-${i}`)).status, 404);
    assert.equal((await ask(server, 'POST', uploads)).status, 429);
  });

  it('that rest longest give way to new ones', async () => {
    const registry = memoryRegistry();
    const sessions = new UploadSessions(registry, { waitMs: 1000, idleMs: 60_000, maxOpen: 2, restMs: 0 });
    const add = async (): Promise<string> => sessions.add(repo, await registry.startUpload(repo), '');
    const [first, second] = [await add(), await add()];
    await sessions.use(repo, first, async () => {}, { registry });
    const third = await add();
    await assert.rejects(registry.resumeUpload(repo, second));
    for (const id of [first, third]) assert.equal((await registry.resumeUpload(repo, id)).id, id);
  });

  it('that rest for a moment give way to an address that has fewer', async () => {
    const registry = memoryRegistry();
    const sessions = new UploadSessions(registry, { waitMs: 1000, idleMs: 60_000, maxOpen: 3, restMs: 60_000 });
    const add = async (address: string): Promise<string> =>
      sessions.add(repo, await registry.startUpload(repo), address);
    const many = [await add('192.0.2.1'), await add('192.0.2.1'), await add('192.0.2.1')];
    await assert.rejects(add('192.0.2.1'), (error) => isOciError(error, 'TOOMANYREQUESTS'));
    const other = await add('192.0.2.2');
    await assert.rejects(registry.resumeUpload(repo, many[0] ?? ''));
    await assert.rejects(add('192.0.2.2'), (error) => isOciError(error, 'TOOMANYREQUESTS'));
    for (const id of [many[1] ?? '', many[2] ?? '', other])
      assert.equal((await registry.resumeUpload(repo, id)).id, id);
  });
});
