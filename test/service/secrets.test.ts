import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseReference, parseTag } from '../../src/model/reference/reference.ts';
import { readContent } from '../../src/registry/content.ts';
import { type FakeServer, json, startFakeServer } from '../support/fake-server.ts';
import { startServe } from '../support/registries.ts';
import { alpine, open, withImage } from './opened.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Guarded {
  readonly registry: FakeServer;
  /** Issues tokens to everyone. */
  readonly tokens: FakeServer;
  /** The server of blobs. */
  readonly storage: FakeServer;
}

/** A registry that requires tokens and redirects to its storage, each at its own origin. */
async function startGuarded(t: TestContext, behind: string, token: string, lacks = false): Promise<Guarded> {
  const forward = async (path: string, answer: Parameters<typeof json>[0], method: string): Promise<void> => {
    const response = await fetch(new URL(path, behind), { method });
    answer.writeHead(response.status, Object.fromEntries(response.headers));
    answer.end(Buffer.from(await response.arrayBuffer()));
  };
  const storage = await startFakeServer(t, ({ path, method }, response) => forward(path, response, method));
  const tokens = await startFakeServer(t, (_, response) => json(response, 200, { token }));
  const registry = await startFakeServer(t, ({ path, method, headers }, response) => {
    if (headers.authorization !== `Bearer ${token}`) {
      const challenge = `Bearer realm="${tokens.url}token",service="test"`;
      return json(response, 401, { errors: [{ code: 'UNAUTHORIZED' }] }, { 'www-authenticate': challenge });
    }
    if (lacks) return json(response, 404, { errors: [{ code: 'MANIFEST_UNKNOWN' }] });
    if (!path.includes('/blobs/')) return forward(path, response, method);
    response.writeHead(307, { location: new URL(`${path.slice(1)}?sig=x`, storage.url).href }).end();
  });
  return { registry, tokens, storage };
}

async function pullAll(t: TestContext, name: string, given: Parameters<typeof open>[1]): Promise<void> {
  const { service } = await open(t, given);
  const reference = parseReference(name);
  const registry = await service.open(reference, 'pull');
  const { bytes } = await registry.getManifest(reference.path, parseTag('latest'));
  const { layers } = JSON.parse(Buffer.from(bytes).toString()) as { layers: { digest: string; size: number }[] };
  for (const layer of layers) {
    const content = await registry.getBlob(reference.path, layer as Parameters<typeof registry.getBlob>[1]);
    assert.equal((await readContent(content, 1_000_000)).length, layer.size);
  }
}

const said = (server: FakeServer): string =>
  JSON.stringify(server.requests.map(({ path, query, headers, body }) => [path, `${query}`, headers, `${body}`]));

describe('credentials', () => {
  const secret = base64('ada:hub-secret');
  const auths = { 'https://index.docker.io/v1/': { auth: secret } };

  it('of Docker Hub go to its token server alone: not to a mirror, its token server or its storage', async (t) => {
    const behind = await startServe(t, { registry: await withImage('hub') });
    const mirror = await startGuarded(t, behind.url, 'mirror-token', true);
    const hub = await startGuarded(t, behind.url, 'hub-token');
    await pullAll(t, 'alpine', {
      daemon: { 'registry-mirrors': [mirror.registry.url] },
      config: { auths, HttpHeaders: { 'X-Meta': 'meta-secret' } },
      defaultRegistry: hub.registry.url,
    });
    assert.ok(mirror.registry.requests.length > 1 && mirror.tokens.requests.length > 0, 'the mirror was asked');
    for (const server of [mirror.registry, mirror.tokens]) {
      assert.ok(![secret, 'hub-secret', 'hub-token', 'meta-secret', 'ada'].some((text) => said(server).includes(text)));
    }
    assert.ok(hub.tokens.requests.every(({ headers }) => headers.authorization === `Basic ${secret}`));
    assert.doesNotMatch(said(hub.tokens), /meta-secret/);
    assert.ok(!said(hub.registry).includes(secret), 'the registry itself gets the token');
    assert.ok(hub.storage.requests.length > 0, 'the blobs came from its storage');
    assert.doesNotMatch(said(hub.storage), /authorization|hub-token|meta-secret/);
  });

  it('of a registry are not seen by another’s token server or storage', async (t) => {
    const behind = await startServe(t, { registry: await withImage('own') });
    const other = await startGuarded(t, behind.url, 'other-token');
    const own = await startGuarded(t, behind.url, 'own-token');
    const config = { auths: { ...auths, [own.registry.host]: { auth: base64('eve:own-secret') } } };
    await pullAll(t, `${other.registry.host}/${alpine.path}`, { config });
    for (const server of [other.registry, other.tokens, other.storage]) {
      assert.doesNotMatch(said(server), /Basic/);
    }
    await pullAll(t, `${own.registry.host}/${alpine.path}`, { config });
    assert.ok(
      own.tokens.requests.every(({ headers }) => headers.authorization === `Basic ${base64('eve:own-secret')}`),
    );
    assert.doesNotMatch(said(own.storage), /authorization|own-token/);
  });
});
