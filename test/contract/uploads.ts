import assert from 'node:assert/strict';
import { assertNoBlob, blobOf, check, failsWith, freshRepository, read, type Suite, uniqueBytes } from './contract.ts';

export function uploadContract(suite: Suite): void {
  check(suite, 'makes a blob of what was written', async ({ registry, repo }) => {
    const bytes = uniqueBytes(200_000);
    const { digest } = await blobOf(bytes);
    await using writer = await registry.startUpload(repo);
    assert.equal(writer.size, 0);
    assert.notEqual(writer.id, '');
    assert.ok(Math.abs(writer.startedAt.getTime() - Date.now()) < 60_000);
    await writer.write(bytes.subarray(0, 150_000));
    await writer.write(bytes.subarray(150_000));
    assert.equal(writer.size, 200_000);
    await assertNoBlob(registry, repo, digest);
    const descriptor = await writer.commit({ digest, size: 200_000 });
    assert.equal(descriptor.digest, digest);
    assert.equal(descriptor.size, 200_000);
    assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
  });

  check(suite, 'makes an empty blob of nothing', async ({ registry, repo }) => {
    const { digest } = await blobOf(new Uint8Array(0));
    await using writer = await registry.startUpload(repo);
    await writer.commit({ digest, size: 0 });
    assert.equal((await registry.statBlob(repo, digest)).size, 0);
  });

  check(
    suite,
    'commits under another algorithm',
    async ({ registry, repo }) => {
      const bytes = uniqueBytes(1000);
      const { digest } = await blobOf(bytes, 'sha512');
      await using writer = await registry.startUpload(repo, { digestAlgorithm: 'sha512' });
      await writer.write(bytes);
      assert.equal((await writer.commit({ digest })).digest, digest);
      assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
    },
    'sha512-blobs',
  );

  check(suite, 'keeps a session whose scope was left, and goes on with it', async ({ registry, repo }) => {
    const bytes = uniqueBytes(100_000);
    const { digest } = await blobOf(bytes);
    let id = '';
    {
      await using writer = await registry.startUpload(repo);
      await writer.write(bytes.subarray(0, 60_000));
      id = writer.id;
    }
    await using resumed = await registry.resumeUpload(repo, id);
    assert.equal(resumed.size, 60_000);
    await resumed.write(bytes.subarray(60_000));
    await resumed.commit({ digest, size: bytes.length });
    assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
  });

  check(suite, 'takes the offset a caller believes in, where it is right', async ({ registry, repo }) => {
    const bytes = uniqueBytes(50_000);
    const { digest } = await blobOf(bytes);
    const writer = await registry.startUpload(repo);
    await writer.write(bytes.subarray(0, 20_000));
    await writer[Symbol.asyncDispose]();
    await using resumed = await registry.resumeUpload(repo, writer.id, { offset: 20_000 });
    await resumed.write(bytes.subarray(20_000));
    await resumed.commit({ digest });
    assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
  });

  check(suite, 'refuses an offset that is not what it holds, and keeps the session', async ({ registry, repo }) => {
    const bytes = uniqueBytes(50_000);
    const { digest } = await blobOf(bytes);
    const writer = await registry.startUpload(repo);
    await writer.write(bytes.subarray(0, 20_000));
    await writer[Symbol.asyncDispose]();
    for (const offset of [0, 19_999, 20_001]) {
      await assert.rejects(registry.resumeUpload(repo, writer.id, { offset }), failsWith('RANGE_INVALID'));
    }
    await using resumed = await registry.resumeUpload(repo, writer.id);
    assert.equal(resumed.size, 20_000);
    await resumed.write(bytes.subarray(20_000));
    await resumed.commit({ digest });
  });

  check(suite, 'keeps sessions apart', async ({ registry, repo }) => {
    const bodies = [uniqueBytes(30_000), uniqueBytes(40_000)];
    const writers = await Promise.all(bodies.map(() => registry.startUpload(repo)));
    assert.notEqual(writers[0]?.id, writers[1]?.id);
    await Promise.all(writers.map((writer, i) => writer.write(bodies[i] ?? new Uint8Array())));
    for (const [i, bytes] of bodies.entries()) {
      const { digest } = await blobOf(bytes);
      await writers[i]?.commit({ digest });
      assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
    }
  });

  check(suite, 'refuses to commit another digest; the session is then gone', async ({ registry, repo }) => {
    const bytes = uniqueBytes(1000);
    const { digest } = await blobOf(uniqueBytes(1000));
    await using writer = await registry.startUpload(repo);
    await writer.write(bytes);
    await assert.rejects(writer.commit({ digest, size: 1000 }), failsWith('DIGEST_MISMATCH'));
    await assertNoBlob(registry, repo, digest);
    await assertNoBlob(registry, repo, (await blobOf(bytes)).digest);
    await assert.rejects(registry.resumeUpload(repo, writer.id), failsWith('BLOB_UPLOAD_UNKNOWN'));
    await writer.cancel();
  });

  check(suite, 'refuses to commit another size', async ({ registry, repo }) => {
    const bytes = uniqueBytes(1000);
    const { digest } = await blobOf(bytes);
    await using writer = await registry.startUpload(repo);
    await writer.write(bytes);
    await assert.rejects(writer.commit({ digest, size: 1001 }), failsWith('SIZE_MISMATCH'));
    await assertNoBlob(registry, repo, digest);
    await assert.rejects(registry.resumeUpload(repo, writer.id), failsWith('BLOB_UPLOAD_UNKNOWN'));
  });

  check(suite, 'gives a session up, as often as told', async ({ registry, repo }) => {
    await using writer = await registry.startUpload(repo);
    await writer.write(uniqueBytes(1000));
    await writer.cancel();
    await writer.cancel();
    await assert.rejects(registry.resumeUpload(repo, writer.id), failsWith('BLOB_UPLOAD_UNKNOWN'));
  });

  check(suite, 'keeps a committed blob when its session is cancelled afterwards', async ({ registry, repo }) => {
    const bytes = uniqueBytes(1000);
    const { digest } = await blobOf(bytes);
    await using writer = await registry.startUpload(repo);
    await writer.write(bytes);
    await writer.commit({ digest });
    await writer.cancel();
    await writer.cancel();
    assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
    await assert.rejects(registry.resumeUpload(repo, writer.id), failsWith('BLOB_UPLOAD_UNKNOWN'));
  });

  for (const id of [
    '00000000-0000-4000-8000-000000000000',
    '../../../../etc',
    '..',
    'a/b',
    '%2e%2e',
    'x'.repeat(300),
  ]) {
    check(suite, `knows no session ${JSON.stringify(id.slice(0, 40))}`, async ({ registry, repo }) => {
      await (await registry.startUpload(repo)).cancel();
      const resume = registry.resumeUpload(repo, id);
      await assert.rejects(resume, failsWith('BLOB_UPLOAD_UNKNOWN', 'BLOB_UPLOAD_INVALID'));
    });
  }

  check(
    suite,
    'lends no session to another repository',
    async ({ registry, repo }) => {
      await using writer = await registry.startUpload(repo);
      await writer.write(uniqueBytes(100));
      const other = freshRepository();
      await (await registry.startUpload(other)).cancel();
      await assert.rejects(registry.resumeUpload(other, writer.id), failsWith('BLOB_UPLOAD_UNKNOWN'));
      await writer.cancel();
    },
    'cross-repository-sessions',
  );

  check(suite, 'takes many small chunks', async ({ registry, repo }) => {
    const bytes = uniqueBytes(1000);
    const { digest } = await blobOf(bytes);
    await using writer = await registry.startUpload(repo);
    for (let at = 0; at < bytes.length; at += 50) await writer.write(bytes.subarray(at, at + 50));
    await writer.commit({ digest, size: 1000 });
    assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
  });

  check(suite, 'takes chunks whose memory is used again, and empty ones', async ({ registry, repo }) => {
    const bytes = uniqueBytes(90_000);
    const { digest } = await blobOf(bytes);
    const buffer = new Uint8Array(30_000);
    await using writer = await registry.startUpload(repo, { chunkBytes: 30_000 });
    for (let at = 0; at < bytes.length; at += buffer.length) {
      buffer.set(bytes.subarray(at, at + buffer.length));
      await writer.write(buffer);
      buffer.fill(0);
      await writer.write(new Uint8Array(0));
    }
    await writer.commit({ digest });
    assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
  });
}
