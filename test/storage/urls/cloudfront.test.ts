import assert from 'node:assert/strict';
import { createVerify, generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { createCloudFrontSigner } from '../../../src/storage/urls/cloudfront.ts';
import { failsWith } from '../../contract/contract.ts';
import { at } from '../drivers/every-driver.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = (type: 'pkcs1' | 'pkcs8'): string => privateKey.export({ type, format: 'pem' }).toString();
const base = 'https://d111111abcdef8.cloudfront.net/';
const now = (): Date => new Date('2026-01-31T12:00:00.900Z');
const validMs = 20 * 60_000;

describe('the signer for CloudFront', () => {
  it('signs the canned policy of a URL with the whole key, with PKCS#1 and PKCS#8 keys', async () => {
    for (const type of ['pkcs1', 'pkcs8'] as const) {
      const signer = createCloudFrontSigner({
        ...{ base, keyPairId: 'K2JCJMDEHXQW5F', privateKey: pem(type), keyPrefix: '/my images/', now },
      });
      const url = new URL((await signer.url(at('docker/registry/v2/blobs/x/data'), { validMs })) ?? '');
      const resource = 'https://d111111abcdef8.cloudfront.net/my%20images/docker/registry/v2/blobs/x/data';
      assert.equal(url.origin + url.pathname, resource);
      assert.equal(url.searchParams.get('Expires'), String(Date.parse('2026-01-31T12:20:00Z') / 1000));
      assert.equal(url.searchParams.get('Key-Pair-Id'), 'K2JCJMDEHXQW5F');
      // The inverse of what CloudFront's documentation replaces in base64.
      const signature = (/Signature=([^&]+)/.exec(url.search)?.[1] ?? '').replace(/[-_~]/g, (c) =>
        c === '-' ? '+' : c === '_' ? '=' : '/',
      );
      const until = `"Condition":{"DateLessThan":{"AWS:EpochTime":${url.searchParams.get('Expires')}}}`;
      const policy = `{"Statement":[{"Resource":"${resource}",${until}}]}`;
      assert.ok(createVerify('RSA-SHA1').update(policy).verify(publicKey, signature, 'base64'));
    }
  });

  it('says which key it cannot use, and what to do', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const locked = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
    const oldLocked = { ...locked, type: 'pkcs1' } as const;
    const keys: readonly (readonly [string, RegExp])[] = [
      ['', /is not in PEM/],
      [publicKey.export({ type: 'spki', format: 'pem' }).toString(), /is a public key/],
      [privateKey.export(locked).toString(), /has a passphrase/],
      [privateKey.export(oldLocked).toString(), /has a passphrase/],
      [ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), /of the type ec, not RSA/],
      ['-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n', /cannot be read/],
    ];
    for (const [key, problem] of keys) {
      assert.throws(
        () => createCloudFrontSigner({ base, keyPairId: 'K1', privateKey: key }),
        (error) => failsWith('USAGE')(error) && problem.test((error as Error).message),
        String(problem),
      );
    }
  });

  it('takes no id that would change the URL', () => {
    assert.throws(
      () => createCloudFrontSigner({ base, keyPairId: 'K1&x=y', privateKey: pem('pkcs8') }),
      failsWith('USAGE'),
    );
  });
});
