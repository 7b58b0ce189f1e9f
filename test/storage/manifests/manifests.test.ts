import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { digestBytes, digestHex } from '../../../src/model/digest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { tagHistory } from '../../../src/registry/extensions.ts';
import { referrerLinkPath } from '../../../src/storage/paths.ts';
import {
  all,
  blobFile,
  describeBytes,
  failsWith,
  filesBelow,
  imageWith,
  madeBytes,
  manifestOf,
  openStore,
  pushBytes,
  repo,
  text,
  v2,
} from '../stores.ts';

const [one, two] = [parseTag('one'), parseTag('two')];

describe('a manifest in the store', () => {
  it('keeps a media type that its bytes do not tell, and writes no file for one that they do', async (t) => {
    const { root, registry } = await openStore(t);
    const { config, layer, raw } = await imageWith(registry, repo, 'a');
    const untyped = manifestOf({ config, layers: [layer] }, mediaTypes.dockerManifest);
    const plain = manifestOf({ config, layers: [] }, mediaTypes.ociManifest);
    const foreign = { mediaType: 'application/vnd.example.thing', bytes: text('not even JSON') };
    for (const manifest of [raw, untyped, plain, foreign]) {
      const { digest } = await registry.pushManifest(repo, manifest);
      const got = await registry.getManifest(repo, digest);
      assert.equal(got.mediaType, manifest.mediaType);
      assert.deepEqual(Buffer.from(got.bytes), Buffer.from(manifest.bytes));
      assert.equal((await registry.statManifest(repo, digest)).mediaType, manifest.mediaType);
    }
    const sidecars = (await filesBelow(root)).filter((file) => file.endsWith('/mediatype'));
    assert.equal(sidecars.length, 2);
    await registry.pushManifest(repo, { ...untyped, mediaType: mediaTypes.ociManifest });
    const { digest } = await describeBytes(untyped.bytes);
    assert.equal((await registry.statManifest(repo, digest)).mediaType, mediaTypes.ociManifest);
  });

  it('is refused if it is too large, in schema 1, or does not match its digest', async (t) => {
    const { registry } = await openStore(t, { maxManifestBytes: 1_000 });
    const { raw } = await imageWith(registry, repo, 'a');
    const large = { ...raw, bytes: Buffer.concat([raw.bytes, text(' '.repeat(1_000))]) };
    await assert.rejects(registry.pushManifest(repo, large), failsWith('TOO_LARGE'));
    const old = { mediaType: mediaTypes.dockerSchema1Signed, bytes: text('{"schemaVersion":1,"signatures":[]}') };
    await assert.rejects(registry.pushManifest(repo, old), failsWith('UNSUPPORTED'));
    const digest = await digestBytes(text('x'));
    await assert.rejects(registry.pushManifest(repo, raw, { digest }), failsWith('DIGEST_MISMATCH'));
    await assert.rejects(all(registry.tags(repo)).then(([tag]) => registry.statManifest(repo, tag ?? one)));
  });

  it('names all that is missing, and lets foreign layers and subjects be missing', async (t) => {
    const { registry } = await openStore(t);
    const { config } = await imageWith(registry, repo, 'a');
    const absent = await Promise.all(['x', 'y'].map((seed) => describeBytes(text(seed))));
    const layers = absent.map((entry) => ({ ...entry, mediaType: mediaTypes.ociLayer }));
    await assert.rejects(
      registry.pushManifest(repo, manifestOf({ config, layers })),
      failsWith('MANIFEST_BLOB_UNKNOWN', ({ detail }) =>
        assert.deepEqual(
          detail,
          absent.map(({ digest }) => ({ digest })),
        ),
      ),
    );
    const foreign = [
      { ...layers[0], mediaType: mediaTypes.dockerForeignLayer },
      { ...layers[1], urls: ['https://example.com/layer'] },
    ];
    const subject = { ...(await describeBytes(text('subject'))), mediaType: mediaTypes.ociManifest };
    await registry.pushManifest(repo, manifestOf({ config, layers: foreign, subject }));
  });

  it('may be an index without its children only where the store and the caller want that', async (t) => {
    const child = { ...(await describeBytes(text('child'))), mediaType: mediaTypes.ociManifest };
    const index = manifestOf({ manifests: [child] }, mediaTypes.ociIndex);
    const { registry: strict } = await openStore(t);
    const { registry: sparse } = await openStore(t, { sparseIndexes: true });
    await assert.rejects(strict.pushManifest(repo, index, { sparse: true }), failsWith('MANIFEST_BLOB_UNKNOWN'));
    await assert.rejects(sparse.pushManifest(repo, index), failsWith('MANIFEST_BLOB_UNKNOWN'));
    await sparse.pushManifest(repo, index, { sparse: true });
    const { config } = await imageWith(sparse, repo, 'a');
    await assert.rejects(
      sparse.pushManifest(repo, manifestOf({ config, layers: [child] }), { sparse: true }),
      failsWith('MANIFEST_BLOB_UNKNOWN'),
    );
  });

  it('may be anything without its parts where the store takes all, and the parts may come later', async (t) => {
    const { registry } = await openStore(t, { sparse: true });
    const absent = await Promise.all(['x', 'y'].map((seed) => describeBytes(text(seed))));
    const [config, layer] = absent;
    const image = manifestOf({ config, layers: [layer] });
    const { digest, size } = await registry.pushManifest(repo, image);
    const child = { mediaType: mediaTypes.ociManifest, digest, size };
    const missing = { ...(await describeBytes(text('child'))), mediaType: mediaTypes.ociManifest };
    await registry.pushManifest(repo, manifestOf({ manifests: [child, missing] }, mediaTypes.ociIndex), {
      tags: [one],
    });
    assert.equal((await registry.getManifest(repo, digest)).view.kind, 'image');
    await assert.rejects(registry.getManifest(repo, missing.digest), failsWith('MANIFEST_UNKNOWN'));
    await assert.rejects(registry.statBlob(repo, absent[0]?.digest ?? digest), failsWith('BLOB_UNKNOWN'));
    await pushBytes(registry, repo, text('x'));
    assert.equal((await registry.statBlob(repo, absent[0]?.digest ?? digest)).size, 1);
  });

  it('may be an index over layers, as build caches are', async (t) => {
    const { registry } = await openStore(t);
    const layer = { ...(await pushBytes(registry, repo, madeBytes('l', 10))), mediaType: mediaTypes.ociLayerGzip };
    await registry.pushManifest(repo, manifestOf({ manifests: [layer] }, mediaTypes.ociIndex), { tags: [one] });
  });

  it('is not given out when the disk changed it', async (t) => {
    const { root, registry } = await openStore(t);
    const { raw } = await imageWith(registry, repo, 'a');
    const { digest } = await registry.pushManifest(repo, raw, { tags: [one] });
    await writeFile(blobFile(root, digest), Buffer.from(raw.bytes).fill(32, 20, 30));
    await assert.rejects(
      registry.getManifest(repo, one),
      failsWith('STORAGE_DAMAGED', ({ hint }) => assert.match(hint ?? '', /store is damaged/)),
    );
    await writeFile(blobFile(root, digest), Buffer.alloc(4 * 1024 * 1024 + 1, 32));
    await assert.rejects(registry.getManifest(repo, one), failsWith('STORAGE_DAMAGED'));
    await rm(blobFile(root, digest));
    await assert.rejects(registry.getManifest(repo, one), failsWith('MANIFEST_UNKNOWN'));
  });

  it('takes with it, when it is deleted, the tags that point at it and no other', async (t) => {
    const { registry, root } = await openStore(t);
    const first = await registry.pushManifest(repo, (await imageWith(registry, repo, 'a')).raw, { tags: [one, two] });
    const second = await registry.pushManifest(repo, (await imageWith(registry, repo, 'b')).raw, { tags: [two] });
    const damaged = join(root, v2, 'repositories', repo, '_manifests/tags/broken/current/link');
    await mkdir(dirname(damaged), { recursive: true });
    await writeFile(damaged, 'garbage');
    await registry.deleteManifest(repo, first.digest);
    assert.deepEqual(await all(registry.tags(repo)), ['broken', two]);
    assert.equal((await registry.statManifest(repo, two)).digest, second.digest);
    await assert.rejects(registry.statManifest(repo, first.digest), failsWith('MANIFEST_UNKNOWN'));
    await registry.deleteTag(repo, two);
    assert.equal((await registry.statManifest(repo, second.digest)).digest, second.digest);
  });

  it('is remembered by its tag, the newest first', async (t) => {
    const { registry } = await openStore(t);
    const digests = [];
    for (const seed of ['a', 'b', 'c', 'a']) {
      const { raw } = await imageWith(registry, repo, seed);
      digests.push((await registry.pushManifest(repo, raw, { tags: [one] })).digest);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    const history = registry.extension(tagHistory);
    assert.ok(history);
    assert.deepEqual(await all(history.history(repo, one)), [digests[3], digests[2], digests[1]]);
    await assert.rejects(all(history.history(repo, two)), failsWith('MANIFEST_UNKNOWN'));
  });
});

describe('referrers in the store', () => {
  it('are found by link and by fallback tag, once each, and are gone when deleted', async (t) => {
    const { root, registry } = await openStore(t);
    const { raw } = await imageWith(registry, repo, 'image');
    const subject = await registry.pushManifest(repo, raw);
    const annotations = { note: 'x' };
    const signature = await imageWith(registry, repo, 'signature', {
      subject,
      annotations,
      artifactType: 'application/vnd.example.signature',
    });
    const { digest } = await registry.pushManifest(repo, signature.raw);
    const listed = await all(registry.referrers(repo, subject.digest));
    assert.deepEqual(listed, [
      {
        mediaType: mediaTypes.ociManifest,
        digest,
        size: signature.raw.bytes.length,
        artifactType: 'application/vnd.example.signature',
        annotations,
      },
    ]);

    const artifactType = 'application/vnd.example.old';
    const oldSignature = await imageWith(registry, repo, 'old signature', { subject, artifactType });
    const old = await registry.pushManifest(repo, oldSignature.raw);
    // As distribution stores it: it makes no link to a subject.
    await rm(dirname(join(root, referrerLinkPath(repo, subject.digest, old.digest))), { recursive: true });
    assert.deepEqual(await all(registry.referrers(repo, subject.digest)), listed);
    const entry = { ...old, artifactType };
    // Neither the image nor a manifest that is gone refers to it, whatever the list says; and that knows no types.
    const manifests = [{ ...old, artifactType: mediaTypes.ociEmpty }, listed[0], subject];
    const fallback = manifestOf({ mediaType: mediaTypes.ociIndex, manifests }, mediaTypes.ociIndex);
    const tags = [parseTag(`sha256-${digestHex(subject.digest)}`)];
    await registry.pushManifest(repo, fallback, { tags });
    const both = [...listed, entry].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    assert.deepEqual(await all(registry.referrers(repo, subject.digest)), both);
    const after = both[0]?.digest;
    assert.deepEqual(await all(registry.referrers(repo, subject.digest, { after })), both.slice(1));
    assert.deepEqual(await all(registry.referrers(repo, subject.digest, { limit: 1 })), both.slice(0, 1));
    const filtered = registry.referrers(repo, subject.digest, { artifactType: 'application/vnd.example.old' });
    assert.deepEqual(await all(filtered), [entry]);

    await registry.deleteTag(repo, tags[0] ?? one);
    await registry.deleteManifest(repo, digest);
    assert.deepEqual(await all(registry.referrers(repo, subject.digest)), []);
    assert.ok(!(await filesBelow(root)).some((file) => file.includes('_referrers')));
  });

  it("have the config's media type as artifact type if they state none", async (t) => {
    const { registry } = await openStore(t);
    const subject = { ...(await describeBytes(text('not here'))), mediaType: mediaTypes.ociManifest };
    const { raw } = await imageWith(registry, repo, 'sbom', { subject });
    await registry.pushManifest(repo, raw);
    const [found] = await all(registry.referrers(repo, subject.digest));
    assert.equal(found?.artifactType, mediaTypes.ociConfig);
  });
});

describe('a tag in the store', () => {
  it('is written as distribution writes it: index link, then current', async (t) => {
    const { root, registry } = await openStore(t);
    const { digest } = await registry.pushManifest(repo, (await imageWith(registry, repo, 'a')).raw, { tags: [one] });
    const tagRoot = join(root, v2, 'repositories', repo, '_manifests/tags/one');
    const files = ['current/link', `index/sha256/${digestHex(digest)}/link`];
    assert.deepEqual(await filesBelow(tagRoot), files);
    for (const file of files) assert.equal(await readFile(join(tagRoot, file), 'utf8'), digest);
  });
});
