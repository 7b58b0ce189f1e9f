import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openLayout, layoutRepository as repo } from '../../src/layout/layout.ts';
import { parseTag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { transfer } from '../../src/transfer/transfer.ts';
import { all, read } from '../contract/contract.ts';
import { filesBelow, newLayout, push, readEntries, uniqueImage } from '../layout/layouts.ts';
import { type Built, blobsIn, buildArtifact, buildAttestation, buildIndex, pushImage } from '../support/images.ts';
import { needs, skopeo, umoci } from '../support/programs.ts';
import { type Scope, temporaryDirectory } from '../support/sandbox.ts';

const [one, two] = [parseTag('one'), parseTag('two')];

describe('a layout that we wrote', () => {
  it('is copied and inspected by skopeo, the same bytes', async (t) => {
    if (!needs(t, 'skopeo')) return;
    const layout = await newLayout(t);
    const image = await uniqueImage();
    await push(layout, image, one);
    const copy = join(await temporaryDirectory(t), 'copy');
    await skopeo(t, ['copy', `oci:${layout.directory}:one`, `oci:${copy}:two`]);
    await assertHolds(await openLayout({ directory: copy }), two, image);
    const { stdout } = await skopeo(t, ['inspect', `oci:${layout.directory}:one`]);
    const inspected = JSON.parse(stdout) as { Digest: string; Layers: string[] };
    assert.equal(inspected.Digest, image.descriptor.digest);
    assert.deepEqual(
      inspected.Layers,
      image.layers.map(({ descriptor }) => descriptor.digest),
    );
    const raw = await skopeo(t, ['inspect', '--raw', `oci:${layout.directory}:one`]);
    assert.equal(raw.stdout, Buffer.from(image.manifest.bytes).toString());
  });

  it('is copied whole with its index, attestation among it', async (t) => {
    if (!needs(t, 'skopeo')) return;
    const layout = await newLayout(t);
    const index = await demoIndex();
    await push(layout, index, one);
    const copy = join(await temporaryDirectory(t), 'copy');
    await skopeo(t, ['copy', '--all', `oci:${layout.directory}:one`, `oci:${copy}:one`]);
    await assertHolds(await openLayout({ directory: copy }), one, index);
  });

  it('means its only image to skopeo where no tag is said', async (t) => {
    if (!needs(t, 'skopeo')) return;
    const layout = await newLayout(t);
    const image = await uniqueImage();
    await push(layout, image, one);
    const { stdout } = await skopeo(t, ['inspect', `oci:${layout.directory}`]);
    assert.equal((JSON.parse(stdout) as { Digest: string }).Digest, image.descriptor.digest);
  });

  it('loses nothing to the garbage collection of umoci, referrers included', async (t) => {
    if (!needs(t, 'umoci')) return;
    const layout = await newLayout(t);
    const index = await demoIndex();
    await push(layout, index, one);
    const subject = index.descriptor;
    await push(layout, await buildArtifact({ artifactType: 'a/b', subject }));
    const before = await filesBelow(layout.directory);
    await umoci(t, ['gc', '--layout', layout.directory]);
    assert.deepEqual(await filesBelow(layout.directory), before);
    assert.equal((await all(layout.registry.referrers(repo, subject.digest))).length, 1);
    const { stdout } = await umoci(t, ['list', '--layout', layout.directory]);
    assert.equal(stdout.trim(), 'one');
  });
});

describe('a layout that others wrote', () => {
  it('is read after skopeo and umoci, and they read what we added', async (t) => {
    if (!needs(t, 'skopeo', 'umoci')) return;
    const source = await newLayout(t);
    const [image, added] = [await uniqueImage(), await uniqueImage()];
    await push(source, image, one);
    const directory = join(await temporaryDirectory(t), 'theirs');
    await skopeo(t, ['copy', `oci:${source.directory}:one`, `oci:${directory}:one`]);
    await umoci(t, ['tag', '--image', `${directory}:one`, 'again']);
    const registry = await openLayout({ directory });
    assert.deepEqual(await all(registry.tags(repo)), ['again', 'one']);
    await assertHolds(registry, one, image);
    await pushImage(registry, repo, two, added);
    assert.equal(await digestSeenBySkopeo(t, `${directory}:two`), added.descriptor.digest);
    assert.equal(await digestSeenBySkopeo(t, `${directory}:again`), image.descriptor.digest);
  });

  it('is moved on by both sides in turn', async (t) => {
    if (!needs(t, 'skopeo')) return;
    const [theirs, ours] = [await newLayout(t), await newLayout(t)];
    const [old, young] = [await uniqueImage(), await uniqueImage()];
    await push(theirs, old, one);
    await push(ours, young, one);
    await skopeo(t, ['copy', `oci:${theirs.directory}:one`, `oci:${ours.directory}:one`]);
    await assertHolds(ours.registry, one, old);
    await push(ours, young, one);
    assert.equal(await digestSeenBySkopeo(t, `${ours.directory}:one`), young.descriptor.digest);
    assert.equal((await readEntries(ours.directory)).length, 1);
  });

  it('is transferred from one to another, by tag and by digest', async (t) => {
    if (!needs(t, 'skopeo')) return;
    const source = await newLayout(t);
    const index = await demoIndex();
    await push(source, index, one);
    const theirs = join(await temporaryDirectory(t), 'theirs');
    await skopeo(t, ['copy', '--all', `oci:${source.directory}:one`, `oci:${theirs}:one`]);
    const from = await openLayout({ directory: theirs });
    for (const reference of [one, index.descriptor.digest]) {
      const target = await newLayout(t);
      const { result } = transfer({
        from: { registry: from, repo, reference },
        to: { registry: target.registry, repo, tags: [two] },
      });
      assert.equal((await result).root.digest, index.descriptor.digest);
      await assertHolds(target.registry, two, index);
      assert.equal((await readEntries(target.directory)).length, 1);
      const copy = join(await temporaryDirectory(t), 'copy');
      await skopeo(t, ['copy', '--all', `oci:${target.directory}:two`, `oci:${copy}:two`]);
    }
  });
});

async function demoIndex(): Promise<Built> {
  const image = await uniqueImage();
  return buildIndex([image, await buildAttestation(image)]);
}

async function digestSeenBySkopeo(t: Scope, layout: string): Promise<string> {
  const { stdout } = await skopeo(t, ['inspect', `oci:${layout}`]);
  return (JSON.parse(stdout) as { Digest: string }).Digest;
}

async function assertHolds(registry: Registry, tag: typeof one, built: Built): Promise<void> {
  assert.equal((await registry.statManifest(repo, tag)).digest, built.descriptor.digest);
  const check = async ({ descriptor, manifest, children }: Built): Promise<void> => {
    const got = await registry.getManifest(repo, descriptor.digest);
    assert.deepEqual(Buffer.from(got.bytes), Buffer.from(manifest.bytes));
    assert.equal(got.mediaType, descriptor.mediaType);
    for (const child of children) await check(child);
  };
  await check(built);
  for (const { descriptor } of blobsIn(built)) await read(await registry.getBlob(repo, descriptor));
}
