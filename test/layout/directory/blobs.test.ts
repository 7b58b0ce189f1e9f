import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { newProcessId } from '../../../src/files/process-id.ts';
import { openLayout, layoutRepository as repo } from '../../../src/layout/layout.ts';
import { digestHex } from '../../../src/model/digest.ts';
import { bytesSource, streamContent } from '../../../src/registry/content.ts';
import { blobOf, failsWith, pushBytes, read, uniqueBytes, watched } from '../../contract/contract.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';
import { blobFile, filesBelow, latest, newLayout, push, uniqueImage } from '../layouts.ts';

const plain = ['index.json', 'oci-layout'];
/** The id of a process that has ended. Another process may get it, but only much later. */
const deadPid = spawnSync(process.execPath, ['-e', '0']).pid;

describe('blobs of a layout', () => {
  it('take every size, in one opening of their source, and leave nothing beside them', async (t) => {
    const { directory, registry } = await newLayout(t);
    const sizes = [0, 1, 262_143, 262_144, 1_048_575, 1_048_576, 1_048_577, 2_500_000];
    for (const size of sizes) {
      const bytes = uniqueBytes(size);
      const descriptor = await blobOf(bytes);
      const source = watched(bytesSource(descriptor, bytes));
      assert.equal((await registry.pushBlob(repo, descriptor, source)).outcome, 'pushed');
      assert.deepEqual(source.openedAt, [0]);
      assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes));
    }
    assert.equal((await readdir(join(directory, 'blobs', 'sha256'))).length, sizes.length);
    assert.deepEqual((await readdir(directory)).sort(), ['blobs', ...plain]);
  });

  it('are whole however their chunks mix small and large', async (t) => {
    const { registry } = await newLayout(t);
    const bytes = uniqueBytes(5_000_000);
    const descriptor = await blobOf(bytes);
    const cut = function* (): Generator<Uint8Array, void, undefined> {
      const lengths = [10, 300_000, 1, 1_048_576, 700_000, 5, 262_144];
      for (let at = 0, i = 0; at < bytes.length; i += 1) {
        const length = lengths[i % lengths.length] ?? 1;
        yield bytes.subarray(at, at + length);
        at += length;
      }
    };
    await registry.pushBlob(repo, descriptor, { open: async () => streamContent(descriptor, cut()) });
    assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes));
  });

  it('leave nothing behind when their push fails', async (t) => {
    const { directory, registry } = await newLayout(t);
    const bytes = uniqueBytes(2_000_000);
    const descriptor = await blobOf(bytes);
    const broken = new Error('broken');
    const failing = function* (): Generator<Uint8Array, void, undefined> {
      yield bytes.subarray(0, 1_500_000);
      throw broken;
    };
    const sources = [
      bytesSource(descriptor, uniqueBytes(2_000_000)),
      bytesSource(descriptor, uniqueBytes(1_999_999)),
      bytesSource(descriptor, uniqueBytes(2_000_001)),
      { open: async () => streamContent(descriptor, failing()) },
      { open: () => Promise.reject(broken) },
    ];
    for (const source of sources) await assert.rejects(registry.pushBlob(repo, descriptor, source));
    assert.deepEqual(await filesBelow(directory), plain);
    assert.deepEqual((await readdir(directory)).sort(), ['blobs', ...plain]);
  });

  it('are written again where a file of another size stands in their place', async (t) => {
    const { directory, registry } = await newLayout(t);
    const bytes = uniqueBytes(1000);
    const descriptor = await pushBytes(registry, repo, bytes);
    await truncate(blobFile(directory, descriptor.digest), 400);
    await assert.rejects(registry.getBlob(repo, descriptor), failsWith('SIZE_MISMATCH'));
    assert.equal((await registry.pushBlob(repo, descriptor, bytesSource(descriptor, bytes))).outcome, 'pushed');
    assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes));
  });

  it('are refused if their bytes do not match their digest', async (t) => {
    const layout = await newLayout(t);
    const { digest } = await pushBytes(layout.registry, repo, uniqueBytes(1000));
    await writeFile(blobFile(layout.directory, digest), uniqueBytes(1000));
    const attempt = async () => read(await layout.registry.getBlob(repo, digest));
    await assert.rejects(attempt, failsWith('DIGEST_MISMATCH'));
    const image = await uniqueImage();
    await push(layout, image, latest);
    const padded = Buffer.concat([image.manifest.bytes, Buffer.from(' ')]);
    await writeFile(blobFile(layout.directory, image.descriptor.digest), padded);
    for (const reference of [latest, image.descriptor.digest]) {
      await assert.rejects(layout.registry.getManifest(repo, reference), failsWith('DIGEST_MISMATCH'));
    }
  });
});

describe('a hostile layout', () => {
  it('gets no file outside it read through symbolic links', async (t) => {
    const { directory, registry } = await newLayout(t);
    const secret = join(await temporaryDirectory(t), 'secret');
    await writeFile(secret, 'the secret');
    const { digest } = await blobOf(Buffer.from('the secret'));
    await mkdir(dirname(blobFile(directory, digest)));
    for (const target of [secret, '../../../../../../../../etc/passwd', digestHex(digest)]) {
      await rm(blobFile(directory, digest), { force: true });
      await symlink(target, blobFile(directory, digest));
      for (const attempt of [
        () => registry.getBlob(repo, digest),
        () => registry.statBlob(repo, digest),
        () => registry.getManifest(repo, digest),
      ]) {
        await assert.rejects(attempt, failsWith('STORAGE_DAMAGED', 'BLOB_UNKNOWN', 'MANIFEST_UNKNOWN'));
      }
    }
  });

  it('cannot make another of its files be read as a blob', async (t) => {
    const { directory, registry } = await newLayout(t);
    const bytes = Buffer.from('beside the blobs');
    await writeFile(join(directory, 'notes'), bytes);
    const { digest } = await blobOf(bytes);
    await mkdir(dirname(blobFile(directory, digest)), { recursive: true });
    await symlink('../../notes', blobFile(directory, digest));
    for (const attempt of [() => registry.getBlob(repo, digest), () => registry.statBlob(repo, digest)]) {
      await assert.rejects(attempt, failsWith('STORAGE_DAMAGED'));
    }
  });

  it('may have links inside, and a push replaces a link that leads outside', async (t) => {
    const { directory, registry } = await newLayout(t);
    const bytes = uniqueBytes(100);
    const descriptor = await pushBytes(registry, repo, bytes);
    const other = await pushBytes(registry, repo, uniqueBytes(100));
    await rm(blobFile(directory, other.digest));
    await symlink(digestHex(descriptor.digest), blobFile(directory, other.digest));
    assert.equal((await registry.statBlob(repo, other.digest)).size, 100);
    const secret = join(await temporaryDirectory(t), 'secret');
    await writeFile(secret, bytes);
    await rm(blobFile(directory, descriptor.digest));
    await symlink(secret, blobFile(directory, descriptor.digest));
    await assert.rejects(registry.getBlob(repo, descriptor), failsWith('STORAGE_DAMAGED'));
    await registry.pushBlob(repo, descriptor, bytesSource(descriptor, bytes));
    assert.deepEqual(await read(await registry.getBlob(repo, descriptor)), Buffer.from(bytes));
  });

  it('gets nothing written, swept or removed outside it either', async (t) => {
    const { directory, registry } = await newLayout(t);
    const elsewhere = await temporaryDirectory(t);
    const bytes = uniqueBytes(100);
    const descriptor = await blobOf(bytes);
    const old = join(elsewhere, `blob.${deadPid}-${newProcessId().split('-').slice(1).join('-')}`);
    const precious = join(elsewhere, digestHex(descriptor.digest));
    for (const file of [old, precious]) await writeFile(file, bytes);
    const before = await readdir(elsewhere);
    await symlink(elsewhere, join(directory, 'blobs', 'sha256'));
    await assert.rejects(registry.deleteBlob(repo, descriptor.digest), failsWith('STORAGE_DAMAGED'));
    const source = bytesSource(descriptor, bytes);
    await assert.rejects(registry.pushBlob(repo, descriptor, source), failsWith('STORAGE_DAMAGED'));
    await rm(join(directory, 'blobs'), { recursive: true });
    await symlink(elsewhere, join(directory, 'blobs'));
    await assert.rejects(registry.pushBlob(repo, descriptor, source), failsWith('STORAGE_DAMAGED'));
    await rm(join(directory, 'blobs'));
    await mkdir(join(directory, 'blobs'));
    await symlink(elsewhere, join(directory, '.ocictl'));
    await assert.rejects(registry.pushBlob(repo, descriptor, source), failsWith('STORAGE_DAMAGED'));
    assert.deepEqual(await readdir(elsewhere), before);
  });

  it('cannot hang a reader with a pipe, nor fool one with a directory', { timeout: 20_000 }, async (t) => {
    const { directory, registry } = await newLayout(t);
    const { digest } = await blobOf(uniqueBytes(10));
    await mkdir(dirname(blobFile(directory, digest)));
    assert.equal(spawnSync('mkfifo', [blobFile(directory, digest)]).status, 0);
    await assert.rejects(registry.getBlob(repo, digest), failsWith('STORAGE_DAMAGED'));
    await rm(blobFile(directory, digest));
    await mkdir(blobFile(directory, digest));
    await assert.rejects(registry.getBlob(repo, digest), failsWith('STORAGE_DAMAGED'));
  });

  it('gets no manifest of more than four MiB read', async (t) => {
    const { registry } = await newLayout(t);
    const { digest } = await pushBytes(registry, repo, uniqueBytes(4 * 1024 * 1024 + 1));
    await assert.rejects(registry.getManifest(repo, digest), failsWith('TOO_LARGE'));
  });
});

describe('files of killed writers', () => {
  it('are removed by the next push, except those that a download can continue', async (t) => {
    const { directory } = await newLayout(t);
    const work = join(directory, '.ocictl');
    await mkdir(work);
    const machine = newProcessId().split('-')[1];
    const upload = '00000000-0000-4000-8000-000000000000';
    const dead = `${deadPid}-${machine}-0123456789ab`;
    const elsewhere = `1-aaaaaaaaaaaa-0123456789ab`;
    const kept = [
      'notes',
      `blob.${newProcessId()}`,
      `blob.${elsewhere}`,
      `upload.${upload}`,
      `upload.${upload}.${dead}`,
    ];
    const gone = [`blob.${dead}`, `small.${dead}`, `small.${elsewhere}`, 'upload.11111111-1111-4111-8111-111111111111'];
    for (const name of [...kept, ...gone]) await writeFile(join(work, name), 'x');
    const longAgo = new Date(Date.now() - 30 * 24 * 3_600_000);
    for (const name of gone.slice(2)) await utimes(join(work, name), longAgo, longAgo);
    await pushBytes(await openLayout({ directory }), repo, uniqueBytes(10));
    assert.deepEqual((await readdir(work)).sort(), kept.sort());
  });

  it('can be an upload session, which goes on', async (t) => {
    const { directory, registry } = await newLayout(t);
    const bytes = uniqueBytes(1000);
    const { digest } = await blobOf(bytes);
    const id = '00000000-0000-4000-8000-000000000000';
    const machine = newProcessId().split('-')[1];
    await mkdir(join(directory, '.ocictl'));
    const left = join(directory, '.ocictl', `upload.${id}.${deadPid}-${machine}-0123456789ab`);
    await writeFile(left, bytes.subarray(0, 600));
    const writer = await registry.resumeUpload(repo, id, { offset: 600 });
    await writer.write(bytes.subarray(600));
    await assert.rejects(registry.resumeUpload(repo, id), failsWith('UNAVAILABLE'));
    await writer.commit({ digest, size: 1000 });
    assert.deepEqual(await read(await registry.getBlob(repo, digest)), Buffer.from(bytes));
    assert.deepEqual((await readdir(directory)).sort(), ['blobs', ...plain]);
  });
});
