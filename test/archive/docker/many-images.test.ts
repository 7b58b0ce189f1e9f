import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { composeArchive } from '../../../src/archive/docker/compose-archive.ts';
import { readManifestJson } from '../../../src/archive/docker/manifest-json.ts';
import { openArchiveFile } from '../../../src/archive/envelope/open-file.ts';
import { indexTar } from '../../../src/archive/envelope/tar-index.ts';
import { type ArchiveFiles, createArchiveFiles } from '../../../src/archive/files.ts';
import { layoutRepository as repo } from '../../../src/layout/layout.ts';
import { unlessUnknown } from '../../../src/model/errors.ts';
import { json, layoutEntries, namedIndex } from '../../support/archives/docker-saves.ts';
import { type RawEntry, tarOf } from '../../support/archives/tar.ts';
import { type BuiltImage, buildArtifact, buildIndex } from '../../support/images.ts';
import { atEnd, temporaryDirectory } from '../../support/sandbox.ts';
import { imageOf, openTar, refusal } from './opened.ts';

/** The files of an archive, and how many bytes of it were read since it was opened. */
async function counted(t: TestContext, entries: readonly RawEntry[]) {
  const path = join(await temporaryDirectory(t), 'x.tar');
  await writeFile(path, tarOf(entries));
  const file = await openArchiveFile({ file: path, stdin: () => process.stdin });
  atEnd(t, () => file.close());
  const work = { reads: 0, bytes: 0 };
  const read = async (into: Uint8Array, position: number): Promise<number> => {
    const size = await file.read(into, position);
    work.reads += 1;
    work.bytes += size;
    return size;
  };
  return { files: createArchiveFiles({ ...file, read }, await indexTar(file)), work };
}

async function compose(files: ArchiveFiles, isLayout: boolean) {
  return await composeArchive('x.tar', files, (await readManifestJson(files)) ?? [], isLayout, undefined);
}

function listed(image: BuiltImage, names: readonly string[], directory = ''): RawEntry {
  const path = (digest: string): string => `blobs/sha256/${digest.slice('sha256:'.length)}`;
  const one = (name: string) => ({
    Config: `${directory}${path(image.config.descriptor.digest)}`,
    RepoTags: [name],
    Layers: image.layers.map(({ descriptor }) => path(descriptor.digest)),
  });
  return json('manifest.json', names.map(one));
}

describe('an archive with many names', () => {
  it('is read once for an image that is listed again for each of them', async (t) => {
    const image = await imageOf(['a', 'b'], 'gzip');
    const bytes: number[] = [];
    for (const count of [1, 1000]) {
      const names = Array.from({ length: count }, (_, i) => `r${i}:1`);
      const { files, work } = await counted(t, [...(await layoutEntries([image])), listed(image, names)]);
      const before = work.bytes;
      const { images } = await compose(files, false);
      assert.equal(images.length, count);
      bytes.push(work.bytes - before - ((await files.stat('manifest.json'))?.size ?? 0));
    }
    assert.equal(bytes[1], bytes[0]);
  });

  it('is read once where a layout beside it has them too', async (t) => {
    const image = await imageOf(['a', 'b']);
    const reads: number[] = [];
    for (const count of [1, 1000]) {
      const names = Array.from({ length: count }, (_, i) => `r${i}:1`);
      const layout = [...(await layoutEntries([image])), namedIndex([{ image, names }])];
      const { files, work } = await counted(t, [...layout, listed(image, names)]);
      assert.equal((await compose(files, true)).images.length, count);
      reads.push(work.reads);
    }
    assert.equal(reads[1], reads[0]);
  });

  it('is looked through once for what refers to its images, and for images that only an index names', async (t) => {
    const costs: number[] = [];
    for (const count of [10, 40]) {
      const images = await Promise.all(Array.from({ length: count }, (_, i) => imageOf([`${i}`])));
      const index = await buildIndex(images);
      const signature = await buildArtifact({ artifactType: 'a/signature', subject: index.descriptor });
      // Without a blob, a manifest is one only since an index says so.
      const without = images.map(({ config }) => config.descriptor.digest);
      const { files, work } = await counted(t, [
        ...(await layoutEntries([index, signature], without)),
        namedIndex([
          { image: index, names: ['app:1'] },
          { image: signature, names: [] },
        ]),
        json('manifest.json', []),
      ]);
      const { registry } = await compose(files, true);
      for (const { descriptor } of images) {
        assert.ok(await unlessUnknown(registry.getManifest(repo, descriptor.digest)));
        for await (const _ of registry.referrers(repo, descriptor.digest)) assert.fail('nothing refers to it');
      }
      let found = 0;
      for await (const { digest } of registry.referrers(repo, index.descriptor.digest)) {
        assert.equal(digest, signature.descriptor.digest);
        found += 1;
      }
      assert.equal(found, 1);
      costs.push(work.reads);
    }
    const [few = 0, many = 0] = costs;
    assert.ok(many <= 4 * few, `${few} reads for 10 images, ${many} for 40`);
  });

  it('is refused from a number on that no host has', async (t) => {
    const names = Array.from({ length: 50_001 }, (_, i) => `a:${i}`);
    const many = json('manifest.json', [{ Config: 'c', RepoTags: names, Layers: [] }]);
    await assert.rejects(openTar(t, [many]), refusal('ARCHIVE_INVALID', /has 50001 images and names: at most 50000 /));
    const layers = json('manifest.json', [{ Config: 'c', RepoTags: ['a'], Layers: Array(200_001).fill('l') }]);
    await assert.rejects(openTar(t, [layers]), refusal('ARCHIVE_INVALID', /has 200001 layers: at most /));
  });
});
