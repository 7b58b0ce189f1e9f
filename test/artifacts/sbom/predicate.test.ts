import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readPredicate } from '../../../src/artifacts/sbom/predicate.ts';
import type { Envelope } from '../../../src/artifacts/sbom/sbom-types.ts';
import { parseDigest } from '../../../src/model/digest.ts';
import { isOciError } from '../../../src/model/errors.ts';
import { JsonText } from '../../../src/model/json-text.ts';

const hex = 'a'.repeat(64);
const image = parseDigest(`sha256:${hex}`);
const statement = `{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","subject":[{"digest":{"sha256":"${hex}"}}],"predicate":{"n":12345678901234567890, "b":"\\u00e4 ]}"}}`;
const dsse = (payload: string, payloadType = 'application/vnd.in-toto+json') => ({
  payloadType,
  payload,
  signatures: [],
});
const encoded = Buffer.from(statement).toString('base64');

function read(value: unknown, envelope: Envelope, about = [image]) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const { predicateType, bytes } = readPredicate({ bytes: Buffer.from(text), envelope, name: 'it' }, about);
  return [predicateType, Buffer.from(bytes).toString()];
}

describe('the predicate of an attestation', () => {
  const forms: readonly (readonly [string, unknown, Envelope])[] = [
    ['a statement', statement, 'statement'],
    ['a DSSE envelope', dsse(encoded), 'dsse'],
    ['one with base64 for URLs', dsse(Buffer.from(statement).toString('base64url')), 'dsse'],
    ['a bundle', { mediaType: 'x', dsseEnvelope: dsse(encoded) }, 'bundle'],
  ];
  for (const [title, value, envelope] of forms) {
    it(`of ${title} is given as it is written`, () => {
      const predicate = '{"n":12345678901234567890, "b":"\\u00e4 ]}"}';
      assert.deepEqual(read(value, envelope), ['https://spdx.dev/Document', predicate]);
    });
  }

  it('that is a text is that text', () => {
    const text = statement.replace(/"predicate":\{.*\}\}$/, '"predicate":"SPDXVersion: \\"2.3\\"\\n"}');
    assert.equal(read(text, 'statement')[1], 'SPDXVersion: "2.3"\n');
  });

  const refused: readonly (readonly [string, unknown, Envelope, RegExp])[] = [
    ['no JSON', '{', 'statement', /is not JSON/],
    ['a list', [], 'statement', /is not a JSON object/],
    ['deep nesting', `${'['.repeat(100_000)}`, 'dsse', /is nested too deep/],
    ['another payload type', dsse(encoded, 'text/plain'), 'dsse', /its payload is "text\/plain"/],
    ['a payload that is no text', { ...dsse(''), payload: 7 }, 'dsse', /not base64/],
    ['a payload that is no base64', dsse('§§§§'), 'dsse', /not base64/],
    ['a payload that is no statement', dsse(Buffer.from('[1]').toString('base64')), 'dsse', /is not a JSON object/],
    ['a payload that is no UTF-8', dsse(Buffer.from([0x7b, 0xff]).toString('base64')), 'dsse', /is not UTF-8/],
    ['a bundle without an envelope', { messageSignature: {} }, 'bundle', /no envelope of a statement/],
    ['no predicate', statement.replace('"predicate"', '"other"'), 'statement', /has no predicate/],
    ['no predicate type', statement.replace('"predicateType"', '"other"'), 'statement', /has no predicate type/],
    ['no subject', statement.replace('"subject"', '"other"'), 'statement', /has no subject/],
  ];
  for (const [title, value, envelope, message] of refused) {
    it(`is refused for ${title}`, () => {
      assert.throws(
        () => read(value, envelope),
        (error) => {
          assert.ok(isOciError(error, 'MANIFEST_INVALID'), String(error));
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it('is not taken for another image', () => {
    const other = parseDigest(`sha256:${'b'.repeat(64)}`);
    assert.throws(
      () => read(statement, 'statement', [other]),
      (error) => isOciError(error, 'REFUSED'),
    );
    assert.equal(read(statement, 'statement', [other, image])[0], 'https://spdx.dev/Document');
  });
});

describe('the text of a member', () => {
  it('is found among strings, numbers, lists and objects', () => {
    const text = ' { "a" : "\\\\" , "b":[1,{"p":2}] ,"p" : [ "]", -1.5e3, {} ] , "c":null } ';
    assert.equal(JsonText.read(text).textOf('p'), '[ "]", -1.5e3, {} ]');
    assert.equal(JsonText.read(text).textOf('a'), '"\\\\"');
    assert.equal(JsonText.read(text).textOf('c'), 'null');
    assert.equal(JsonText.read(text).textOf('d'), undefined);
    assert.equal(JsonText.read('{}').textOf('p'), undefined);
    assert.equal(JsonText.read('{"p":1,"\\u0070":2}').textOf('p'), '2');
  });

  it('is found behind a string of many megabytes', () => {
    const long = JSON.stringify('\\"'.repeat(4_000_000));
    assert.equal(JsonText.read(`{"a":${long},"p":1}`).textOf('p'), '1');
  });
});
