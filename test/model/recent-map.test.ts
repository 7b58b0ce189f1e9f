import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentMap } from '../../src/model/recent-map.ts';

test('past its size the entry that was used longest ago goes', () => {
  const map = new RecentMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('c', 3);
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [undefined, 2, 3]);
});

test('an entry that was read is kept longer than one that was not', () => {
  const map = new RecentMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.get('a');
  map.set('c', 3);
  assert.deepEqual([map.has('a'), map.has('b'), map.has('c')], [true, false, true]);
});

test('an entry that is set again takes one place, and a deleted one none', () => {
  const map = new RecentMap<string, number>(2);
  map.set('a', 1);
  map.set('a', 2);
  map.set('b', 3);
  assert.equal(map.get('a'), 2);
  map.delete('b');
  map.set('c', 4);
  assert.deepEqual([map.has('a'), map.has('b'), map.has('c')], [true, false, true]);
});
