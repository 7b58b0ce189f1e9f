import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { meetAtTwoCalls } from '../../storage/interleaving/meetings.ts';
import { isLong, pairs } from '../../storage/interleaving/pairs.ts';
import { inMemory } from '../../storage/interleaving/places.ts';
import { meetEveryPair } from './every-pair.ts';

meetEveryPair(inMemory);

describe('two operations, each stopped once, in a store in memory', () => {
  for (const pair of pairs.filter((pair) => !isLong(pair))) {
    it(`leave it whole: ${pair.names.join(' / ')}`, async (t) => {
      const { count, faults } = await meetAtTwoCalls(inMemory, pair, t);
      t.diagnostic(`${count} meetings`);
      assert.equal(faults.join('\n'), '');
    });
  }
});
