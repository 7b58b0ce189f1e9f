import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { pathScope, scoped } from '../../../src/registry/wrappers/scoped.ts';
import type { ServeOptions } from '../../../src/server/options.ts';
import type { BlobUrlSigner } from '../../../src/storage/driver.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { ask, putBlob, repo, type Served, startServer } from '../client.ts';

const path = (digest: string, of: string = repo): string => `/v2/${of}/blobs/${digest}`;

/** A store whose URLs are made up, and for how long each was asked to live. */
function withUrls(url: BlobUrlSigner['url'] = async (at) => `http://store.test/${at}?secret`) {
  const lives: number[] = [];
  const blobUrls: BlobUrlSigner = {
    url(at, opts) {
      lives.push(opts.validMs);
      return url(at, opts);
    },
  };
  return { lives, registry: createStorage({ driver: createMemoryDriver(), blobUrls }) };
}

function redirecting(t: TestContext, registry: Registry, more: Partial<ServeOptions> = {}): Promise<Served> {
  return startServer(t, { registry, redirects: () => true, ...more });
}

describe('a server whose blobs are downloaded from its store', () => {
  it('answers 307 with a URL that lives 20 minutes and that no cache keeps', async (t) => {
    const { registry, lives } = withUrls();
    const server = await redirecting(t, registry);
    const { digest } = await putBlob(registry, Buffer.from('0123456789'));
    const hex = digest.slice('sha256:'.length);
    const { status, headers, body } = await ask(server, 'GET', path(digest));
    assert.equal(status, 307);
    assert.equal(
      headers.location,
      `http://store.test/docker/registry/v2/blobs/sha256/${hex.slice(0, 2)}/${hex}/data?secret`,
    );
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['docker-content-digest'], digest);
    assert.equal(body.length, 0);
    assert.deepEqual(lives, [20 * 60_000]);
    assert.doesNotMatch(JSON.stringify(server.log), /secret/);
  });

  it('redirects a range too, since the client asks the store for it', async (t) => {
    const { registry } = withUrls();
    const server = await redirecting(t, registry);
    const { digest } = await putBlob(registry, Buffer.from('0123456789'));
    assert.equal((await ask(server, 'GET', path(digest), { headers: { range: 'bytes=2-3' } })).status, 307);
  });

  it('answers HEAD and what the client has already itself', async (t) => {
    const { registry, lives } = withUrls();
    const server = await redirecting(t, registry);
    const { digest } = await putBlob(registry, Buffer.from('0123456789'));
    const head = await ask(server, 'HEAD', path(digest));
    assert.deepEqual([head.status, head.headers['content-length']], [200, '10']);
    const known = await ask(server, 'GET', path(digest), { headers: { 'if-none-match': `"${digest}"` } });
    assert.equal(known.status, 304);
    assert.deepEqual(lives, []);
  });

  it('decides by the size and by the address of the client', async (t) => {
    const { registry } = withUrls();
    const asked: unknown[] = [];
    const server = await redirecting(t, registry, {
      isProxy: () => true,
      redirects: (download) => {
        asked.push(download);
        return download.size >= 10 && download.remoteAddress !== '10.0.0.7';
      },
    });
    const large = await putBlob(registry, Buffer.from('0123456789'));
    const small = await putBlob(registry, Buffer.from('012345678'));
    const get = async ({ digest }: { readonly digest: string }, from: string, range?: string) => {
      const headers = { 'x-forwarded-for': from, ...(range !== undefined && { range }) };
      const { status, body } = await ask(server, 'GET', path(digest), { headers });
      return `${status} ${body}`;
    };
    assert.equal(await get(large, '192.0.2.1'), '307 ');
    assert.equal(await get(small, '192.0.2.1'), '200 012345678');
    assert.equal(await get(large, '10.0.0.7'), '200 0123456789');
    assert.equal(await get(large, '10.0.0.7', 'bytes=2-3'), '206 23');
    assert.match(await get(large, '10.0.0.7', 'bytes=10-'), /^416 .*RANGE_INVALID/);
    assert.deepEqual(asked[0], { size: 10, remoteAddress: '192.0.2.1' });
  });

  it('sends the bytes itself where there is no URL at the moment', async (t) => {
    const { registry } = withUrls(async () => undefined);
    const server = await redirecting(t, registry);
    const { digest } = await putBlob(registry, Buffer.from('0123456789'));
    const { status, body } = await ask(server, 'GET', path(digest));
    assert.deepEqual([status, body.toString()], [200, '0123456789']);
  });

  it('makes no URL for what is not there, is refused, or is out of sight', async (t) => {
    const { registry, lives } = withUrls();
    const absent = `sha256:${'0'.repeat(64)}`;
    const { digest } = await putBlob(registry, Buffer.from('0123456789'));
    const other = parseRepositoryName('other/app');
    const hidden = await putBlob(registry, Buffer.from('hidden'), other);
    const server = await redirecting(t, scoped(registry, pathScope(parseRepositoryName('team'))));
    for (const [of, blob] of [
      [repo, absent],
      [repo, hidden.digest],
      [other, hidden.digest],
    ] as const) {
      assert.equal((await ask(server, 'GET', path(blob, of))).status, 404);
    }
    const closed = await redirecting(t, registry, {
      authorize: async () => ({ outcome: 'deny' }),
    });
    assert.equal((await ask(closed, 'GET', path(digest))).status, 403);
    assert.deepEqual(lives, []);
    assert.equal((await ask(server, 'GET', path(digest))).status, 307);
  });

  it('sends the bytes where the registry has no such URLs', async (t) => {
    const server = await startServer(t, { redirects: () => true });
    const { digest } = await putBlob(server.registry, Buffer.from('0123456789'));
    assert.equal((await ask(server, 'GET', path(digest))).status, 200);
  });
});
