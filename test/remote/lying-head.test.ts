import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseTag } from '../../src/model/reference/reference.ts';
import { repository } from '../../src/registry/repository.ts';
import { fallback } from '../../src/registry/wrappers/fallback/fallback.ts';
import { type Answer, json } from '../support/fake-server.ts';
import { fails, fakeRegistry, repo } from './fake-registry.ts';
import { methods } from './fake-uploads.ts';

const latest = parseTag('latest');
const config = { mediaType: mediaTypes.ociConfig, digest: await digestBytes(Buffer.from('{}')), size: 2 };
const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] }));
const digest = await digestBytes(bytes);
const descriptor = { mediaType: mediaTypes.ociManifest, digest, size: bytes.length };
const found = { 'content-type': mediaTypes.ociManifest, 'content-length': bytes.length };
const words = { errors: [{ code: 'DENIED', message: 'ask ada for access' }] };

const serve: Answer = ({ method }, response) => {
  response.writeHead(200, { ...found, 'docker-content-digest': digest }).end(method === 'HEAD' ? undefined : bytes);
};
const unlessHead =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (request, response, incoming) =>
    request.method === 'HEAD' ? response.writeHead(status, headers).end() : serve(request, response, incoming);

describe('a registry whose answer to HEAD of a manifest is wrong', () => {
  for (const status of [301, 401, 403, 404, 500, 501, 502, 503]) {
    it(`is asked by GET after a ${status}, once`, async (t) => {
      const { registry, server } = await fakeRegistry(t, unlessHead(status));
      assert.deepEqual(await registry.statManifest(repo, latest), descriptor);
      assert.deepEqual(await registry.statManifest(repo, digest), descriptor);
      assert.equal(methods(server.requests), 'HEAD GET HEAD GET');
    });
  }

  it('is asked by GET where HEAD alone wants a login', async (t) => {
    const { registry, server } = await fakeRegistry(t, unlessHead(401, { 'www-authenticate': 'Basic realm="r"' }));
    assert.deepEqual(await registry.statManifest(repo, latest), descriptor);
    assert.equal(methods(server.requests), 'HEAD GET');
  });

  it('is asked by GET with the token that HEAD was refused with, and for no other one', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ path, headers }, response) => {
      if (path === '/token') return json(response, 200, { token: 't' });
      const challenge = `Bearer realm="http://${headers.host}/token",service="s"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    await assert.rejects(registry.statManifest(repo, latest), fails('DENIED'));
    assert.deepEqual(
      server.lines.map((line) => line.split('/')[0] + (line.endsWith('/token') ? 'token' : '')),
      ['HEAD ', 'GET token', 'HEAD ', 'GET '],
    );
  });

  it('is not asked more after a 429 than it wants', async (t) => {
    const { registry, server } = await fakeRegistry(t, unlessHead(429), { attempts: 2 });
    await assert.rejects(registry.statManifest(repo, latest), fails('TOOMANYREQUESTS'));
    assert.equal(methods(server.requests), 'HEAD HEAD');
  });

  it('tells why with GET', async (t) => {
    const { registry } = await fakeRegistry(t, ({ method }, response) =>
      method === 'HEAD' ? response.writeHead(403).end() : json(response, 403, words),
    );
    await assert.rejects(registry.statManifest(repo, latest), fails('DENIED', /ask ada for access/));
  });

  it('is believed a 404 where absence is an expected answer, and no other failure', async (t) => {
    const there = await fakeRegistry(t, unlessHead(404));
    assert.equal(await repository(there.registry, repo).manifests.exists(latest), false);
    assert.equal(methods(there.server.requests), 'HEAD');
    const denied = await fakeRegistry(t, unlessHead(403));
    assert.equal(await repository(denied.registry, repo).manifests.exists(latest), true);
    assert.equal(methods(denied.server.requests), 'HEAD GET');
  });
});

describe('a mirror', () => {
  it('is believed a 404, since it may lack an image, and an origin is asked by GET as well', async (t) => {
    const [mirror, origin] = [await fakeRegistry(t, unlessHead(404)), await fakeRegistry(t, unlessHead(404))];
    const registry = fallback([
      { name: 'mirror', kind: 'mirror', open: async () => mirror.registry },
      { name: 'origin', kind: 'origin', open: async () => origin.registry },
    ]);
    assert.deepEqual(await registry.statManifest(repo, latest), descriptor);
    assert.equal(methods(mirror.server.requests), 'HEAD');
    assert.equal(methods(origin.server.requests), 'HEAD GET');
  });
});

describe('a registry that knows a manifest by its tag alone', () => {
  const byTag =
    (tagged: Uint8Array): Answer =>
    (request, response, incoming) => {
      if (!request.path.endsWith('/latest')) return response.writeHead(404).end();
      if (request.method === 'HEAD') return serve(request, response, incoming);
      response.writeHead(200, { 'content-type': mediaTypes.ociManifest }).end(tagged);
    };

  it('gives it by the tag that was seen to have its digest', async (t) => {
    const { registry, server } = await fakeRegistry(t, byTag(bytes));
    await assert.rejects(registry.getManifest(repo, digest), fails('MANIFEST_UNKNOWN'));
    const seen = await registry.statManifest(repo, latest);
    assert.deepEqual((await registry.getManifest(repo, seen.digest)).descriptor, descriptor);
    assert.equal(methods(server.requests), 'GET HEAD GET GET');
  });

  it('gives nothing else, where the tag has moved', async (t) => {
    const { registry } = await fakeRegistry(t, byTag(Buffer.from(bytes.toString().replace('2', ' 2'))));
    const seen = await registry.statManifest(repo, latest);
    await assert.rejects(registry.getManifest(repo, seen.digest), fails('MANIFEST_UNKNOWN'));
  });
});
