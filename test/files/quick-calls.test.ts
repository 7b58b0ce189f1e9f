import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { quickCall } from '../../src/files/quick-calls.ts';

/** A kind of call whose duration on the main thread is set, and the ways that its calls have taken. */
function madeCalls() {
  const ways: string[] = [];
  const made = { tookMs: 0, ways };
  let clockMs = 0;
  const call = quickCall(
    (value: number) => {
      ways.push('now');
      clockMs += made.tookMs;
      if (value < 0) throw new Error('negative');
      return value;
    },
    async (value: number) => {
      ways.push('later');
      return value;
    },
    { nowMs: () => clockMs },
  );
  const times = async (count: number): Promise<number> => {
    ways.length = 0;
    for (let i = 0; i < count; i += 1) assert.equal(await call(i), i);
    return ways.filter((way) => way === 'later').length;
  };
  return Object.assign(made, { call, times });
}

describe('file calls on the main thread', () => {
  it('are made at once while they are quick', async () => {
    const made = madeCalls();
    made.tookMs = 0.01;
    assert.equal(await made.times(50), 0);
  });

  it('reject with what the call throws', async () => {
    const made = madeCalls();
    await assert.rejects(made.call(-1), /negative/);
    assert.deepEqual(made.ways, ['now']);
  });

  it('use the thread pool after a slow one, for longer after each, and return when one is quick', async () => {
    const made = madeCalls();
    made.tookMs = 0.5;
    assert.equal(await made.times(1 + 16 + 1 + 64 + 1 + 256), 16 + 64 + 256);
    made.tookMs = 0.01;
    assert.equal(await made.times(1), 0);
    made.tookMs = 0.5;
    assert.equal(await made.times(1 + 16), 16);
    made.tookMs = 0.01;
    assert.equal(await made.times(1), 0);
  });

  it('never rest for so long that it is not noticed when a disk becomes quick', async () => {
    const made = madeCalls();
    made.tookMs = 0.5;
    await made.times(20_000);
    made.tookMs = 0.01;
    await made.times(4_097);
    assert.equal(await made.times(30), 0);
  });

  it('leave sockets and timers their turn, however many follow each other', async () => {
    const made = madeCalls();
    made.tookMs = 0.05;
    assert.ok((await made.times(1_000)) >= 20);
  });
});
