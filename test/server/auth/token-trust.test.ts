import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { readJwks, readRoots } from '../../../src/server/auth/token-trust.ts';
import { needs } from '../../support/programs.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';
import { jwkOf, makeSigner, makeToken, show, startTrusting } from './tokens.ts';

const exec = promisify(execFile);
const trusted = makeSigner();

describe('a chain of certificates', () => {
  it('counts where each was signed by the next, and the next may sign', async (t) => {
    if (!needs(t, 'openssl')) return;
    const directory = await temporaryDirectory(t);
    const openssl = (text: string) => exec('openssl', text.split(' '), { cwd: directory });
    await writeFile(join(directory, 'authority'), 'basicConstraints=critical,CA:TRUE\n');
    await writeFile(join(directory, 'none'), 'authorityKeyIdentifier=none\nsubjectKeyIdentifier=none\n');
    const make = async (name: string, subject: string, by: string, extensions: string): Promise<void> => {
      await openssl(
        `req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=${subject} -keyout ${name}.key -out csr`,
      );
      const signer = by === name ? `-signkey ${name}.key` : `-CA ${by}.crt -CAkey ${by}.key -set_serial 7`;
      await openssl(`x509 -req -in csr ${signer} -days 2 -extfile ${extensions} -out ${name}.crt`);
    };
    await make('root', 'Root', 'root', 'authority');
    await make('middle', 'Middle', 'root', 'authority');
    await make('leaf', 'Leaf', 'middle', 'none');
    await make('below', 'Below', 'leaf', 'none');
    // It has the same name, and no key identifiers that would distinguish it.
    await make('false', 'Root', 'false', 'authority');
    await make('forged', 'Leaf', 'false', 'none');
    const read = (file: string) => readFile(join(directory, file), 'utf8');
    const server = await startTrusting(t, readRoots(await read('root.crt'), 'root.crt'));
    const status = async (...names: string[]): Promise<number> => {
      const x5c = await Promise.all(names.map(async (name) => new X509Certificate(await read(`${name}.crt`))));
      const key = createPrivateKey(await read(`${names[0]}.key`));
      const token = await makeToken({ header: { x5c: x5c.map(({ raw }) => raw.toString('base64')) }, key });
      return (await show(server, token)).status;
    };
    assert.equal(await status('leaf', 'middle'), 200);
    assert.equal(await status('leaf', 'root', 'middle'), 200);
    assert.equal(await status('middle'), 200);
    assert.equal(await status('root'), 200);
    assert.equal(await status('leaf'), 401, 'the one between is missing');
    assert.equal(await status('below', 'leaf', 'middle'), 401, 'a leaf signs nothing');
    assert.equal(await status('forged'), 401, 'the name of a root is not its signature');
    assert.equal(await status('forged', 'false'), 401, 'nor is a root of that name');
    assert.equal(await status('false'), 401);
  });
});

describe('a file of trusted keys', () => {
  const refused = (keys: unknown): unknown => {
    try {
      readJwks(typeof keys === 'string' ? keys : JSON.stringify({ keys }), 'keys.json');
    } catch (error) {
      return error;
    }
    return undefined;
  };

  it('must hold public keys for signatures; the error names any other content', () => {
    const jwk = jwkOf(trusted);
    const cases: readonly (readonly [unknown, RegExp])[] = [
      ['{', /keys\.json: not a JSON object/],
      ['{"keys":{}}', /"keys" must be a list/],
      [[], /no key for signatures/],
      [[{ ...jwk, use: 'enc' }], /no key for signatures/],
      [[1], /key 1 is not an object/],
      [[jwk, { kty: 'oct', k: 'c2VjcmV0' }], /key 2 is a shared secret/],
      [[trusted.privateKey.export({ format: 'jwk' })], /key 1 is a private key/],
      [[{ ...jwk, x: 'AAAA' }], /key 1 cannot be read/],
    ];
    for (const [keys, reason] of cases) assert.match(String(refused(keys)), reason);
    assert.throws(() => readRoots('no PEM', 'root.pem'), /root\.pem has no certificate in PEM/);
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    assert.throws(() => readRoots(broken, 'root.pem'), /certificate 1 of root\.pem cannot be read/);
    assert.doesNotMatch(String(refused([{ kty: 'oct', k: 'c2VjcmV0' }])), /c2VjcmV0/);
  });

  it('keeps a key to the algorithm that it names', async (t) => {
    const keys = [jwkOf(trusted, { kid: 'one', alg: 'ES384' })];
    const server = await startTrusting(t, readJwks(JSON.stringify({ keys }), 'keys'));
    assert.equal(
      (await show(server, await makeToken({ header: { kid: 'one' }, key: trusted.privateKey }))).status,
      401,
    );
  });
});
