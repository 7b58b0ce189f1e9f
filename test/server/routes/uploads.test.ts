import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { type Digest, digestBytes } from '../../../src/model/digest.ts';
import { OciError } from '../../../src/model/errors.ts';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { RunningServer } from '../../../src/server/options.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { type Answer, ask, codeOf, putBlob, repo, startServer } from '../client.ts';

const uploads = `/v2/${repo}/blobs/uploads/`;
const blobAt = (digest: Digest): string => `/v2/${repo}/blobs/${digest}`;

async function open(server: RunningServer): Promise<string> {
  return locationOf(await ask(server, 'POST', uploads));
}

function locationOf({ headers: { location = '' } }: Answer): string {
  assert.ok(location.startsWith(uploads), `a path, so that it is right behind proxies: ${location}`);
  return location;
}

function assertStored(answer: Answer, digest: Digest): void {
  assert.equal(answer.status, 201, answer.body.toString());
  assert.equal(answer.headers.location, blobAt(digest));
  assert.equal(answer.headers['docker-content-digest'], digest);
}

describe('an upload over HTTP', () => {
  const bytes = randomBytes(300_000);

  it('begins with a session of its own', async (t) => {
    const server = await startServer(t);
    const answer = await ask(server, 'POST', uploads);
    assert.equal(answer.status, 202);
    assert.equal(answer.headers.range, '0-0');
    assert.equal(answer.headers['content-length'], '0');
    assert.equal(answer.headers['docker-upload-uuid'], locationOf(answer).slice(uploads.length));
    assert.notEqual(await open(server), locationOf(answer));
  });

  it('may come in one PATCH, then PUT', async (t) => {
    const server = await startServer(t);
    const digest = await digestBytes(bytes);
    const patched = await ask(server, 'PATCH', await open(server), { body: bytes });
    assert.equal(patched.status, 202);
    assert.equal(patched.headers.range, '0-299999');
    assertStored(await ask(server, 'PUT', `${locationOf(patched)}?digest=${digest}`), digest);
    assert.deepEqual((await ask(server, 'GET', blobAt(digest))).body, bytes);
    assert.equal((await ask(server, 'GET', locationOf(patched))).status, 404, 'the session is over');
  });

  it('may come in the PUT alone, of known length or not', async (t) => {
    const server = await startServer(t);
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      const body = randomBytes(100_000);
      const digest = await digestBytes(body);
      assertStored(await ask(server, 'PUT', `${await open(server)}?digest=${digest}`, { headers, body }), digest);
      assert.deepEqual((await ask(server, 'GET', blobAt(digest))).body, body);
    }
  });

  it('may come in a single POST', async (t) => {
    const server = await startServer(t);
    const digest = await digestBytes(bytes, 'sha512');
    assertStored(await ask(server, 'POST', `${uploads}?digest=${digest}`, { body: bytes }), digest);
    assert.deepEqual((await ask(server, 'GET', blobAt(digest))).body, bytes);
    for (const [wrong, code] of [[`sha256:${'0'.repeat(64)}`, 400] as const, ['sha256:bad', 400] as const]) {
      assert.equal((await ask(server, 'POST', `${uploads}?digest=${wrong}`, { body: bytes })).status, code);
    }
  });

  it('may come in chunks, the last of them in the PUT, and tells how far it is', async (t) => {
    const server = await startServer(t);
    const digest = await digestBytes(bytes);
    let place = await open(server);
    for (const [start, end] of [[0, 100_000] as const, [100_000, 200_000] as const]) {
      const headers = { 'content-range': `${start}-${end - 1}` };
      const answer = await ask(server, 'PATCH', place, { headers, body: bytes.subarray(start, end) });
      assert.equal(answer.status, 202);
      assert.equal(answer.headers.range, `0-${end - 1}`);
      place = locationOf(answer);
      const status = await ask(server, 'GET', place);
      assert.equal(status.status, 204);
      assert.equal(status.headers.range, `0-${end - 1}`);
      assert.equal(locationOf(status), place);
    }
    const last = { headers: { 'content-range': '200000-299999' }, body: bytes.subarray(200_000) };
    assertStored(await ask(server, 'PUT', `${place}?digest=${digest}`, last), digest);
    assert.deepEqual((await ask(server, 'GET', blobAt(digest))).body, bytes);
  });

  it('answers 416 with the right place to a chunk out of order, in PATCH and PUT', async (t) => {
    const server = await startServer(t);
    const place = await open(server);
    await ask(server, 'PATCH', place, { body: bytes.subarray(0, 100) });
    for (const range of ['0-99', '101-200', '99-198', '200-100', 'nonsense']) {
      for (const [method, path] of [
        ['PATCH', place] as const,
        ['PUT', `${place}?digest=${await digestBytes(bytes)}`] as const,
      ]) {
        const body = bytes.subarray(0, 100);
        const answer = await ask(server, method, path, { headers: { 'content-range': range }, body });
        assert.equal(answer.status, 416, range);
        assert.equal(codeOf(answer), 'RANGE_INVALID');
        assert.equal(answer.headers.range, '0-99');
        assert.equal(locationOf(answer), place);
      }
    }
  });

  it('answers 416 with the right place if another process has continued it', async (t) => {
    const inner = memoryRegistry();
    let others = true;
    const registry: Registry = {
      ...inner,
      async resumeUpload(...args) {
        const writer = await inner.resumeUpload(...args);
        if (!others) return writer;
        const write = async () => {
          others = false;
          await (await inner.resumeUpload(...args)).write(bytes.subarray(0, 200));
          throw new OciError('RANGE_INVALID', 'another request has continued this upload meanwhile');
        };
        return { ...writer, size: 0, write };
      },
    };
    const server = await startServer(t, { registry });
    const place = await open(server);
    const answer = await ask(server, 'PATCH', place, { body: bytes.subarray(0, 100) });
    assert.deepEqual([answer.status, codeOf(answer), answer.headers.range], [416, 'RANGE_INVALID', '0-199']);
    assert.equal(locationOf(answer), place);
  });

  it('refuses a chunk whose length is not its Content-Range', async (t) => {
    const server = await startServer(t);
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }]) {
      for (const range of ['0-49', '0-149']) {
        const asked = { headers: { ...headers, 'content-range': range }, body: bytes.subarray(0, 100) };
        const place = await open(server);
        const answer = await ask(server, 'PATCH', place, asked);
        assert.equal(answer.status, 400);
        assert.equal(codeOf(answer), 'SIZE_INVALID');
        const held = (await ask(server, 'GET', place)).headers.range;
        if (range === '0-49') assert.equal(held, '0-0', 'nothing of a chunk that is too long');
      }
    }
  });

  it('with a digest that is missing, malformed or unsupported is 400, and can go on', async (t) => {
    const server = await startServer(t);
    const place = await open(server);
    await ask(server, 'PATCH', place, { body: bytes });
    for (const query of ['', '?digest=', '?digest=sha256:bad', `?digest=md5:${'a'.repeat(32)}`]) {
      const answer = await ask(server, 'PUT', `${place}${query}`);
      assert.equal(answer.status, 400);
      assert.equal(codeOf(answer), 'DIGEST_INVALID');
    }
    const digest = await digestBytes(bytes);
    assertStored(await ask(server, 'PUT', `${place}?digest=${digest}`), digest);
    assert.equal((await ask(server, 'POST', `${uploads}?digest-algorithm=md5`)).status, 400);
    assert.equal((await ask(server, 'POST', `${uploads}?digest-algorithm=sha512`)).status, 202);
  });

  it('of other bytes than its digest leaves nothing', async (t) => {
    const server = await startServer(t);
    const digest = await digestBytes(Buffer.from('other'));
    const place = await open(server);
    const answer = await ask(server, 'PUT', `${place}?digest=${digest}`, { body: bytes });
    assert.equal(answer.status, 400);
    assert.equal(codeOf(answer), 'DIGEST_INVALID');
    assert.equal((await ask(server, 'GET', blobAt(digest))).status, 404);
    assert.equal((await ask(server, 'GET', place)).status, 404);
  });

  it('may be given up', async (t) => {
    const server = await startServer(t);
    const place = await open(server);
    assert.equal((await ask(server, 'DELETE', place)).status, 204);
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const answer = await ask(server, method, place);
      assert.equal(answer.status, 404);
      if (method !== 'HEAD') assert.equal(codeOf(answer), 'BLOB_UPLOAD_UNKNOWN');
    }
  });

  it('may be empty', async (t) => {
    const server = await startServer(t);
    const digest = await digestBytes(new Uint8Array(0));
    assertStored(await ask(server, 'PUT', `${await open(server)}?digest=${digest}`), digest);
    assert.equal((await ask(server, 'GET', blobAt(digest))).status, 200);
  });

  it('waits for 100 Continue, and is refused before it sends a byte', async (t) => {
    const server = await startServer(t);
    const place = `${await open(server)}?digest=${await digestBytes(Buffer.from('hello'))}`;
    const socket = connect(server.port, server.host);
    t.after(() => socket.destroy());
    socket.write(`PUT ${place} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 100 Continue/);
    socket.write('hello');
    assert.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 201 /);
    const headers = { expect: '100-continue', 'content-length': bytes.length };
    const refused = await ask(server, 'PATCH', `${uploads}unknown`, { headers, body: bytes });
    assert.equal(refused.status, 404);
    assert.equal(refused.headers.connection, 'close');
  });
});

describe('a mount', () => {
  const source = parseRepositoryName('team/base');

  it('takes the blob from the other repository', async (t) => {
    const server = await startServer(t);
    const { digest } = await putBlob(server.registry, Buffer.from('shared'), source);
    assertStored(await ask(server, 'POST', `${uploads}?mount=${digest}&from=${source}`), digest);
    assert.equal((await ask(server, 'GET', blobAt(digest))).body.toString(), 'shared');
  });

  it('becomes a session if the blob is missing, or no source is given', async (t) => {
    const server = await startServer(t);
    const bytes = Buffer.from('not shared');
    const digest = await digestBytes(bytes);
    for (const query of [`?mount=${digest}&from=${source}`, `?mount=${digest}`, `?mount=${digest}&from=`]) {
      const answer = await ask(server, 'POST', `${uploads}${query}`);
      assert.equal(answer.status, 202, query);
      assertStored(await ask(server, 'PUT', `${locationOf(answer)}?digest=${digest}`, { body: bytes }), digest);
      await ask(server, 'DELETE', blobAt(digest));
    }
  });

  it('with an invalid digest or source name is 400', async (t) => {
    const server = await startServer(t);
    assert.equal(codeOf(await ask(server, 'POST', `${uploads}?mount=sha256:bad`)), 'DIGEST_INVALID');
    const digest = `sha256:${'0'.repeat(64)}`;
    assert.equal(codeOf(await ask(server, 'POST', `${uploads}?mount=${digest}&from=Base`)), 'NAME_INVALID');
  });
});
