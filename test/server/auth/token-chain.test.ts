import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { readRoots } from '../../../src/server/auth/token-trust.ts';
import { needs } from '../../support/programs.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';
import { makeToken, show, startTrusting } from './tokens.ts';

const exec = promisify(execFile);
const authority = 'basicConstraints=critical,CA:TRUE';
const leaf = 'basicConstraints=CA:FALSE';
const strange = '1.2.3.4=critical,DER:0500';

/** The status for a token whose certificates have these extensions: root, intermediates, leaf. */
async function statusOf(t: TestContext, chain: readonly (readonly string[])[]): Promise<number> {
  const directory = await temporaryDirectory(t);
  const openssl = (text: string) => exec('openssl', text.split(' '), { cwd: directory });
  for (const [at, extensions] of chain.entries()) {
    await writeFile(join(directory, 'extensions'), `${extensions.join('\n')}\n`);
    await openssl(`req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=C${at} -keyout ${at}.key -out csr`);
    const by = at === 0 ? '-signkey 0.key' : `-CA ${at - 1}.crt -CAkey ${at - 1}.key -set_serial 7`;
    await openssl(`x509 -req -in csr ${by} -days 2 -extfile extensions -out ${at}.crt`);
  }
  const read = (name: string) => readFile(join(directory, name), 'utf8');
  const last = chain.length - 1;
  const server = await startTrusting(t, readRoots(await read('0.crt'), '0.crt'));
  const names = Array.from({ length: Math.max(1, last) }, (_, at) => `${last - at}.crt`);
  const x5c = await Promise.all(
    names.map(async (name) => new X509Certificate(await read(name)).raw.toString('base64')),
  );
  const token = await makeToken({ header: { x5c }, key: createPrivateKey(await read(`${last}.key`)) });
  return (await show(server, token)).status;
}

const cases: readonly (readonly [what: string, chain: readonly (readonly string[])[], status: number])[] = [
  [
    'all that may be said is kept',
    [[authority, 'keyUsage=keyCertSign'], [authority], [leaf, 'keyUsage=digitalSignature']],
    200,
  ],
  ['the length of the path is just reached', [[`${authority},pathlen:1`], [`${authority},pathlen:0`], [leaf]], 200],
  ['the root allows nothing between', [[`${authority},pathlen:0`], [authority], [leaf]], 401],
  ['one between allows nothing below', [[authority], [`${authority},pathlen:0`], [authority], [leaf]], 401],
  ['the last one is for encryption', [[authority], [leaf, 'keyUsage=critical,keyEncipherment']], 401],
  ['the root signs no certificates', [[authority, 'keyUsage=critical,cRLSign'], [leaf]], 401],
  ['one between signs no certificates', [[authority], [authority, 'keyUsage=digitalSignature'], [leaf]], 401],
  ['the last one has a critical extension that is not known', [[authority], [leaf, strange]], 401],
  ['one between has such a one', [[authority], [authority, strange], [leaf]], 401],
  ['the root has such a one', [[authority, strange], [leaf]], 401],
  ['one that is not known and not critical', [[authority], [leaf, strange.replace('critical,', '')]], 200],
  ['names are limited, which is not checked', [[authority, 'nameConstraints=critical,permitted;DNS:a.b'], [leaf]], 401],
  ['the root itself has such a one', [[authority, strange]], 401],
];

describe('the limits that the certificates of a chain have', () => {
  for (const [what, chain, status] of cases) {
    it(`are kept: ${what}, ${status}`, async (t) => {
      if (!needs(t, 'openssl')) return;
      assert.equal(await statusOf(t, chain), status);
    });
  }
});
