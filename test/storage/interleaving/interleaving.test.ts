import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { meetAtEveryCall } from './meetings.ts';
import { isAboutTags, isLong, pairs } from './pairs.ts';
import { inDirectory, inMemory } from './places.ts';

/** All of them are tried on both by test/soak: these are what takes seconds. */
const tried = [
  { place: inMemory, pairs: pairs.filter((pair) => !isLong(pair)) },
  { place: inMemory, pairs: pairs.filter(({ names: [a, b] }) => a === 'tag' && /collect|prune/.test(b)) },
  { place: inDirectory, pairs: pairs.filter(isAboutTags) },
];

for (const { place, pairs } of tried) {
  describe(`two operations that meet at any call, in a store ${place.name}`, () => {
    for (const pair of pairs) {
      it(`leave it whole: ${pair.names.join(' / ')}`, async (t) => {
        const { count, faults } = await meetAtEveryCall(place, pair, t);
        assert.ok(count > 0);
        assert.equal(faults.join('\n'), '');
      });
    }
  });
}
