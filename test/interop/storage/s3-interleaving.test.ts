import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inBucket } from '../../storage/interleaving/in-bucket.ts';
import { meetAtEveryCall } from '../../storage/interleaving/meetings.ts';
import { type OperationName, pairs } from '../../storage/interleaving/pairs.ts';
import { s3Drivers } from '../../support/programs/s3-drivers.ts';
import { needs } from '../../support/programs.ts';

const place = inBucket(s3Drivers());

/** A meeting is a hundred requests. test/soak tries all pairs. */
const tried: readonly (readonly [OperationName, OperationName])[] = [
  ['push a tag', 'delete a manifest'],
  ['upload a blob', 'upload a blob'],
  ['mount a blob', 'collect'],
];

describe('two operations that meet at any call, in a store in a bucket', () => {
  for (const [first, second] of tried) {
    it(`leave it whole: ${first} / ${second}`, async (t) => {
      if (!needs(t, 'versitygw')) return;
      const pair = pairs.find(
        ({ names }) => names.includes(first) && names.includes(second) && (first !== second || names[0] === names[1]),
      );
      assert.ok(pair);
      const { count, faults } = await meetAtEveryCall(place, pair, t);
      t.diagnostic(`${count} meetings`);
      assert.ok(count > 0);
      assert.equal(faults.join('\n'), '');
    });
  }
});
