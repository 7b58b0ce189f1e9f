import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseGlob } from '../../../src/model/patterns/glob.ts';

const cases: readonly (readonly [pattern: string, matching: readonly string[], others: readonly string[]])[] = [
  ['1.2', ['1.2'], ['1.2.3', '11.2', '1x2', '']],
  ['1.*', ['1.', '1.2', '1.2-alpine'], ['1', '2.1.']],
  ['*-alpine', ['-alpine', '3.20-alpine'], ['alpine', '3-alpine3.20']],
  ['*', ['', 'a', 'a.b-c'], ['a/b']],
  ['**', ['', 'a', 'a/b/c'], []],
  ['team/*', ['team/', 'team/app'], ['team', 'team/app/ui', 'a/team/app']],
  ['team/**', ['team/app', 'team/app/ui'], ['team']],
  ['v?', ['v1', 'v.'], ['v', 'v12', 'v/']],
  ['v[0-9]', ['v0', 'v9'], ['va', 'v', 'v10']],
  ['v[!0-9]', ['va', 'v-'], ['v0', 'v/']],
  ['v[^a-c]', ['vd'], ['va', 'v/']],
  ['[]a]', [']', 'a'], ['b']],
  ['[a-]', ['a', '-'], ['b']],
  ['[\\]x]', [']', 'x'], ['\\']],
  ['a\\*', ['a*'], ['ab', 'a\\b']],
  ['a+(b)|c$^{d}', ['a+(b)|c$^{d}'], ['ab', 'c']],
  ['*a*b*c', ['abc', 'xaybzc', 'aabbcc'], ['acb', 'abcd']],
];

describe('a pattern', () => {
  for (const [pattern, matching, others] of cases) {
    it(`${pattern} matches whole names, and no others`, () => {
      const glob = parseGlob(pattern);
      assert.ok(glob);
      for (const name of matching) assert.ok(glob(name), name);
      for (const name of others) assert.ok(!glob(name), name);
    });
  }

  it('is refused if a class is not closed, or if it is longer than any name', () => {
    for (const pattern of ['[', '[a', '[a-', '[!', 'a\\', '[a\\', 'a'.repeat(1025)]) {
      assert.equal(parseGlob(pattern), undefined, pattern.slice(0, 10));
    }
  });

  it('with many stars takes no more time on a name that nearly matches', () => {
    const glob = parseGlob(`${'*a'.repeat(100)}b`);
    // A matcher that backtracks would not end.
    assert.equal(glob?.('a'.repeat(255)), false);
  });
});
