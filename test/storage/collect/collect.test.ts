import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { newProcessId } from '../../../src/files/process-id.ts';
import { type Digest, digestBytes, digestHex } from '../../../src/model/digest.ts';
import { mediaTypes } from '../../../src/model/manifest/media-types.ts';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { bytesSource } from '../../../src/registry/content.ts';
import { blobEnumerator, garbageCollector, leases, repositoryRemover } from '../../../src/registry/extensions.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import type { Driver } from '../../../src/storage/driver.ts';
import { childPath, leasesPath } from '../../../src/storage/paths.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import {
  all,
  blobFile,
  failsWith,
  filesBelow,
  imageWith,
  madeBytes,
  manifestOf,
  meteredSource,
  openStore,
  otherRepo,
  pushBytes,
  readBlob,
  repo,
  text,
  v2,
} from '../stores.ts';

const one = parseTag('one');

async function collect(registry: Registry, opts?: { graceMs?: number; dryRun?: boolean }): Promise<Digest[]> {
  const collector = registry.extension(garbageCollector);
  assert.ok(collector);
  return (await collector.collect(opts)).removed.map(({ digest }) => digest).sort();
}

async function blobsOf(registry: Registry): Promise<Digest[]> {
  const enumerator = registry.extension(blobEnumerator);
  assert.ok(enumerator);
  return (await all(enumerator.blobs())).map(({ digest }) => digest).sort();
}

/** Whether a lease lists it. */
async function isMarked(driver: Driver, digest: Digest): Promise<boolean> {
  for (const { name } of (await driver.list(leasesPath)).entries) {
    const bytes = await driver.get(childPath(leasesPath, { name }), 10_000);
    if (bytes !== undefined && Buffer.from(bytes).includes(digest)) return true;
  }
  return false;
}

describe('a collection', () => {
  it('keeps blobs that any manifest of any repository names, tagged or not', async (t) => {
    const { registry } = await openStore(t);
    const tagged = await imageWith(registry, repo, 'tagged');
    const untagged = await imageWith(registry, otherRepo, 'untagged');
    const first = await registry.pushManifest(repo, tagged.raw, { tags: [one] });
    await registry.pushManifest(otherRepo, untagged.raw);
    const referrer = await imageWith(registry, repo, 'referrer', { subject: first });
    await registry.pushManifest(repo, referrer.raw);
    const loose = await pushBytes(registry, repo, text('loose'));
    const before = await blobsOf(registry);
    assert.deepEqual(await collect(registry, { dryRun: true }), [loose.digest]);
    assert.deepEqual(await blobsOf(registry), before);
    assert.deepEqual(await collect(registry), [loose.digest]);
    assert.deepEqual(await collect(registry), []);
    assert.equal((await blobsOf(registry)).length, before.length - 1);
    await assert.rejects(registry.statBlob(repo, loose.digest), failsWith('BLOB_UNKNOWN'));
    assert.equal((await readBlob(registry, repo, tagged.layer.digest)).length, 1_000);
  });

  it('keeps layers that are named by sha512 and lie under sha256', async (t) => {
    const { root, registry } = await openStore(t);
    const bytes = madeBytes('sha512', 100);
    const [asked, stored] = [await digestBytes(bytes, 'sha512'), await digestBytes(bytes)];
    await pushBytes(registry, repo, bytes);
    const link = join(root, v2, 'repositories', repo, '_layers/sha512', digestHex(asked), 'link');
    await mkdir(dirname(link), { recursive: true });
    await writeFile(link, stored);
    const layer = { mediaType: mediaTypes.ociLayer, digest: asked, size: bytes.length };
    const { config } = await imageWith(registry, repo, 'a');
    await registry.pushManifest(repo, manifestOf({ config, layers: [layer] }));
    await collect(registry);
    assert.deepEqual(await readBlob(registry, repo, asked), Buffer.from(bytes));
  });

  it('keeps all layers of a repository with a manifest of an unknown type', async (t) => {
    const { registry } = await openStore(t);
    const layer = await pushBytes(registry, repo, text('needed by what?'));
    await registry.pushManifest(repo, { mediaType: 'application/vnd.example.thing', bytes: text('?') });
    assert.deepEqual(await collect(registry), []);
    assert.equal((await registry.statBlob(repo, layer.digest)).size, layer.size);
  });

  it('leaves no trace of a repository that was emptied or removed, and its neighbours alone', async (t) => {
    const { root, registry } = await openStore(t);
    const inner = `${repo}/inner` as typeof repo;
    for (const name of [repo, otherRepo, inner]) {
      await registry.pushManifest(name, (await imageWith(registry, name, 'same')).raw, { tags: [one] });
    }
    const { digest } = await registry.statManifest(repo, one);
    await registry.deleteManifest(repo, digest);
    assert.deepEqual(await all(registry.repositories()), [repo, inner, otherRepo]);
    assert.deepEqual(await collect(registry), []);
    assert.deepEqual(await all(registry.repositories()), [inner, otherRepo]);
    await registry.extension(repositoryRemover)?.removeRepository(inner);
    await registry.extension(repositoryRemover)?.removeRepository(otherRepo);
    assert.equal((await collect(registry)).length, 3);
    assert.deepEqual(await filesBelow(root), []);
    await assert.rejects(stat(join(root, 'docker')), { code: 'ENOENT' });
  });

  it('keeps blobs that were pushed while it ran', async (t) => {
    const { driver } = await openStore(t);
    const plain = createStorage({ driver });
    const { layer } = await imageWith(plain, repo, 'a');
    // A push arrives when marking is over and the first blob is examined.
    let pushed: Promise<unknown> | undefined;
    const racing = {
      ...driver,
      list: async (...[path, opts]: Parameters<typeof driver.list>) => {
        if (path.endsWith('v2/blobs'))
          pushed ??= imageWith(plain, repo, 'a').then(({ raw }) => plain.pushManifest(repo, raw, { tags: [one] }));
        await pushed;
        return await driver.list(path, opts);
      },
    };
    assert.deepEqual(await collect(createStorage({ driver: racing })), []);
    assert.ok(pushed);
    assert.equal((await readBlob(plain, repo, layer.digest)).length, 1_000);
    assert.equal((await plain.getManifest(repo, one)).view.kind, 'image');
  });

  it('keeps a blob that is marked just before its removal, and its writer waits for the decision', async (t) => {
    const { driver } = await openStore(t);
    const plain = createStorage({ driver });
    const loose = await pushBytes(plain, repo, text('loose'));
    const other = await pushBytes(plain, repo, text('other'));
    let mounted: Promise<unknown> | undefined;
    const racing = {
      ...driver,
      put: async (...[path, ...rest]: Parameters<typeof driver.put>) => {
        await driver.put(path, ...rest);
        // The collector has announced what it will delete; the writer comes before the collector reads the marks.
        if (mounted !== undefined || !path.startsWith('collectors/') || rest[0].length === 0) return;
        mounted = plain.mountBlob(repo, loose.digest);
        for (;;) if (await isMarked(driver, loose.digest)) return;
      },
    };
    assert.deepEqual(await collect(createStorage({ driver: racing })), [other.digest]);
    assert.deepEqual(await mounted, { ...loose });
    assert.equal((await readBlob(plain, repo, loose.digest)).length, 5);
  });

  it('makes writers wait that need a blob it removes, and they then find it gone', async (t) => {
    const { driver } = await openStore(t);
    const plain = createStorage({ driver });
    const bytes = text('loose');
    const loose = await pushBytes(plain, repo, bytes);
    let pushed: Promise<{ outcome: string }> | undefined;
    const racing = {
      ...driver,
      delete: async (path: Parameters<typeof driver.delete>[0]) => {
        pushed ??= plain.pushBlob(otherRepo, loose, bytesSource(loose, bytes));
        // The blob is marked too late, so the writer must wait before it checks whether the blob exists.
        for (;;) if (await isMarked(driver, loose.digest)) break;
        return await driver.delete(path);
      },
    };
    assert.deepEqual(await collect(createStorage({ driver: racing })), []);
    assert.equal((await pushed)?.outcome, 'exists');
    assert.equal((await readBlob(plain, otherRepo, loose.digest)).length, 5);
  });

  it('puts back files that a killed collection had moved aside', async (t) => {
    const { root, registry } = await openStore(t);
    const { raw, layer } = await imageWith(registry, repo, 'a');
    await registry.pushManifest(repo, raw, { tags: [one] });
    const file = blobFile(root, layer.digest);
    await rename(file, `${file}.collected`);
    assert.deepEqual(await collect(registry), []);
    assert.equal((await readBlob(registry, repo, layer.digest)).length, 1_000);
  });

  it('keeps blobs that a running transfer relies on, however old they are, and no others', async (t) => {
    const { root, driver, registry } = await openStore(t);
    const other = createStorage({ driver });
    const there = await pushBytes(other, repo, text('there before'));
    const loose = await pushBytes(other, repo, text('loose'));
    const then = new Date(0);
    for (const { digest } of [there, loose]) await utimes(blobFile(root, digest), then, then);
    {
      await using _lease = await registry.extension(leases)?.lease();
      assert.deepEqual(await filesBelow(join(root, 'leases')), []);
      assert.equal(
        (await registry.pushBlob(repo, there, meteredSource(there, text('there before')))).outcome,
        'exists',
      );
      const fresh = await pushBytes(registry, repo, text('fresh'));
      assert.equal((await readdir(join(root, 'leases'))).length, 1);
      assert.deepEqual(await collect(other), [loose.digest]);
      assert.deepEqual(await blobsOf(other), [there.digest, fresh.digest].sort());
    }
    assert.deepEqual(await filesBelow(join(root, 'leases')), []);
    assert.equal((await collect(other)).length, 2);
  });

  it('keeps to the grace it is given, counted from the link', async (t) => {
    const { root, registry } = await openStore(t);
    const [young, old] = [await pushBytes(registry, repo, text('young')), await pushBytes(registry, repo, text('old'))];
    const then = new Date(Date.now() - 2 * 60 * 60 * 1_000);
    const linkOf = (digest: Digest): string =>
      join(root, v2, 'repositories', repo, '_layers/sha256', digestHex(digest), 'link');
    // The young blob existed long before it was linked.
    for (const file of [blobFile(root, young.digest), blobFile(root, old.digest), linkOf(old.digest)]) {
      await utimes(file, then, then);
    }
    assert.deepEqual(await collect(registry, { graceMs: 60 * 60 * 1_000 }), [old.digest]);
    assert.deepEqual(await collect(registry), [young.digest]);
  });

  it('spares the last hour while a transfer of an earlier version is under way', async (t) => {
    const { root, registry } = await openStore(t);
    const young = await pushBytes(registry, repo, text('young'));
    const holder = newProcessId();
    await mkdir(join(root, 'leases'), { recursive: true });
    await writeFile(join(root, 'leases', holder), JSON.stringify({ holder }));
    assert.deepEqual(await collect(registry), []);
    await rm(join(root, 'leases', holder));
    assert.deepEqual(await collect(registry), [young.digest]);
  });

  it('does not wait for a lease whose process is dead, and removes it', async (t) => {
    const { root, registry } = await openStore(t);
    const { pid } = spawnSync(process.execPath, ['--version']);
    const holder = newProcessId().replace(/^\d+/, String(pid));
    await mkdir(join(root, 'leases'));
    await writeFile(join(root, 'leases', holder), JSON.stringify({ holder }));
    const loose = await pushBytes(registry, repo, text('loose'));
    assert.deepEqual(await collect(registry), [loose.digest]);
    assert.deepEqual(await filesBelow(root), []);
  });

  it('stops when the signal is aborted', async (t) => {
    const { registry } = await openStore(t);
    await pushBytes(registry, repo, text('x'));
    const reason = new Error('stop');
    const collector = registry.extension(garbageCollector);
    await assert.rejects(
      collector?.collect({ signal: AbortSignal.abort(reason) }) ?? Promise.resolve(),
      (error) => error === reason,
    );
    assert.equal((await blobsOf(registry)).length, 1);
  });
});
