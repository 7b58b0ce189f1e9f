import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newProcessId } from '../../../src/files/process-id.ts';
import type { Digest } from '../../../src/model/digest.ts';
import { garbageCollector, leases } from '../../../src/registry/extensions.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { describeBytes, failsWith, filesBelow, openStore, otherRepo, pushBytes, repo, text } from '../stores.ts';

const foreign = `${process.pid}-0123456789ab-0123456789abcdef`;
const dead = newProcessId().replace(/^\d+/, String(spawnSync(process.execPath, ['--version']).pid));

async function collect(registry: Registry): Promise<Digest[]> {
  const removed = (await registry.extension(garbageCollector)?.collect())?.removed ?? [];
  return removed.map(({ digest }) => digest);
}

/** Writes a file of another process, this many milliseconds old. */
async function said(root: string, path: string, words: readonly string[], agoMs = 0): Promise<string> {
  const file = join(root, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, words.map((word) => `${word}\n`).join(''));
  const then = new Date(Date.now() - agoMs);
  await utimes(file, then, then);
  return file;
}

describe('a mark', () => {
  it('of another host counts, whatever the clock of this one shows', async (t) => {
    const { root, registry } = await openStore(t);
    const blob = await pushBytes(registry, repo, text('wanted elsewhere'));
    await said(root, `leases/${foreign}`, [blob.digest]);
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 });
    assert.deepEqual(await collect(registry), []);
    assert.deepEqual(await filesBelow(join(root, 'leases')), [foreign]);
  });

  it('of another host ends when the store has not heard of it for a minute, or it said so', async (t) => {
    const { root, registry } = await openStore(t);
    for (const [words, agoMs] of [
      [[], 65_000],
      [['end'], 0],
    ] as const) {
      const blob = await pushBytes(registry, repo, text('no longer wanted'));
      await said(root, `leases/${foreign}`, [blob.digest, ...words], agoMs);
      assert.deepEqual(await collect(registry), [blob.digest]);
      assert.deepEqual(await filesBelow(root), []);
    }
  });

  it('stays for a collection that began before its lease ended, and no longer', async (t) => {
    const { root, driver, registry } = await openStore(t);
    const blob = await describeBytes(text('comes and stays'));
    let pushed: Promise<unknown> | undefined;
    const racing = {
      ...driver,
      list: async (...args: Parameters<typeof driver.list>) => {
        // The repositories have been read by now.
        if (args[0].endsWith('v2/blobs')) pushed ??= pushBytes(registry, repo, text('comes and stays'));
        await pushed;
        return await driver.list(...args);
      },
    };
    assert.deepEqual(await collect(createStorage({ driver: racing })), []);
    assert.equal((await registry.statBlob(repo, blob.digest)).size, blob.size);
    assert.deepEqual(await collect(registry), [blob.digest]);
    assert.deepEqual(await filesBelow(root), []);
  });

  it('is written anew by a process that has slept, for others may have given it up', async (t) => {
    const { root, registry } = await openStore(t);
    await using _lease = await registry.extension(leases)?.lease();
    const first = await pushBytes(registry, repo, text('before'));
    const [before] = await filesBelow(join(root, 'leases'));
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 45_000 });
    const second = await pushBytes(registry, repo, text('after'));
    while ((await filesBelow(join(root, 'leases'))).length > 1) await sleep(5);
    const [after = ''] = await filesBelow(join(root, 'leases'));
    assert.notEqual(after, before);
    const words = (await readFile(join(root, 'leases', after), 'utf8')).split('\n');
    for (const { digest } of [first, second]) assert.ok(words.includes(digest));
  });

  it('is kept for a while where manifests come in requests of their own', async (t) => {
    const { root, driver, registry } = await openStore(t);
    const serving = createStorage({ driver, keepUnusedMs: 3_600_000 });
    const loose = await pushBytes(registry, repo, text('nobody asked for it'));
    const asked = await pushBytes(registry, repo, text('asked for'));
    await serving.statBlob(repo, asked.digest);
    const writer = await serving.startUpload(repo);
    await writer.write(text('uploaded'));
    await writer.commit(await describeBytes(text('uploaded')));
    await serving.mountBlob(otherRepo, asked.digest, { from: repo });
    assert.deepEqual(await collect(registry), [loose.digest]);
    await assert.rejects(serving.statBlob(repo, loose.digest), failsWith('BLOB_UNKNOWN'));
    assert.equal((await filesBelow(join(root, 'leases'))).length, 1);
  });

  it('goes when its while is over, except for a collection with a longer grace', async (t) => {
    const { root, driver, registry } = await openStore(t);
    const serving = createStorage({ driver, keepUnusedMs: 30 });
    const blob = await pushBytes(serving, repo, text('forgotten'));
    const [lease = ''] = await filesBelow(join(root, 'leases'));
    // The sleeps keep this process alive until the lease ends: the lease's own timer would let it end.
    while (!(await readFile(join(root, 'leases', lease), 'utf8')).endsWith('end\n')) await sleep(5);
    for (const file of await filesBelow(root)) {
      if (!file.startsWith('leases')) await utimes(join(root, file), new Date(0), new Date(0));
    }
    const kept = await registry.extension(garbageCollector)?.collect({ graceMs: 60_000 });
    assert.equal(kept?.kept.inUse.count, 1);
    assert.deepEqual(await collect(registry), [blob.digest]);
    assert.deepEqual(await filesBelow(root), []);
  });
});

describe('a collector', () => {
  it('that is dead, or silent on another host, blocks no writer, and its announcement is removed', async (t) => {
    const { root, registry } = await openStore(t);
    const blob = await pushBytes(registry, repo, text('wanted'));
    await said(root, `collectors/${dead}`, [blob.digest]);
    await said(root, `collectors/${foreign}`, [blob.digest], 65_000);
    await registry.mountBlob(repo, blob.digest);
    assert.deepEqual(await filesBelow(join(root, 'collectors')), []);
  });

  it('of another host is waited for while it removes a needed blob', async (t) => {
    const { root, driver, registry } = await openStore(t);
    const blob = await pushBytes(registry, repo, text('wanted'));
    const other = await pushBytes(registry, repo, text('not this one'));
    const file = await said(root, `collectors/${foreign}`, [other.digest]);
    await registry.mountBlob(repo, blob.digest);
    await writeFile(file, blob.digest);
    let looks = 0;
    const watching = createStorage({
      driver: {
        ...driver,
        get: async (...args: Parameters<typeof driver.get>) => {
          if (args[0].startsWith('collectors/')) looks += 1;
          if (looks === 3) await writeFile(file, '');
          return await driver.get(...args);
        },
      },
    });
    assert.deepEqual(await watching.mountBlob(repo, blob.digest), blob);
    assert.ok(looks >= 3);
  });
});
