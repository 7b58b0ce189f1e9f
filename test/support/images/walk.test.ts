import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { buildAttestation, buildImage, buildIndex, pushImage } from '../images.ts';
import { layoutBlob, storedBlob, writeLayout } from '../layout.ts';
import { keepImage } from '../local-store.ts';
import { startServe } from '../registries.ts';
import { type Scope, sandbox, temporaryDirectory } from '../sandbox.ts';
import { assertSame, layoutAt, servedAt, storeAt } from './walk.ts';

const image = await buildImage({ layers: [{ files: { a: 'a' } }, { files: { b: 'b' } }] });
const index = await buildIndex([image, await buildAttestation(image)]);
const layer = image.layers[1]?.descriptor ?? image.descriptor;

async function layoutOfIndex(t: Scope): Promise<string> {
  const directory = await temporaryDirectory(t);
  await writeLayout(directory, '1', index);
  return directory;
}

describe('the walk over an image', () => {
  it('finds everything in a layout, in a registry and in the store', async (t) => {
    await assertSame(layoutAt(await layoutOfIndex(t)), '1', index);
    const { url, registry } = await startServe(t);
    await pushImage(registry, parseRepositoryName('team/app'), parseTag('1'), index);
    await assertSame(servedAt(url, 'team/app'), '1', index);
    await keepImage(t, 'team/app:1', index);
    await assertSame(storeAt((await sandbox(t)).store, 'team/app'), '1', index);
  });

  it('fails for a byte that is another, and for a blob that is gone', async (t) => {
    const directory = await layoutOfIndex(t);
    const file = layoutBlob(directory, layer.digest);
    await writeFile(file, 'x'.repeat(layer.size));
    await assert.rejects(assertSame(layoutAt(directory), '1', index));
    await rm(file);
    await assert.rejects(assertSame(layoutAt(directory), '1', index), /ENOENT/);
  });

  it('fails for a manifest that is gone from the repository, though its blob is there', async (t) => {
    await keepImage(t, 'team/app:1', index, { omit: [image] });
    await keepImage(t, 'team/other:1', image);
    const { store } = await sandbox(t);
    await assert.rejects(assertSame(storeAt(store, 'team/app'), '1', index), /ENOENT/);
    await storeAt(store, 'team/app').blob(image.descriptor.digest);
    await rm(storedBlob(store, layer.digest));
    await assert.rejects(assertSame(storeAt(store, 'team/other'), '1', image), /ENOENT/);
  });

  it('fails for a tag that stands for something else', async (t) => {
    await assert.rejects(assertSame(layoutAt(await layoutOfIndex(t)), '1', image));
    await assert.rejects(assertSame(layoutAt(await layoutOfIndex(t)), '2', index), /2 is not in index.json/);
  });
});
