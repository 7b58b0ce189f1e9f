import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDurationMs } from '../../src/model/duration.ts';

test('durations are read as Go writes them', () => {
  const read = ['0', '30s', '1m30s', '1.5h', '500ms', '2.s', '880us', '880\u00b5s', '880\u03bcs', '1000000ns'].map(
    parseDurationMs,
  );
  assert.deepEqual(read, [0, 30_000, 90_000, 5_400_000, 500, 2000, 0.88, 0.88, 0.88, 1]);
});

test('what Go would refuse is no duration', () => {
  for (const text of ['', '30', 's', '-1s', '1d', '1s ', '1.5', '1s30', '1e3s']) {
    assert.equal(parseDurationMs(text), undefined, text);
  }
});
