import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { meetAtEveryCall } from './meetings.ts';
import { isLong, pairs } from './pairs.ts';
import { inMemory } from './places.ts';

/** These take seconds: every other short pair. test/soak tries all pairs, also in a directory. */
const tried = [
  ...pairs.filter((pair) => !isLong(pair)).filter((_, nth) => nth % 2 === 0),
  ...pairs.filter((pair) => isLong(pair) && pair.names[0] === 'tag' && /collect|prune/.test(pair.names[1])),
];

describe('two operations that meet at any call, in a store in memory', () => {
  for (const pair of tried) {
    it(`leave it whole: ${pair.names.join(' / ')}`, async (t) => {
      const { count, faults } = await meetAtEveryCall(inMemory, pair, t);
      assert.ok(count > 0);
      assert.equal(faults.join('\n'), '');
    });
  }
});
