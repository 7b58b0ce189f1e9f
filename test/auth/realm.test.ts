import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkedRealm } from '../../src/auth/realm.ts';
import { isOciError } from '../../src/model/errors.ts';

describe('the token server that a registry names', () => {
  for (const [registry, realm] of [
    ['https://8.8.8.8/', 'https://auth.example.com/token?x=y'],
    ['http://registry:5000/', 'http://10.0.0.1/token'],
    ['http://127.0.0.1:5000/', 'http://127.0.0.1:5001/token'],
    ['https://localhost/', 'https://192.168.1.1/token'],
    ['https://10.1.1.1/', 'https://10.0.0.5/token'],
    ['https://8.8.8.8:5000/', 'https://8.8.8.8/token'],
    ['http://8.8.8.8/', 'https://auth.example.com/'],
  ] as const) {
    it(`may be ${realm} for ${registry}`, () => {
      assert.equal(checkedRealm(realm, new URL(registry)).href, realm);
    });
  }

  for (const [registry, realm, text] of [
    ['https://8.8.8.8/', 'http://auth.example.com/token', /plain http/],
    ['https://8.8.8.8/', 'https://user:pw@auth.example.com/token', /a user name/],
    ['https://8.8.8.8/', 'https://user@auth.example.com/token', /a user name/],
    ['https://8.8.8.8/', 'https://:pw@auth.example.com/token', /a user name/],
    ['https://8.8.8.8/', 'file:///etc/passwd', /neither http nor https/],
    ['https://8.8.8.8/', '/token', /an invalid address/],
    ['https://8.8.8.8/', '', /an invalid address/],
  ] as const) {
    it(`may not be ${JSON.stringify(realm)} for ${registry}`, () => {
      assert.throws(
        () => checkedRealm(realm, new URL(registry)),
        (error) => {
          assert.ok(isOciError(error, 'PROTOCOL'));
          assert.match(error.message, text);
          assert.doesNotMatch(error.message, /pw/);
          return true;
        },
      );
    });
  }
});
