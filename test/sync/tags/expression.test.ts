import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError } from '../../../src/model/errors.ts';
import { parseExpression } from '../../../src/model/patterns/expression.ts';
import { matchingNames } from '../../../src/sync/tags/expression.ts';

const origin = { kind: 'file', name: 'mirror.yaml', line: 3, column: 5 } as const;

function matched(text: string, names: readonly string[], whole = false): readonly string[] {
  const expression = parseExpression(text, { whole });
  assert.ok(expression, text);
  return matchingNames(names, expression, origin);
}

describe('a regular expression over names', () => {
  it('matches anywhere, or the whole name', () => {
    assert.deepEqual(matched('1\\.2', ['1.2', 'v1.2-rc', '1x2']), ['1.2', 'v1.2-rc']);
    assert.deepEqual(matched('1\\.2|v3', ['1.2', 'v1.2-rc', 'v3', 'xv3'], true), ['1.2', 'v3']);
  });

  it('may have flags in front and named groups, as Go writes them', () => {
    assert.deepEqual(matched('(?i)^(?P<word>ALPINE)$', ['alpine', 'Alpine', 'alpine2']), ['alpine', 'Alpine']);
  });

  it('is refused where Go and ECMAScript differ', () => {
    for (const text of ['\\z', '\\A1', '[[:digit:]]', '\\Q1.2\\E', '(', '(?<!x']) {
      assert.equal(parseExpression(text, { whole: false }), undefined, text);
    }
  });

  it('is stopped when it would take for ever', () => {
    assert.throws(
      () => matched('^(a+)+$', [`${'a'.repeat(100)}b`]),
      (error) => isOciError(error, 'CONFIG_INVALID') && /^mirror\.yaml:3:5: .*takes too long/.test(error.message),
    );
  });
});
