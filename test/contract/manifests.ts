import assert from 'node:assert/strict';
import { digestBytes } from '../../src/model/digest.ts';
import type { Descriptor } from '../../src/model/manifest/descriptor.ts';
import type { RawManifest } from '../../src/model/manifest/manifest.ts';
import { manifestMediaTypes, mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseTag, type RepositoryName } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { buildArtifact, buildImage, buildIndex, pushImage, rawManifest } from '../support/images.ts';
import { all, blobOf, check, failsWith, pushBytes, type Suite, uniqueBytes } from './contract.ts';

const latest = parseTag('latest');

export function manifestContract(suite: Suite): void {
  for (const format of ['oci', 'docker'] as const) {
    check(suite, `keeps an ${format} image: the exact bytes and its type`, async ({ registry, repo }) => {
      const image = await uniqueImage(format);
      const pushed = await pushImage(registry, repo, latest, image);
      const { digest, size, mediaType } = image.descriptor;
      assert.deepEqual({ ...pushed }, { digest, size, mediaType });
      for (const reference of [latest, digest]) {
        assert.deepEqual(summary(await registry.statManifest(repo, reference)), { digest, size, mediaType });
        const got = await registry.getManifest(repo, reference);
        assert.deepEqual(Buffer.from(got.bytes), Buffer.from(image.manifest.bytes));
        assert.equal(got.mediaType, mediaType);
        assert.deepEqual(summary(got.descriptor), { digest, size, mediaType });
        assert.ok(got.view.kind === 'image');
        assert.equal(got.view.config.digest, image.config.descriptor.digest);
      }
    });
  }

  check(suite, 'keeps white space, order and unknown fields of a manifest', async ({ registry, repo }) => {
    const config = await pushConfig(registry, repo);
    const text = `{ "layers": [ ],\t"x-unknown": {"b":1, "a":2},\n"config":${JSON.stringify(config)},"mediaType":"${mediaTypes.ociManifest}","schemaVersion":2 }\n\n`;
    const manifest = { mediaType: mediaTypes.ociManifest, bytes: Buffer.from(text) };
    const { digest } = await registry.pushManifest(repo, manifest, { tags: [latest] });
    assert.equal(digest, await digestBytes(manifest.bytes));
    assert.equal(Buffer.from((await registry.getManifest(repo, latest)).bytes).toString(), text);
  });

  check(suite, 'gives an index with all its children', async ({ registry, repo }) => {
    const amd64 = await uniqueImage();
    const arm64 = await uniqueImage('oci', 'arm64');
    const index = await buildIndex([amd64, arm64], { annotations: { note: 'two' } });
    await pushImage(registry, repo, latest, index);
    const got = await registry.getManifest(repo, latest, { accept: manifestMediaTypes() });
    assert.ok(got.view.kind === 'index');
    assert.deepEqual(
      got.view.manifests.map(({ digest }) => digest),
      [amd64.descriptor.digest, arm64.descriptor.digest],
    );
    assert.equal(got.view.manifests[1]?.platform?.architecture, 'arm64');
    for (const { digest } of got.view.manifests) {
      assert.equal((await registry.getManifest(repo, digest)).descriptor.digest, digest);
    }
  });

  check(suite, "keeps Docker's manifest list", async ({ registry, repo }) => {
    const list = await buildIndex([await uniqueImage('docker')], { format: 'docker' });
    await pushImage(registry, repo, latest, list);
    assert.equal((await registry.getManifest(repo, latest)).mediaType, mediaTypes.dockerList);
  });

  check(suite, 'keeps an index inside an index', async ({ registry, repo }) => {
    const inner = await buildIndex([await uniqueImage()]);
    const outer = await buildIndex([inner, await uniqueImage()]);
    await pushImage(registry, repo, latest, outer);
    assert.equal((await registry.getManifest(repo, inner.descriptor.digest)).view.kind, 'index');
  });

  check(suite, 'keeps an artifact without layers of an image', async ({ registry, repo }) => {
    const artifact = await buildArtifact({ artifactType: 'application/x.demo', annotations: { id: repo } });
    await pushImage(registry, repo, latest, artifact);
    assert.equal((await registry.getManifest(repo, latest)).view.artifactType, 'application/x.demo');
  });

  check(
    suite,
    'keeps the artifact manifest that image-spec withdrew',
    async ({ registry, repo }) => {
      const blob = await pushBytes(registry, repo, uniqueBytes(10));
      const manifest = rawManifest(mediaTypes.ociArtifact, { artifactType: 'a/b', blobs: [blob] });
      await registry.pushManifest(repo, manifest, { tags: [latest] });
      assert.equal((await registry.getManifest(repo, latest)).view.kind, 'artifact');
    },
    'artifact-manifests',
  );

  check(
    suite,
    'keeps a manifest of a type that nobody knows, as bytes',
    async ({ registry, repo }) => {
      await pushConfig(registry, repo);
      const manifest = { mediaType: 'application/vnd.example.manifest+json', bytes: Buffer.from(`{"n":"${repo}"}`) };
      await registry.pushManifest(repo, manifest, { tags: [latest] });
      const got = await registry.getManifest(repo, latest, { accept: [manifest.mediaType] });
      assert.equal(got.mediaType, manifest.mediaType);
      assert.deepEqual(Buffer.from(got.bytes), manifest.bytes);
    },
    'other-manifests',
  );

  check(
    suite,
    'keeps a manifest under sha512, when told so',
    async ({ registry, repo }) => {
      const manifest = await configOnly(registry, repo);
      const digest = await digestBytes(manifest.bytes, 'sha512');
      assert.equal((await registry.pushManifest(repo, manifest, { digest, tags: [latest] })).digest, digest);
      assert.equal((await registry.getManifest(repo, digest)).descriptor.digest, digest);
      assert.equal((await registry.statManifest(repo, latest)).digest, digest);
    },
    'sha512-manifests',
  );

  check(suite, 'takes a manifest without a tag', async ({ registry, repo }) => {
    const { digest } = await registry.pushManifest(repo, await configOnly(registry, repo));
    assert.equal((await registry.statManifest(repo, digest)).digest, digest);
  });

  check(suite, 'sets several tags at once', async ({ registry, repo }) => {
    const tags = ['1', '1.2', '1.2.3'].map(parseTag);
    const { digest } = await registry.pushManifest(repo, await configOnly(registry, repo), { tags });
    for (const tag of tags) assert.equal((await registry.statManifest(repo, tag)).digest, digest);
    assert.deepEqual((await all(registry.tags(repo))).sort(), tags);
  });

  check(suite, 'moves a tag, and keeps what it pointed at', async ({ registry, repo }) => {
    const old = await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [latest] });
    const young = await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [latest] });
    assert.notEqual(old.digest, young.digest);
    assert.equal((await registry.statManifest(repo, latest)).digest, young.digest);
    assert.equal((await registry.statManifest(repo, old.digest)).digest, old.digest);
    assert.deepEqual(await all(registry.tags(repo)), [latest]);
  });

  check(suite, 'takes the same manifest twice', async ({ registry, repo }) => {
    const manifest = await configOnly(registry, repo);
    const first = await registry.pushManifest(repo, manifest, { tags: [latest] });
    assert.deepEqual(await registry.pushManifest(repo, manifest, { tags: [latest] }), first);
  });

  check(suite, 'says that nothing changed', async ({ registry, repo }) => {
    const { digest } = await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [latest] });
    await assert.rejects(registry.getManifest(repo, latest, { ifNoneMatch: digest }), failsWith('NOT_MODIFIED'));
    const other = (await blobOf(uniqueBytes(10))).digest;
    assert.equal((await registry.getManifest(repo, latest, { ifNoneMatch: other })).descriptor.digest, digest);
  });

  check(
    suite,
    'takes an index without some children, when told so',
    async ({ registry, repo }) => {
      const [here, absent] = [await uniqueImage(), await uniqueImage()];
      const index = await buildIndex([here, absent]);
      await pushImage(registry, repo, latest, index, { omit: [absent] });
      assert.equal((await registry.getManifest(repo, latest)).descriptor.digest, index.descriptor.digest);
      await assertNoManifest(registry, repo, absent.descriptor.digest);
    },
    'sparse-indexes',
  );

  check(suite, 'takes a manifest whose subject is absent', async ({ registry, repo }) => {
    const subject = (await uniqueImage()).descriptor;
    const artifact = await buildArtifact({ artifactType: 'a/b', subject });
    await pushImage(registry, repo, latest, artifact);
    assert.equal((await registry.getManifest(repo, latest)).view.subject?.digest, subject.digest);
  });

  check(
    suite,
    'takes a manifest of four million bytes',
    async ({ registry, repo }) => {
      const manifest = await paddedManifest(registry, repo, 4_000_000);
      const { size } = await registry.pushManifest(repo, manifest, { tags: [latest] });
      assert.equal((await registry.getManifest(repo, latest)).bytes.length, size);
    },
    'large-manifests',
  );

  check(suite, 'is left with one of several manifests pushed to a tag at once', async ({ registry, repo }) => {
    const manifests = await Promise.all([1, 2, 3, 4].map(() => configOnly(registry, repo)));
    const pushed = await Promise.all(manifests.map((m) => registry.pushManifest(repo, m, { tags: [latest] })));
    const { descriptor } = await registry.getManifest(repo, latest);
    assert.ok(pushed.some(({ digest }) => digest === descriptor.digest));
    for (const { digest } of pushed) assert.equal((await registry.statManifest(repo, digest)).digest, digest);
  });
}

/** An image that no other test uses. */
export async function uniqueImage(format: 'oci' | 'docker' = 'oci', architecture = 'amd64') {
  return buildImage({ format, platform: { os: 'linux', architecture }, layers: [{ files: { id: uniqueBytes(40) } }] });
}

/** Pushes a small config, and returns a manifest that names only this config. */
export async function configOnly(registry: Registry, repo: RepositoryName): Promise<RawManifest> {
  return rawManifest(mediaTypes.ociManifest, { config: await pushConfig(registry, repo), layers: [] });
}

export async function assertNoManifest(
  registry: Registry,
  repo: RepositoryName,
  reference: Parameters<Registry['statManifest']>[1],
): Promise<void> {
  await assert.rejects(registry.statManifest(repo, reference), failsWith('MANIFEST_UNKNOWN', 'NAME_UNKNOWN'));
  await assert.rejects(registry.getManifest(repo, reference), failsWith('MANIFEST_UNKNOWN', 'NAME_UNKNOWN'));
}

/** Pushes a small blob to be used as a config. */
export async function pushConfig(registry: Registry, repo: RepositoryName): Promise<Descriptor> {
  return { ...(await pushBytes(registry, repo, uniqueBytes(30))), mediaType: 'application/vnd.example.config' };
}

/** A manifest of at least this size. */
export async function paddedManifest(registry: Registry, repo: RepositoryName, bytes: number): Promise<RawManifest> {
  const config = await pushConfig(registry, repo);
  return rawManifest(mediaTypes.ociManifest, { config, layers: [], annotations: { padding: 'x'.repeat(bytes) } });
}

function summary({ digest, size, mediaType }: Descriptor): Descriptor {
  return { digest, size, mediaType };
}
