import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { layoutRepository as repo } from '../../../src/layout/layout.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { all, failsWith } from '../../contract/contract.ts';
import { buildIndex } from '../../support/images.ts';
import { blobFile, latest, newLayout, push, readEntries, uniqueImage } from '../layouts.ts';

const one = parseTag('one');

describe('deleting from a layout', () => {
  it('takes a manifest, its entries and nothing that it refers to', async (t) => {
    const layout = await newLayout(t);
    const [gone, kept] = [await uniqueImage(), await uniqueImage()];
    await push(layout, gone, one);
    await push(layout, gone, parseTag('two'));
    await push(layout, kept, latest);
    await layout.registry.deleteManifest(repo, gone.descriptor.digest);
    assert.equal((await readEntries(layout.directory)).length, 1);
    await assert.rejects(access(blobFile(layout.directory, gone.descriptor.digest)));
    for (const { descriptor } of gone.blobs) await access(blobFile(layout.directory, descriptor.digest));
    assert.deepEqual(await all(layout.registry.tags(repo)), [latest]);
  });

  it('refuses a part of an index that stays, and changes nothing', async (t) => {
    const layout = await newLayout(t);
    const child = await uniqueImage();
    const index = await buildIndex([child]);
    await push(layout, index, latest);
    await push(layout, child, one);
    await assert.rejects(layout.registry.deleteManifest(repo, child.descriptor.digest), failsWith('REFUSED'));
    assert.equal((await readEntries(layout.directory)).length, 2);
    await layout.registry.deleteManifest(repo, index.descriptor.digest);
    await layout.registry.deleteManifest(repo, child.descriptor.digest);
    assert.deepEqual(await readEntries(layout.directory), []);
  });

  it('refuses to delete an image as a blob', async (t) => {
    const layout = await newLayout(t);
    const { digest } = await push(layout, await uniqueImage(), latest);
    await assert.rejects(layout.registry.deleteBlob(repo, digest), failsWith('REFUSED'));
    assert.equal((await layout.registry.statManifest(repo, latest)).digest, digest);
  });
});
