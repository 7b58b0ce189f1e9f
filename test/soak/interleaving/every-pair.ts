import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { meetAtEveryCall } from '../../storage/interleaving/meetings.ts';
import { pairs } from '../../storage/interleaving/pairs.ts';
import type { Place } from '../../storage/interleaving/places.ts';
import { needs } from '../../support/programs.ts';

interface Meeting {
  /** That the place needs. */
  readonly program?: 'versitygw';
  /** The pair to begin with, from 0. */
  readonly first?: number;
  /** Stops of each operation. Default: every call. */
  readonly most?: number;
  /** Pairs at the same time. */
  readonly atOnce?: number;
}

/** Has all pairs of operations meet at a place. */
export function meetEveryPair(place: Place, { program, first = 0, most, atOnce = 1 }: Meeting = {}): void {
  const stopped = most === undefined ? 'at every call' : `at about ${most} calls`;
  describe(`two operations, one stopped ${stopped}, in a store ${place.name}`, { concurrency: atOnce }, () => {
    for (const [nth, pair] of pairs.entries()) {
      if (nth < first) continue;
      it(`leave it whole: ${pair.names.join(' / ')}`, async (t) => {
        if (program !== undefined && !needs(t, program)) return;
        if (
          place.purgesByAge &&
          ['upload a blob', 'purge uploads'].every((name) => pair.names.some((one) => one === name))
        ) {
          return t.skip('the purge of this test takes uploads of every age, and here nothing else protects them');
        }
        const { count, faults } = await meetAtEveryCall(place, pair, t, { ...(most !== undefined && { most }) });
        t.diagnostic(`${count} meetings, pair ${nth} of ${pairs.length}`);
        assert.equal(faults.join('\n'), '');
      });
    }
  });
}
