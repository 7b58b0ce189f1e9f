import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { describe, it, mock } from 'node:test';
import { temporaryDirectory } from '../support/sandbox.ts';

// Before it is imported: the calls of the system are bound then.
let failing = 0;
const slow = (_: number, done: fs.NoParamCallback): void => {
  const error = failing > 0 ? Object.assign(new Error('broken'), { code: 'EIO' }) : null;
  failing -= 1;
  setTimeout(done, 5, error);
};
const syncs = mock.method(fs, 'fsync', slow);
syncBuiltinESMExports();
const { syncDirectory } = await import('../../src/files/durable.ts');
const { expectWaits } = await import('../../src/files/quick-calls.ts');
// All calls use the thread pool, however fast or slow the machine is.
expectWaits();

describe('syncs of one directory', { skip: process.platform === 'win32' }, () => {
  it('are shared by all who ask while one is running, which has begun too early for them', async (t) => {
    const directory = await temporaryDirectory(t);
    syncs.mock.resetCalls();
    const first = syncDirectory(directory);
    const others = Promise.all(Array.from({ length: 10 }, () => syncDirectory(directory)));
    await first;
    assert.equal(syncs.mock.callCount(), 1);
    await others;
    assert.equal(syncs.mock.callCount(), 2);
    await syncDirectory(directory);
    assert.equal(syncs.mock.callCount(), 3);
  });

  it('do not wait for those of another directory', async (t) => {
    const [one, another] = [await temporaryDirectory(t), await temporaryDirectory(t)];
    syncs.mock.resetCalls();
    await Promise.all([syncDirectory(one), syncDirectory(another), syncDirectory(one)]);
    assert.equal(syncs.mock.callCount(), 3);
  });

  it('fail alone: one that failed does not prevent the next', async (t) => {
    const directory = await temporaryDirectory(t);
    failing = 1;
    const first = syncDirectory(directory);
    const next = syncDirectory(directory);
    await assert.rejects(first, /broken/);
    await next;
    await syncDirectory(directory);
  });
});
