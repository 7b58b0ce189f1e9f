import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, sign, verify, X509Certificate } from 'node:crypto';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { selfSigned } from '../../src/certs/self-signed.ts';
import { openSigningKey, temporarySigningKey } from '../../src/certs/signing-key.ts';
import { needs } from '../support/programs.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const exec = promisify(execFile);

describe('a key that tokens are signed with', () => {
  it('is made once, for its owner alone, with a certificate for others', async (t) => {
    const directory = join(await temporaryDirectory(t), 'tokens');
    const warnings: string[] = [];
    const open = () => openSigningKey(directory, (text) => warnings.push(text));
    const all = await Promise.all(Array.from({ length: 8 }, open));
    const again = await open();
    for (const { privateKey, certificate } of all) {
      assert.ok(privateKey.equals(again.privateKey));
      assert.ok(certificate.raw.equals(again.certificate.raw));
    }
    assert.deepEqual((await readdir(directory)).sort(), ['certificate.pem', 'key.pem']);
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    assert.equal((await stat(join(directory, 'key.pem'))).mode & 0o777, 0o600);
    const pem = await readFile(join(directory, 'certificate.pem'), 'utf8');
    assert.ok(new X509Certificate(pem).publicKey.equals(again.certificate.publicKey));
    const text = Buffer.from('text');
    assert.ok(verify('sha256', text, again.certificate.publicKey, sign('sha256', text, again.privateKey)));
    assert.deepEqual(warnings, []);
    await chmod(join(directory, 'key.pem'), 0o644);
    await open();
    assert.match(warnings.join(), /key\.pem can be read by others.*chmod 600/);
  });

  it('is refused with a hint if it is not a key, or if the certificate is of another key', async (t) => {
    const directory = await temporaryDirectory(t);
    const open = () => openSigningKey(directory, () => {});
    const { certificate } = await open();
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
    await writeFile(cert, temporarySigningKey().certificate.toString());
    await assert.rejects(open, /certificate\.pem is the certificate of another key/);
    await writeFile(cert, 'x');
    await assert.rejects(open, /certificate\.pem is not a PEM certificate/);
    await rm(cert);
    assert.ok((await open()).certificate.publicKey.equals(certificate.publicKey));
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    for (const pem of ['x', privateKey.export({ type: 'pkcs8', format: 'pem' })]) {
      await writeFile(key, pem);
      await assert.rejects(open, (error: Error) =>
        /key\.pem is not a private key on the curve P-256/.test(error.message),
      );
    }
  });

  it('has a certificate that openssl reads and verifies, whatever its numbers are', async (t) => {
    if (!needs(t, 'openssl')) return;
    const directory = await temporaryDirectory(t);
    const file = join(directory, 'certificate.pem');
    for (const now of [new Date(), new Date('2049-12-31T12:00:00Z'), new Date('2050-06-01T00:00:00Z')]) {
      const { privateKey } = temporarySigningKey();
      const certificate = new X509Certificate(selfSigned(privateKey, 'tökens', now));
      assert.ok(certificate.verify(certificate.publicKey));
      assert.ok(!certificate.ca);
      await writeFile(file, certificate.toString());
      const { stdout } = await exec('openssl', ['x509', '-in', file, '-noout', '-text', '-nameopt', 'utf8']);
      assert.match(stdout, /Not After : Dec 31 23:59:59 9999 GMT/);
      assert.match(stdout, new RegExp(`Not Before: .* ${new Date(now.getTime() - 86_400_000).getUTCFullYear()} GMT`));
      assert.match(stdout, /Digital Signature/);
      const attime = String(Math.floor(now.getTime() / 1000));
      await exec('openssl', ['verify', '-attime', attime, '-CAfile', file, file]);
    }
    // Some serial numbers and signatures have leading zeros or a high first bit.
    const key = createPrivateKey(temporarySigningKey().privateKey.export({ type: 'pkcs8', format: 'pem' }));
    for (let i = 0; i < 200; i += 1) {
      const certificate = new X509Certificate(selfSigned(key, 'x', new Date()));
      assert.ok(certificate.verify(certificate.publicKey));
      assert.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/);
    }
  });
});
