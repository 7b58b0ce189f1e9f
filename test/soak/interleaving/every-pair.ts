import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { meetAtEveryCall } from '../../storage/interleaving/meetings.ts';
import { pairs } from '../../storage/interleaving/pairs.ts';
import type { Place } from '../../storage/interleaving/places.ts';
import { needs } from '../../support/programs.ts';

/** Has all pairs of operations meet at a place. @param program That it needs. */
export function meetEveryPair(place: Place, program?: 'versitygw'): void {
  describe(`two operations, one stopped at every call, in a store ${place.name}`, () => {
    for (const pair of pairs) {
      it(`leave it whole: ${pair.names.join(' / ')}`, async (t) => {
        if (program !== undefined && !needs(t, program)) return;
        if (
          place.purgesByAge &&
          ['upload a blob', 'purge uploads'].every((name) => pair.names.some((one) => one === name))
        ) {
          return t.skip('the purge of this test takes uploads of every age, and here nothing else protects them');
        }
        const { count, faults } = await meetAtEveryCall(place, pair, t);
        t.diagnostic(`${count} meetings`);
        assert.equal(faults.join('\n'), '');
      });
    }
  });
}
