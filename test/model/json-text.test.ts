import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JsonList, JsonText } from '../../src/model/json-text.ts';

const parse = (text: string): JsonText => JsonText.parse(Buffer.from(text));

describe('JSON that is changed in places', () => {
  it('keeps every byte of what is not changed', () => {
    const text = '\n{ "a" : 12345678901234567890.50,"b":{"x":"\\u0041,}"} ,\t"c":[ 1, {"d":[]} ]}\n';
    assert.equal(parse(text).text, text);
    const changed = parse(text);
    changed.set('e', 'new');
    assert.equal(
      changed.text,
      '\n{ "a" : 12345678901234567890.50,"b":{"x":"\\u0041,}"} ,\t"c":[ 1, {"d":[]} ], "e" : "new"}\n',
    );
    changed.delete('e');
    assert.equal(changed.text, text);
  });

  const cases: readonly (readonly [title: string, before: string, change: (json: JsonText) => void, after: string])[] =
    [
      ['a field', '{"a":1,"b":2}', (json) => json.set('a', [3]), '{"a":[3],"b":2}'],
      ['an equal value', '{"a": [1, 2]}', (json) => json.set('a', [1, 2]), '{"a": [1, 2]}'],
      ['an equal list', '{"a": [1, 2]}', (json) => json.set('a', new JsonList(['1', '2'])), '{"a": [1, 2]}'],
      [
        'a longer list',
        '{"a":[1.0]}',
        (json) => json.set('a', new JsonList([...json.list('a'), '2'])),
        '{"a":[1.0,2]}',
      ],
      ['the only field', '{ "a":1 }', (json) => json.delete('a'), '{}'],
      ['the last field', '{\n  "a": 1,\n  "b": 2\n}', (json) => json.delete('b'), '{\n  "a": 1\n}'],
      ['the first field', '{"a":1,"b":2}', (json) => json.delete('a'), '{"b":2}'],
      ['a field in lines', '{\n  "a": 1\n}', (json) => json.set('b', 2), '{\n  "a": 1,\n  "b": 2\n}'],
      ['an empty object', '{}', (json) => json.set('b', 2), '{"b":2}'],
      ['a field that is there twice', '{"a":1,"a":2}', (json) => json.set('a', 3), '{"a":1,"a":3}'],
      ['all of one name', '{"a":1,"b":0,"a":2}', (json) => json.delete('a'), '{"b":0}'],
      ['a name with an escape', '{"\\u0061":1}', (json) => json.set('a', 2), '{"\\u0061":2}'],
    ];
  for (const [title, before, change, after] of cases) {
    it(`changes ${title}`, () => {
      const json = parse(before);
      change(json);
      assert.equal(json.text, after);
    });
  }

  it('changes objects in objects', () => {
    const json = parse('{"n":9007199254740993,"o":{"big":1e400,"k":"v"}}');
    const inner = json.object('o');
    inner.set('k', 'w');
    json.set('o', inner);
    assert.equal(json.text, '{"n":9007199254740993,"o":{"big":1e400,"k":"w"}}');
  });

  it('takes null for absent, and refuses what is no object', () => {
    const json = parse('{"a":null,"l":null}');
    assert.deepEqual(
      [json.has('a'), json.get('a'), json.list('l'), json.object('a').text],
      [false, undefined, [], '{}'],
    );
    for (const text of ['[]', '1', '{', '{"a":1} x']) assert.throws(() => parse(text), /malformed manifest/);
  });
});
