import assert from 'node:assert/strict';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { repositoryRemover, uploadSweeper } from '../../../src/registry/extensions.ts';
import type { Driver, Upload, Uploads } from '../../../src/storage/driver.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { uploadsPath } from '../../../src/storage/paths.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { drivers } from '../drivers/every-driver.ts';
import {
  all,
  blobFile,
  failsWith,
  filesBelow,
  madeBytes,
  openStore,
  otherRepo,
  pushBytes,
  readBlob,
  repo,
  text,
  v2,
} from '../stores.ts';

const bytes = madeBytes('upload', 2_500_000);
const digest = await digestBytes(bytes);

describe('an upload session', () => {
  it('grows over several requests, lies where distribution keeps it, and leaves only the blob', async (t) => {
    const { root, registry } = await openStore(t);
    const { id, startedAt } = await registry.startUpload(repo);
    for (const [start, end] of [
      [0, 1_000_000],
      [1_000_000, 1_000_001],
      [1_000_001, 2_500_000],
    ] as const) {
      await using writer = await registry.resumeUpload(repo, id, { offset: start });
      await writer.write(bytes.subarray(start, end));
      assert.equal(writer.size, end);
    }
    const session = join(root, v2, 'repositories', repo, '_uploads', id);
    assert.deepEqual(await readdir(session), ['data', 'data.digest', 'startedat']);
    assert.equal(await readFile(join(session, 'startedat'), 'utf8'), startedAt.toISOString());
    await (await registry.resumeUpload(repo, id)).commit({ digest, size: 2_500_000 });
    assert.deepEqual(await readBlob(registry, repo, digest), Buffer.from(bytes));
    assert.deepEqual(
      (await filesBelow(join(root, v2))).map((file) => file.split('/')[0]),
      ['blobs', 'repositories'],
    );
  });

  it('is on no disk before there are bytes to keep, nor for a blob that comes whole', async (t) => {
    const { root, registry } = await openStore(t);
    const small = bytes.subarray(0, 10_000);
    const writer = await registry.startUpload(repo);
    await using again = await registry.resumeUpload(repo, writer.id);
    await again.write(small);
    assert.deepEqual(await filesBelow(root), []);
    await again.commit({ digest: await digestBytes(small) });
    assert.deepEqual(await readBlob(registry, repo, await digestBytes(small)), Buffer.from(small));
    assert.deepEqual(await readdir(join(root, v2, 'repositories', repo)), ['_layers']);
  });

  it('is still known when a thousand others were begun after it', async (t) => {
    const { registry } = await openStore(t);
    const { id } = await registry.startUpload(repo);
    for (let i = 0; i < 1000; i += 1) await registry.startUpload(repo);
    const writer = await registry.resumeUpload(repo, id);
    await writer.write(bytes);
    assert.equal((await writer.commit({ digest })).size, bytes.length);
  });

  it('is gone on with by another process, which has not seen its hash', async (t) => {
    const { root, registry } = await openStore(t);
    const { id } = await writeAndRest(registry, bytes.subarray(0, 1_500_000));
    const later = createStorage({ driver: await openFilesystemDriver({ root }) });
    const writer = await later.resumeUpload(repo, id);
    assert.equal(writer.size, 1_500_000);
    await writer.write(bytes.subarray(1_500_000));
    assert.equal((await writer.commit({ digest })).size, bytes.length);
  });

  it('is finished by another process without reading it again, if that has no more to add', async (t) => {
    for (const [name, open] of drivers) {
      const driver = await open(t);
      let read = 0;
      const counting: Driver = { ...driver, uploads: countingReads(driver.uploads, () => (read += 1)) };
      const { id } = await writeAndRest(createStorage({ driver }), bytes);
      const closing = await createStorage({ driver: counting }).resumeUpload(repo, id);
      assert.equal((await closing.commit({ digest })).size, bytes.length);
      assert.equal(read, 0, name);
      const begun = await writeAndRest(createStorage({ driver }), bytes.subarray(0, 2_000_000));
      const other = createStorage({ driver: counting });
      const more = await other.resumeUpload(repo, begun.id);
      await more.write(bytes.subarray(2_000_000));
      await more.commit({ digest });
      assert.equal(read, 1, name);
    }
  });

  it('is not taken for what it was when another process wrote as many other bytes', async (t) => {
    for (const [name, open] of drivers) {
      const driver = await open(t);
      const [first, second] = [createStorage({ driver }), createStorage({ driver })];
      const begun = await writeAndRest(first, bytes.subarray(0, 1_500_000));
      const theirs = await second.resumeUpload(repo, begun.id);
      const ours = await first.resumeUpload(repo, begun.id);
      // In small pieces, so that they are in memory when ours takes what is stored.
      for (let nth = 0; nth < 10; nth += 1) await theirs.write(madeBytes(`theirs ${nth}`, 100_000));
      await ours.write(bytes.subarray(1_500_000));
      await ours[Symbol.asyncDispose]();
      await theirs[Symbol.asyncDispose]();
      const closing = await first.resumeUpload(repo, begun.id);
      // Which of the two is kept is the driver's business; it is never stored under the digest of the other.
      await closing.commit({ digest }).catch(failsWith('DIGEST_MISMATCH'));
      if (
        await first.statBlob(repo, digest).then(
          () => true,
          () => false,
        )
      ) {
        assert.deepEqual(await readBlob(first, repo, digest), Buffer.from(bytes), name);
      }
    }
  });

  it('is read again when it is finished under another algorithm', async (t) => {
    const { registry } = await openStore(t);
    for (const algorithm of ['sha512', 'sha384', 'blake3'] as const) {
      const expected = await digestBytes(bytes, algorithm);
      const writer = await registry.startUpload(repo);
      await writer.write(bytes);
      await writer.commit({ digest: expected });
      assert.deepEqual(await readBlob(registry, repo, expected), Buffer.from(bytes));
    }
  });

  it('is not fooled by a file that changed while it rested', async (t) => {
    const { root, registry } = await openStore(t);
    const { id } = await writeAndRest(registry, bytes);
    await writeFile(join(root, v2, 'repositories', repo, '_uploads', id, 'data'), text('something shorter'));
    const writer = await registry.resumeUpload(repo, id);
    await assert.rejects(writer.commit({ digest }), failsWith('DIGEST_MISMATCH'));
    await assert.rejects(registry.statBlob(repo, digest), failsWith('BLOB_UNKNOWN'));
    assert.deepEqual(await filesBelow(root), []);
  });

  it('cannot be written by two at once so that other bytes become the blob', async (t) => {
    const { registry } = await openStore(t);
    const first = await registry.startUpload(repo);
    await first.write(bytes.subarray(0, 100));
    const second = await registry.resumeUpload(repo, first.id);
    await second.write(text('evil'));
    await assert.rejects(first.write(bytes.subarray(100)), failsWith('RANGE_INVALID'));
    await assert.rejects(
      first.commit({ digest: await digestBytes(bytes.subarray(0, 100)) }),
      failsWith('RANGE_INVALID'),
    );
    const both = Buffer.concat([bytes.subarray(0, 100), text('evil')]);
    await second.commit({ digest: await digestBytes(both) });
    assert.deepEqual(await readBlob(registry, repo, await digestBytes(both)), both);
  });

  it('goes on although somebody asked for its size', async (t) => {
    const { registry } = await openStore(t);
    const writer = await registry.startUpload(repo);
    await writer.write(bytes.subarray(0, 1_200_000));
    {
      await using asked = await registry.resumeUpload(repo, writer.id);
      assert.equal(asked.size, 1_200_000);
    }
    await writer.write(bytes.subarray(1_200_000));
    await writer.commit({ digest });
  });

  it('is refused under an invalid ID, and in another repository', async (t) => {
    const { registry } = await openStore(t);
    const { id } = await registry.startUpload(repo);
    const ids = ['', '.', '..', '../../x', `${id}/..`, `${id}/../${id}`, id.toUpperCase(), `${id} `, 'x'.repeat(5_000)];
    for (const bad of ids)
      await assert.rejects(registry.resumeUpload(repo, bad), failsWith('BLOB_UPLOAD_UNKNOWN'), bad);
    await assert.rejects(registry.resumeUpload(otherRepo, id), failsWith('BLOB_UPLOAD_UNKNOWN'));
    await assert.rejects(registry.resumeUpload(repo, id, { offset: 1 }), failsWith('RANGE_INVALID'));
  });

  it('is gone after it failed, was given up or was finished', async (t) => {
    const { registry } = await openStore(t);
    const wrong = await writeAndRest(registry, bytes);
    await assert.rejects(
      (await registry.resumeUpload(repo, wrong.id)).commit({ digest, size: 5 }),
      failsWith('SIZE_MISMATCH'),
    );
    const given = await writeAndRest(registry, bytes);
    await given.cancel();
    await given.cancel();
    const done = await writeAndRest(registry, bytes);
    await (await registry.resumeUpload(repo, done.id)).commit({ digest });
    await done.cancel();
    for (const { id } of [wrong, given, done]) {
      await assert.rejects(registry.resumeUpload(repo, id), failsWith('BLOB_UPLOAD_UNKNOWN'));
    }
    await assert.rejects(done.write(text('x')), failsWith('BLOB_UPLOAD_UNKNOWN'));
    assert.equal((await registry.statBlob(repo, digest)).size, bytes.length);
  });

  it('may be of a blob that is there already', async (t) => {
    const { root, registry } = await openStore(t);
    for (let round = 0; round < 2; round += 1) {
      const writer = await registry.startUpload(repo);
      await writer.write(bytes);
      await writer.commit({ digest });
    }
    assert.deepEqual(await readFile(blobFile(root, digest)), Buffer.from(bytes));
  });

  it('that this process had in use stays when the clock is set, and goes when it has rested for long', async (t) => {
    const { root, driver, registry } = await openStore(t);
    const { id } = await writeAndRest(registry, bytes.subarray(0, 2_000_000));
    const session = join(root, v2, 'repositories', repo, '_uploads', id);
    // As if a day had passed between two requests.
    for (const name of await readdir(session)) await utimes(join(session, name), new Date(0), new Date(0));
    await registry.extension(uploadSweeper)?.sweepUploads({ idleMs: 60_000 });
    const writer = await registry.resumeUpload(repo, id, { offset: 2_000_000 });
    await writer.write(bytes.subarray(2_000_000));
    await writer[Symbol.asyncDispose]();
    for (const name of await readdir(session)) await utimes(join(session, name), new Date(0), new Date(0));
    await registry.extension(uploadSweeper)?.sweepUploads({ idleMs: 0 });
    await assert.rejects(registry.resumeUpload(repo, id), failsWith('BLOB_UPLOAD_UNKNOWN'));
    const { id: foreign } = await writeAndRest(createStorage({ driver }), bytes);
    const other = join(root, v2, 'repositories', repo, '_uploads', foreign);
    for (const name of await readdir(other)) await utimes(join(other, name), new Date(0), new Date(0));
    await registry.extension(uploadSweeper)?.sweepUploads({ idleMs: 60_000 });
    await assert.rejects(registry.resumeUpload(repo, foreign), failsWith('BLOB_UPLOAD_UNKNOWN'));
  });

  it('ends with its repository', async (t) => {
    for (const [name, open] of drivers) {
      const driver = await open(t);
      const registry = createStorage({ driver });
      await pushBytes(registry, repo, text('makes it a repository'));
      const { id } = await writeAndRest(registry, bytes);
      const writing = await registry.startUpload(repo);
      await writing.write(bytes);
      await registry.extension(repositoryRemover)?.removeRepository(repo);
      assert.deepEqual(await all(driver.uploads.list(uploadsPath(repo))), [], name);
      await assert.rejects(registry.resumeUpload(repo, id), failsWith('BLOB_UPLOAD_UNKNOWN'));
      await writing.cancel();
    }
  });
});

function countingReads(uploads: Uploads, onRead: () => void): Uploads {
  const counted = (upload: Upload): Upload => ({
    ...upload,
    get size() {
      return upload.size;
    },
    get digest() {
      return upload.digest;
    },
    write: (chunk) => upload.write(chunk),
    commit: (to) => upload.commit(to),
    rest: (opts) => upload.rest(opts),
    abort: () => upload.abort(),
    read() {
      onRead();
      return upload.read();
    },
  });
  return {
    ...uploads,
    async resume(path, opts) {
      const upload = await uploads.resume(path, opts);
      return upload && counted(upload);
    },
  };
}

async function writeAndRest(registry: Awaited<ReturnType<typeof openStore>>['registry'], content: Uint8Array) {
  const writer = await registry.startUpload(repo);
  await writer.write(content);
  await writer[Symbol.asyncDispose]();
  return writer;
}
