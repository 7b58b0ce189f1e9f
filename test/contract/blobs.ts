import assert from 'node:assert/strict';
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

  check(suite, 'never passes on inline data that is not the blob', async ({ registry, repo }) => {
    const bytes = uniqueBytes(200);
    const descriptor = await pushBytes(registry, repo, bytes);
    const data = Buffer.from(uniqueBytes(200)).toString('base64');
    const attempt = async () => read(await registry.getBlob(repo, { ...descriptor, data }));
    // It may also ignore the data and ask the registry.
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
