import assert from 'node:assert/strict';
import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import { parseTag } from '../../src/model/reference/reference.ts';
import { buildIndex, rawManifest } from '../support/images.ts';
import { blobOf, check, failsWith, freshRepository, type Suite, uniqueBytes } from './contract.ts';
import { assertNoManifest, configOnly, paddedManifest, pushConfig, uniqueImage } from './manifests.ts';

const latest = parseTag('latest');

export function manifestRefusalContract(suite: Suite): void {
  check(suite, 'refuses a manifest whose digest is another', async ({ registry, repo }) => {
    const manifest = await configOnly(registry, repo);
    const { digest } = await blobOf(uniqueBytes(10));
    await assert.rejects(registry.pushManifest(repo, manifest, { digest }), failsWith('DIGEST_MISMATCH'));
    await assertNoManifest(registry, repo, digest);
  });

  check(suite, 'refuses an image whose config or layer is absent, and keeps nothing', async ({ registry, repo }) => {
    const config = await pushConfig(registry, repo);
    const absent = await blobOf(uniqueBytes(10));
    for (const fields of [
      { config: absent, layers: [] },
      { config, layers: [absent] },
    ]) {
      const manifest = rawManifest(mediaTypes.ociManifest, fields);
      const push = registry.pushManifest(repo, manifest, { tags: [latest] });
      await assert.rejects(push, failsWith('MANIFEST_BLOB_UNKNOWN'));
      await assertNoManifest(registry, repo, await digestBytes(manifest.bytes));
      await assertNoManifest(registry, repo, latest);
    }
  });

  check(
    suite,
    'refuses an image whose blob is in another repository alone',
    async ({ registry, repo }) => {
      const elsewhere = freshRepository();
      const config = await pushConfig(registry, elsewhere);
      await pushConfig(registry, repo);
      const push = registry.pushManifest(repo, rawManifest(mediaTypes.ociManifest, { config, layers: [] }));
      await assert.rejects(push, failsWith('MANIFEST_BLOB_UNKNOWN'));
    },
    'blobs-per-repository',
  );

  check(suite, 'refuses an index whose child is absent', async ({ registry, repo }) => {
    await pushConfig(registry, repo);
    const index = await buildIndex([await uniqueImage()]);
    const push = registry.pushManifest(repo, index.manifest, { tags: [latest] });
    await assert.rejects(push, failsWith('MANIFEST_BLOB_UNKNOWN'));
    await assertNoManifest(registry, repo, latest);
  });

  const malformed: readonly (readonly [string, string, string])[] = [
    ['bytes that are no JSON', mediaTypes.ociManifest, '{"schemaVersion":2,'],
    ['nothing at all', mediaTypes.ociManifest, ''],
    ['a list', mediaTypes.ociManifest, '[]'],
    ['an image without a config', mediaTypes.ociManifest, '{"schemaVersion":2,"layers":[]}'],
    [
      'a type that contradicts its own field',
      mediaTypes.ociManifest,
      `{"schemaVersion":2,"mediaType":"${mediaTypes.ociIndex}","manifests":[]}`,
    ],
  ];
  for (const [what, mediaType, text] of malformed) {
    check(suite, `refuses ${what}`, async ({ registry, repo }) => {
      await pushConfig(registry, repo);
      const push = registry.pushManifest(repo, { mediaType, bytes: Buffer.from(text) }, { tags: [latest] });
      await assert.rejects(push, failsWith('MANIFEST_INVALID'));
      await assertNoManifest(registry, repo, latest);
    });
  }

  check(suite, 'refuses a document that is an image and an index at once', async ({ registry, repo }) => {
    const config = await pushConfig(registry, repo);
    const both = rawManifest(mediaTypes.ociManifest, { config, layers: [], manifests: [] });
    await assert.rejects(registry.pushManifest(repo, both), failsWith('MANIFEST_INVALID'));
  });

  check(
    suite,
    'refuses a manifest of 20 MiB',
    async ({ registry, repo }) => {
      const manifest = await paddedManifest(registry, repo, 20 * 1024 * 1024);
      await assert.rejects(registry.pushManifest(repo, manifest, { tags: [latest] }), failsWith('TOO_LARGE'));
      await assertNoManifest(registry, repo, latest);
    },
    'too-large-code',
  );

  check(suite, 'says that a manifest or tag is unknown', async ({ registry, repo }) => {
    await registry.pushManifest(repo, await configOnly(registry, repo), { tags: [latest] });
    for (const reference of [parseTag('nope'), (await blobOf(uniqueBytes(9))).digest]) {
      await assert.rejects(registry.statManifest(repo, reference), failsWith('MANIFEST_UNKNOWN'));
      await assert.rejects(registry.getManifest(repo, reference), failsWith('MANIFEST_UNKNOWN'));
    }
  });

  check(suite, 'says so in a repository that does not exist as well', async ({ registry, repo }) => {
    await assertNoManifest(registry, repo, latest);
  });
}
