import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { onlyImage } from '../../../src/layout/format/only-image.ts';
import { openLayout } from '../../../src/layout/layout.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { failsWith } from '../../contract/contract.ts';
import { buildArtifact } from '../../support/images.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { entryOf, newLayout, push, refName, uniqueImage, writeEntries } from '../layouts.ts';

const one = parseTag('one');

describe('the only image of a layout', () => {
  it('is the one entry there is, by its tag', async (t) => {
    const layout = await newLayout(t);
    await push(layout, await uniqueImage(), one);
    assert.equal(await onlyImage(layout.registry), one);
    assert.equal(await onlyImage(await openLayout({ directory: layout.directory, readOnly: true })), one);
  });

  it('is known by its digest where it has no tag, or several', async (t) => {
    const layout = await newLayout(t);
    const image = await uniqueImage();
    const { digest } = await push(layout, image);
    for (const names of [[undefined], ['docker.io/x/y'], ['a', 'b']]) {
      const entries = names.map((name) =>
        entryOf(image.descriptor, name === undefined ? undefined : { [refName]: name }),
      );
      await writeEntries(layout.directory, entries);
      assert.equal(await onlyImage(layout.registry), digest);
    }
  });

  it('is found although referrers lie beside it', async (t) => {
    const layout = await newLayout(t);
    const image = await uniqueImage();
    await push(layout, await buildArtifact({ artifactType: 'a/b', subject: image.descriptor }));
    await push(layout, image, one);
    assert.equal(await onlyImage(layout.registry), one);
  });

  it('is asked for with the names of all when there are several', async (t) => {
    const layout = await newLayout(t);
    await push(layout, await uniqueImage(), one);
    await push(layout, await uniqueImage(), parseTag('two'));
    await assert.rejects(onlyImage(layout.registry), (error) => {
      assert.match((error as Error).message, /holds 2 images: one, two$/);
      return failsWith('REFERENCE_INVALID')(error);
    });
  });

  it('is missing in an empty layout, and unknown to other registries', async (t) => {
    const layout = await newLayout(t);
    await assert.rejects(onlyImage(layout.registry), failsWith('MANIFEST_UNKNOWN'));
    await assert.rejects(onlyImage(memoryRegistry()), failsWith('UNSUPPORTED'));
  });
});
