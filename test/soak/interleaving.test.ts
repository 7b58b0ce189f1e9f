import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { meetAtEveryCall, meetAtTwoCalls } from '../storage/interleaving/meetings.ts';
import { isLong, pairs } from '../storage/interleaving/pairs.ts';
import { inDirectory, inMemory } from '../storage/interleaving/places.ts';

for (const place of [inMemory, inDirectory]) {
  describe(`two operations, one stopped at every call, in a store ${place.name}`, () => {
    for (const pair of pairs) {
      it(`leave it whole: ${pair.names.join(' / ')}`, async (t) => {
        const { count, faults } = await meetAtEveryCall(place, pair, t);
        t.diagnostic(`${count} meetings`);
        assert.equal(faults.join('\n'), '');
      });
    }
  });
}

describe('two operations, each stopped once, in a store in memory', () => {
  for (const pair of pairs.filter((pair) => !isLong(pair))) {
    it(`leave it whole: ${pair.names.join(' / ')}`, async (t) => {
      const { count, faults } = await meetAtTwoCalls(inMemory, pair, t);
      t.diagnostic(`${count} meetings`);
      assert.equal(faults.join('\n'), '');
    });
  }
});
