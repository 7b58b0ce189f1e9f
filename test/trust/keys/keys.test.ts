import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { isOciError } from '../../../src/model/errors.ts';
import { decryptKey, encryptKey } from '../../../src/trust/keys/envelope.ts';
import { isSignedBy, signBytes } from '../../../src/trust/keys/key-kind.ts';
import { writePem } from '../../../src/trust/keys/pem.ts';
import { readPrivateKey } from '../../../src/trust/keys/private-key.ts';
import { readPublicKey, writePublicKey } from '../../../src/trust/keys/public-key.ts';

const bytes = Buffer.from('what is signed');
const never = (): never => {
  throw new Error('nobody is asked');
};
const usage = (pattern: RegExp) => (error: unknown) => isOciError(error, 'USAGE') && pattern.test(error.message);

type Encryption = { readonly cipher: string; readonly passphrase: string };

function pem(key: KeyObject, type: 'pkcs8' | 'pkcs1' | 'sec1' = 'pkcs8', encryption?: Encryption): string {
  return key.export({ type: type as 'pkcs8', format: 'pem', ...encryption }).toString();
}

function answering(...words: string[]) {
  const asked: number[] = [];
  const ask = async (attempt: number): Promise<string | undefined> => {
    asked.push(attempt);
    return words[attempt - 1];
  };
  return { ask, asked };
}

describe('private keys', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

  it('are read from every form of PEM, and sign what their public keys verify', async () => {
    const curves = ['P-384', 'P-521'].map((namedCurve) => generateKeyPairSync('ec', { namedCurve }));
    const forms: readonly (readonly [string, KeyObject])[] = [
      ...[ec, rsa, ...curves].map(({ privateKey, publicKey }) => [pem(privateKey), publicKey] as const),
      [pem(ec.privateKey, 'sec1'), ec.publicKey],
      [pem(rsa.privateKey, 'pkcs1'), rsa.publicKey],
    ];
    for (const [text, publicKey] of forms) {
      const signature = signBytes(await readPrivateKey(text, 'a.key', never), bytes);
      const read = readPublicKey(writePublicKey(publicKey), 'a.pub');
      assert.ok(isSignedBy(read, bytes, signature));
      assert.ok(!isSignedBy(read, Buffer.from('something else'), signature));
    }
    assert.ok(readPublicKey(rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString(), 'a.pub'));
  });

  it('are opened with a password that is asked for again when it is wrong', async () => {
    const sealed = await encryptKey(ec.privateKey.export({ type: 'pkcs8', format: 'der' }), 'right');
    for (const label of ['ENCRYPTED SIGSTORE PRIVATE KEY', 'ENCRYPTED COSIGN PRIVATE KEY']) {
      const { ask, asked } = answering('wrong', 'right');
      const key = await readPrivateKey(writePem(label, sealed), 'a.key', ask);
      assert.deepEqual([key.equals(ec.privateKey), asked], [true, [1, 2]]);
    }
    const plain = pem(ec.privateKey, 'pkcs8', { cipher: 'aes-256-cbc', passphrase: 'right' });
    for (const text of [writePem('ENCRYPTED SIGSTORE PRIVATE KEY', sealed), plain]) {
      assert.ok(await readPrivateKey(text, 'a.key', answering('right').ask));
      const wrong = readPrivateKey(text, 'a.key', answering('wrong', 'worse').ask);
      await assert.rejects(wrong, (error) => isOciError(error, 'UNAUTHORIZED') && /a\.key/.test(error.message));
    }
  });

  it('are refused with the reason, and nobody is asked for a password', async () => {
    const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
    const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const edwards = generateKeyPairSync('ed25519');
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /holds no PEM/],
      ['-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----\n', /damaged/],
      [writePem('PRIVATE KEY', Buffer.from('no DER')), /damaged/],
      [writePem('CERTIFICATE', bytes), /holds "CERTIFICATE"/],
      [writePublicKey(ec.publicKey), /is a public key/],
      [pem(ec.privateKey) + pem(rsa.privateKey), /several/],
      [pem(small.privateKey), /RSA key of 1024 bits/],
      [pem(pss.privateKey), /rsa-pss/],
      [pem(other.privateKey), /secp256k1/],
      [pem(edwards.privateKey), /Ed25519ph/],
      [`-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n`, /old way of PEM/],
    ];
    for (const [text, pattern] of cases) await assert.rejects(readPrivateKey(text, 'a.key', never), usage(pattern));
  });

  it('take bounded memory and time, whatever the file asks for', async () => {
    const sealed = JSON.parse(Buffer.from(await encryptKey(bytes, 'x')).toString()) as Record<string, never>;
    const kdf = { name: 'scrypt', params: { N: 65_536, r: 8, p: 1 }, salt: sealed['kdf']?.['salt'] };
    const changed: readonly (readonly [object, RegExp])[] = [
      [{ kdf: { ...kdf, params: { N: 2 ** 30, r: 8, p: 1 } } }, /scrypt has other parameters/],
      [{ kdf: { ...kdf, params: { N: 65_536, r: 8, p: 100_000 } } }, /scrypt has other parameters/],
      [{ kdf: { ...kdf, params: { N: 65_536, r: 4096, p: 1 } } }, /scrypt has other parameters/],
      [{ kdf: { ...kdf, name: 'argon2id' } }, /not turned into a key by scrypt/],
      [{ kdf: { ...kdf, salt: 'AAAA' } }, /salt has 3 bytes/],
      [{ cipher: { name: 'aes', nonce: '' } }, /secretbox/],
      [{ ciphertext: '%' }, /ciphertext is not base64/],
    ];
    for (const [change, pattern] of changed) {
      const text = writePem('ENCRYPTED SIGSTORE PRIVATE KEY', Buffer.from(JSON.stringify({ ...sealed, ...change })));
      await assert.rejects(readPrivateKey(text, 'a.key', never), usage(pattern));
    }
    const deep = writePem('ENCRYPTED SIGSTORE PRIVATE KEY', Buffer.from('['.repeat(5000)));
    await assert.rejects(readPrivateKey(deep, 'a.key', never), usage(/not a JSON object/));
    const { privateKey } = ec;
    const slow = privateKey.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase: 'x' });
    const at = slow.indexOf('06092a864886f70d01050c', 'hex') + 13;
    const count = at + 2 + (slow[at + 1] ?? 0);
    // Node writes 2048, in two bytes.
    assert.deepEqual([...slow.subarray(count, count + 4)], [2, 2, 8, 0]);
    const hostile = Buffer.concat([
      slow.subarray(0, count),
      Buffer.from('02047fffffff', 'hex'),
      slow.subarray(count + 4),
    ]);
    const text = writePem('ENCRYPTED PRIVATE KEY', hostile);
    await assert.rejects(readPrivateKey(text, 'a.key', never), usage(/iterations/));
  });

  it('open with the older cost of scrypt, too', async () => {
    // Made by cosign's code with N 32768 and the password "x".
    const { createCipheriv: _, ...crypto } = await import('node:crypto');
    const { secretbox } = await import('@noble/ciphers/salsa.js');
    const [salt, nonce] = [crypto.randomBytes(32), crypto.randomBytes(24)];
    const key = crypto.scryptSync('x', salt, 32, { N: 32_768, r: 8, p: 1, maxmem: 2 ** 26 });
    const document = {
      kdf: { name: 'scrypt', params: { N: 32_768, r: 8, p: 1 }, salt: salt.toString('base64') },
      cipher: { name: 'nacl/secretbox', nonce: nonce.toString('base64') },
      ciphertext: Buffer.from(secretbox(key, nonce).seal(bytes)).toString('base64'),
    };
    const opened = await decryptKey(Buffer.from(JSON.stringify(document)), 'x');
    assert.deepEqual(Buffer.from(opened ?? []), bytes);
  });
});

describe('public keys', () => {
  it('are refused with the reason', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const cases: readonly (readonly [string, RegExp])[] = [
      ['no key', /holds no PEM/],
      [pem(privateKey), /is a private key/],
      [writePem('ENCRYPTED SIGSTORE PRIVATE KEY', bytes), /is a private key/],
      [writePem('CERTIFICATE', bytes), /holds "CERTIFICATE"/],
      [writePem('PUBLIC KEY', bytes), /damaged/],
      [writePublicKey(publicKey).repeat(2), /several/],
    ];
    for (const [text, pattern] of cases) assert.throws(() => readPublicKey(text, 'a.pub'), usage(pattern));
  });
});
