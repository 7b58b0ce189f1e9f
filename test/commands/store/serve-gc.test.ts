import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import { takeTurn } from '../../../src/storage/collect/turn.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { filesBelow, pushBytes, text, v2 } from '../../storage/stores.ts';
import { ocictl, spawnServe } from '../../support/command.ts';
import { sandbox } from '../../support/sandbox.ts';

describe('ocictl serve --gc-interval', () => {
  it('collects while it serves, says so in a line, and tells of a failure and goes on', async (t) => {
    const { home } = await sandbox(t);
    const root = join(home, 'served');
    const registry = createStorage({ driver: await openFilesystemDriver({ root }) });
    await pushBytes(registry, parseRepositoryName('team/app'), text('unused'));
    for (const file of await filesBelow(root)) await utimes(join(root, file), new Date(0), new Date(0));
    // What no registry has made stays, and so does its directory.
    await writeFile(join(root, v2, 'repositories', 'README'), 'kept');
    const startedMs = Date.now();
    const server = await spawnServe(t, ['--root', root, '--gc-interval', '1s', '--metrics', '0']);
    let stderr = '';
    server.child.stderr?.on('data', (chunk) => {
      stderr += String(chunk);
    });
    const told = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(stderr)) {
        const { exitCode, signalCode } = server.child;
        assert.ok(exitCode === null && signalCode === null, `it ended before ${pattern}: ${stderr}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const serves = async () => assert.equal((await fetch(`${server.url}/v2/_catalog`)).status, 200);
    await told(/collected 1 blob and 0 unfinished transfers \(6B\) in /);
    await serves();
    // A link is not followed, so this repository cannot be read.
    const broken = join(home, 'broken');
    await mkdir(broken);
    await symlink(home, join(broken, '_manifests'));
    await rename(broken, join(root, v2, 'repositories', 'broken'));
    await told(/a collection failed: .*_manifests is a symbolic link/);
    await serves();
    await rm(join(root, v2, 'repositories', 'broken'), { recursive: true });
    stderr = '';
    await told(/collected 0 blobs and 0 unfinished transfers/);
    const [metricsUrl = ''] = await server.waitFor(/http:\/\/\S+\/metrics/);
    const metrics = await (await fetch(metricsUrl)).text();
    assert.match(metrics, /^registry_gc_runs_total\{result="success"\} [1-9]/m);
    assert.match(metrics, /^registry_gc_runs_total\{result="failure"\} [1-9]/m);
    assert.match(metrics, /^registry_gc_freed_blobs_total 1$/m);
    assert.match(metrics, /^registry_gc_freed_bytes_total 6$/m);
    assert.match(metrics, /^registry_gc_duration_seconds_count\{result="failure"\} [1-9]/m);
    const [, last] = /^registry_gc_last_success_timestamp_seconds ([\d.]+)$/m.exec(metrics) ?? [];
    assert.ok(startedMs / 1000 <= Number(last) && Number(last) <= Date.now() / 1000, last);
    server.child.kill('SIGTERM');
    assert.equal((await server.result).exitCode, 0);
  });

  it('is for a --root that is written to', async (t) => {
    for (const words of [['--memory'], ['--root', 'images', '--read-only']]) {
      assert.equal((await ocictl(t, ['serve', ...words, '--gc-interval', '1h'])).exitCode, 2, words.join(' '));
    }
  });
});

describe('the turn to collect', () => {
  it('is that of one of several, once in an interval', async () => {
    const driver = createMemoryDriver();
    const told = await Promise.all([1, 2, 3, 4].map(() => takeTurn(driver, 60_000)));
    assert.equal(told.filter(Boolean).length, 1);
    assert.equal(await takeTurn(driver, 60_000), false);
    const again = await Promise.all([1, 2, 3, 4].map(() => takeTurn(driver, 0)));
    assert.equal(again.filter(Boolean).length, 1);
  });
});
