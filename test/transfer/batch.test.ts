import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '../../src/model/digest.ts';
import { isOciError, OciError } from '../../src/model/errors.ts';
import type { TransferEvent } from '../../src/model/events.ts';
import { parsePlatform } from '../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { createBatch, type TransferBatch } from '../../src/transfer/batch.ts';
import type { TransferResult } from '../../src/transfer/transfer.ts';
import { type Built, blobsIn, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { memoryRegistry } from '../support/memory.ts';
import { intercept } from '../support/network/intercept.ts';

const repo = parseRepositoryName('team/app');

const image = (...layers: string[]): Promise<Built> =>
  buildImage({ layers: layers.map((name) => ({ files: { [name]: name.repeat(3000) } })) });

async function sourceOf(images: ReadonlyMap<string, Built>): Promise<Registry> {
  const registry = memoryRegistry();
  for (const [tag, built] of images) await pushImage(registry, repo, parseTag(tag), built);
  return registry;
}

function transfer(batch: TransferBatch, from: Registry, to: Registry, tag: string): Promise<TransferResult> {
  return batch.transfer({
    from: { registry: from, repo, reference: parseTag(tag) },
    to: { registry: to, repo, tags: [parseTag(tag)] },
  });
}

/** All tags at once. @returns What became of each of them, in the order of the tags. */
async function transferAll(
  from: Registry,
  to: Registry,
  tags: Iterable<string>,
): Promise<{ readonly outcomes: PromiseSettledResult<TransferResult>[]; readonly events: TransferEvent[] }> {
  const batch = createBatch();
  const running = [...tags].map((tag) => transfer(batch, from, to, tag));
  batch.end();
  const outcomes = await Promise.allSettled(running);
  const events: TransferEvent[] = [];
  for await (const event of batch.events) events.push(event);
  return { outcomes, events };
}

/** A registry that notes the blobs that are pushed, and takes its time. */
function noting(registry: Registry, pushed: Digest[]): Registry {
  return intercept(registry, {
    pushBlob: async (next, ...args) => {
      pushed.push(args[1].digest);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return next(...args);
    },
  });
}

describe('a batch of transfers', () => {
  it('moves what its images share once, and tells of it once', async () => {
    const images = new Map([
      ['1', await image('base', 'more', 'one')],
      ['2', await image('base', 'more', 'two')],
      ['3', await image('base', 'more', 'two')],
    ]);
    const pushed: Digest[] = [];
    const to = memoryRegistry();
    const { outcomes, events } = await transferAll(await sourceOf(images), noting(to, pushed), images.keys());
    const blobs = new Map(
      [...images.values()].flatMap(blobsIn).map(({ descriptor }) => [descriptor.digest, descriptor]),
    );
    assert.deepEqual([...pushed].sort(), [...blobs.keys()].sort());
    let transferred = 0;
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'fulfilled');
      transferred += outcome.value.transferredBytes;
    }
    assert.equal(
      transferred,
      [...blobs.values()].reduce((sum, { size }) => sum + size, 0),
    );
    for (const type of ['discovered', 'done'] as const) {
      const told = events.flatMap((event) => (event.type === type ? [event.node.digest] : []));
      assert.equal(told.length, new Set(told).size);
      assert.equal(told.length, blobs.size + 2);
    }
    for (const [tag, { descriptor }] of images) {
      assert.equal((await to.statManifest(repo, parseTag(tag))).digest, descriptor.digest);
    }
  });

  it('brings a blob to one repository of a registry at a time, and mounts it into the others', async () => {
    const other = parseRepositoryName('team/other');
    const shared = await image('base', 'more');
    const source = memoryRegistry();
    for (const each of [repo, other]) await pushImage(source, each, parseTag('1'), shared);
    const inner = memoryRegistry();
    const mounts: (string | undefined)[] = [];
    const running = new Set<Digest>();
    const to = intercept(inner, {
      async pushBlob(next, ...args) {
        const [, { digest }, , options] = args;
        assert.ok(!running.has(digest), 'the other repository waits');
        running.add(digest);
        await new Promise((resolve) => setTimeout(resolve, 5));
        mounts.push(options?.mountFrom);
        return next(...args).finally(() => running.delete(digest));
      },
    });
    const batch = createBatch();
    const results = await Promise.all(
      [repo, other].map((each) =>
        batch.transfer({
          from: { registry: source, repo: each, reference: parseTag('1') },
          // Two objects for one registry, as a service opens one for each repository.
          to: { registry: intercept(to, {}), repo: each, tags: [parseTag('1')], host: 'registry.example.com' },
        }),
      ),
    );
    assert.deepEqual([...mounts].sort(), [repo, repo, repo, undefined, undefined, undefined]);
    const outcomes = results.map(({ blobs }) => blobs.map(({ outcome }) => outcome));
    // A memory registry uses what another of its repositories has, as a store does.
    assert.deepEqual(outcomes, [Array(3).fill('transferred'), Array(3).fill('exists')]);
  });

  it('brings a blob to the second repository all the same if the first does not get it, and does not wait when stopped', async () => {
    const other = parseRepositoryName('team/other');
    const only = await image('base');
    const source = memoryRegistry();
    for (const each of [repo, other]) await pushImage(source, each, parseTag('1'), only);
    let fail: (error: Error) => void = () => {};
    const held = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const inner = memoryRegistry();
    const to = intercept(inner, {
      pushBlob: (next, ...args) => (args[0] === repo ? held : next(...args)),
    });
    const stop = new AbortController();
    for (const stopped of [true, false]) {
      const batch = createBatch(stopped ? { signal: stop.signal } : {});
      const [first, second] = [repo, other].map((each) =>
        batch.transfer({
          from: { registry: source, repo: each, reference: parseTag('1') },
          to: { registry: to, repo: each, tags: [parseTag('1')] },
        }),
      );
      first?.catch(() => {});
      for await (const event of batch.events) if (event.type === 'discovered' && event.kind === 'layer') break;
      if (stopped) {
        stop.abort(new OciError('CANCELLED', 'stopped'));
        await assert.rejects(second as Promise<unknown>, /stopped/);
      } else {
        fail(new OciError('NETWORK', 'the first did not get it'));
        await assert.rejects(first as Promise<unknown>, /did not get it/);
        assert.equal((await (second as Promise<TransferResult>)).changed, true);
      }
    }
  });

  it('tells how many images there are, and when nothing follows', async () => {
    const images = new Map([
      ['1', await image('one')],
      ['2', await image('two')],
    ]);
    const from = await sourceOf(images);
    const { events } = await transferAll(from, memoryRegistry(), ['1', '2', 'absent']);
    const last = events.findLast((event) => event.type === 'images');
    assert.deepEqual(last, { type: 'images', found: 3, finished: 2, failed: 1, complete: true });
    const complete = events.findIndex((event) => event.type === 'images' && event.complete);
    assert.ok(complete > events.findLastIndex(({ type }) => type === 'discovered'));
  });

  it('loses an image whose blob is lost, and no other; what they share arrives', async () => {
    const images = new Map([
      ['bad', await image('base', 'lost')],
      ['good', await image('base', 'kept')],
    ]);
    const lost = images.get('bad')?.blobs.at(-1)?.descriptor.digest;
    const from = intercept(await sourceOf(images), {
      getBlob: async (next, ...args) => {
        const wanted = typeof args[1] === 'string' ? args[1] : args[1].digest;
        if (wanted === lost) throw new OciError('BLOB_UNKNOWN', 'it is gone');
        return next(...args);
      },
    });
    const pushed: Digest[] = [];
    const to = memoryRegistry();
    const { outcomes } = await transferAll(from, noting(to, pushed), images.keys());
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    );
    assert.equal(pushed.length, new Set(pushed).size);
    await assert.rejects(to.statManifest(repo, parseTag('bad')), (error) => isOciError(error, 'MANIFEST_UNKNOWN'));
    await to.statManifest(repo, parseTag('good'));
  });

  it('pushes no manifest beside itself, or beside one that names it', async () => {
    const amd64 = await image('amd64');
    const arm64 = await buildImage({ platform: parsePlatform('linux/arm64'), layers: [{ files: { arm64: 'arm64' } }] });
    const index = await buildIndex([amd64, arm64]);
    const images = new Map([
      ['1', index],
      ['2', index],
      ['child', amd64],
      ['more', await buildIndex([index, await image('other')])],
      ['same', amd64],
    ]);
    const related = new Map([amd64, arm64, index].map(({ descriptor }) => [descriptor.digest, 0]));
    let pushes = 0;
    const to = intercept(memoryRegistry(), {
      pushManifest: async (next, ...args) => {
        pushes += 1;
        const { digest } = args[2] ?? {};
        const names = [amd64, arm64, index]
          .map(({ descriptor }) => descriptor.digest)
          .filter((name) => name === digest || Buffer.from(args[1].bytes).includes(name));
        for (const name of names) {
          assert.equal(related.get(name), 0, `${digest} is pushed while another push needs ${name}`);
          related.set(name, 1);
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
        return next(...args).finally(() => {
          for (const name of names) related.set(name, 0);
        });
      },
    });
    const { outcomes } = await transferAll(await sourceOf(images), to, images.keys());
    for (const outcome of outcomes) assert.equal(outcome.status, 'fulfilled', String(Object.values(outcome)));
    // One for each tag, and for those without one of their own; an image that another has brought first may need one more.
    assert.ok(pushes >= 7 && pushes <= 9, `${pushes} pushes`);
  });

  it('asks nothing of a destination whose tag was seen to be right', async () => {
    const built = await image('same');
    const from = await sourceOf(new Map([['1', built]]));
    const { digest } = built.descriptor;
    // What it is able to do costs no request.
    const get = (_: Registry, key: string) => (key === 'extension' ? () => undefined : assert.fail('asked'));
    const to = new Proxy(memoryRegistry(), { get });
    const batch = createBatch();
    const { changed, root } = await batch.transfer({
      from: { registry: from, repo, reference: parseTag('1') },
      to: { registry: to, repo, tags: [parseTag('1')], seen: { digest } },
    });
    assert.deepEqual([changed, root.digest], [false, digest]);
  });

  it('holds a bounded part of the manifests, however many images it has', async () => {
    const images = new Map<string, Built>();
    for (let at = 0; at < 60; at += 1) images.set(`v${at}`, await paddedImage(at, 512 * 1024));
    // 16 of them are 8 MiB, and nine more are being read when that is reached.
    const read = await readWhileBlobsAreHeld(images, 16);
    assert.ok(read <= 25, `${read} manifests were read`);
  });

  it('looks through one image at a time where their manifests are large', async () => {
    const images = new Map<string, Built>();
    for (let at = 0; at < 4; at += 1) {
      const children = await Promise.all([0, 1, 2, 3, 4].map((child) => paddedImage(`${at} ${child}`, 1024 * 1024)));
      images.set(`v${at}`, await buildIndex(children));
    }
    // All of one image, and of each other the index and what exceeds 2 MiB.
    const read = await readWhileBlobsAreHeld(images, 15);
    assert.equal(read, 15);
  });
});

function paddedImage(content: string | number, bytes: number): Promise<Built> {
  return buildImage({
    layers: [{ files: { a: `${content}` } }],
    annotations: { padding: 'x'.repeat(bytes) },
  });
}

/** @param least Manifests that are read at least. @returns How many are, before a blob arrives. */
async function readWhileBlobsAreHeld(images: ReadonlyMap<string, Built>, least: number): Promise<number> {
  let read = 0;
  const from = intercept(await sourceOf(images), {
    getManifest: (next, ...args) => {
      read += 1;
      return next(...args);
    },
  });
  let letGo: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const to = intercept(memoryRegistry(), { pushBlob: (next, ...args) => held.then(() => next(...args)) });
  const running = transferAll(from, to, images.keys());
  while (read < least) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const readBefore = read;
  letGo();
  const { outcomes } = await running;
  assert.ok(outcomes.every(({ status }) => status === 'fulfilled'));
  return readBefore;
}
