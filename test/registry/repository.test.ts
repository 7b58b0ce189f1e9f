import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes, parseDigest } from '../../src/model/digest.ts';
import type { Descriptor } from '../../src/model/manifest/descriptor.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { type Repository, repository } from '../../src/registry/repository.ts';
import { all, failsWith, read } from '../contract/contract.ts';
import { memoryRegistry } from '../support/memory.ts';

const name = parseRepositoryName('team/app');
const unknown = parseDigest(`sha256:${'0'.repeat(64)}`);

function open(): Repository {
  return repository(memoryRegistry(), name);
}

async function putManifest(
  repo: Repository,
  opts: { tags?: readonly string[]; subject?: Descriptor } = {},
): Promise<Descriptor> {
  const { tags = [], subject } = opts;
  const config = await repo.blobs.put(Buffer.from(JSON.stringify({ tags })), { mediaType: mediaTypes.ociConfig });
  const document = { schemaVersion: 2, config, layers: [], ...(subject && { subject }) };
  const bytes = Buffer.from(JSON.stringify(document));
  return await repo.manifests.put(
    { mediaType: mediaTypes.ociManifest, bytes },
    { tags: tags.map((tag) => parseTag(tag)) },
  );
}

describe('the manifests of a repository', () => {
  it('are put, got, asked for and deleted', async () => {
    const repo = open();
    assert.equal(await repo.manifests.exists(unknown), false);
    const { digest } = await putManifest(repo, { tags: ['one'] });
    assert.equal(await repo.manifests.exists(digest), true);
    assert.equal(await repo.manifests.exists(parseTag('one')), true);
    assert.equal(await repo.manifests.exists(parseTag('two')), false);
    assert.equal((await repo.manifests.get(parseTag('one'))).descriptor.digest, digest);
    await repo.manifests.delete(digest);
    assert.equal(await repo.manifests.exists(digest), false);
  });
});

describe('the tags of a repository', () => {
  it('are set on a manifest that is there, listed and taken off', async () => {
    const repo = open();
    const { digest } = await putManifest(repo, { tags: ['one'] });
    assert.equal((await repo.tags.tag(parseTag('two'), digest)).digest, digest);
    assert.deepEqual(await all(repo.tags.all()), ['one', 'two']);
    assert.equal((await repo.tags.get(parseTag('two'))).digest, digest);
    await repo.tags.untag(parseTag('one'));
    assert.deepEqual(await all(repo.tags.all()), ['two']);
    await assert.rejects(repo.tags.tag(parseTag('three'), unknown), failsWith('MANIFEST_UNKNOWN'));
    await assert.rejects(repo.tags.get(parseTag('three')), failsWith('MANIFEST_UNKNOWN'));
  });

  it('are found by the digest they point at', async () => {
    const repo = open();
    const names = Array.from({ length: 20 }, (_, i) => `v${String(i).padStart(2, '0')}`);
    const many = await putManifest(repo, { tags: names });
    const other = await putManifest(repo, { tags: ['other', 'v05'] });
    assert.deepEqual(await all(repo.tags.lookup(other.digest)), ['other', 'v05']);
    assert.deepEqual(
      await all(repo.tags.lookup(many.digest)),
      names.filter((tag) => tag !== 'v05'),
    );
    assert.deepEqual(await all(repo.tags.lookup(unknown)), []);
  });
});

describe('the blobs of a repository', () => {
  const bytes = Buffer.from('0123456789');

  it('are put, read whole and deleted', async () => {
    const { blobs } = open();
    const descriptor = await blobs.put(bytes, { mediaType: 'text/plain', algorithm: 'sha512' });
    assert.deepEqual(descriptor, { mediaType: 'text/plain', digest: await digestBytes(bytes, 'sha512'), size: 10 });
    assert.equal((await blobs.stat(descriptor.digest)).size, 10);
    assert.deepEqual(await read(await blobs.get(descriptor)), bytes);
    await blobs.delete(descriptor.digest);
    await assert.rejects(blobs.stat(descriptor.digest), failsWith('BLOB_UNKNOWN'));
  });

  it('are read anywhere, as often as needed', async () => {
    const { blobs } = open();
    const { digest } = await blobs.put(bytes);
    const reader = await blobs.open(digest);
    assert.equal(reader.descriptor.size, 10);
    const text = async (position: number, length: number): Promise<string> =>
      Buffer.from(await reader.read(position, length)).toString();
    assert.equal(await text(7, 2), '78');
    assert.equal(await text(0, 3), '012');
    assert.equal(await text(8, 100), '89');
    assert.equal(await text(10, 5), '');
    assert.equal(await text(50, 5), '');
    assert.equal(await text(3, 0), '');
    await assert.rejects(blobs.open(unknown), failsWith('BLOB_UNKNOWN'));
  });

  it('are written piece by piece, over several sessions', async () => {
    const { blobs } = open();
    const writer = await blobs.create();
    await writer.write(bytes.subarray(0, 4));
    await writer[Symbol.asyncDispose]();
    const again = await blobs.resume(writer.id, { offset: 4 });
    await again.write(bytes.subarray(4));
    const { digest } = await again.commit({ digest: await digestBytes(bytes) });
    assert.deepEqual(await read(await blobs.get(digest)), bytes);
  });
});

describe('the referrers of a digest', () => {
  it('are those of the repository', async () => {
    const repo = open();
    const subject = await putManifest(repo);
    const referrer = await putManifest(repo, { tags: ['signature'], subject });
    assert.deepEqual(
      (await all(repo.referrers(subject.digest))).map(({ digest }) => digest),
      [referrer.digest],
    );
    assert.deepEqual(await all(repo.referrers(subject.digest, { artifactType: 'none/such' })), []);
  });
});
