import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { newProcessId } from '../../../src/files/process-id.ts';
import { isOciError } from '../../../src/model/errors.ts';
import type { StorePath } from '../../../src/storage/driver.ts';
import { storageError } from '../../../src/storage/drivers/file-errors.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';
import { all, describeBytes, failsWith, filesBelow, madeBytes, meteredSource, repo, text } from '../stores.ts';

const at = (path: string): StorePath => path as StorePath;

describe('a store on disk', () => {
  it('reads as empty if it does not exist, and reading creates nothing', async (t) => {
    const root = join(await temporaryDirectory(t), 'not', 'yet');
    const registry = createStorage({ driver: await openFilesystemDriver({ root }) });
    assert.deepEqual(await all(registry.repositories()), []);
    await assert.rejects(all(registry.tags(repo)), failsWith('NAME_UNKNOWN'));
    await assert.rejects(stat(root), { code: 'ENOENT' });
    const bytes = text('x');
    const descriptor = await describeBytes(bytes);
    await registry.pushBlob(repo, descriptor, meteredSource(descriptor, bytes));
    assert.equal((await stat(root)).isDirectory(), true);
  });

  it('is not made by a write that may not', async (t) => {
    const root = join(await temporaryDirectory(t), 'absent');
    const driver = await openFilesystemDriver({ root, create: false });
    await assert.rejects(driver.put(at('a'), text('x')), failsWith('STORAGE'));
    await assert.rejects(stat(root), { code: 'ENOENT' });
  });

  it('refuses a root that is a file', async (t) => {
    const root = join(await temporaryDirectory(t), 'file');
    await writeFile(root, 'x');
    await assert.rejects(openFilesystemDriver({ root }), failsWith('STORAGE'));
  });

  it('creates its root for this user alone, and keeps the mode of an existing one', async (t) => {
    const parent = await temporaryDirectory(t);
    const modeOf = async (directory: string): Promise<number> => (await stat(directory)).mode & 0o777;
    const before = process.umask(0o022);
    try {
      const root = join(parent, 'data', 'store');
      await (await openFilesystemDriver({ root })).put(at('d/e'), text('x'));
      if (process.platform !== 'win32') {
        assert.deepEqual([await modeOf(root), await modeOf(join(root, 'd'))], [0o700, 0o755]);
        await chmod(root, 0o750);
        await (await openFilesystemDriver({ root })).put(at('d/f'), text('x'));
        assert.equal(await modeOf(root), 0o750);
      }
    } finally {
      process.umask(before);
    }
  });

  it('can be read by others, as distribution leaves it, and leaves no draft', async (t) => {
    const root = await temporaryDirectory(t);
    const before = process.umask(0);
    try {
      const driver = await openFilesystemDriver({ root });
      await driver.put(at('d/e/f'), text('x'));
      const upload = await driver.uploads.begin(at('g/h'));
      await upload.write(text('x'));
      await upload.rest();
    } finally {
      process.umask(before);
    }
    for (const [path, mode] of Object.entries({ d: 0o755, 'd/e': 0o755, 'd/e/f': 0o644, 'g/h': 0o644 })) {
      assert.equal((await stat(join(root, path))).mode & 0o777, mode, path);
    }
    assert.deepEqual(await filesBelow(root), ['d/e/f', 'g/h']);
  });

  it('refuses every write when opened for reading', async (t) => {
    const root = await temporaryDirectory(t);
    const driver = await openFilesystemDriver({ root, readOnly: true });
    const registry = createStorage({ driver });
    const descriptor = await describeBytes(text('x'));
    await assert.rejects(
      registry.pushBlob(repo, descriptor, meteredSource(descriptor, text('x'))),
      failsWith('STORAGE_DENIED'),
    );
    await assert.rejects(registry.startUpload(repo), failsWith('STORAGE_DENIED'));
    assert.deepEqual(await readdir(root), []);
  });

  it('removes the drafts of processes that are dead, and old ones of those that cannot be asked', async (t) => {
    const root = await temporaryDirectory(t);
    const driver = await openFilesystemDriver({ root });
    const foreign = `${process.pid}-0123456789ab-0123456789abcdef`;
    const stay = [`${newProcessId()}.1`, `${foreign}.1`, 'somebody-elses'];
    const go = [`${deadHolder()}.case`, `${foreign}.2`];
    await mkdir(join(root, 'tmp'));
    for (const name of [...stay, ...go]) await writeFile(join(root, 'tmp', name), 'x');
    for (const name of [`${foreign}.2`, 'somebody-elses'])
      await utimes(join(root, 'tmp', name), new Date(0), new Date(0));
    assert.deepEqual(await driver.tidy?.(at('any'), { dryRun: true }), { count: 2, bytes: 2 });
    assert.equal((await filesBelow(root)).length, 5);
    assert.deepEqual(await driver.tidy?.(at('any')), { count: 2, bytes: 2 });
    assert.deepEqual(await filesBelow(root), stay.map((name) => `tmp/${name}`).sort());
  });

  it('finishes the conditional deletions of processes that are dead, whatever they had found', async (t) => {
    const root = await temporaryDirectory(t);
    const driver = await openFilesystemDriver({ root });
    const old = createHash('sha256').update('old').digest('hex').slice(0, 16);
    const leftBehind: Record<string, string> = {
      [`a/link.${old}.${deadHolder()}`]: 'old',
      [`b/link.${old}.${deadHolder()}`]: 'new',
      [`c/link.${old}.${deadHolder()}`]: 'new',
      'c/link': 'newer',
      [`d/link.${old}.${newProcessId()}`]: 'new',
    };
    for (const [path, bytes] of Object.entries(leftBehind)) await driver.put(at(`t/${path}`), text(bytes));
    await driver.tidy?.(at('t'));
    const [alive = ''] = await readdir(join(root, 't/d'));
    assert.deepEqual(await filesBelow(root), ['t/b/link', 't/c/link', `t/d/${alive}`]);
    assert.deepEqual(await driver.get(at('t/b/link'), 9), text('new'));
    assert.deepEqual(await driver.get(at('t/c/link'), 9), text('newer'));
  });

  it('fails with the reason of the file system', () => {
    const codes = {
      ENOSPC: 'STORAGE_FULL',
      EDQUOT: 'STORAGE_FULL',
      EACCES: 'STORAGE_DENIED',
      EPERM: 'STORAGE_DENIED',
      EROFS: 'STORAGE_DENIED',
      EIO: 'STORAGE',
    } as const;
    for (const [errno, code] of Object.entries(codes)) {
      const error = storageError(Object.assign(new Error('no'), { code: errno }), 'write', '/store/x');
      assert.ok(isOciError(error, code), errno);
      assert.match(error.message, /\/store\/x/);
    }
  });

  it('reports a full disk, and goes on from the partial when there is room', async (t) => {
    const root = mountTmpfs(t, 'size=3m');
    if (root === undefined) return;
    const registry = createStorage({ driver: await openFilesystemDriver({ root }) });
    const bytes = madeBytes('full', 5_000_000);
    const descriptor = await describeBytes(bytes);
    await assert.rejects(
      registry.pushBlob(repo, descriptor, meteredSource(descriptor, bytes)),
      failsWith('STORAGE_FULL', ({ hint }) => assert.match(hint ?? '', /free some space/)),
    );
    assert.equal(spawnSync('mount', ['-o', 'remount,size=20m', root]).status, 0);
    const source = meteredSource(descriptor, bytes);
    await registry.pushBlob(repo, descriptor, source);
    assert.ok((source.openedAt[0] ?? 0) > 1_000_000, `went on at ${source.openedAt[0]}`);
    assert.equal((await registry.statBlob(repo, descriptor.digest)).size, bytes.length);
  });

  it('reports a read-only file system', async (t) => {
    const root = mountTmpfs(t, 'ro');
    if (root === undefined) return;
    const registry = createStorage({ driver: await openFilesystemDriver({ root }) });
    const descriptor = await describeBytes(text('x'));
    await assert.rejects(
      registry.pushBlob(repo, descriptor, meteredSource(descriptor, text('x'))),
      failsWith('STORAGE_DENIED'),
    );
    assert.deepEqual(await all(registry.repositories()), []);
  });
});

describe('a lock file', () => {
  const file = 'l/x.lock';

  async function leftBehind(t: TestContext, content: string, ageMs = 0) {
    const root = await temporaryDirectory(t);
    await mkdir(join(root, 'l'));
    await writeFile(join(root, file), content);
    const then = new Date(Date.now() - ageMs);
    await utimes(join(root, file), then, then);
    const { locks } = await openFilesystemDriver({ root });
    assert.ok(locks);
    return { root, locks };
  }

  it('says who holds it', async (t) => {
    const root = await temporaryDirectory(t);
    const { locks } = await openFilesystemDriver({ root });
    const lock = await locks?.tryAcquire(at(file));
    const { holder, pid, hostname: host } = JSON.parse(await readFile(join(root, file), 'utf8'));
    assert.equal(pid, process.pid);
    assert.equal(host, hostname());
    assert.match(holder, new RegExp(`^${process.pid}-`));
    await lock?.release();
    assert.deepEqual(await filesBelow(root), []);
  });

  it('is taken over at once from a process that is dead', async (t) => {
    const { root, locks } = await leftBehind(t, lockText(deadHolder()));
    assert.equal(await locks.isHeld(at(file)), false);
    const lock = await locks.tryAcquire(at(file));
    assert.ok(lock);
    assert.equal(await locks.tryAcquire(at(file)), undefined);
    await lock.release();
    assert.deepEqual(await filesBelow(root), []);
  });

  it('is left to a live process until its heart has been still for long', async (t) => {
    const young = await leftBehind(t, lockText(newProcessId()), 10_000);
    assert.equal(await young.locks.tryAcquire(at(file)), undefined);
    for (const ageMs of [20_000, -3_600_000]) {
      const silent = await leftBehind(t, lockText(newProcessId()), ageMs);
      // It is watched first, as its host's clock may be wrong.
      assert.equal(await silent.locks.tryAcquire(at(file)), undefined);
      assert.equal(await silent.locks.isHeld(at(file)), false);
      assert.ok(await silent.locks.tryAcquire(at(file)));
    }
  });

  it('is left to a process of another machine, and for a moment to one that has not signed it yet', async (t) => {
    const foreign = `${process.pid}-0123456789ab-0123456789abcdef`;
    for (const content of [lockText(foreign), '']) {
      const { locks } = await leftBehind(t, content);
      assert.equal(await locks.tryAcquire(at(file)), undefined);
    }
  });

  it('is taken over by one of many', async (t) => {
    const dead = lockText(deadHolder());
    const { root, locks } = await leftBehind(t, dead);
    for (let round = 0; round < 15; round++) {
      await writeFile(join(root, file), dead);
      const taken = await Promise.all(Array.from({ length: 20 }, () => locks.tryAcquire(at(file))));
      const held = taken.filter((lock) => lock !== undefined);
      assert.equal(held.length, 1);
      await held[0]?.release();
      assert.deepEqual(await filesBelow(root), []);
      await mkdir(join(root, 'l'), { recursive: true });
    }
  });

  it('keeps beating', async (t) => {
    const root = await temporaryDirectory(t);
    const { locks } = await openFilesystemDriver({ root });
    const lock = await locks?.tryAcquire(at(file));
    await utimes(join(root, file), new Date(0), new Date(0));
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    assert.ok((await stat(join(root, file))).mtimeMs > Date.now() - 5_000);
    await lock?.release();
  });
});

/** The lock text of a process that has ended. */
function deadHolder(): string {
  const { pid } = spawnSync(process.execPath, ['--version']);
  return newProcessId().replace(/^\d+/, String(pid));
}

function lockText(holder: string): string {
  return JSON.stringify({ holder, pid: Number(holder.split('-')[0]), hostname: hostname() });
}

// Tests run as root where mounting works, and permission bits do not apply to root.
function mountTmpfs(t: TestContext, options: string): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'ocictl-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory]).status === 0;
  t.after(() => {
    if (mounted) spawnSync('umount', ['-l', directory]);
    rmdirSync(directory);
  });
  if (mounted) return directory;
  t.skip('a file system can be mounted only by root');
  return undefined;
}
