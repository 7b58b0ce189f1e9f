import assert from 'node:assert/strict';
import { digestBytes } from '../../src/model/digest.ts';
import { bytesSource, streamContent } from '../../src/registry/content.ts';
import {
  assertNoBlob,
  blobOf,
  check,
  failsWith,
  freshRepository,
  isWriter,
  pushBytes,
  read,
  type Suite,
  uniqueBytes,
  watched,
} from './contract.ts';

export function pushContract(suite: Suite): void {
  check(suite, 'says that a blob was pushed, then that it exists', async ({ registry, repo }) => {
    const bytes = uniqueBytes(2000);
    const descriptor = await blobOf(bytes);
    const first = await registry.pushBlob(repo, descriptor, bytesSource(descriptor, bytes));
    assert.equal(first.outcome, 'pushed');
    assert.equal(first.descriptor.digest, descriptor.digest);
    assert.equal(first.descriptor.size, 2000);
    const source = watched(bytesSource(descriptor, bytes));
    assert.equal((await registry.pushBlob(repo, descriptor, source)).outcome, 'exists');
    assert.deepEqual(source.openedAt, [], 'a source is not opened when its bytes are not needed');
  });

  check(suite, 'mounts a blob from another repository without its bytes', async ({ registry, repo }) => {
    const bytes = uniqueBytes(2000);
    const from = freshRepository();
    const descriptor = await pushBytes(registry, from, bytes);
    const source = watched(bytesSource(descriptor, bytes));
    const result = await registry.pushBlob(repo, descriptor, source, { mountFrom: from });
    // A storage that finds the blob in its own files may report that it exists.
    assert.notEqual(result.outcome, 'pushed');
    assert.deepEqual(source.openedAt, []);
    assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes));
  });

  check(suite, 'sends the bytes when the other repository lacks the blob', async ({ registry, repo }) => {
    const bytes = uniqueBytes(2000);
    const descriptor = await blobOf(bytes);
    const mountFrom = freshRepository();
    const result = await registry.pushBlob(repo, descriptor, bytesSource(descriptor, bytes), { mountFrom });
    assert.equal(result.outcome, 'pushed');
    assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes));
  });

  check(suite, 'accepts any way a source cuts its bytes into chunks', async ({ registry, repo }) => {
    const bytes = uniqueBytes(200_000);
    const descriptor = await blobOf(bytes);
    const cut = function* (from: number): Generator<Uint8Array, void, undefined> {
      let length = 1;
      for (let at = from; at < bytes.length; at += length) {
        length = 1 + ((length * 7) % 40_000);
        yield bytes.subarray(at, at + length);
        yield new Uint8Array(0);
      }
    };
    const open = async (offset: number) => streamContent(descriptor, cut(offset));
    await registry.pushBlob(repo, descriptor, { open });
    assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes));
  });

  check(suite, 'keeps no chunk that its source uses again', async ({ registry, repo }) => {
    const bytes = uniqueBytes(200_000);
    const descriptor = await blobOf(bytes);
    const buffer = new Uint8Array(10_000);
    const reused = function* (from: number): Generator<Uint8Array, void, undefined> {
      for (let at = from; at < bytes.length; at += buffer.length) {
        buffer.fill(0);
        const part = bytes.subarray(at, at + buffer.length);
        buffer.set(part);
        yield buffer.subarray(0, part.length);
      }
    };
    const open = async (offset: number) => streamContent(descriptor, reused(offset));
    await registry.pushBlob(repo, descriptor, { open });
    assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes));
  });

  check(suite, 'refuses bytes of another digest, and keeps nothing of them', async ({ registry, repo }) => {
    const bytes = uniqueBytes(3000);
    const other = uniqueBytes(3000);
    const descriptor = await blobOf(bytes);
    const push = registry.pushBlob(repo, descriptor, bytesSource(descriptor, other));
    await assert.rejects(push, failsWith('DIGEST_MISMATCH'));
    await assertNoBlob(registry, repo, descriptor.digest);
    await assertNoBlob(registry, repo, await digestBytes(other));
  });

  for (const [what, size] of [
    ['too few', 2999],
    ['no', 0],
    ['too many', 3001],
    ['far too many', 300_000],
  ] as const) {
    check(suite, `refuses ${what} bytes, and keeps nothing of them`, async ({ registry, repo }) => {
      const bytes = uniqueBytes(300_000);
      const descriptor = await blobOf(bytes.subarray(0, 3000));
      const source = bytesSource(descriptor, bytes.subarray(0, size));
      await assert.rejects(registry.pushBlob(repo, descriptor, source), failsWith('SIZE_MISMATCH'));
      await assertNoBlob(registry, repo, descriptor.digest);
      // A correct push succeeds afterwards: the failed one left nothing that hinders it.
      await registry.pushBlob(repo, descriptor, bytesSource(descriptor, bytes.subarray(0, 3000)));
      assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes.subarray(0, 3000)));
    });
  }

  check(suite, 'passes on what a source throws, and takes the blob the next time', async ({ registry, repo }) => {
    const bytes = uniqueBytes(500_000);
    const descriptor = await blobOf(bytes);
    const broken = new Error('the source broke');
    const half = function* (offset: number): Generator<Uint8Array, void, undefined> {
      if (offset < 250_000) yield bytes.subarray(offset, 250_000);
      throw broken;
    };
    const push = registry.pushBlob(repo, descriptor, {
      open: async (offset) => streamContent(descriptor, half(offset)),
    });
    await assert.rejects(push, (error) => error === broken || (error as Error).cause === broken);
    await assertNoBlob(registry, repo, descriptor.digest);
    const source = watched(bytesSource(descriptor, bytes));
    assert.equal((await registry.pushBlob(repo, descriptor, source)).outcome, 'pushed');
    assert.ok(source.openedAt.every((offset) => offset <= 250_000));
    assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes));
  });

  check(suite, 'takes the same blob from many at once', async ({ registry, repo }) => {
    const bytes = uniqueBytes(700_000);
    const descriptor = await blobOf(bytes);
    const results = await Promise.all(
      Array.from({ length: 6 }, () => registry.pushBlob(repo, descriptor, bytesSource(descriptor, bytes))),
    );
    assert.ok(results.some(({ outcome }) => outcome === 'pushed'));
    assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes));
  });

  check(suite, 'takes many different blobs at once, into several repositories', async ({ registry, repo }) => {
    const bodies = Array.from({ length: 12 }, (_, i) => uniqueBytes(i * 20_000 + 1));
    const repos = [repo, freshRepository(), freshRepository()];
    const pushed = await Promise.all(
      bodies.map(async (bytes, i) => {
        const target = repos[i % 3] ?? repo;
        return { target, bytes, descriptor: await pushBytes(registry, target, bytes) };
      }),
    );
    for (const { target, bytes, descriptor } of pushed) {
      assert.deepEqual(await read(await registry.getBlob(target, descriptor)), Buffer.from(bytes));
    }
  });

  check(
    suite,
    'shows a blob in the repository it was pushed to, and in no other',
    async ({ registry, repo }) => {
      const { digest } = await pushBytes(registry, repo, uniqueBytes(100));
      const other = freshRepository();
      await pushBytes(registry, other, uniqueBytes(100));
      await assertNoBlob(registry, other, digest);
    },
    'blobs-per-repository',
  );

  check(suite, 'mounts a blob by itself', async ({ registry, repo }) => {
    const bytes = uniqueBytes(100);
    const from = freshRepository();
    const { digest } = await pushBytes(registry, from, bytes);
    const mounted = await registry.mountBlob(repo, digest, { from });
    assert.ok(!isWriter(mounted));
    assert.equal(mounted.digest, digest);
    assert.equal(mounted.size, 100);
    assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
  });

  check(suite, 'opens a session where a mount cannot be', async ({ registry, repo }) => {
    const bytes = uniqueBytes(100);
    const { digest } = await blobOf(bytes);
    const writer = await registry.mountBlob(repo, digest, { from: freshRepository() });
    assert.ok(isWriter(writer));
    await writer.write(bytes);
    await writer.commit({ digest, size: 100 });
    assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
  });

  check(suite, 'may mount a blob whose repository is not named', async ({ registry, repo }) => {
    const bytes = uniqueBytes(100);
    const { digest } = await pushBytes(registry, freshRepository(), bytes);
    const result = await registry.mountBlob(repo, digest);
    if (isWriter(result)) {
      await result.write(bytes);
      await result.commit({ digest });
    }
    assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
  });
}
