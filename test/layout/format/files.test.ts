import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { IndexReader } from '../../../src/layout/format/index-reader.ts';
import { createLister } from '../../../src/layout/format/lister.ts';
import { createReader } from '../../../src/layout/format/reader.ts';
import { isLayout } from '../../../src/layout/format/version.ts';
import { layoutRepository as repo } from '../../../src/layout/layout.ts';
import type { Lister, Reader } from '../../../src/registry/registry.ts';
import { all, blobOf, failsWith, pushBytes, read, uniqueBytes } from '../../contract/contract.ts';
import { buildArtifact } from '../../support/images.ts';
import { projectRoot } from '../../support/project.ts';
import { importsOf, readSources } from '../../support/source-tree/reading.ts';
import { latest, newLayout, push, type TestLayout, uniqueImage } from '../layouts.ts';
import { tarFiles } from './tar-files.ts';

async function archived({ directory }: TestLayout): Promise<Reader & Lister> {
  const files = tarFiles(directory);
  assert.equal(await isLayout(files, 'the archive'), true);
  const layout = { name: 'oci-archive:layout.tar', files, index: new IndexReader(files) };
  return { ...createReader(layout), ...createLister(layout) };
}

describe('a layout over other files than a directory', () => {
  it('is read and listed all the same', async (t) => {
    const layout = await newLayout(t);
    const image = await uniqueImage();
    await push(layout, image, latest);
    const referrer = await buildArtifact({ artifactType: 'a/b', subject: image.descriptor });
    await push(layout, referrer);
    const { registry: directory } = layout;
    const archive = await archived(layout);
    assert.deepEqual(await archive.getManifest(repo, latest), await directory.getManifest(repo, latest));
    assert.deepEqual(await all(archive.tags(repo)), [latest]);
    const subject = image.descriptor.digest;
    assert.deepEqual(await all(archive.referrers(repo, subject)), await all(directory.referrers(repo, subject)));
    for (const { descriptor: blob } of image.blobs) {
      const { digest } = blob;
      assert.deepEqual(await archive.statBlob(repo, digest), await directory.statBlob(repo, digest));
      assert.deepEqual(
        await read(await archive.getBlob(repo, digest)),
        await read(await directory.getBlob(repo, digest)),
      );
    }
  });

  it('reads ranges of a blob, and refuses ranges outside it', async (t) => {
    const layout = await newLayout(t);
    const bytes = uniqueBytes(1000);
    const descriptor = await pushBytes(layout.registry, repo, bytes);
    const archive = await archived(layout);
    const part = await archive.getBlob(repo, descriptor, { range: { start: 10, end: 700 } });
    assert.deepEqual(await read(part), Buffer.from(bytes.subarray(10, 700)));
    const beyond = archive.getBlob(repo, descriptor, { range: { start: 1000 } });
    await assert.rejects(beyond, failsWith('RANGE_INVALID'));
    const absent = (await blobOf(uniqueBytes(10))).digest;
    await assert.rejects(archive.getBlob(repo, absent), failsWith('BLOB_UNKNOWN'));
    await assert.rejects(archive.getManifest(repo, latest), failsWith('MANIFEST_UNKNOWN'));
  });

  it('is all that the format asks for: no directory, no file system', async () => {
    const sources = await readSources(join(projectRoot, 'src', 'layout', 'format'));
    assert.ok(sources.length > 5);
    const imported = sources.flatMap(importsOf).map(({ specifier }) => specifier);
    assert.deepEqual(
      imported.filter((specifier) => /directory|^(?:node:)?(?:fs|path)\b/.test(specifier)),
      [],
    );
  });
});
