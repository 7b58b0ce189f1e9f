import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseVersionRange } from '../../../src/sync/tags/version-range.ts';

/** Range, tags in it, tags outside it. */
const ranges: readonly (readonly [range: string, inside: string, outside: string])[] = [
  ['>=3.18', '3.18 3.18.0 v3.20.1 4 24.04', '3.17.9 latest edge 3.18-alpine 3.x 1.2.3.4'],
  ['>=3.18 <4', '3.18 3.99.1', '4 4.0.0 3'],
  ['>=3.18, <4', '3.18 3.99.1', '4 4.0.0 3'],
  ['^1.2 || >=4,<5', '1.2 1.9 4.1', '2 1.1 5'],
  ['~2.40', '2.40 2.40.7', '2.41'],
  ['1.2 - 1.4.5', '1.2 1.4.5', '1.4.6 1.1'],
  ['24.x', '24.04 24.10', '23.10 25.04'],
  ['>=1.0.0-rc.1', '1.0.0-rc.1 1.0.0-rc.2 1.0.0 1.1.0', '1.0.0-beta 1.1.0-rc.1'],
  ['*', '0 1.2 v3', 'latest 1.0-rc1'],
];

describe('a range of versions over tags', () => {
  for (const [range, inside, outside] of ranges) {
    it(`${range} has ${inside}, and not ${outside}`, () => {
      const has = parseVersionRange(range, { suffixes: false });
      assert.ok(has);
      for (const tag of inside.split(' ')) assert.ok(has(tag), tag);
      for (const tag of outside.split(' ')) assert.ok(!has(tag), tag);
    });
  }

  it('counts a suffix as a pre-release if it is asked to, as regsync does', () => {
    const has = parseVersionRange('>=1.0.0 <2.0.0', { suffixes: true });
    assert.ok(has);
    for (const tag of ['v1.2.3-alpine3.21', 'v2.0.0-alpine3.21', '1.5.0-rc1']) assert.ok(has(tag), tag);
    for (const tag of ['v0.9.0-alpine3.19', '1.0.0-rc1', '2.0.0', 'latest']) assert.ok(!has(tag), tag);
  });

  it('is nothing else', () => {
    for (const text of ['', ' ', 'latest', '!=1.2', '=>1', '>=', `>=${'1'.repeat(300)}`]) {
      assert.equal(parseVersionRange(text, { suffixes: false }), undefined, text);
    }
  });

  it('reads tags that are no versions in no time', () => {
    const has = parseVersionRange('>=1', { suffixes: false });
    const began = process.cpuUsage();
    for (let count = 0; count < 1000; count += 1) assert.ok(!has?.(`${'1.'.repeat(60)}x`));
    assert.ok(process.cpuUsage(began).user < 2_000_000);
  });
});
