import assert from 'node:assert/strict';
import { type Digest, parseDigest } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
import type { RepositoryName } from '../../src/model/reference/reference.ts';
import type { ReferrerOptions, Registry } from '../../src/registry/registry.ts';
import { buildArtifact, buildIndex, pushImage } from '../support/images.ts';
import { all, blobOf, check, freshRepository, type Suite, uniqueBytes } from './contract.ts';
import { uniqueImage } from './manifests.ts';

export function referrerContract(suite: Suite): void {
  check(suite, 'lists what speaks about a manifest, with type and annotations', async ({ registry, repo }) => {
    const image = await uniqueImage();
    await pushImage(registry, repo, undefined, image);
    const subject = image.descriptor;
    const annotations = { 'org.example.note': 'n' };
    const artifact = await buildArtifact({ artifactType: 'application/x.sbom', subject, annotations });
    await pushImage(registry, repo, undefined, artifact);
    const [entry, ...rest] = await all(registry.referrers(repo, subject.digest));
    assert.deepEqual(rest, []);
    assert.ok(entry);
    const { digest, size, mediaType, artifactType } = entry;
    assert.deepEqual(
      { digest, size, mediaType, artifactType, annotations: entry.annotations },
      { ...artifact.descriptor, artifactType: 'application/x.sbom', annotations },
    );
  });

  check(suite, "takes the artifact's type from its config, where it says none", async ({ registry, repo }) => {
    const subject = (await uniqueImage()).descriptor;
    const artifact = await buildArtifact({ artifactType: 'application/x.old', subject, typeInConfig: true });
    await pushImage(registry, repo, undefined, artifact);
    const [entry] = await all(registry.referrers(repo, subject.digest));
    assert.equal(entry?.artifactType, 'application/x.old');
  });

  check(suite, 'filters by the type of artifact', async ({ registry, repo }) => {
    const subject = (await uniqueImage()).descriptor;
    const built = [];
    for (const artifactType of ['a/one', 'a/two', 'a/two+x']) {
      const artifact = await buildArtifact({ artifactType, subject });
      built.push(artifact.descriptor.digest);
      await pushImage(registry, repo, undefined, artifact);
    }
    const two = await all(registry.referrers(repo, subject.digest, { artifactType: 'a/two' }));
    assert.deepEqual(
      two.map(({ digest }) => digest),
      [built[1]],
    );
    const plus = await all(registry.referrers(repo, subject.digest, { artifactType: 'a/two+x' }));
    assert.equal(plus.length, 1);
    assert.deepEqual(await all(registry.referrers(repo, subject.digest, { artifactType: 'a/none' })), []);
    assert.equal((await all(registry.referrers(repo, subject.digest))).length, 3);
  });

  check(suite, 'lists them in the order of their digests, from behind any one on', async ({ registry, repo }) => {
    const { subject, digests } = await pushReferrers(registry, repo, ['a/b', 'a/b', 'a/b', 'a/b', 'a/b']);
    const [first = '', second = '', , fourth = '', last = ''] = digests;
    const list = (opts?: ReferrerOptions) => listed(registry, repo, subject, opts);
    assert.deepEqual(await list(), digests);
    assert.deepEqual(await list({ after: '' }), digests);
    assert.deepEqual(await list({ after: first }), digests.slice(1));
    assert.deepEqual(await list({ after: second }), digests.slice(2));
    assert.deepEqual(await list({ after: fourth }), [last]);
    assert.deepEqual(await list({ after: last }), []);
    await registry.deleteManifest(repo, parseDigest(second));
    assert.deepEqual(await list({ after: second }), digests.slice(2));
    assert.deepEqual(await list({ after: `sha256:${'0'.repeat(64)}` }), [first, ...digests.slice(2)]);
  });

  check(suite, 'lists as many as are asked for', async ({ registry, repo }) => {
    const { subject, digests } = await pushReferrers(registry, repo, ['a/b', 'a/b', 'a/b', 'a/b']);
    for (const limit of [0, 1, 3, 4, 5]) {
      assert.deepEqual(await listed(registry, repo, subject, { limit }), digests.slice(0, limit));
    }
    assert.deepEqual(await listed(registry, repo, subject, { after: digests[0], limit: 2 }), digests.slice(1, 3));
  });

  check(suite, 'counts only those of the type that is asked for', async ({ registry, repo }) => {
    const { subject, digests, types } = await pushReferrers(registry, repo, ['a/x', 'a/y', 'a/x', 'a/y', 'a/x', 'a/y']);
    const wanted = digests.filter((digest) => types.get(digest) === 'a/y');
    const list = (opts: ReferrerOptions) => listed(registry, repo, subject, { artifactType: 'a/y', ...opts });
    assert.deepEqual(await list({ limit: 2 }), wanted.slice(0, 2));
    assert.deepEqual(await list({ after: wanted[0], limit: 1 }), [wanted[1]]);
    assert.deepEqual(await list({ after: wanted[2] }), []);
    assert.deepEqual(await list({ limit: 0 }), []);
  });

  check(suite, 'lists what was there before its subject', async ({ registry, repo }) => {
    const image = await uniqueImage();
    const artifact = await buildArtifact({ artifactType: 'a/early', subject: image.descriptor });
    await pushImage(registry, repo, undefined, artifact);
    await pushImage(registry, repo, undefined, image);
    assert.equal((await all(registry.referrers(repo, image.descriptor.digest))).length, 1);
  });

  check(suite, 'lists none for an unknown digest', async ({ registry, repo }) => {
    await pushImage(registry, repo, undefined, await uniqueImage());
    const { digest } = await blobOf(uniqueBytes(10));
    assert.deepEqual(await all(registry.referrers(repo, digest)), []);
  });

  check(suite, 'lists none in an unknown repository', async ({ registry, repo }) => {
    const { digest } = await blobOf(uniqueBytes(10));
    assert.deepEqual(await all(registry.referrers(repo, digest)), []);
  });

  check(suite, 'lists an artifact once, pushed as often as may be', async ({ registry, repo }) => {
    const subject = (await uniqueImage()).descriptor;
    const artifact = await buildArtifact({ artifactType: 'a/twice', subject });
    await pushImage(registry, repo, undefined, artifact);
    await pushImage(registry, repo, undefined, artifact);
    assert.equal((await all(registry.referrers(repo, subject.digest))).length, 1);
  });

  check(suite, 'forgets an artifact that was removed', async ({ registry, repo }) => {
    const subject = (await uniqueImage()).descriptor;
    const [gone, kept] = [
      await buildArtifact({ artifactType: 'a/gone', subject }),
      await buildArtifact({ artifactType: 'a/kept', subject }),
    ];
    await pushImage(registry, repo, undefined, gone);
    await pushImage(registry, repo, undefined, kept);
    await registry.deleteManifest(repo, gone.descriptor.digest);
    const left = await all(registry.referrers(repo, subject.digest));
    assert.deepEqual(
      left.map(({ digest }) => digest),
      [kept.descriptor.digest],
    );
  });

  check(
    suite,
    'keeps repositories apart',
    async ({ registry, repo }) => {
      const subject = (await uniqueImage()).descriptor;
      await pushImage(registry, repo, undefined, await buildArtifact({ artifactType: 'a/here', subject }));
      const elsewhere = freshRepository();
      await pushImage(registry, elsewhere, undefined, await uniqueImage());
      assert.deepEqual(await all(registry.referrers(elsewhere, subject.digest)), []);
    },
    'several-repositories',
  );

  check(
    suite,
    'lists an index that has a subject',
    async ({ registry, repo }) => {
      const subject = (await uniqueImage()).descriptor;
      const index = await buildIndex([await uniqueImage()], { subject });
      await pushImage(registry, repo, undefined, index);
      const [entry] = await all(registry.referrers(repo, subject.digest));
      assert.equal(entry?.mediaType, mediaTypes.ociIndex);
      assert.equal(entry?.digest, index.descriptor.digest);
    },
    'referrers-of-indexes',
  );

  check(suite, 'lets a loop break', async ({ registry, repo }) => {
    const subject = (await uniqueImage()).descriptor;
    for (const artifactType of ['a/1', 'a/2']) {
      await pushImage(registry, repo, undefined, await buildArtifact({ artifactType, subject }));
    }
    for await (const entry of registry.referrers(repo, subject.digest)) {
      assert.ok(entry.digest);
      break;
    }
  });
}

/** Pushes artifacts of these types with an image as their subject; returns their digests in order. */
async function pushReferrers(
  registry: Registry,
  repo: RepositoryName,
  artifactTypes: readonly string[],
): Promise<{
  readonly subject: Digest;
  readonly digests: readonly Digest[];
  readonly types: ReadonlyMap<Digest, string>;
}> {
  const subject = (await uniqueImage()).descriptor;
  const types = new Map<Digest, string>();
  for (const artifactType of artifactTypes) {
    const artifact = await buildArtifact({ artifactType, subject, annotations: { n: String(types.size) } });
    await pushImage(registry, repo, undefined, artifact);
    types.set(artifact.descriptor.digest, artifactType);
  }
  return { subject: subject.digest, digests: [...types.keys()].sort(), types };
}

async function listed(
  registry: Registry,
  repo: RepositoryName,
  subject: Digest,
  opts?: ReferrerOptions,
): Promise<readonly string[]> {
  return (await all(registry.referrers(repo, subject, opts))).map(({ digest }) => digest);
}
