import assert from 'node:assert/strict';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';
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
