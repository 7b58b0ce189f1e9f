import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { parseRepositoryName } from '../../src/model/reference/reference.ts';
import { fails, repo } from './fake-registry.ts';
import { blob, bytes, methods, mib, source, uploads } from './fake-uploads.ts';

describe('an upload session', () => {
  it('gathers small writes to chunks, no smaller than the registry takes', async (t) => {
    const { registry, server, state } = await uploads(t, (s) => ({
      post: (_, response) => {
        s.sessions += 1;
        response.writeHead(202, { location: '/session/1', 'oci-chunk-min-length': '250000' }).end();
      },
    }));
    const writer = await registry.startUpload(repo, { chunkBytes: 1000 });
    assert.equal(writer.chunkBytes, 250_000);
    for (let at = 0; at < 600_000; at += 1000) await writer.write(bytes.subarray(at, at + 1000));
    assert.equal(writer.size, 600_000);
    const part = bytes.subarray(0, 600_000);
    await writer.commit({ digest: await digestBytes(part), size: 600_000 });
    assert.deepEqual(state.committed, part);
    const sizes = server.requests.filter(({ method }) => method === 'PATCH').map(({ body }) => body.length);
    assert.deepEqual(sizes, [250_000, 250_000, 100_000]);
  });

  it('is refused by us where the registry demands that we hold a whole layer in memory', async (t) => {
    for (const [minimum, allowed] of [
      [64 * mib, true],
      [64 * mib + 1, false],
      ['9'.repeat(12), false],
    ] as const) {
      const { registry, server } = await uploads(t, () => ({
        post: (_, response) =>
          response.writeHead(202, { location: '/session/1', 'oci-chunk-min-length': String(minimum) }).end(),
      }));
      if (allowed) {
        assert.equal((await registry.startUpload(repo)).chunkBytes, minimum);
        continue;
      }
      const refused = fails('PROTOCOL', /chunks of more than 67108864 bytes/);
      await assert.rejects(registry.startUpload(repo), refused);
      await assert.rejects(registry.pushBlob(repo, blob, source), refused);
      assert.equal(methods(server.requests), 'POST HEAD POST');
    }
  });

  it('sends what fits into one request in one', async (t) => {
    const { registry, server, state } = await uploads(t);
    const writer = await registry.startUpload(repo);
    await writer.write(Buffer.from('small'));
    await writer.commit({ digest: await digestBytes(Buffer.from('small')) });
    assert.equal(methods(server.requests), 'POST PUT');
    assert.equal(state.committed?.toString(), 'small');
  });

  it('asks after a 416, and sends the rest', async (t) => {
    const { registry, state, server } = await uploads(t, (s) => ({
      patch: ({ nth, headers, body }, response) => {
        const start = Number(headers['content-range']?.split('-')[0]);
        // A part of the first chunk had arrived, but the answer was lost.
        if (nth === 0) s.held = Buffer.from(body.subarray(0, 400));
        if (nth === 0 || start !== s.held.length) return response.writeHead(416, { location: '/session/1' }).end();
        s.held = Buffer.concat([s.held, body]);
        response.writeHead(202, { location: '/session/1', range: `0-${s.held.length - 1}` }).end();
      },
    }));
    const writer = await registry.startUpload(repo, { chunkBytes: 1000 });
    await writer.write(bytes.subarray(0, 1000));
    assert.deepEqual(state.held, bytes.subarray(0, 1000));
    assert.equal(methods(server.requests), 'POST PATCH GET PATCH');
  });

  it('goes on at the place that a 416 names', async (t) => {
    const { registry, state, server } = await uploads(t, (s, own) => ({
      patch: (request, response, incoming) => {
        if (request.path === '/moved/1') return own.patch(request, response, incoming);
        s.held = Buffer.from(request.body.subarray(0, 400));
        response.writeHead(416, { location: '/moved/1' }).end();
      },
      get: (request, response, incoming) => {
        if (request.path !== '/moved/1') return response.writeHead(404).end();
        own.get(request, response, incoming);
      },
    }));
    const writer = await registry.startUpload(repo, { chunkBytes: 1000 });
    await writer.write(bytes.subarray(0, 1000));
    assert.deepEqual(state.held, bytes.subarray(0, 1000));
    assert.deepEqual(server.lines.slice(2), ['GET /moved/1', 'PATCH /moved/1']);
  });

  it('ends where the registry holds what was never sent', async (t) => {
    const { registry } = await uploads(t, (s) => ({
      patch: (_, response) => {
        s.held = Buffer.alloc(5000);
        response.writeHead(416).end();
      },
    }));
    const writer = await registry.startUpload(repo, { chunkBytes: 1000 });
    await assert.rejects(writer.write(bytes.subarray(0, 1000)), fails('RANGE_INVALID', /holds 5000 bytes/));
  });

  it('is found again by every name it had, while its place moves', async (t) => {
    const { registry, state } = await uploads(t);
    const writer = await registry.startUpload(repo, { chunkBytes: 1000 });
    const names = [writer.id];
    await writer.write(bytes.subarray(0, 1500));
    names.push(writer.id);
    await writer[Symbol.asyncDispose]();
    assert.equal(state.held.length, 1500);
    for (const name of names) {
      const again = await registry.resumeUpload(repo, name, { offset: 1500 });
      assert.equal(again.size, 1500);
    }
    const other = parseRepositoryName('team/other');
    await assert.rejects(registry.resumeUpload(other, writer.id), fails('BLOB_UPLOAD_UNKNOWN'));
  });

  it('is not looked for outside the uploads of its repository', async (t) => {
    const { registry, server } = await uploads(t);
    for (const id of ['..', '.', '../../other/manifests/latest', '', 'a/b', '%2e%2e', 'http://elsewhere/']) {
      await assert.rejects(registry.resumeUpload(repo, id), fails('BLOB_UPLOAD_UNKNOWN'), id);
    }
    assert.equal(server.requests.length, 0);
    assert.equal((await registry.resumeUpload(repo, 'a1-b2')).size, 0);
    assert.deepEqual(server.lines, ['GET /v2/team/app/blobs/uploads/a1-b2']);
  });
});
