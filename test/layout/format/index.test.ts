import assert from 'node:assert/strict';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { layoutRepository as repo } from '../../../src/layout/layout.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { bytesSource } from '../../../src/registry/content.ts';
import { all, failsWith } from '../../contract/contract.ts';
import { type Built, buildArtifact, buildIndex, rawManifest } from '../../support/images.ts';
import {
  blobFile,
  entryOf,
  imageName,
  latest,
  newLayout,
  push,
  readEntries,
  refName,
  type TestLayout,
  uniqueImage,
  writeEntries,
} from '../layouts.ts';

const [one, two] = [parseTag('one'), parseTag('two')];

describe('index.json', () => {
  it('has one entry for each tag, and none for children', async (t) => {
    const layout = await newLayout(t);
    const image = await uniqueImage();
    const index = await buildIndex([image, await uniqueImage()]);
    await push(layout, index, one);
    assert.deepEqual(await readEntries(layout.directory), [entryOf(index.descriptor, { [refName]: 'one' })]);
    await push(layout, index, two);
    assert.deepEqual(await readEntries(layout.directory), [
      entryOf(index.descriptor, { [refName]: 'one' }),
      entryOf(index.descriptor, { [refName]: 'two' }),
    ]);
  });

  it('moves a tag by dropping its old entry; the blobs stay', async (t) => {
    const layout = await newLayout(t);
    const [old, young] = [await uniqueImage(), await uniqueImage()];
    await push(layout, old, latest);
    await push(layout, young, latest);
    assert.deepEqual(await readEntries(layout.directory), [entryOf(young.descriptor, { [refName]: 'latest' })]);
    assert.equal((await layout.registry.statManifest(repo, old.descriptor.digest)).digest, old.descriptor.digest);
  });

  it('keeps fields, entries and order that other tools wrote', async (t) => {
    const layout = await newLayout(t);
    const image = await uniqueImage();
    await push(layout, image);
    const foreign = [
      { ...entryOf(image.descriptor, { [refName]: 'kept', 'org.example': 'x' }), platform: { os: 'linux' } },
      { mediaType: 'a/b', digest: 'md5:1234', size: 3 },
      'not even an object',
      { ...entryOf(image.descriptor), annotations: { [refName]: 'not a/tag!' } },
    ];
    await writeEntries(layout.directory, foreign, { annotations: { a: 'b' }, 'x-own': [1, { z: 1, a: 2 }] });
    await push(layout, await uniqueImage(), one);
    const text = await readFile(join(layout.directory, 'index.json'), 'utf8');
    const document = JSON.parse(text);
    assert.deepEqual(Object.keys(document), ['schemaVersion', 'manifests', 'annotations', 'x-own']);
    assert.deepEqual(document['x-own'], [1, { z: 1, a: 2 }]);
    assert.deepEqual(document.manifests.slice(0, 4), foreign);
    assert.ok(text.includes('{"z":1,"a":2}'));
    await layout.registry.deleteTag(repo, one);
    assert.deepEqual(await readEntries(layout.directory), foreign);
  });

  it('is not written when nothing changes', async (t) => {
    const layout = await newLayout(t);
    const image = await uniqueImage();
    await push(layout, image, latest);
    const before = await stat(join(layout.directory, 'index.json'));
    await push(layout, image, latest);
    assert.equal((await stat(join(layout.directory, 'index.json'))).ino, before.ino);
  });

  it('gets an untagged entry for a referrer, which a tag then uses, and which outlives the tag', async (t) => {
    const layout = await newLayout(t);
    const subject = (await uniqueImage()).descriptor;
    const artifact = await buildArtifact({ artifactType: 'a/b', subject });
    const entry = { ...entryOf(artifact.descriptor), artifactType: 'a/b' };
    await push(layout, artifact);
    assert.deepEqual(await readEntries(layout.directory), [entry]);
    await push(layout, artifact, one);
    assert.deepEqual(await readEntries(layout.directory), [{ ...entry, annotations: { [refName]: 'one' } }]);
    await layout.registry.deleteTag(repo, one);
    assert.deepEqual(await readEntries(layout.directory), [entry]);
    await push(layout, artifact, one);
    await push(layout, await uniqueImage(), one);
    assert.equal((await all(layout.registry.referrers(repo, subject.digest))).length, 1);
  });

  it('tells the type of a manifest whose bytes do not', async (t) => {
    const { directory, registry } = await newLayout(t);
    const manifest = { mediaType: 'application/vnd.example.manifest+json', bytes: Buffer.from('{"n":1}') };
    const { digest } = await registry.pushManifest(repo, manifest);
    assert.equal((await readEntries(directory)).length, 1);
    assert.equal((await registry.getManifest(repo, digest)).mediaType, manifest.mediaType);
  });

  it('is read anew when another program replaced it', async (t) => {
    const layout = await newLayout(t);
    const image = await uniqueImage();
    await push(layout, image, one);
    assert.deepEqual(await all(layout.registry.tags(repo)), [one]);
    await writeEntries(layout.directory, [entryOf(image.descriptor, { [refName]: 'two' })]);
    assert.deepEqual(await all(layout.registry.tags(repo)), [two]);
  });

  for (const [what, text] of [
    ['no JSON', '{"schemaVersion":2,'],
    ['a list', '[]'],
    ['entries that are no list', '{"manifests":{}}'],
  ] as const) {
    it(`is called malformed when it is ${what}, and left as it is`, async (t) => {
      const layout = await newLayout(t);
      const file = join(layout.directory, 'index.json');
      await writeFile(file, text);
      await assert.rejects(layout.registry.statManifest(repo, latest), failsWith('MANIFEST_INVALID'));
      await assert.rejects(push(layout, await uniqueImage(), latest), failsWith('MANIFEST_INVALID'));
      assert.equal(await readFile(file, 'utf8'), text);
    });
  }

  it('is refused past four MiB', async (t) => {
    const { directory, registry } = await newLayout(t);
    await writeEntries(directory, [], { padding: 'x'.repeat(4 * 1024 * 1024) });
    await assert.rejects(registry.statManifest(repo, latest), failsWith('TOO_LARGE'));
  });
});

describe('tags of a layout', () => {
  async function withNames(layout: TestLayout, ...names: readonly [Built, Record<string, string>][]): Promise<void> {
    for (const [image] of names) await push(layout, image);
    const entries = names.map(([image, annotations]) => entryOf(image.descriptor, annotations));
    await writeEntries(layout.directory, entries);
  }

  it('are the names of entries that can be tags', async (t) => {
    const layout = await newLayout(t);
    const image = await uniqueImage();
    const names = ['b', 'a', 'not a tag', '-x', 'docker.io/library/app'];
    await withNames(layout, ...names.map((name): [Built, Record<string, string>] => [image, { [refName]: name }]));
    assert.deepEqual(await all(layout.registry.tags(repo)), ['a', 'b']);
  });

  it('are in full references too, as containerd, buildx and podman write them', async (t) => {
    const layout = await newLayout(t);
    const [app, other, third] = [await uniqueImage(), await uniqueImage(), await uniqueImage()];
    await withNames(
      layout,
      [app, { [imageName]: 'docker.io/library/app:3.20', [refName]: '3.20' }],
      [other, { [refName]: 'localhost/other:v1' }],
      [third, { [imageName]: 'docker.io/library/third:v2' }],
    );
    assert.deepEqual(await all(layout.registry.tags(repo)), ['3.20', 'v1', 'v2']);
    for (const [tag, image] of [
      ['3.20', app],
      ['v1', other],
      ['v2', third],
    ] as const) {
      assert.equal((await layout.registry.statManifest(repo, parseTag(tag))).digest, image.descriptor.digest);
    }
    await layout.registry.deleteTag(repo, parseTag('v1'));
    assert.deepEqual(await all(layout.registry.tags(repo)), ['3.20', 'v2']);
  });

  it('give way to a name that is exactly theirs, and to doubt', async (t) => {
    const layout = await newLayout(t);
    const [a, b, c] = [await uniqueImage(), await uniqueImage(), await uniqueImage()];
    await withNames(
      layout,
      [a, { [refName]: 'localhost/a:one' }],
      [b, { [refName]: 'one' }],
      [a, { [refName]: 'localhost/a:two' }],
      [c, { [refName]: 'localhost/c:two' }],
    );
    assert.equal((await layout.registry.statManifest(repo, one)).digest, b.descriptor.digest);
    assert.deepEqual(await all(layout.registry.tags(repo)), ['one']);
    await assert.rejects(layout.registry.statManifest(repo, two), failsWith('MANIFEST_UNKNOWN'));
  });

  it('lead to the first of several entries with one name', async (t) => {
    const layout = await newLayout(t);
    const [a, b] = [await uniqueImage(), await uniqueImage()];
    await withNames(layout, [a, { [refName]: 'one' }], [b, { [refName]: 'one' }]);
    assert.equal((await layout.registry.statManifest(repo, one)).digest, a.descriptor.digest);
    await push(layout, b, one);
    assert.deepEqual(await readEntries(layout.directory), [entryOf(b.descriptor, { [refName]: 'one' })]);
  });

  it('hold a manifest to the size that index.json gives it', async (t) => {
    const layout = await newLayout(t);
    const image = await uniqueImage();
    await withNames(layout, [image, { [refName]: 'one' }]);
    const entry = entryOf(image.descriptor, { [refName]: 'one' });
    await writeEntries(layout.directory, [{ ...entry, size: image.descriptor.size + 1 }]);
    await assert.rejects(layout.registry.getManifest(repo, one), failsWith('SIZE_MISMATCH'));
  });

  it('say so when their manifest is not there', async (t) => {
    const layout = await newLayout(t);
    const image = await uniqueImage();
    await push(layout, image, one);
    await rm(blobFile(layout.directory, image.descriptor.digest));
    await assert.rejects(layout.registry.getManifest(repo, one), (error) => {
      assert.match((error as Error).message, /has the tag one, but not its manifest sha256:/);
      return failsWith('MANIFEST_UNKNOWN')(error);
    });
  });
});

describe('manifests by digest', () => {
  it('are found without a tag, as parts of an index', async (t) => {
    const layout = await newLayout(t);
    const child = await uniqueImage();
    await push(layout, await buildIndex([child]), one);
    const got = await layout.registry.getManifest(repo, child.descriptor.digest);
    assert.deepEqual(Buffer.from(got.bytes), Buffer.from(child.manifest.bytes));
  });

  it('take the type that their index gives them, where their bytes tell none', async (t) => {
    const layout = await newLayout(t);
    const bytes = Buffer.from('{"n":2}');
    const { digest } = await layout.registry.pushManifest(repo, { mediaType: 'a/manifest', bytes });
    const entry = { mediaType: 'a/manifest', digest, size: bytes.length };
    const parent = rawManifest(mediaTypes.ociIndex, { manifests: [entry] });
    const pushed = await layout.registry.pushManifest(repo, parent);
    await writeEntries(layout.directory, [entryOf(pushed)]);
    assert.equal((await layout.registry.getManifest(repo, digest)).mediaType, 'a/manifest');
  });

  it('are not made of configs and layers', async (t) => {
    const layout = await newLayout(t);
    const image = await uniqueImage();
    await push(layout, image, one);
    for (const { descriptor } of image.blobs) {
      const stat = layout.registry.statManifest(repo, descriptor.digest);
      await assert.rejects(stat, failsWith('MANIFEST_UNKNOWN'));
    }
  });

  it('are not made of a manifest that is mere cargo: its own blobs are not here', async (t) => {
    const layout = await newLayout(t);
    const cargo = await uniqueImage();
    const { bytes, mediaType } = cargo.manifest;
    await layout.registry.pushBlob(repo, cargo.descriptor, bytesSource(cargo.descriptor, bytes));
    const stat = layout.registry.statManifest(repo, cargo.descriptor.digest);
    await assert.rejects(stat, failsWith('MANIFEST_UNKNOWN'));
    await push(layout, cargo);
    assert.equal((await layout.registry.statManifest(repo, cargo.descriptor.digest)).mediaType, mediaType);
  });
});
