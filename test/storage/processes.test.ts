import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Running, start } from '../support/process.ts';
import { describeBytes, filesBelow, madeBytes, meteredSource, openStore, readBlob, repo } from './stores.ts';

const size = 4 * 1024 * 1024;
const bytes = madeBytes('shared', size);
const descriptor = await describeBytes(bytes);
const child = fileURLToPath(import.meta.url).replace(/processes\.test(\.[jt]s)$/, 'push-blob-child$1');

function pushing(t: TestContext, root: string, pauseMs: number): Running {
  const env = { PATH: process.env['PATH'] ?? '' };
  return start(t, process.execPath, [child, root, 'shared', String(size), String(pauseMs)], { env });
}

async function outcomeOf(running: Running): Promise<{ outcome: string; served: number }> {
  const { exitCode, stdout, stderr } = await running.result;
  assert.equal(exitCode, 0, stderr);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

describe('several processes on one store', () => {
  it('download a blob once', async (t) => {
    const { root, registry } = await openStore(t);
    const children = [pushing(t, root, 5), pushing(t, root, 5)];
    const results = await Promise.all(children.map(outcomeOf));
    assert.deepEqual(results.map(({ outcome }) => outcome).sort(), ['exists', 'pushed']);
    assert.equal(
      results.reduce((sum, { served }) => sum + served, 0),
      size,
    );
    assert.deepEqual(await readBlob(registry, repo, descriptor.digest), Buffer.from(bytes));
  });

  it('continue a download of a killed process', async (t) => {
    const { root, registry } = await openStore(t);
    const killed = pushing(t, root, 5);
    await killed.waitFor(/served 3\d{6}\n/);
    killed.child.kill('SIGKILL');
    assert.equal((await killed.result).signal, 'SIGKILL');
    const source = meteredSource(descriptor, bytes);
    await registry.pushBlob(repo, descriptor, source);
    assert.ok((source.openedAt[0] ?? 0) >= 2 * 1024 * 1024, `went on at ${source.openedAt[0]}`);
    assert.ok(source.served <= size * 0.6);
    assert.deepEqual(await readBlob(registry, repo, descriptor.digest), Buffer.from(bytes));
    assert.deepEqual(await filesBelow(`${root}/partial`), []);
  });

  it('go on at once when the one that is waited for dies', async (t) => {
    const { root, registry } = await openStore(t);
    const killed = pushing(t, root, 5);
    await killed.waitFor(/served 2\d{6}\n/);
    const source = meteredSource(descriptor, bytes);
    const push = registry.pushBlob(repo, descriptor, source, { onWait: () => killed.child.kill('SIGKILL') });
    assert.equal((await push).outcome, 'pushed');
    assert.ok(source.served < size);
    assert.deepEqual(await readBlob(registry, repo, descriptor.digest), Buffer.from(bytes));
  });
});
