import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatJson } from '../../src/terminal/json.ts';

describe('JSON as Go writes it', () => {
  it('keeps the order of fields, sorts maps by key, and leaves undefined fields out', () => {
    const value = {
      b: 1,
      a: new Map([
        ['z', 1],
        ['10', 2],
        ['9', 3],
      ]),
      c: undefined,
      d: null,
    };
    assert.equal(formatJson(value), '{"b":1,"a":{"10":2,"9":3,"z":1},"d":null}');
  });

  it('indents like JSON.stringify, empty lists and objects too', () => {
    const value = { a: [1, [2, []], {}], b: { c: 'x', d: true } };
    assert.equal(formatJson(value, { indent: 4 }), JSON.stringify(value, undefined, 4));
  });

  it('escapes control characters, and parses to the same value', () => {
    const text = 'a\u009b31m\u202eb\u007f\u2028\u{e0001}\u001b';
    const json = formatJson({ [text]: text });
    assert.doesNotMatch(json, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    assert.deepEqual(JSON.parse(json), { [text]: text });
  });

  it('goes as deep as documents do, and refuses deeper ones instead of cutting them', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 'x' : [nested(levels - 1)]);
    assert.deepEqual(JSON.parse(formatJson(nested(200), { indent: 2 })), nested(200));
    assert.throws(() => formatJson(nested(201)), { code: 'TOO_LARGE', message: /more than 200 levels deep/ });
    const wide: unknown = Array.from({ length: 100_000 }, () => 0);
    const deep = (levels: number): unknown => (levels === 0 ? wide : [deep(levels - 1)]);
    assert.throws(() => formatJson(deep(190), { indent: 4 }), { code: 'TOO_LARGE', message: /mostly indentation/ });
    assert.ok(formatJson(deep(190)).length > 100_000);
  });

  it('escapes HTML where asked to', () => {
    assert.equal(formatJson('<a>&', { escapeHtml: true }), '"\\u003ca\\u003e\\u0026"');
    assert.equal(formatJson('<a>&'), '"<a>&"');
  });
});
