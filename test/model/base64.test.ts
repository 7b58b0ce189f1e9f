import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromBase64 } from '../../src/model/base64.ts';

describe('base64', () => {
  it('is read with its padding, and nothing else is', () => {
    for (const text of ['', 'QQ==', 'QUI=', 'QUJD', 'QUJDQQ==', '+/+/']) {
      const bytes = fromBase64(text);
      assert.equal(bytes && Buffer.from(bytes).toString('base64'), text);
    }
    for (const text of ['Q', 'QQ', 'QQ=', 'Q===', '====', 'QQ==QQ==', 'QUJ\n', 'QU-_', 'QUJD ', '=QQ=']) {
      assert.equal(fromBase64(text), undefined, JSON.stringify(text));
    }
  });

  it('is read in any length', () => {
    assert.equal(fromBase64('QUJD'.repeat(4_000_000))?.length, 12_000_000);
  });
});
