import assert from 'node:assert/strict';
import type { ByteRange } from '../../src/registry/registry.ts';
import { blobOf, type Capability, check, failsWith, pushBytes, read, type Suite, uniqueBytes } from './contract.ts';

const algorithms = [
  ['sha256'],
  ['sha384', 'sha384-blobs'],
  ['sha512', 'sha512-blobs'],
  ['blake3', 'blake3-blobs'],
] as const satisfies readonly (readonly [string, ...Capability[]])[];

export function blobContract(suite: Suite): void {
  for (const [algorithm, ...needs] of algorithms) {
    check(
      suite,
      `keeps blobs under ${algorithm}`,
      async ({ registry, repo }) => {
        const bytes = uniqueBytes(1000);
        const { digest } = await pushBytes(registry, repo, bytes, algorithm);
        const stat = await registry.statBlob(repo, digest);
        assert.equal(stat.digest, digest);
        assert.equal(stat.size, 1000);
        assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
      },
      ...needs,
    );
  }

  for (const size of [0, 1, 65_536, 3 * 1024 * 1024]) {
    check(suite, `gives a blob of ${size} bytes back`, async ({ registry, repo }) => {
      const bytes = uniqueBytes(size);
      const { digest } = await pushBytes(registry, repo, bytes);
      const stat = await registry.statBlob(repo, digest);
      assert.deepEqual(
        { digest: stat.digest, size: stat.size, mediaType: stat.mediaType },
        { digest, size, mediaType: 'application/octet-stream' },
      );
      const content = await registry.getBlob(repo, digest);
      assert.equal(content.descriptor.digest, digest);
      assert.equal(content.descriptor.size, size);
      assert.deepEqual(await read(content), Buffer.from(bytes));
    });
  }

  check(suite, 'gives a blob as an iterable of chunks', async ({ registry, repo }) => {
    const bytes = uniqueBytes(300_000);
    const { digest } = await pushBytes(registry, repo, bytes);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await registry.getBlob(repo, digest)) chunks.push(Uint8Array.from(chunk));
    assert.deepEqual(Buffer.concat(chunks), Buffer.from(bytes));
  });

  check(suite, 'waits for a slow sink', async ({ registry, repo }) => {
    const bytes = uniqueBytes(400_000);
    const { digest } = await pushBytes(registry, repo, bytes);
    const chunks: Uint8Array[] = [];
    let writing = false;
    const content = await registry.getBlob(repo, digest);
    await content.drainTo({
      async write(chunk) {
        assert.ok(!writing, 'a chunk came before the last one was taken');
        writing = true;
        await new Promise((resolve) => setTimeout(resolve, 1));
        chunks.push(Uint8Array.from(chunk));
        writing = false;
      },
    });
    assert.deepEqual(Buffer.concat(chunks), Buffer.from(bytes));
  });

  check(suite, 'passes on what a sink throws', async ({ registry, repo }) => {
    const { digest } = await pushBytes(registry, repo, uniqueBytes(400_000));
    const content = await registry.getBlob(repo, digest);
    const full = new Error('sink is full');
    const write = async (): Promise<void> => {
      throw full;
    };
    await assert.rejects(content.drainTo({ write }), (error) => error === full);
    await content.cancel();
  });

  check(suite, 'lets a reader leave early, and cancel twice', async ({ registry, repo }) => {
    const { digest } = await pushBytes(registry, repo, uniqueBytes(1024 * 1024));
    for await (const chunk of await registry.getBlob(repo, digest)) {
      assert.ok(chunk.length > 0);
      break;
    }
    const content = await registry.getBlob(repo, digest);
    await content.cancel();
    await content.cancel();
    assert.equal((await read(await registry.getBlob(repo, digest))).length, 1024 * 1024);
  });

  check(suite, 'serves several readers of a blob at once', async ({ registry, repo }) => {
    const bytes = uniqueBytes(500_000);
    const { digest } = await pushBytes(registry, repo, bytes);
    const bodies = await Promise.all([1, 2, 3, 4].map(async () => read(await registry.getBlob(repo, digest))));
    for (const body of bodies) assert.deepEqual(body, Buffer.from(bytes));
  });

  const ranges: readonly [string, ByteRange, number, number][] = [
    ['the first byte', { start: 0, end: 1 }, 0, 1],
    ['a middle part, its end exclusive', { start: 100, end: 300 }, 100, 300],
    ['everything from a byte on', { start: 700 }, 700, 1000],
    ['the last byte', { start: 999 }, 999, 1000],
    ['up to the end, given exactly', { start: 10, end: 1000 }, 10, 1000],
    ['up to the end, where the range goes past it', { start: 990, end: 5000 }, 990, 1000],
    ['the whole', { start: 0 }, 0, 1000],
  ];
  for (const [what, range, start, end] of ranges) {
    check(suite, `reads ${what}`, async ({ registry, repo }) => {
      const bytes = uniqueBytes(1000);
      const { digest } = await pushBytes(registry, repo, bytes);
      const body = await read(await registry.getBlob(repo, digest, { range }));
      assert.deepEqual(body, Buffer.from(bytes.subarray(start, end)));
    });
  }

  for (const start of [1000, 1001, 1_000_000]) {
    check(suite, `refuses a range from ${start} on in a blob of 1000 bytes`, async ({ registry, repo }) => {
      const { digest } = await pushBytes(registry, repo, uniqueBytes(1000));
      const attempt = async () => read(await registry.getBlob(repo, digest, { range: { start } }));
      await assert.rejects(attempt(), failsWith('RANGE_INVALID'));
    });
  }

  check(suite, 'gives the empty rest of an empty blob', async ({ registry, repo }) => {
    const empty = await pushBytes(registry, repo, new Uint8Array(0));
    assert.equal((await read(await registry.getBlob(repo, empty, { range: { start: 0 } }))).length, 0);
  });

  check(suite, 'gives a blob without checking it, when told to', async ({ registry, repo }) => {
    const bytes = uniqueBytes(5000);
    const descriptor = await pushBytes(registry, repo, bytes);
    assert.deepEqual(await read(await registry.getBlob(repo, descriptor, { verify: false })), Buffer.from(bytes));
  });

  check(suite, 'takes a descriptor, and holds the blob to its size', async ({ registry, repo }) => {
    const bytes = uniqueBytes(5000);
    const descriptor = await pushBytes(registry, repo, bytes);
    assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes));
    for (const size of [4999, 5001]) {
      const attempt = async () => read(await registry.getBlob(repo, { ...descriptor, size }));
      await assert.rejects(attempt(), failsWith('SIZE_MISMATCH'));
    }
  });

  check(suite, "uses a descriptor's inline data", async ({ registry, repo }) => {
    await pushBytes(registry, repo, uniqueBytes(10));
    const bytes = uniqueBytes(200);
    const data = Buffer.from(bytes).toString('base64');
    const content = await registry.getBlob(repo, { ...(await blobOf(bytes)), data });
    assert.deepEqual(await read(content), Buffer.from(bytes));
  });

  check(suite, 'reads a range of inline data', async ({ registry, repo }) => {
    await pushBytes(registry, repo, uniqueBytes(10));
    const bytes = uniqueBytes(200);
    const inline = { ...(await blobOf(bytes)), data: Buffer.from(bytes).toString('base64') };
    const body = await read(await registry.getBlob(repo, inline, { range: { start: 50, end: 60 } }));
    assert.deepEqual(body, Buffer.from(bytes.subarray(50, 60)));
  });

  check(suite, 'never passes on inline data that is not the blob', async ({ registry, repo }) => {
    const bytes = uniqueBytes(200);
    const descriptor = await pushBytes(registry, repo, bytes);
    const data = Buffer.from(uniqueBytes(200)).toString('base64');
    const attempt = async () => read(await registry.getBlob(repo, { ...descriptor, data }));
    // To ignore the data and ask the registry is as good as to refuse.
    const got = await attempt().catch(failsWith('DIGEST_MISMATCH', 'SIZE_MISMATCH'));
    if (got !== true) assert.deepEqual(got, Buffer.from(bytes));
  });

  check(suite, 'says that a blob is unknown', async ({ registry, repo }) => {
    await pushBytes(registry, repo, uniqueBytes(10));
    const { digest } = await blobOf(uniqueBytes(10));
    await assert.rejects(registry.statBlob(repo, digest), failsWith('BLOB_UNKNOWN'));
    await assert.rejects(async () => read(await registry.getBlob(repo, digest)), failsWith('BLOB_UNKNOWN'));
  });

  check(suite, 'says so in a repository that does not exist as well', async ({ registry, repo }) => {
    const { digest } = await blobOf(uniqueBytes(10));
    await assert.rejects(registry.statBlob(repo, digest), failsWith('BLOB_UNKNOWN', 'NAME_UNKNOWN'));
    const attempt = async () => read(await registry.getBlob(repo, digest));
    await assert.rejects(attempt, failsWith('BLOB_UNKNOWN', 'NAME_UNKNOWN'));
  });
}
