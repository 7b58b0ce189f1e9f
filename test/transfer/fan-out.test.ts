import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { type Content, streamContent } from '../../src/registry/content.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { EachBatch } from '../../src/transfer/fan-out/each-batch.ts';
import type { TransferResult, TransferRoot } from '../../src/transfer/transfer.ts';
import { type Built, blobsIn, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { randomLayer } from '../support/layer.ts';
import { localStore } from '../support/local-store.ts';
import { memoryRegistry } from '../support/memory.ts';
import { intercept } from '../support/network/intercept.ts';

const repo = parseRepositoryName('team/app');
const tag = parseTag('v1');
const MiB = 1024 * 1024;

/** A source that counts what is read of it. */
interface Counted {
  readonly registry: Registry;
  readonly image: Built;
  readonly read: { bytes: number; blobs: number; manifests: number };
}

async function counted(...sizes: readonly number[]): Promise<Counted> {
  const images = await Promise.all(
    ['amd64', 'arm64'].map(async (architecture, i) =>
      buildImage({
        platform: { os: 'linux', architecture },
        layers: await Promise.all(sizes.map((size, n) => randomLayer(size, `${i}-${n}`))),
      }),
    ),
  );
  const image = await buildIndex(images);
  const registry = memoryRegistry();
  await pushImage(registry, repo, tag, image);
  const read = { bytes: 0, blobs: 0, manifests: 0 };
  const counter = intercept(registry, {
    getManifest: (next, ...args) => {
      read.manifests += 1;
      return next(...args);
    },
    getBlob: async (next, ...args) => {
      read.blobs += 1;
      const content = await next(...args);
      return counting(content, (bytes) => {
        read.bytes += bytes;
      });
    },
  });
  return { registry: counter, image, read };
}

function counting(content: Content, count: (bytes: number) => void): Content {
  // In small pieces, as a network gives them.
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of content) {
      for (let at = 0; at < chunk.length; at += 65_536) {
        const piece = chunk.subarray(at, at + 65_536);
        count(piece.length);
        yield piece;
      }
    }
  };
  return streamContent(content.descriptor, pieces(), () => content.cancel());
}

function copyTo(
  source: Registry,
  targets: readonly Registry[],
  holdMs?: number,
): Promise<readonly PromiseSettledResult<TransferResult>[]> {
  const from = { registry: source, repo, reference: tag };
  const roots = targets.map((registry) => async () => ({ from, to: { registry, repo, tags: [tag] } }));
  return copyRoots(roots, { from, holdMs });
}

function copyRoots(
  roots: readonly (() => Promise<TransferRoot>)[],
  options: ConstructorParameters<typeof EachBatch>[1],
): Promise<readonly PromiseSettledResult<TransferResult>[]> {
  const batch = new EachBatch(roots.length, options);
  const results = batch.transfer(roots);
  batch.end();
  return results;
}

async function assertThere(registry: Registry, image: Built): Promise<void> {
  assert.equal((await registry.statManifest(repo, tag)).digest, image.descriptor.digest);
  for (const { descriptor } of blobsIn(image)) await registry.statBlob(repo, descriptor.digest);
}

function sizeOf(image: Built): number {
  return blobsIn(image).reduce((sum, { descriptor }) => sum + descriptor.size, 0);
}

/** A registry that takes no byte before it is released. */
function stuck(registry: Registry): { readonly registry: Registry; release(): void } {
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const until = (signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      released.then(resolve);
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  const slow = intercept(registry, {
    pushBlob: async (next, to, descriptor, source, opts) => {
      const gate = until(opts?.signal);
      gate.catch(() => {});
      const open: typeof source.open = async (offset, options) => {
        const content = await source.open(offset, options);
        const drainTo: Content['drainTo'] = (sink, drain) =>
          content.drainTo({ write: (chunk) => gate.then(() => sink.write(chunk)) }, drain);
        return { ...content, drainTo };
      };
      return next(to, descriptor, { ready: async (given) => source.ready?.(given), open }, opts);
    },
  });
  return { registry: slow, release };
}

describe('a transfer to several destinations', () => {
  it('reads each blob and manifest of the source once', async () => {
    const { registry, image, read } = await counted(3 * MiB, 200_000, 5 * MiB, 10);
    const targets = [memoryRegistry(), memoryRegistry(), memoryRegistry()];
    const results = await copyTo(registry, targets);
    for (const result of results) assert.equal(result.status, 'fulfilled');
    for (const target of targets) await assertThere(target, image);
    assert.equal(read.bytes, sizeOf(image));
    assert.deepEqual([read.blobs, read.manifests], [blobsIn(image).length, 3]);
  });

  it('sends a destination only what it lacks', async () => {
    const { registry, image, read } = await counted(3 * MiB, 200_000);
    const [full, half, empty] = [memoryRegistry(), memoryRegistry(), memoryRegistry()];
    await pushImage(full, repo, tag, image);
    const [first] = image.children;
    assert.ok(first);
    await pushImage(half, repo, undefined, first);
    const results = await copyTo(registry, [full, half, empty]);
    const bytes = results.map((result) => (result.status === 'fulfilled' ? result.value.transferredBytes : undefined));
    assert.deepEqual(bytes, [0, sizeOf(image) - sizeOf(first), sizeOf(image)]);
    assert.equal(read.bytes, sizeOf(image));
  });

  it('goes on without a destination that fails, and reads nothing twice for it', async () => {
    const { registry, image, read } = await counted(3 * MiB, 200_000);
    const failing = intercept(memoryRegistry(), {
      pushBlob: async (_next, _repo, _descriptor, source) => {
        const content = await source.open(0);
        for await (const chunk of content) throw new Error(`no room for ${chunk.length} bytes`);
        throw new Error('there was nothing');
      },
    });
    const targets = [memoryRegistry(), failing, memoryRegistry()];
    const results = await copyTo(registry, targets);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    for (const target of [0, 2]) await assertThere(targets[target] as Registry, image);
    assert.equal(read.bytes, sizeOf(image));
  });

  it('leaves a slow destination behind, which then reads where another one has it', async () => {
    const { registry, image, read } = await counted(9 * MiB, 200_000);
    const slow = stuck(memoryRegistry());
    const fast = [memoryRegistry(), memoryRegistry()];
    const all = copyTo(registry, [fast[0] as Registry, slow.registry, fast[1] as Registry], 50);
    for (const target of fast) {
      while (!(await target.statManifest(repo, tag).catch(() => undefined)))
        await new Promise((r) => setTimeout(r, 10));
      await assertThere(target, image);
    }
    slow.release();
    for (const result of await all) if (result.status === 'rejected') throw result.reason;
    await assertThere(slow.registry, image);
    assert.equal(read.bytes, sizeOf(image));
  });

  it('brings a blob once to a store that is the destination under two names', async (t) => {
    const { registry, image, read } = await counted(9 * MiB, 200_000);
    const store = await localStore(t);
    const from = { registry, repo, reference: tag };
    const names = [repo, parseRepositoryName('team/other')];
    const roots = names.map((name) => async () => ({
      from,
      to: { registry: store, repo: name, tags: [tag], sparse: true },
    }));
    // Nobody leaves a slow one behind.
    for (const result of await copyRoots(roots, { from, holdMs: 100_000_000 }))
      assert.equal(result.status, 'fulfilled');
    for (const name of names) {
      assert.equal((await store.statManifest(name, tag)).digest, image.descriptor.digest);
      for (const { descriptor } of blobsIn(image)) await store.statBlob(name, descriptor.digest);
    }
    assert.equal(read.bytes, sizeOf(image));
  });

  it('keeps a bounded part of a blob in memory for a slow destination', async () => {
    const { registry, image, read } = await counted(32 * MiB);
    const slow = stuck(memoryRegistry());
    const all = copyTo(registry, [memoryRegistry(), slow.registry], 100_000_000);
    for (let seen = -1; read.bytes > seen; ) {
      seen = read.bytes;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(read.bytes <= 2 * (2 * MiB + 65_536) + 100_000, String(read.bytes));
    slow.release();
    for (const result of await all) if (result.status === 'rejected') throw result.reason;
    assert.equal(read.bytes, sizeOf(image));
  });

  it('reads the source again where no other destination has the blob', async () => {
    const { registry, image, read } = await counted(9 * MiB);
    const slow = stuck(memoryRegistry());
    let isLost: () => void = () => {};
    const lostOne = new Promise<void>((resolve) => {
      isLost = resolve;
    });
    const lost = intercept(memoryRegistry(), {
      pushBlob: async (next, to, descriptor, source, opts) => {
        if (descriptor.size < MiB) return next(to, descriptor, source, opts);
        const content = await source.open(0);
        let bytes = 0;
        for await (const chunk of content) bytes += chunk.length;
        isLost();
        throw new Error(`lost ${bytes} bytes`);
      },
    });
    const all = copyTo(registry, [lost, slow.registry], 50);
    await lostOne;
    slow.release();
    assert.deepEqual(
      (await all).map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
    await assertThere(slow.registry, image);
    assert.ok(read.bytes > sizeOf(image));
  });

  it('fails for each where the source lacks a blob, and stops everywhere when it is told to', async () => {
    const { registry } = await counted(9 * MiB);
    const lacking = intercept(registry, {
      getBlob: async () => {
        throw new Error('gone');
      },
    });
    const failed = await copyTo(lacking, [memoryRegistry(), memoryRegistry()]);
    for (const result of failed) assert.match(String(result.status === 'rejected' && result.reason), /gone/);
    const stop = new AbortController();
    const { registry: slow } = stuck(memoryRegistry());
    const from = { registry, repo, reference: tag };
    const roots = [memoryRegistry(), slow].map((target) => async () => ({
      from,
      to: { registry: target, repo, tags: [tag] },
    }));
    const results = copyRoots(roots, { from, signal: stop.signal, holdMs: 100_000_000 });
    setTimeout(() => stop.abort(new Error('enough')), 100);
    for (const result of await results) assert.match(String(result.status === 'rejected' && result.reason), /enough/);
  });
});
