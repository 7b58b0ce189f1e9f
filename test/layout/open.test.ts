import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { layoutRepository, openLayout } from '../../src/layout/layout.ts';
import { bytesSource } from '../../src/registry/content.ts';
import { all, blobOf, failsWith } from '../contract/contract.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { filesBelow, latest, newLayout, push, uniqueImage } from './layouts.ts';

describe('opening a layout', () => {
  it('creates it in a directory that is absent or empty, as the specification says', async (t) => {
    const parent = await temporaryDirectory(t);
    await mkdir(join(parent, 'empty'));
    for (const directory of [join(parent, 'empty'), join(parent, 'deep', 'down')]) {
      await openLayout({ directory, create: true });
      assert.deepEqual((await readdir(directory)).sort(), ['blobs', 'index.json', 'oci-layout']);
      assert.equal(await readFile(join(directory, 'oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}');
      const index = JSON.parse(await readFile(join(directory, 'index.json'), 'utf8'));
      assert.equal(index.schemaVersion, 2);
      assert.deepEqual(index.manifests, []);
    }
  });

  it('opens an existing layout, and changes no file', async (t) => {
    const layout = await newLayout(t);
    await push(layout, await uniqueImage(), latest);
    const before = await readFile(join(layout.directory, 'index.json'), 'utf8');
    const again = await openLayout({ directory: layout.directory, create: true });
    assert.deepEqual(await all(again.tags(layoutRepository)), [latest]);
    assert.equal(await readFile(join(layout.directory, 'index.json'), 'utf8'), before);
  });

  it('refuses a directory that holds something else, and touches nothing', async (t) => {
    const directory = await temporaryDirectory(t);
    await writeFile(join(directory, 'letter.txt'), 'dear');
    await assert.rejects(openLayout({ directory, create: true }), failsWith('REFUSED'));
    assert.deepEqual(await readdir(directory), ['letter.txt']);
    const file = join(directory, 'letter.txt');
    await assert.rejects(openLayout({ directory: file, create: true }), failsWith('REFUSED'));
    await assert.rejects(openLayout({ directory: join(file, 'below'), create: true }), failsWith('REFUSED'));
  });

  it('names the directory if it holds no layout', async (t) => {
    const directory = await temporaryDirectory(t);
    for (const path of [directory, join(directory, 'absent')]) {
      for (const options of [{}, { create: true, readOnly: true }]) {
        await assert.rejects(openLayout({ directory: path, ...options }), (error) => {
          assert.ok((error as Error).message.includes(path));
          return failsWith('NAME_UNKNOWN')(error);
        });
      }
    }
    assert.deepEqual(await readdir(directory), []);
  });

  it('refuses other versions', async (t) => {
    const directory = await temporaryDirectory(t);
    for (const text of ['{"imageLayoutVersion":"2.0.0"}', '{}', 'not JSON', '']) {
      await writeFile(join(directory, 'oci-layout'), text);
      for (const create of [true, false]) {
        await assert.rejects(openLayout({ directory, create }), failsWith('UNSUPPORTED'));
      }
    }
    assert.deepEqual(await readdir(directory), ['oci-layout']);
  });

  it('says that the index is missing, or mends it when it may create', async (t) => {
    const { directory, registry } = await newLayout(t);
    await rm(join(directory, 'index.json'));
    await assert.rejects(registry.statManifest(layoutRepository, latest), failsWith('STORAGE_DAMAGED'));
    await openLayout({ directory, create: true });
    await assert.rejects(registry.statManifest(layoutRepository, latest), failsWith('MANIFEST_UNKNOWN'));
  });

  it('goes on where another was killed while creating it', async (t) => {
    const directory = await temporaryDirectory(t);
    await mkdir(join(directory, '.ocictl'));
    await openLayout({ directory, create: true });
    assert.deepEqual(await filesBelow(directory), ['index.json', 'oci-layout']);
  });

  it('is created once by many at once', async (t) => {
    const directory = join(await temporaryDirectory(t), 'layout');
    const opened = await Promise.all([1, 2, 3, 4].map(() => openLayout({ directory, create: true })));
    const images = await Promise.all(opened.map(() => uniqueImage()));
    await Promise.all(opened.map((registry, i) => push({ directory, registry }, images[i] ?? assert.fail())));
    assert.deepEqual((await readdir(directory)).sort(), ['blobs', 'index.json', 'oci-layout']);
  });

  it('follows a link to the layout itself', async (t) => {
    const layout = await newLayout(t);
    const { digest } = await push(layout, await uniqueImage(), latest);
    const alias = join(await temporaryDirectory(t), 'alias');
    await symlink(layout.directory, alias);
    const registry = await openLayout({ directory: alias });
    assert.equal((await registry.statManifest(layoutRepository, latest)).digest, digest);
  });

  it('lets a read-only one be read, and denies every change', async (t) => {
    const layout = await newLayout(t);
    const { digest } = await push(layout, await uniqueImage(), latest);
    const registry = await openLayout({ directory: layout.directory, readOnly: true });
    const manifest = await registry.getManifest(layoutRepository, latest);
    const blob = await blobOf(Buffer.from('x'));
    for (const change of [
      () => registry.pushBlob(layoutRepository, blob, bytesSource(blob, Buffer.from('x'))),
      () => registry.startUpload(layoutRepository),
      () => registry.resumeUpload(layoutRepository, '00000000-0000-4000-8000-000000000000'),
      () => registry.mountBlob(layoutRepository, digest),
      () => registry.pushManifest(layoutRepository, manifest),
      () => registry.deleteBlob(layoutRepository, digest),
      () => registry.deleteManifest(layoutRepository, digest),
      () => registry.deleteTag(layoutRepository, latest),
    ]) {
      await assert.rejects(change, failsWith('DENIED'));
    }
  });

  it('has one repository, which is in no catalog', async (t) => {
    const layout = await newLayout(t);
    await push(layout, await uniqueImage(), latest);
    assert.deepEqual(await all(layout.registry.repositories()), []);
    assert.equal(layout.registry.name, `oci:${layout.directory}`);
  });
});
