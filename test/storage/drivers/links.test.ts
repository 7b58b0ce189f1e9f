import assert from 'node:assert/strict';
import { link, mkdir, readdir, readFile, rename, rmdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { garbageCollector, repositoryRemover } from '../../../src/registry/extensions.ts';
import type { Driver } from '../../../src/storage/driver.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { blobPath, layerLinkPath, manifestsPath, tagCurrentPath } from '../../../src/storage/paths.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';
import {
  all,
  describeBytes,
  failsWith,
  filesBelow,
  imageWith,
  meteredSource,
  readBlob,
  repo,
  text,
} from '../stores.ts';
import { at, readAll } from './every-driver.ts';

const tag = parseTag('one');

/** A store's root, and a directory outside with files that the store must not touch. */
async function places(t: TestContext) {
  const directory = await temporaryDirectory(t);
  const [root, outside] = [join(directory, 'store'), join(directory, 'outside')];
  await mkdir(root);
  await mkdir(join(outside, 'd'), { recursive: true });
  await writeFile(join(outside, 'secret'), 'secret');
  await writeFile(join(outside, 'd', 'f'), 'secret');
  return { root, outside, driver: await openFilesystemDriver({ root }) };
}

/** All operations on one object. */
const asked: Record<string, (driver: Driver, path: string) => Promise<unknown>> = {
  get: (driver, path) => driver.get(at(path), 99),
  open: (driver, path) => driver.open(at(path)),
};

const changed: Record<string, (driver: Driver, path: string) => Promise<unknown>> = {
  put: (driver, path) => driver.put(at(path), text('x')),
  'put without a sync': (driver, path) => driver.put(at(path), text('x'), { durable: false }),
  'put if absent': (driver, path) => driver.putIfAbsent(at(path), text('x')),
  delete: (driver, path) => driver.delete(at(path)),
  'delete if': (driver, path) => driver.deleteIf(at(path), text('secret')),
  'copy to': async (driver, path) => {
    await driver.put(at('whence'), text('x'));
    await driver.copy(at('whence'), at(path));
  },
  journal: async (driver, path) => await driver.openJournal?.(at(path)),
  lock: (driver, path) => driver.locks?.tryAcquire(at(path)) ?? Promise.resolve(),
  upload: async (driver, path) => (await driver.uploads.begin(at(path))).write(text('x')),
  resume: (driver, path) => driver.uploads.resume(at(path)),
  abort: (driver, path) => driver.uploads.abort(at(path)),
  commit: async (driver, path) => {
    const upload = await driver.uploads.begin(at('begun'));
    await upload.write(text('x'));
    await upload.commit(at(path));
  },
};

describe('a symbolic link below the root of a store', () => {
  for (const [name, ask] of Object.entries(asked)) {
    it(`is not followed by ${name}: as a file, as a directory, and further up`, async (t) => {
      const { root, outside, driver } = await places(t);
      await symlink(join(outside, 'secret'), join(root, 'f'));
      await symlink(join(outside, 'd'), join(root, 'd'));
      await mkdir(join(root, 'a'));
      await symlink(outside, join(root, 'a', 'up'));
      for (const [path, link] of [
        ['f', 'f'],
        ['d/f', 'd'],
        ['a/up/d/f', 'a/up'],
        ['d/absent', 'd'],
      ] as const) {
        await assert.rejects(
          ask(driver, path),
          failsWith('STORAGE_DAMAGED', ({ message }) =>
            assert.ok(message.includes(`${join(root, link)} is a`), message),
          ),
          path,
        );
      }
    });
  }

  for (const [name, change] of Object.entries(changed)) {
    it(`has nothing written or removed behind it by ${name}`, async (t) => {
      const { root, outside, driver } = await places(t);
      await symlink(join(outside, 'd'), join(root, 'd'));
      const before = await filesBelow(outside);
      for (const path of ['d/f', 'd/new', 'd/new/deep']) {
        await assert.rejects(change(driver, path), failsWith('STORAGE_DAMAGED'), path);
      }
      assert.deepEqual(await filesBelow(outside), before);
      assert.deepEqual(await readdir(join(outside, 'd')), ['f']);
      assert.equal(await readFile(join(outside, 'd', 'f'), 'utf8'), 'secret');
    });
  }

  it('is no object', async (t) => {
    const { root, outside, driver } = await places(t);
    await symlink(join(outside, 'secret'), join(root, 'f'));
    await symlink(join(outside, 'd'), join(root, 'd'));
    assert.equal(await driver.stat(at('f')), undefined);
    assert.deepEqual(await driver.exist?.([at('f')]), [false]);
    await assert.rejects(async () => driver.exist?.([at('d/f')]), failsWith('STORAGE_DAMAGED'));
    assert.equal(await driver.copy(at('f'), at('copied')), false);
    assert.equal(await driver.deleteIf(at('f'), text('secret')), false);
    await assert.rejects(driver.stat(at('d/f')), failsWith('STORAGE_DAMAGED'));
    await assert.rejects(driver.copy(at('d/f'), at('copied')), failsWith('STORAGE_DAMAGED'));
    assert.deepEqual(await filesBelow(root), []);
  });

  it('is no directory to list, nor one to tidy', async (t) => {
    const { root, outside, driver } = await places(t);
    await mkdir(join(root, 'a'));
    await mkdir(join(outside, 'empty'));
    await symlink(outside, join(root, 'a', 'out'));
    for (const deep of [false, true]) {
      const { entries } = await driver.list(at('a'), { deep });
      assert.deepEqual(entries, [{ name: 'out', kind: 'object' }]);
      await assert.rejects(driver.list(at('a/out'), { deep }), failsWith('STORAGE_DAMAGED'));
    }
    await driver.tidy?.(at('a'));
    await assert.rejects(async () => await driver.tidy?.(at('a/out')), failsWith('STORAGE_DAMAGED'));
    await rmdir(join(root, 'tmp'));
    await symlink(join(outside, 'd'), join(root, 'tmp'));
    const another = await openFilesystemDriver({ root });
    await assert.rejects(async () => await another.tidy?.(at('a')), failsWith('STORAGE_DAMAGED'));
    await assert.rejects(another.put(at('b'), text('x')), failsWith('STORAGE_DAMAGED'));
    assert.deepEqual(await readdir(outside), ['d', 'empty', 'secret']);
  });

  it('is removed if it is deleted or replaced, and its target stays', async (t) => {
    const { root, outside, driver } = await places(t);
    for (const name of ['deleted', 'replaced']) await symlink(join(outside, 'secret'), join(root, name));
    assert.equal(await driver.delete(at('deleted')), true);
    await driver.put(at('replaced'), text('x'));
    assert.deepEqual(await driver.get(at('replaced'), 9), text('x'));
    assert.equal(await readFile(join(outside, 'secret'), 'utf8'), 'secret');
  });

  it('is something else than a hard link, and than a link at the root', async (t) => {
    const { root, outside } = await places(t);
    await link(join(outside, 'secret'), join(root, 'hard'));
    await symlink(root, join(outside, 'store'));
    const driver = await openFilesystemDriver({ root: join(outside, 'store') });
    const object = await driver.open(at('hard'));
    assert.equal(object && (await readAll(object)), 'secret');
    await driver.put(at('a/b'), text('x'));
    assert.deepEqual(await driver.get(at('a/b'), 9), text('x'));
  });
});

describe('a store with symbolic links in it', () => {
  async function filled(t: TestContext) {
    const { root, outside, driver } = await places(t);
    const registry = createStorage({ driver });
    const image = await imageWith(registry, repo, 'seed');
    const { digest } = await registry.pushManifest(repo, image.raw, { tags: [tag] });
    return { root, outside, registry: createStorage({ driver: await openFilesystemDriver({ root }) }), image, digest };
  }

  it('serves none of their targets, and a push replaces them', async (t) => {
    const { root, outside, registry } = await filled(t);
    const bytes = text('secret');
    const descriptor = await describeBytes(bytes);
    const { digest } = descriptor;
    const file = join(root, blobPath(digest));
    await mkdir(dirname(file), { recursive: true });
    await symlink(join(outside, 'secret'), file);
    const linked = join(root, layerLinkPath(repo, digest));
    await mkdir(dirname(linked), { recursive: true });
    await writeFile(linked, digest);
    for (const wanted of [digest, descriptor]) {
      await assert.rejects(
        registry.getBlob(repo, wanted),
        failsWith('STORAGE_DAMAGED', ({ message }) => assert.ok(message.includes(file))),
      );
    }
    await assert.rejects(registry.statBlob(repo, digest), failsWith('STORAGE_DAMAGED'));
    await registry.pushBlob(repo, descriptor, meteredSource(descriptor, bytes));
    assert.equal(String(await readBlob(registry, repo, digest)), 'secret');
  });

  it('stores an upload where one lies', async (t) => {
    const { root, outside, registry } = await filled(t);
    const digest = await digestBytes(text('secret'));
    const file = join(root, blobPath(digest));
    await mkdir(dirname(file), { recursive: true });
    await symlink(join(outside, 'secret'), file);
    const writer = await registry.startUpload(repo);
    await writer.write(text('secret'));
    await writer.commit({ digest });
    assert.equal(String(await readBlob(registry, repo, digest)), 'secret');
  });

  it('has a manifest pushed again that was replaced by one', async (t) => {
    const { root, outside, registry, image, digest } = await filled(t);
    const file = join(root, blobPath(digest));
    await rename(file, join(outside, 'manifest'));
    await symlink(join(outside, 'manifest'), file);
    await assert.rejects(registry.getManifest(repo, tag), failsWith('STORAGE_DAMAGED'));
    await registry.pushManifest(repo, image.raw, { tags: [tag] });
    assert.equal((await registry.getManifest(repo, tag)).descriptor.digest, digest);
  });

  it('is collected, and its repositories can be removed', async (t) => {
    const { root, outside, registry, image } = await filled(t);
    const blobs = join(root, blobPath(image.layer.digest), '../../../..', 'sha256');
    await symlink(outside, join(blobs, 'zz'));
    const stray = join(root, blobPath(await digestBytes(text('stray'))));
    await mkdir(dirname(stray), { recursive: true });
    await symlink(join(outside, 'secret'), stray);
    await registry.extension(garbageCollector)?.collect();
    assert.deepEqual(await all(registry.tags(repo)), [tag]);
    const tagLink = join(root, tagCurrentPath(repo, tag));
    await rename(tagLink, join(outside, 'link'));
    await symlink(join(outside, 'link'), tagLink);
    await symlink(outside, join(root, manifestsPath(repo), 'tags', 'out'));
    await registry.extension(repositoryRemover)?.removeRepository(repo);
    assert.deepEqual(await all(registry.repositories()), []);
    assert.deepEqual((await readdir(outside)).sort(), ['d', 'link', 'secret']);
  });
});
