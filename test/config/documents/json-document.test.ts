import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseJsonDocument } from '../../../src/config/documents/json-document.ts';
import { isOciError } from '../../../src/model/errors.ts';

describe('a settings file in JSON', () => {
  it('knows the line of each value', () => {
    const text = '{\n  "a": [\n    "x",\n    "y"\n  ],\n  "b": {"c": 1}\n}\n';
    const document = parseJsonDocument(text, 'f');
    assert.deepEqual(document.value, { a: ['x', 'y'], b: { c: 1 } });
    assert.equal(document.lineOf('a', 1), 4);
    assert.equal(document.lineOf('b', 'c'), 6);
    assert.equal(document.lineOf('nothing'), undefined);
  });

  for (const text of ['', ' \n\t', '\ufeff', '\ufeff{}']) {
    it(`${JSON.stringify(text)} is an empty object`, () => assert.deepEqual(parseJsonDocument(text, 'f').value, {}));
  }

  const valid = [
    '{}',
    '[]',
    '"x"',
    'null',
    '-0.5e+3',
    '{"a":{"b":[1,2,{"c":"\\u00e9\\n"}]}}',
    '{"__proto__": {"a": 1}}',
  ];
  for (const text of valid) {
    it(`${text} is read as JSON.parse reads it`, () => {
      assert.deepEqual(parseJsonDocument(text, 'f').value, JSON.parse(text));
    });
  }

  const faults = [
    ['{', '1:2'],
    ['{"a" 1}', '1:6'],
    ['{"a": 1,}', '1:9'],
    ['{\n  "a": 1\n  "b": 2\n}', '3:3'],
    ['{"a": }', '1:7'],
    ["{'a': 1}", '1:2'],
    ['{"a": nul}', '1:7'],
    ['{"a": 01}', '1:7'],
    ['{"a": 1} x', '1:10'],
    ['[1, 2', '1:6'],
    ['{"a": "x\ny"}', '1:7'],
    ['{"a": "\\x"}', '1:7'],
    ['// comment\n{}', '1:1'],
    ['{"a": NaN}', '1:7'],
    ['"unfinished', '1:1'],
    ['['.repeat(100_000), '1:202'],
  ] as const;
  for (const [text, where] of faults) {
    it(`${JSON.stringify(text.slice(0, 40))} is faulty at ${where}`, () => {
      assert.throws(
        () => parseJsonDocument(text, '/home/ada/config.json'),
        (error) => {
          assert.ok(isOciError(error, 'CONFIG_INVALID'));
          assert.ok(error.message.startsWith(`/home/ada/config.json:${where}: not valid JSON`), error.message);
          return true;
        },
      );
    });
  }

  it('is not quoted in the error, since it may hold a password', () => {
    assert.throws(
      () => parseJsonDocument('{"auths": {"h": {"auth": "aHVudGVyMg==" hunter2}}}', 'f'),
      (error) => error instanceof Error && !/hunter2|aHVu/.test(`${error.message} ${error.stack}`),
    );
  });
});
