import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { garbageCollector } from '../../../src/registry/extensions.ts';
import { blobPath } from '../../../src/storage/paths.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { imageWith, madeBytes, pushBytes, repo, text } from '../../storage/stores.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { s3Drivers } from '../../support/programs/s3-drivers.ts';
import { needs } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';

const stores = s3Drivers();

async function served(t: TestContext): Promise<{ url: string; proxy: FaultProxy } | undefined> {
  if (!needs(t, 'versitygw')) return undefined;
  const proxy = await startFaultProxy(t, (await stores.gateway()).url);
  // As `serve` keeps what was uploaded for an hour: one lease for many uploads.
  const registry = createStorage({ driver: await stores.open({ url: proxy.url }), keepUnusedMs: 3_600_000 });
  const { url } = await startServe(t, { registry });
  await push(url, madeBytes('the first opens a lease', 1000), { patch: false });
  proxy.requests.length = 0;
  return { url, proxy };
}

async function push(url: string, body: Uint8Array, { patch }: { readonly patch: boolean }): Promise<void> {
  const opened = await fetch(`${url}/v2/app/blobs/uploads/`, { method: 'POST' });
  let place = new URL(opened.headers.get('location') ?? '', url);
  if (patch) {
    const patched = await fetch(place, { method: 'PATCH', body });
    assert.equal(patched.status, 202, await patched.text());
    place = new URL(patched.headers.get('location') ?? '', url);
  }
  place.searchParams.set('digest', await digestBytes(body));
  const closed = await fetch(place, { method: 'PUT', ...(!patch && { body }) });
  assert.equal(closed.status, 201, await closed.text());
}

const told = ({ requests }: FaultProxy): string =>
  requests.map(({ method, path, status }) => `${method} ${path.replace(/^\/[^/]+\/[^/]+\//, '')} ${status}`).join('\n');

/** Those that do not come each so often, for the lease. */
const ownRequests = ({ requests }: FaultProxy): number => requests.filter(({ path }) => !/\/beat$/.test(path)).length;

describe('the requests to a bucket', () => {
  it('for a blob of 1 MB are 7 at most, if it comes in one request', async (t) => {
    const { url, proxy } = (await served(t)) ?? {};
    if (!url || !proxy) return;
    await push(url, madeBytes('in one', 1_000_000), { patch: false });
    assert.ok(ownRequests(proxy) <= 7, told(proxy));
  });

  it('for a GET are two for a blob, three and then two for a manifest, and one for a list of tags', async (t) => {
    const { url, proxy } = (await served(t)) ?? {};
    if (!url || !proxy) return;
    const blob = madeBytes('blob', 100_000);
    await push(url, blob, { patch: false });
    const config = { mediaType: mediaTypes.ociConfig, digest: await digestBytes(blob), size: blob.length };
    const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] });
    const headers = { 'content-type': mediaTypes.ociManifest };
    const put = await fetch(`${url}/v2/app/manifests/v1`, { method: 'PUT', headers, body });
    assert.equal(put.status, 201, await put.text());
    for (const [path, requests] of [
      [`blobs/${config.digest}`, 2],
      ['manifests/v1', 3],
      ['manifests/v1', 2],
      ['tags/list', 1],
      ['tags/list', 1],
    ] as const) {
      proxy.requests.length = 0;
      const answer = await fetch(`${url}/v2/app/${path}`);
      assert.equal(answer.status, 200, await answer.text());
      if (!answer.bodyUsed) await answer.arrayBuffer();
      assert.equal(ownRequests(proxy), requests, told(proxy));
    }
  });

  it('for a manifest that is read again and again are one more each five seconds, when what others do to it is seen', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const proxy = await startFaultProxy(t, (await stores.gateway()).url);
    const clock = { ms: Date.UTC(2026, 0, 1) };
    const driver = await stores.open({ url: proxy.url, prefix: 'read-again' });
    const { url } = await startServe(t, { registry: createStorage({ driver, now: () => new Date(clock.ms) }) });
    // Another process, with the same bucket alone in common.
    const other = await stores.open({ prefix: 'read-again' });
    const registry = createStorage({ driver: other });
    const { raw } = await imageWith(registry, repo, 'read again');
    const { digest } = await registry.pushManifest(repo, raw, { tags: [parseTag('v1')] });
    const get = async (reference: string, requests: number): Promise<number> => {
      proxy.requests.length = 0;
      const answer = await fetch(`${url}/v2/${repo}/manifests/${reference}`);
      const bytes = Buffer.from(await answer.arrayBuffer());
      assert.equal(ownRequests(proxy), requests, told(proxy));
      if (answer.ok) assert.ok(bytes.equals(raw.bytes));
      return answer.status;
    };
    assert.equal(await get('v1', 3), 200);
    for (let i = 0; i < 10; i += 1) assert.deepEqual([await get('v1', 2), await get(digest, 1)], [200, 200]);
    clock.ms += 5_000;
    assert.deepEqual([await get('v1', 3), await get('v1', 2)], [200, 200]);
    for (const [change, status] of [
      [() => other.put(blobPath(digest), text('damaged')), 500],
      [() => other.delete(blobPath(digest)), 404],
    ] as const) {
      await change();
      clock.ms += 4_999;
      assert.equal(await get('v1', 2), 200);
      clock.ms += 1;
      for (const reference of ['v1', digest, 'v1']) {
        const answer = await fetch(`${url}/v2/${repo}/manifests/${reference}`);
        assert.equal(answer.status, status, await answer.text());
      }
      // Whoever pushes it again is seen at once: what was not sound is not kept.
      await other.put(blobPath(digest), raw.bytes);
      assert.equal(await get('v1', 3), 200);
    }
  });

  it('for a blob of 1 MB are 11 at most, if it comes in a session', async (t) => {
    const { url, proxy } = (await served(t)) ?? {};
    if (!url || !proxy) return;
    await push(url, madeBytes('in a session', 1_000_000), { patch: true });
    assert.ok(ownRequests(proxy) <= 11, told(proxy));
  });

  it('for a blob that comes in a single POST are those of its parts, at its place, without a session', async (t) => {
    const { url, proxy } = (await served(t)) ?? {};
    if (!url || !proxy) return;
    for (const size of [1_000_000, 11_000_000]) {
      proxy.requests.length = 0;
      const bytes = madeBytes(`posted ${size}`, size);
      const digest = await digestBytes(bytes);
      const posted = await fetch(`${url}/v2/app/blobs/uploads/?digest=${digest}`, { method: 'POST', body: bytes });
      assert.equal(posted.status, 201, await posted.text());
      assert.ok(!proxy.requests.some(({ headers }) => 'x-amz-copy-source' in headers), told(proxy));
      assert.ok(
        !proxy.requests.some(({ method, path }) => method === 'PUT' && /_uploads.*data/.test(path)),
        told(proxy),
      );
      if (size === 1_000_000) assert.ok(ownRequests(proxy) <= 6, told(proxy));
      const stored = await fetch(`${url}/v2/app/blobs/${digest}`);
      assert.equal(await digestBytes(new Uint8Array(await stored.arrayBuffer())), digest);
    }
  });

  it('for a collection are few, however many blobs it removes', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const proxy = await startFaultProxy(t, (await stores.gateway()).url);
    const registry = createStorage({ driver: await stores.open({ url: proxy.url }) });
    for (let i = 0; i < 30; i += 1) await pushBytes(registry, repo, madeBytes(`loose ${i}`, 100));
    proxy.requests.length = 0;
    const collected = await registry.extension(garbageCollector)?.collect();
    assert.equal(collected?.freed.count, 30);
    const removals = proxy.requests.filter(({ method, path }) => method === 'DELETE' && path.includes('/docker/'));
    assert.equal(removals.length, 0, told({ ...proxy, requests: removals }));
    assert.equal(proxy.requests.filter(({ method, path }) => method === 'POST' && /[?]delete/.test(path)).length, 2);
    assert.equal((await registry.extension(garbageCollector)?.collect())?.freed.count, 0);
  });

  it('send a large blob once, to its place, if its digest comes before it', async (t) => {
    const { url, proxy } = (await served(t)) ?? {};
    if (!url || !proxy) return;
    const bytes = madeBytes('large', 11_000_000);
    await push(url, bytes, { patch: false });
    const sent = proxy.requests.filter(({ receivedBytes }) => receivedBytes > 1_000_000);
    assert.ok(
      sent.every(({ path }) => /\/blobs\/sha256\/..\/[0-9a-f]{64}\/data\?partNumber=\d/.test(path)),
      told(proxy),
    );
    // Its bytes are hashed once, for its digest.
    assert.ok(
      sent.every(({ headers }) => headers['x-amz-content-sha256'] === 'UNSIGNED-PAYLOAD'),
      told(proxy),
    );
    assert.ok(!proxy.requests.some(({ headers }) => 'x-amz-copy-source' in headers), told(proxy));
    const stored = await fetch(`${url}/v2/app/blobs/${await digestBytes(bytes)}`);
    assert.equal(await digestBytes(new Uint8Array(await stored.arrayBuffer())), await digestBytes(bytes));
  });
});
