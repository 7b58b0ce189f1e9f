import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { OciError } from '../../../src/model/errors.ts';
import type { Descriptor } from '../../../src/model/manifest/descriptor.ts';
import { type Content, streamContent } from '../../../src/registry/content.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { ask, codeOf, pause, putBlob, raw, repo, startServer } from '../client.ts';

const path = (digest: string): string => `/v2/${repo}/blobs/${digest}`;

describe('a blob over HTTP', () => {
  it('comes with its digest, length, entity tag and a long life in caches', async (t) => {
    const server = await startServer(t);
    const bytes = randomBytes(3_000_000);
    const { digest } = await putBlob(server.registry, bytes);
    const got = await ask(server, 'GET', path(digest));
    const head = await ask(server, 'HEAD', path(digest));
    assert.deepEqual(got.body, bytes);
    assert.equal(head.body.length, 0);
    for (const { status, headers } of [got, head]) {
      assert.equal(status, 200);
      assert.equal(headers['content-length'], '3000000');
      assert.equal(headers['content-type'], 'application/octet-stream');
      assert.equal(headers['docker-content-digest'], digest);
      assert.equal(headers['accept-ranges'], 'bytes');
      assert.equal(headers.etag, `"${digest}"`);
      assert.match(headers['cache-control'] ?? '', /max-age=31536000/);
    }
    assert.deepEqual(
      server.log.map(({ sentBytes }) => sentBytes),
      [3_000_000, 0],
    );
  });

  it('may be empty', async (t) => {
    const server = await startServer(t);
    const { digest } = await putBlob(server.registry, new Uint8Array(0));
    const got = await ask(server, 'GET', path(digest));
    assert.equal(got.status, 200);
    assert.equal(got.headers['content-length'], '0');
  });

  it('is served in ranges', async (t) => {
    const server = await startServer(t);
    const bytes = Buffer.from('0123456789');
    const { digest } = await putBlob(server.registry, bytes);
    const ranges: readonly (readonly [string, string, string])[] = [
      ['bytes=0-3', '0123', 'bytes 0-3/10'],
      ['bytes=4-', '456789', 'bytes 4-9/10'],
      ['bytes=-3', '789', 'bytes 7-9/10'],
      ['bytes=-500', '0123456789', 'bytes 0-9/10'],
      ['bytes=8-100', '89', 'bytes 8-9/10'],
      ['bytes=9-9', '9', 'bytes 9-9/10'],
    ];
    for (const [range, expected, contentRange] of ranges) {
      const answer = await ask(server, 'GET', path(digest), { headers: { range } });
      assert.equal(answer.status, 206, range);
      assert.equal(answer.body.toString(), expected);
      assert.equal(answer.headers['content-range'], contentRange);
      assert.equal(answer.headers['content-length'], String(expected.length));
    }
    for (const range of ['bytes=1-2,4-5', 'lines=1-2', 'bytes=', 'bytes=5-2']) {
      const answer = await ask(server, 'GET', path(digest), { headers: { range } });
      assert.equal(answer.status, 200, range);
      assert.deepEqual(answer.body, bytes);
    }
  });

  it('answers 416 for a range that begins past its end', async (t) => {
    const server = await startServer(t);
    const { digest } = await putBlob(server.registry, Buffer.from('0123456789'));
    for (const range of ['bytes=10-', 'bytes=99-100', 'bytes=-0', 'bytes=99999999999999999999-']) {
      const answer = await ask(server, 'GET', path(digest), { headers: { range } });
      assert.equal(answer.status, 416, range);
      assert.equal(answer.headers['content-range'], 'bytes */10');
      assert.equal(codeOf(answer), 'RANGE_INVALID');
    }
  });

  it('is served whole where the range was for another version', async (t) => {
    const server = await startServer(t);
    const { digest } = await putBlob(server.registry, Buffer.from('0123456789'));
    const range = 'bytes=2-3';
    const same = await ask(server, 'GET', path(digest), { headers: { range, 'if-range': `"${digest}"` } });
    assert.equal(same.body.toString(), '23');
    const other = await ask(server, 'GET', path(digest), { headers: { range, 'if-range': '"other"' } });
    assert.equal(other.body.toString(), '0123456789');
  });

  it('is not sent to a client that has it', async (t) => {
    const server = await startServer(t);
    const { digest } = await putBlob(server.registry, Buffer.from('x'));
    for (const method of ['GET', 'HEAD']) {
      const headers = { 'if-none-match': `"${digest}"`, range: 'bytes=0-' };
      assert.equal((await ask(server, method, path(digest), { headers })).status, 304);
    }
    const absent = `sha256:${'0'.repeat(64)}`;
    assert.equal((await ask(server, 'GET', path(absent), { headers: { 'if-none-match': `"${absent}"` } })).status, 404);
  });

  it('is 404 where it is not, and once it is deleted', async (t) => {
    const server = await startServer(t);
    const { digest } = await putBlob(server.registry, Buffer.from('x'));
    assert.equal(codeOf(await ask(server, 'GET', `/v2/other/app/blobs/${digest}`)), 'BLOB_UNKNOWN');
    assert.equal((await ask(server, 'DELETE', path(digest))).status, 202);
    for (const method of ['GET', 'HEAD', 'DELETE']) assert.equal((await ask(server, method, path(digest))).status, 404);
  });
});

describe('a blob whose reading fails', () => {
  // A real registry with other blobs: `open` decides what they do.
  async function failing(t: Parameters<typeof startServer>[0], open: (blob: Descriptor) => Promise<Content>) {
    const { registry } = await startServer(t);
    const blob = await putBlob(registry, randomBytes(1_000_000));
    const broken: Registry = { ...registry, getBlob: () => open(blob) };
    return { server: await startServer(t, { registry: broken }), digest: blob.digest };
  }

  it('before its first byte is an error with a message that tells nothing', async (t) => {
    for (const [error, status] of [
      [new Error('secret: /var/lib/store'), 500],
      [new OciError('STORAGE_DAMAGED', 'secret: /var/lib/store', { detail: 'secret' }), 500],
      [new OciError('NETWORK', 'secret: upstream.internal'), 502],
      [new OciError('TIMEOUT', 'secret: upstream.internal'), 504],
      [new OciError('UNAVAILABLE', 'secret', { retryAfterMs: 1500 }), 503],
      [new OciError('STORAGE_FULL', 'secret: /var/lib/store'), 507],
    ] as const) {
      const { server, digest } = await failing(t, () => Promise.reject(error));
      const answer = await ask(server, 'GET', path(digest));
      assert.equal(answer.status, status);
      assert.doesNotMatch(answer.body.toString(), /secret|at .*\.ts|\.js/);
      assert.match(String(codeOf(answer)), /^(?:UNKNOWN|UNAVAILABLE)$/);
      assert.equal(answer.headers['retry-after'], status === 503 ? '2' : undefined);
      assert.equal(server.log[0]?.error, error, 'the log is told all of it');
    }
  });

  it('in the middle breaks the connection, so that the client sees that it is incomplete', async (t) => {
    const bodies: readonly (() => AsyncGenerator<Uint8Array>)[] = [
      async function* () {
        yield Buffer.alloc(400_000);
        throw new Error('broken');
      },
      async function* () {
        yield Buffer.alloc(400_000);
      },
      async function* () {
        yield Buffer.alloc(400_000);
        yield Buffer.alloc(600_001);
      },
    ];
    for (const body of bodies) {
      const { server, digest } = await failing(t, async (blob) => streamContent(blob, body()));
      await assert.rejects(ask(server, 'GET', path(digest)), /aborted|ECONNRESET|hang up/);
      await pause(5);
      assert.ok(server.log[0]?.error instanceof Error);
    }
  });

  it('because the client went away is cancelled', async (t) => {
    let cancelled = 0;
    let sent = 0;
    const { server, digest } = await failing(t, async (blob) => {
      const endless = async function* () {
        for (; sent < 1e12; sent += 65_536) yield Buffer.alloc(65_536);
      };
      return streamContent({ ...blob, size: 1e12 }, endless(), async () => {
        cancelled += 1;
      });
    });
    const socket = connect(server.port, server.host, () =>
      socket.write(`GET ${path(digest)} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
    );
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    while (cancelled === 0) await pause(5);
    const after = sent;
    await pause(20);
    assert.equal(sent, after);
    assert.ok(after < 100_000_000);
  });

  it('because the client does not take it is cut after the idle time, and holds no more than a little', async (t) => {
    let sent = 0;
    let cancelled = false;
    const { registry } = await startServer(t);
    const blob = await putBlob(registry, Buffer.from('x'));
    const endless = async function* () {
      for (;;) {
        sent += 65_536;
        yield Buffer.alloc(65_536);
      }
    };
    const cancel = async (): Promise<void> => {
      cancelled = true;
    };
    const stalling: Registry = {
      ...registry,
      getBlob: async () => streamContent({ ...blob, size: 1e12 }, endless(), cancel),
    };
    const server = await startServer(t, { registry: stalling, idleTimeoutMs: 150 });
    const socket = connect(server.port, server.host, () => {
      socket.write(`GET ${path(blob.digest)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      socket.pause();
    });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    while (!cancelled) await pause(10);
    assert.ok(sent < 50_000_000, `${sent} bytes were read`);
    socket.destroy();
  });

  it('slowly does not count as a slow client', async (t) => {
    const { registry } = await startServer(t);
    const { digest } = await putBlob(registry, Buffer.from('slow'));
    const slow: Registry = {
      ...registry,
      async getBlob(...args) {
        // Wait as long as a silent connection is kept open: the delay is then the registry's fault, not the client's.
        await new Promise((resolve) => connect(server.port, server.host).on('close', resolve));
        await pause(100);
        return await registry.getBlob(...args);
      },
    };
    const server = await startServer(t, { registry: slow, idleTimeoutMs: 200 });
    assert.equal((await ask(server, 'GET', path(digest))).body.toString(), 'slow');
  });
});

describe('buffers that a content reuses', () => {
  it('are not touched before they were sent', async (t) => {
    const { registry } = await startServer(t);
    const blob = await putBlob(registry, Buffer.from('x'));
    const shared = Buffer.alloc(1_000_000);
    const size = 20 * shared.length;
    const reusing: Registry = {
      ...registry,
      getBlob: async () => ({
        ...streamContent({ ...blob, size }, []),
        async drainTo(sink) {
          for (let i = 0; i < 20; i++) await sink.write(shared.fill(i));
        },
      }),
    };
    const server = await startServer(t, { registry: reusing });
    const { body } = await ask(server, 'GET', path(blob.digest));
    for (let i = 0; i < 20; i++) {
      assert.ok(
        body.subarray(i * shared.length, (i + 1) * shared.length).every((byte) => byte === i),
        `piece ${i}`,
      );
    }
  });
});

describe('several requests on one connection', () => {
  it('are answered in order when they are sent at once', async (t) => {
    const server = await startServer(t);
    const one = await putBlob(server.registry, Buffer.from('first blob'));
    const two = await putBlob(server.registry, Buffer.from('second blob'));
    const request = (digest: string, more = ''): string =>
      `GET ${path(digest)} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
    const answers = await raw(server, request(one.digest) + request(two.digest, 'Connection: close\r\n'));
    assert.match(answers, /first blobHTTP\/1\.1 200 OK[\s\S]*second blob$/);
  });
});
