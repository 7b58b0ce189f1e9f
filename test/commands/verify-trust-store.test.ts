/** Trust stores by the command line: notation's layout of directories, and what is refused. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../support/command.ts';
import { sandbox } from '../support/sandbox.ts';
import { TestCompany } from '../support/trust/notation.ts';
import { NotationPlace } from '../trust/notation/notation-place.ts';
import { startPlace } from './copy/places.ts';

async function startNotation(t: TestContext) {
  const { registry, host } = await startPlace(t);
  const notation = await NotationPlace.create(registry);
  const { home } = await sandbox(t);
  const put = async (path: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(join(home, path, '..'), { recursive: true });
    await writeFile(join(home, path), content);
  };
  const verify = (...words: string[]) => ocictl(t, ['verify', ...words, `${host}/team/app:1`]);
  return { notation, put, verify };
}

describe('ocictl verify by a trust store', () => {
  it('takes certificates in PEM and DER, also in the folders of notation', async (t) => {
    const { notation, put, verify } = await startNotation(t);
    const { root } = notation.company;
    await notation.sign();
    await put('certs/root.pem', new TestCompany('Other').root.pem + root.pem);
    await put('certs/README.md', 'not a certificate');
    await put('theirs/ca/company/root.crt', root.der);
    await put('theirs/tsa/clock/root.crt', notation.clock.root.pem);
    for (const store of ['certs', 'theirs']) {
      const { exitCode, stdout, stderr } = await verify('--trust-store', store);
      assert.equal(exitCode, 0, stderr);
      const signer = `signed by O=ocictl tests, CN=Signer \\(by ${store}\\)`;
      assert.match(stdout, new RegExp(`^  notation sha256:\\S+: ${signer}$`, 'm'));
    }
  });

  it('tells clocks from authorities, and refuses what it cannot read', async (t) => {
    const { notation, put, verify } = await startNotation(t);
    await notation.sign();
    await put('clocks/tsa/root.pem', notation.company.root.pem);
    await put('broken/root.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    await put('key/root.pem', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n');
    await put('other/root.pem', new TestCompany('Other').root.pem);
    for (const [store, status, message] of [
      ['absent', 2, /absent cannot be read as a directory: ENOENT/],
      ['clocks', 2, /clocks holds no certificates/],
      ['broken', 2, /broken\/root\.pem holds no certificates: a certificate of it cannot be read/],
      ['key', 2, /key\/root\.pem holds no certificates/],
      ['other', 11, /does not count: it is not signed by other/],
    ] as const) {
      const { exitCode, stderr } = await verify('--trust-store', store);
      assert.deepEqual([exitCode, message.test(stderr)], [status, true], stderr);
    }
  });
});
