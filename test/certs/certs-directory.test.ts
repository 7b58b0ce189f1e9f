import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readCertsDirectory } from '../../src/certs/read-certificates.ts';
import { isOciError, type OciError } from '../../src/model/errors.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { issue } from './issue.ts';

const authority = issue('Test CA');
const other = issue('Other CA');
const client = issue('client', { by: authority });

async function directory(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const path = await temporaryDirectory(t);
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

async function read(path: string) {
  const warnings: string[] = [];
  const found = await readCertsDirectory(path, (text) => warnings.push(text));
  return { found, warnings };
}

describe('reading a certs.d directory', () => {
  it('takes every certificate of every .crt file, in the order of the names', async (t) => {
    const path = await directory(t, { 'b.crt': other.cert, 'a.crt': `# comment\n${authority.cert}${client.cert}` });
    const { found, warnings } = await read(path);
    assert.deepEqual(
      found?.ca.map((pem) => pem.trim()),
      [authority, client, other].map(({ cert }) => cert.trim()),
    );
    assert.deepEqual(warnings, []);
    assert.equal(found.client, undefined);
  });

  it('takes a .cert with its .key as the client certificate', async (t) => {
    const { found, warnings } = await read(
      await directory(t, { 'client.cert': client.cert, 'client.key': client.key }),
    );
    assert.deepEqual(found, { ca: [], client: { cert: client.cert, key: client.key } });
    assert.deepEqual(warnings, []);
  });

  it('ignores other names', async (t) => {
    const { found, warnings } = await read(
      await directory(t, { 'ca.pem': authority.cert, README: 'x', 'a.crt~': 'x' }),
    );
    assert.deepEqual([found, warnings], [{ ca: [] }, []]);
  });

  it('is fine with a missing directory', async (t) => {
    const { found, warnings } = await read(join(await directory(t, {}), 'missing'));
    assert.deepEqual([found, warnings], [undefined, []]);
  });

  it('skips a directory that cannot be read, with a warning', async (t) => {
    const path = join(
      await directory(t, { 'registry.example.com': 'a file, not a directory' }),
      'registry.example.com',
    );
    const { found, warnings } = await read(path);
    assert.equal(found, undefined);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /registry\.example\.com were skipped: it cannot be read \(ENOTDIR\)/);
  });

  it('skips a file that cannot be read, with a warning', async (t) => {
    const path = await directory(t, { 'good.crt': authority.cert });
    await symlink('nowhere', join(path, 'gone.crt'));
    await mkdir(join(path, 'folder.crt'));
    const { found, warnings } = await read(path);
    assert.equal(found?.ca.length, 1);
    assert.deepEqual(
      warnings.map((text) => /[a-z]+\.crt was skipped: .*/.exec(text)?.[0]),
      ['folder.crt was skipped: it cannot be read (EISDIR)', 'gone.crt was skipped: it cannot be read (ENOENT)'],
    );
  });

  it('names a .crt file of garbage and goes on with the others', async (t) => {
    const broken = authority.cert.replace(/\n.{40}/, '\nAAAA');
    const path = await directory(t, { 'a.crt': 'not PEM at all', 'b.crt': broken, 'c.crt': authority.cert });
    const { found, warnings } = await read(path);
    assert.equal(found?.ca.length, 1);
    assert.match(warnings[0] ?? '', /a\.crt was skipped: it holds no PEM certificate/);
    assert.match(warnings[1] ?? '', /b\.crt holds a certificate that cannot be read/);
  });

  it('says which of several client certificates it uses', async (t) => {
    const second = issue('second', { by: authority });
    const { found, warnings } = await read(
      await directory(t, { 'a.cert': client.cert, 'a.key': client.key, 'b.cert': second.cert, 'b.key': second.key }),
    );
    assert.equal(found?.client?.cert, client.cert);
    assert.match(warnings.join(), /several client certificates; a\.cert is used/);
  });

  // In messages and hints, DIR is the directory.
  const refused: readonly (readonly [string, Readonly<Record<string, string>>, message: string, hint: string])[] = [
    [
      'a certificate without its key',
      { 'client.cert': client.cert },
      'missing key client.key for client certificate client.cert. CA certificates must use the extension .crt',
      'put its key into DIR/client.key; a certificate of an authority is renamed to client.crt',
    ],
    [
      'a key without its certificate',
      { 'client.key': client.key },
      'missing client certificate client.cert for key client.key',
      'put the certificate of this key into DIR/client.cert, or remove the key',
    ],
    [
      'a certificate that is garbage',
      { 'client.cert': 'x', 'client.key': client.key },
      'DIR/client.cert holds no PEM certificate',
      'it must contain -----BEGIN CERTIFICATE-----; check it with: openssl x509 -in DIR/client.cert -noout -subject -enddate',
    ],
    [
      'a key that is garbage',
      { 'client.cert': client.cert, 'client.key': 'x' },
      'DIR/client.key holds no PEM key without a passphrase',
      'it must contain -----BEGIN PRIVATE KEY-----, not ENCRYPTED; check it with: openssl pkey -in DIR/client.key -noout',
    ],
    [
      'a key of another certificate',
      { 'client.cert': client.cert, 'client.key': other.key },
      'DIR/client.key is not the key of client.cert',
      'these print the same if they belong together: openssl x509 -in DIR/client.cert -noout -pubkey; openssl pkey -in DIR/client.key -pubout',
    ],
  ];
  for (const [what, files, message, hint] of refused) {
    it(`refuses ${what}`, async (t) => {
      const path = await directory(t, files);
      await assert.rejects(read(path), (error: OciError) => {
        assert.ok(isOciError(error, 'CONFIG_INVALID'));
        assert.equal(error.message, message.replaceAll('DIR', path));
        assert.equal(error.hint, hint.replaceAll('DIR', path));
        return true;
      });
    });
  }
});
