import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { schema1Layers, schema1Payload, verifySchema1 } from '../../../src/model/manifest/schema1.ts';
import { failsWith } from '../../contract/contract.ts';
import { signSchema1 } from '../../support/images/schema1.ts';

const payload = Buffer.from('{\n   "schemaVersion": 1,\n   "name": "team/old"\n}');
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** The same manifest with a part of its text replaced. */
function changed(bytes: Uint8Array, from: string | RegExp, to: string): Buffer {
  const text = Buffer.from(bytes).toString();
  assert.match(text, new RegExp(from));
  return Buffer.from(text.replace(from, to));
}

describe('a signed manifest in schema 1', () => {
  it('is the document that was signed, and names who signed it', () => {
    const signed = signSchema1(payload, [
      { alg: 'ES256', ...ec },
      { alg: 'RS256', ...rsa },
    ]);
    const { payload: found, keyIds } = verifySchema1(signed);
    assert.deepEqual(Buffer.from(found), payload);
    assert.deepEqual(Buffer.from(schema1Payload(signed)), payload);
    assert.equal(new Set(keyIds).size, 2);
    for (const id of keyIds) assert.match(id, /^(?:[A-Z2-7]{4}:){11}[A-Z2-7]{4}$/);
  });

  it('names its layers once each, and only those that were signed', () => {
    const [a, b] = ['a', 'b'].map((letter) => `sha256:${letter.repeat(64)}`);
    const layers = [a, b, a].map((blobSum) => ({ blobSum }));
    const document = Buffer.from(JSON.stringify({ fsLayers: layers }, undefined, 3));
    const signed = signSchema1(document, [{ alg: 'ES256', ...ec }]);
    assert.deepEqual(schema1Layers(signed), [a, b]);
    const wrong = Buffer.from('{"fsLayers":[{"blobSum":"../etc"}]}');
    assert.throws(() => schema1Layers(wrong), failsWith('MANIFEST_INVALID'));
  });

  it('is refused where it says more than was signed, since its digest would not', () => {
    const signed = signSchema1(payload, [{ alg: 'ES256', ...ec }]);
    const inFront = changed(signed, '\n   "signatures"', '\n   "fsLayers": [{ "blobSum": "x" }],\n   "signatures"');
    const behind = changed(signed, /\n\}$/, ',\n   "name": "other"\n}');
    const { signatures } = JSON.parse(signed.toString()) as { readonly signatures: readonly object[] };
    // The complete signed text is the end of another document.
    const fields = { formatLength: 0, formatTail: payload.toString('base64url') };
    const guarded = Buffer.from(JSON.stringify(fields)).toString('base64url');
    const other = { schemaVersion: 2, name: 'other', signatures: [{ ...signatures[0], protected: guarded }] };
    for (const bytes of [inFront, behind, Buffer.from(JSON.stringify(other))]) {
      assert.throws(() => schema1Payload(bytes), failsWith('MANIFEST_UNVERIFIED'), bytes.toString());
    }
  });

  it('names a key as Docker does', () => {
    // The key of the example in the format's specification, with a signature that does not match.
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: '3gAwX48IQ5oaYQAYSxor6rYYc_6yjuLCjtQ9LUakg4A',
      y: 't72ge6kIA1XOjqjVoEOiPPAURltJFBMGDSQvEGVB010',
    };
    const signed = signSchema1(payload, [{ alg: 'ES256', ...ec }], { jwk });
    assert.throws(() => verifySchema1(signed), failsWith('MANIFEST_UNVERIFIED'));
    assert.throws(() => verifySchema1(signed), /OD6I:6DRK:JXEJ:KBM4:255X:NSAA:MUSF:E4VM:ZI6W:CUN2:L4Z6:LSF4/);
  });

  it('is refused when anything of it was changed', () => {
    const signed = signSchema1(payload, [{ alg: 'ES256', ...ec }]);
    for (const [from, to] of [
      ['team/old', 'team/new'],
      [/"alg":"ES256"/, '"alg":"none"'],
      [/"alg":"ES256"/, '"alg":"ES384"'],
      [/"signature":"...../, '"signature":"AAAAA'],
      [/"protected":"[^"]*"/, '"protected":"e30"'],
      [/"kty":"EC"/, '"kty":"oct"'],
    ] as const) {
      assert.throws(() => verifySchema1(changed(signed, from, to)), failsWith('MANIFEST_UNVERIFIED'), String(from));
    }
  });

  it('is refused when its signatures are for different documents', () => {
    const one = JSON.parse(signSchema1(payload, [{ alg: 'ES256', ...ec }]).toString());
    const other = Buffer.from('{\n   "name": "other"\n}');
    const two = JSON.parse(signSchema1(other, [{ alg: 'ES256', ...ec }]).toString());
    const both = { ...one, signatures: [...one.signatures, ...two.signatures] };
    assert.throws(() => schema1Payload(Buffer.from(JSON.stringify(both))), failsWith('MANIFEST_UNVERIFIED'));
  });
});

describe('a manifest in schema 1 without signatures', () => {
  it('is its own payload, and not verified', () => {
    assert.deepEqual(schema1Payload(payload), payload);
    assert.throws(() => verifySchema1(payload), failsWith('MANIFEST_UNVERIFIED'));
  });
});
