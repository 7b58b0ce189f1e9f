import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseTag } from '../../src/model/reference/reference.ts';
import { bytesSource, type Sink } from '../../src/registry/content.ts';
import { UploadSource } from '../../src/remote/upload/body.ts';
import { type Answer, startFakeServer } from '../support/fake-server.ts';
import { fails, fakeRegistry, repo } from './fake-registry.ts';
import { blob, bytes, methods, source, uploads } from './fake-uploads.ts';

const config = { mediaType: mediaTypes.ociConfig, digest: await digestBytes(Buffer.from('{}')), size: 2 };
const manifest = {
  mediaType: mediaTypes.ociManifest,
  bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [] })),
};
const credential = { kind: 'password', username: 'u', password: 'p', source: 's' } as const;

/** Redirects every request that has credentials. */
const to =
  (target: string | ((path: string) => string), status = 307): Answer =>
  ({ headers, path }, response) => {
    if (headers.authorization === undefined) {
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    }
    const location = typeof target === 'string' ? target : target(path);
    response.writeHead(status, { location }).end('moved');
  };

describe('a redirect of a write', () => {
  for (const status of [307, 308]) {
    it(`is followed with method and body, and without authorisation to another host (${status})`, async (t) => {
      const storage = await startFakeServer(t, (_, response) => response.writeHead(201).end());
      const { registry } = await fakeRegistry(t, to(`${storage.url}m?sig=1`, status), { credential });
      await registry.pushManifest(repo, manifest);
      const [put, ...others] = storage.requests;
      assert.deepEqual(others, []);
      assert.deepEqual([put?.method, put?.path, put?.query.get('sig')], ['PUT', '/m', '1']);
      assert.deepEqual(put?.body, manifest.bytes);
      assert.equal(put?.headers['content-type'], manifest.mediaType);
      assert.equal(put?.headers.authorization, undefined);
    });
  }

  it('keeps the authorisation on its own host, for every method', async (t) => {
    const moved: string[] = [];
    const { registry, server } = await uploads(
      t,
      (_, own) => ({
        post: (request, response, incoming) =>
          request.path.startsWith('/new')
            ? own.post(request, response, incoming)
            : to((path) => `/new${path}?x=1`, 308)(request, response, incoming),
        put: (request, response, incoming) =>
          request.path.startsWith('/new')
            ? own.put(request, response, incoming)
            : to((path) => `/new${path}`)(request, response, incoming),
      }),
      { credential },
    );
    await registry.pushBlob(repo, blob, source);
    const seen = server.requests.filter(({ path }) => path.startsWith('/new'));
    for (const { method, headers } of seen) moved.push(`${method} ${headers.authorization?.split(' ')[0]}`);
    assert.deepEqual(moved, ['POST Basic', 'PUT Basic']);
    assert.deepEqual(seen.at(-1)?.body, bytes);
  });

  it('is followed by deletes and by chunks', async (t) => {
    const { registry, server } = await uploads(
      t,
      (_, own) => ({
        patch: (request, response, incoming) =>
          request.query.has('moved')
            ? own.patch(request, response, incoming)
            : response.writeHead(307, { location: '?moved=1' }).end(),
      }),
      { uploadChunkBytes: 2_000_000 },
    );
    const writer = await registry.startUpload(repo);
    await writer.write(bytes);
    await writer.commit(blob);
    const patches = server.requests.filter(({ method }) => method === 'PATCH');
    assert.deepEqual(
      patches.map(({ query, body }) => `${query.get('moved')} ${body.length}`),
      ['null 2000000', '1 2000000', 'null 1500000', '1 1500000'],
    );
    const deleting = await fakeRegistry(t, ({ path }, response) =>
      path === '/gone' ? response.writeHead(202).end() : response.writeHead(308, { location: '/gone' }).end(),
    );
    await deleting.registry.deleteTag(repo, parseTag('old'));
    assert.equal(methods(deleting.server.requests), 'DELETE DELETE');
  });

  it('may come while a large blob is on its way, which then goes whole to where it leads', async (t) => {
    const large = randomBytes(8_000_000);
    const descriptor = { mediaType: 'a/b', digest: await digestBytes(large), size: large.length };
    let arrived = '';
    const storage = await startFakeServer(
      t,
      async (_, response, incoming) => {
        const hash = createHash('sha256');
        for await (const chunk of incoming) hash.update(chunk as Buffer);
        arrived = `sha256:${hash.digest('hex')}`;
        response.writeHead(201).end();
      },
      { early: true },
    );
    const { registry, server } = await fakeRegistry(
      t,
      ({ method }, response) => {
        if (method === 'HEAD') return response.writeHead(404).end();
        if (method === 'POST') return response.writeHead(202, { location: '/s' }).end();
        response.writeHead(307, { location: `${storage.url}up` }).end();
      },
      { early: true },
    );
    await registry.pushBlob(repo, descriptor, bytesSource(descriptor, large));
    assert.equal(arrived, descriptor.digest);
    assert.equal(methods(server.requests), 'HEAD POST PUT');
  });

  it('that comes back from another host brings no authorisation there', async (t) => {
    let home = '';
    const other = await startFakeServer(t, (_, response) => response.writeHead(307, { location: `${home}back` }).end());
    const { registry, server } = await fakeRegistry(
      t,
      (request, response, incoming) =>
        request.path === '/back' ? response.writeHead(201).end() : to(other.url)(request, response, incoming),
      { credential, headers: { 'X-Endpoint': 'own' } },
    );
    home = server.url;
    await registry.pushManifest(repo, manifest);
    const back = server.requests.at(-1);
    assert.deepEqual([back?.method, back?.path], ['PUT', '/back']);
    assert.equal(back?.headers.authorization, undefined);
    assert.equal(back?.headers['x-endpoint'], undefined);
  });

  for (const status of [300, 301, 302, 303]) {
    it(`with ${status} is an error that names its host`, async (t) => {
      const other = await startFakeServer(t, (_, response) => response.writeHead(201).end());
      const { registry } = await fakeRegistry(t, to(`${other.url}login?secret=1`, status), { credential });
      const told = new RegExp(`redirects PUT to http://${other.host} with ${status}, which does not .*: refused$`);
      await assert.rejects(registry.pushManifest(repo, manifest), fails('PROTOCOL', told, /307 or 308/));
      await assert.rejects(registry.pushBlob(repo, config, bytesSource(config, Buffer.from('{}'))), fails('PROTOCOL'));
      assert.deepEqual(other.requests, []);
    });
  }

  it('leads to an end', async (t) => {
    const { registry, server } = await fakeRegistry(t, (_, response) =>
      response.writeHead(307, { location: '/again' }).end(),
    );
    await assert.rejects(registry.pushManifest(repo, manifest), fails('PROTOCOL', /PUT more than 10 times/));
    assert.equal(server.requests.length, 11);
    const nowhere = await fakeRegistry(t, (_, response) => response.writeHead(307).end());
    await assert.rejects(nowhere.registry.pushManifest(repo, manifest), fails('PROTOCOL', /PUT without saying where/));
  });
});

describe('the source of an upload that is sent again before its first request has ended', () => {
  it('is not taken for failed by what becomes of that', async () => {
    const pieces = [randomBytes(100_000), randomBytes(100_000)];
    const whole = Buffer.concat(pieces);
    const descriptor = { mediaType: 'a/b', digest: await digestBytes(whole), size: whole.length };
    let cancelled = 0;
    const content = {
      descriptor,
      async *[Symbol.asyncIterator]() {
        yield* pieces;
      },
      async drainTo(sink: Sink) {
        for (const piece of pieces) await sink.write(piece);
      },
      async cancel() {
        cancelled += 1;
      },
    };
    const upload = new UploadSource(descriptor, { open: async () => content }, undefined);
    const first = upload.whole();
    await first.next();
    const second = upload.whole();
    const sent = [(await second.next()).value];
    assert.equal(cancelled, 1);
    await first.next();
    await first.return();
    assert.equal(cancelled, 1);
    for await (const piece of second) sent.push(piece);
    assert.deepEqual(Buffer.concat(sent.flatMap((piece) => piece ?? [])), whole);
    assert.equal(upload.failure, undefined);
  });
});
