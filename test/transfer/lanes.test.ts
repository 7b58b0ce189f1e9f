import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { LanePolicy } from '../../src/transfer/lane-policy.ts';
import { Lanes, type Way } from '../../src/transfer/lanes.ts';

const large = 2 * 1024 * 1024;
const small = 1000;

/** Samples until the number of lanes has stayed the same for long. `speed`: bytes per millisecond with so many lanes. */
function settled(policy: LanePolicy, speed: (lanes: number) => number): number[] {
  const seen: number[] = [policy.lanes];
  for (let i = 0; i < 60; i += 1) {
    policy.sample(speed(policy.lanes), true);
    if (policy.lanes !== seen.at(-1)) seen.push(policy.lanes);
  }
  return seen;
}

describe('the number of lanes', () => {
  it('grows to its most where each connection has a speed of its own', () => {
    assert.deepEqual(
      settled(new LanePolicy({ first: 4, most: 8 }), (lanes) => 100 * lanes),
      [4, 5, 6, 7, 8],
    );
  });

  it('tries one more now and then where all connections share one speed, and goes back', () => {
    const seen = settled(new LanePolicy({ first: 4, most: 8 }), () => 100);
    assert.deepEqual(seen.slice(0, 5), [4, 5, 4, 5, 4]);
    assert.ok(seen.length < 8, `tried only now and then: ${seen}`);
  });

  it('stays where more lanes bring little', () => {
    const seen = settled(new LanePolicy({ first: 4, most: 8 }), (lanes) => 100 * Math.min(lanes, 5) + lanes);
    assert.deepEqual(new Set(seen), new Set([4, 5, 6]));
  });

  it('does not grow for blobs that nobody waits for', () => {
    const policy = new LanePolicy({ first: 4, most: 8 });
    for (let i = 0; i < 20; i += 1) policy.sample(1000 * i, false);
    assert.equal(policy.lanes, 4);
  });

  it('is halved by trouble, once for what all lanes report together, down to one, and grows again later', () => {
    const policy = new LanePolicy({ first: 8, most: 8 });
    for (let lane = 0; lane < 8; lane += 1) policy.trouble();
    assert.equal(policy.lanes, 4);
    for (let i = 0; i < 20; i += 1) policy.sample(100 * policy.lanes, true);
    assert.equal(policy.lanes, 4, 'it rests');
    policy.trouble();
    policy.sample(100, false);
    policy.trouble();
    policy.sample(100, false);
    policy.trouble();
    assert.equal(policy.lanes, 1);
    assert.deepEqual(
      settled(policy, (lanes) => 100 * lanes),
      [1, 2, 3, 4, 5, 6, 7, 8],
    );
  });
});

/** Which of these ways have got a lane. */
function taking(ways: readonly Way[]): boolean[] {
  const taken = ways.map(() => false);
  ways.forEach((way, i) => {
    void way.ready().then(() => {
      taken[i] = true;
    });
  });
  return taken;
}

describe('lanes', () => {
  it('let small blobs pass large ones that wait', async () => {
    const lanes = new Lanes(undefined);
    const ways = [...Array.from({ length: 5 }, () => lanes.way(large)), lanes.way(small), lanes.way(small)];
    const taken = taking(ways);
    await setImmediate();
    assert.deepEqual(taken, [true, true, true, true, false, true, true]);
    await ways[0]?.end();
    await setImmediate();
    assert.equal(taken[4], true);
  });

  it('hold no look while a blob waits for its lane', async () => {
    const lanes = new Lanes(undefined);
    const ways = Array.from({ length: 40 }, () => lanes.way(large));
    let looked = 0;
    for (const way of ways) {
      void way
        .look()
        .then(() => {
          looked += 1;
        })
        .then(() => way.ready());
    }
    await setImmediate();
    assert.equal(looked, 40);
  });

  it('are as many as was asked for, for blobs of every size', async () => {
    const lanes = new Lanes(2);
    const taken = taking([lanes.way(large), lanes.way(small), lanes.way(small), lanes.way(large)]);
    await setImmediate();
    assert.deepEqual(taken, [true, true, false, false]);
  });

  it('become fewer where one blob has trouble', async () => {
    const lanes = new Lanes(undefined);
    const ways = Array.from({ length: 6 }, () => lanes.way(large));
    const taken = taking(ways);
    await setImmediate();
    ways[0]?.trouble();
    await ways[0]?.end();
    await ways[1]?.end();
    await setImmediate();
    assert.deepEqual(taken, [true, true, true, true, false, false]);
    await ways[2]?.end();
    await setImmediate();
    assert.equal(taken[4], true);
  });
});
