import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createAuthorizer } from '../../src/auth/authorizer.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { createRemote } from '../../src/remote/remote.ts';
import { createTransport } from '../../src/transport/transport.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { randomLayer } from '../support/layer.ts';
import { startServe } from '../support/registries.ts';
import { atEnd } from '../support/sandbox.ts';

const repo = parseRepositoryName('team/app');
const tag = parseTag('1');

interface Watched {
  readonly registry: Registry;
  readonly proxy: FaultProxy;
  /** What was told of requests without a listener: what they were for. */
  readonly told: (string | undefined)[];
}

async function watch(t: TestContext): Promise<Watched> {
  const { registry: inner, url } = await startServe(t);
  await pushImage(inner, repo, tag, await buildImage({ layers: [{ files: { a: 'a' } }] }));
  const proxy = await startFaultProxy(t, url);
  const told: (string | undefined)[] = [];
  const transport = createTransport({
    base: new URL(proxy.url),
    retry: { wait: async () => {} },
    onWait: ({ what }) => told.push(what),
  });
  atEnd(t, () => transport.close());
  const authorizer = createAuthorizer({ transport, credentials: async () => undefined });
  return { registry: createRemote({ name: proxy.host, transport, authorizer }), proxy, told };
}

const later = { status: 429, headers: { 'retry-after': '7' }, times: 1 };

async function push({ registry }: Watched, bytes: number, seed: string): Promise<readonly unknown[]> {
  const { descriptor, source } = await randomLayer(bytes, seed);
  const heard: unknown[] = [];
  await registry.pushBlob(repo, descriptor, source, { onWait: (...facts) => heard.push(facts) });
  return heard;
}

describe('a wait within the upload of a blob', () => {
  for (const [method, bytes] of [
    ['POST', 1000],
    ['PUT', 1000],
    ['HEAD', 1_000_000],
    ['POST', 1_000_000],
    ['PUT', 1_000_000],
  ] as const) {
    it(`is told to who pushes it: ${method}, ${bytes} bytes`, async (t) => {
      const watched = await watch(t);
      watched.proxy.fail({ ...later, method, path: /\/blobs\// });
      const heard = await push(watched, bytes, method);
      assert.deepEqual(heard, [[`${watched.proxy.host} asks to wait 7 seconds (429)`, { seconds: 7 }]]);
      assert.deepEqual(watched.told, []);
    });
  }

  it('is told of a chunk too, after an interruption', async (t) => {
    const watched = await watch(t);
    watched.proxy.fail({ method: 'PUT', cutAfterBytes: 0, times: 1 });
    watched.proxy.fail({ ...later, method: 'PATCH' });
    const heard = await push(watched, 1_000_000, 'chunk');
    assert.deepEqual(heard, [
      [`${watched.proxy.host}: the connection was cut, trying again`, {}],
      [`${watched.proxy.host} asks to wait 7 seconds (429)`, { seconds: 7 }],
    ]);
  });
});

describe('a wait of another request', () => {
  it('is told to the listener of the transport', async (t) => {
    const { registry, proxy, told } = await watch(t);
    const manifest = await registry.getManifest(repo, tag);
    for (const method of ['HEAD', 'GET', 'PUT']) proxy.fail({ ...later, method, path: /\/manifests\// });
    proxy.fail({ ...later, path: /\/tags\/list/ });
    await registry.statManifest(repo, tag);
    await registry.getManifest(repo, tag);
    await registry.pushManifest(repo, manifest, { tags: [tag] });
    for await (const _ of registry.tags(repo));
    assert.deepEqual(told, [...Array.from({ length: 3 }, () => `manifest 1 of ${repo}`), `the tags of ${repo}`]);
  });
});
