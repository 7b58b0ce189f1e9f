import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { isOciError } from '../../../src/model/errors.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { garbageCollector, repositoryRemover } from '../../../src/registry/extensions.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import {
  blobPath,
  blobsPath,
  layerLinkPath,
  manifestsPath,
  repositoriesPath,
  revisionLinkPath,
} from '../../../src/storage/paths.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { describeBytes, failsWith, filesBelow, imageWith, meteredSource, text } from '../../storage/stores.ts';
import { ocictl } from '../../support/command.ts';
import { sandbox } from '../../support/sandbox.ts';

const [app, other] = [parseRepositoryName('team/app'), parseRepositoryName('team/other')];

/** A store with an image in each of two repositories, and a blob that no manifest needs. */
async function filled(t: TestContext) {
  const { home } = await sandbox(t);
  const root = join(home, 'hidden');
  const driver = await openFilesystemDriver({ root });
  const registry = createStorage({ driver });
  const images = [];
  for (const repo of [app, other]) {
    const image = await imageWith(registry, repo, repo);
    images.push(await registry.pushManifest(repo, image.raw, { tags: [parseTag('1')] }));
  }
  const loose = await describeBytes(text('loose'));
  await registry.pushBlob(other, loose, meteredSource(loose, text('loose')));
  const manifest = images[0]?.digest;
  assert.ok(manifest);
  return { home, root, driver, loose, link: revisionLinkPath(app, manifest), data: blobPath(manifest) };
}

type Store = Awaited<ReturnType<typeof filled>>;

/** Directories of the layout, by what they are called here. */
const places: Readonly<Record<string, (store: Store) => string>> = {
  'all repositories': () => repositoriesPath,
  'a group of repositories': () => `${repositoriesPath}/team`,
  'a repository': () => `${repositoriesPath}/team/app`,
  'the links of a repository': () => `${repositoriesPath}/team/app/_layers`,
  'its links of one algorithm': () => `${repositoriesPath}/team/app/_layers/sha256`,
  'its uploads': () => `${repositoriesPath}/team/app/_uploads`,
  'the uploads of a repository without images': () => `${repositoriesPath}/team/new/_uploads`,
  'its tags and manifests': () => manifestsPath(app),
  'its tags': () => `${manifestsPath(app)}/tags`,
  'its manifests': () => `${manifestsPath(app)}/revisions`,
  'its manifests of one algorithm': () => `${manifestsPath(app)}/revisions/sha256`,
  'one manifest': ({ link }) => dirname(link),
  'its referrers': () => `${repositoriesPath}/team/app/_referrers`,
  'all blobs': () => blobsPath,
  'all blobs of one algorithm': () => `${blobsPath}/sha256`,
  'some blobs': ({ data }) => dirname(dirname(data)),
  'one blob': ({ data }) => dirname(data),
};

/** Where a collection looks, but no check: nothing of an image is there. */
const ownPlaces: typeof places = {
  'what writers rely on': () => 'leases',
  'unfinished downloads': () => 'partial',
};

/** Puts something in a place. @returns A function that puts back what was there. */
async function replace({ root, home }: Store, path: string, put: (file: string) => Promise<void>) {
  const [file, aside] = [join(root, path), join(home, 'aside')];
  await mkdir(dirname(file), { recursive: true });
  const was = await rename(file, aside).then(
    () => true,
    () => false,
  );
  await put(file);
  return async () => {
    await rm(file, { recursive: true });
    if (was) await rename(aside, file);
  };
}

const content = ({ root }: Store) => filesBelow(join(root, 'docker'));
const collects = (t: TestContext, { root }: Store) =>
  ocictl(t, ['storage', 'gc', '--root', root, '--grace', '0', '--untagged', '--upload-age', '0']);
const checks = (t: TestContext, { root }: Store) => ocictl(t, ['storage', 'fsck', '--root', root]);

const lost = async (store: Store, before: readonly string[]) => {
  const after = new Set(await content(store));
  return before.filter((path) => !after.has(path));
};
const looseFiles = ({ loose }: Store) =>
  [blobPath(loose.digest), layerLinkPath(other, loose.digest)].map((path) => path.slice('docker/'.length));

/** Without what is in the way, the blob that nothing needs goes, and nothing else. */
async function collectsRest(t: TestContext, store: Store): Promise<void> {
  const before = await content(store);
  const collected = await collects(t, store);
  assert.equal(collected.exitCode, 0, collected.stderr);
  assert.deepEqual(
    await lost(store, before),
    before.filter((path) => looseFiles(store).includes(path)),
  );
  assert.equal((await checks(t, store)).exitCode, 0);
}

describe('a file in place of a directory of a store', () => {
  for (const [name, place] of Object.entries({ ...places, ...ownPlaces })) {
    it(`(${name}) ends a collection before anything is removed, and is named by fsck`, async (t) => {
      const store = await filled(t);
      const path = place(store);
      const putBack = await replace(store, path, (file) => writeFile(file, ''));
      const before = await content(store);
      const collected = await collects(t, store);
      assert.equal(collected.exitCode, 10, collected.stderr);
      const isNamed = `${join(store.root, path)} is a file, where the store has a directory`;
      assert.ok(collected.stderr.includes(isNamed), collected.stderr);
      assert.match(collected.stderr, /move it out of the store/);
      assert.deepEqual(await content(store), before);
      if (name in places) {
        const checked = await checks(t, store);
        assert.equal(checked.exitCode, 10);
        assert.ok(checked.stderr.includes(isNamed), checked.stderr);
      }
      await putBack();
      await collectsRest(t, store);
    });
  }

  it('that a running server knows is seen too', async (t) => {
    const store = await filled(t);
    const collector = createStorage({ driver: store.driver }).extension(garbageCollector);
    await collector?.collect({ dryRun: true });
    await replace(store, manifestsPath(app), (file) => writeFile(file, ''));
    const before = await content(store);
    await assert.rejects(
      async () => collector?.collect(),
      failsWith('STORAGE_DAMAGED', ({ message }) => assert.match(message, /_manifests is a file/)),
    );
    assert.deepEqual(await content(store), before);
  });

  it('goes with its repository, if that is removed', async (t) => {
    const { root, driver } = await filled(t);
    const repository = join(root, repositoriesPath, app);
    await mkdir(join(repository, '_uploads'));
    for (const file of ['_uploads/stray', '_manifests/tags/stray', '_layers/stray']) {
      await writeFile(join(repository, file), '');
    }
    await createStorage({ driver }).extension(repositoryRemover)?.removeRepository(app);
    assert.deepEqual(await filesBelow(repository), []);
  });

  it('is told by stats and copy, which go on', async (t) => {
    const store = await filled(t);
    const shard = dirname(dirname(store.data));
    await replace(store, shard, (file) => writeFile(file, ''));
    const counted = await ocictl(t, ['storage', 'stats', '--root', store.root, '--json']);
    assert.equal(counted.exitCode, 0, counted.stderr);
    assert.deepEqual((JSON.parse(counted.stdout) as { unreadable: unknown }).unreadable, [shard]);
    const copied = await ocictl(t, ['storage', 'copy', store.root, join(store.home, 'copy')]);
    assert.equal(copied.exitCode, 10);
    assert.match(copied.stdout, new RegExp(`^Not readable: ${shard}$`, 'm'));
    assert.match(copied.stdout, /and 1 tag of 2 repositories/);
    const checked = await checks(t, store);
    assert.match(checked.stdout, new RegExp(`^Damaged: directory ${shard}$`, 'm'));
  });
});

describe('something else in place of a part of a tag or of a manifest', () => {
  const tag = `${manifestsPath(app)}/tags/1`;
  const file = (path: string) => writeFile(path, '');
  // One without entries is removed with all empty ones.
  const directory = async (path: string) => {
    await mkdir(path);
    await writeFile(join(path, 'entry'), '');
  };
  for (const [name, place, put] of [
    ['a file in place of a tag', () => tag, file],
    ['a file in place of what a tag points at', () => `${tag}/current`, file],
    ['a directory in place of the link of a tag', () => `${tag}/current/link`, directory],
    ['a directory in place of the link of a manifest', ({ link }: Store) => link, directory],
    ['a directory in place of the bytes of a manifest', ({ data }: Store) => data, directory],
  ] as const) {
    it(`(${name}) keeps what it may lead to from a collection, which ends well`, async (t) => {
      const store = await filled(t);
      const putBack = await replace(store, place(store), put);
      assert.equal((await checks(t, store)).exitCode, 10);
      const before = await content(store);
      const collected = await collects(t, store);
      assert.equal(collected.exitCode, 0, collected.stderr);
      assert.deepEqual(await lost(store, before), looseFiles(store));
      await putBack();
      assert.equal((await checks(t, store)).exitCode, 0);
    });
  }
});

/** Runs as a user whom permissions concern, who has the store. */
async function asUser<T>({ root, home }: Store, work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return await work();
  const nobody = 65_534;
  await chmod(home, 0o711);
  await chown(root, nobody, nobody);
  for (const entry of await readdir(root, { recursive: true })) await chown(join(root, entry), nobody, nobody);
  process.seteuid?.(nobody);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

async function collectAsUser(store: Store, path: string, mode: number): Promise<void> {
  const directory = join(store.root, path);
  await mkdir(directory, { recursive: true });
  await asUser(store, async () => {
    await chmod(directory, mode);
    try {
      const driver = await openFilesystemDriver({ root: store.root });
      await createStorage({ driver }).extension(garbageCollector)?.collect({ untagged: true, unfinishedMs: 0 });
    } finally {
      await chmod(directory, 0o755).catch(() => {});
    }
  });
}

describe('a directory of a store that may not be read', {
  skip: process.platform === 'win32' && 'has no modes',
}, () => {
  for (const [name, place] of Object.entries(places)) {
    it(`(${name}) ends a collection before anything is removed`, async (t) => {
      const store = await filled(t);
      const before = await content(store);
      await assert.rejects(
        collectAsUser(store, place(store), 0o000),
        failsWith('STORAGE_DENIED', ({ message }) => assert.ok(message.includes(place(store)), message)),
      );
      assert.deepEqual(await content(store), before);
    });

    it(`(${name}), or only by name or only listed, has nothing removed that is needed`, async (t) => {
      const store = await filled(t);
      const before = await content(store);
      for (const mode of [0o100, 0o400]) {
        // Most places are listed and read; the others are seen nevertheless, as far as it matters.
        const error = await collectAsUser(store, place(store), mode).catch((error: unknown) => error);
        if (error === undefined) assert.deepEqual(await lost(store, before), looseFiles(store));
        else assert.ok(isOciError(error, 'STORAGE_DENIED'), String(error));
      }
      await collectsRest(t, store);
    });
  }
});
