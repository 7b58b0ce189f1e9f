import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { rootCertificates } from 'node:tls';
import { type HostTlsOptions, readHostTls } from '../../src/certs/host-tls.ts';
import type { TlsSettings } from '../../src/certs/tls-settings.ts';
import { isOciError } from '../../src/model/errors.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { issue } from './issue.ts';

const authority = issue('Test CA');
const host = 'registry.example.com:5000';

async function certsDirs(t: TestContext, ...contents: readonly Readonly<Record<string, string>>[]): Promise<string[]> {
  const root = await temporaryDirectory(t);
  return Promise.all(
    contents.map(async (files, index) => {
      const directory = join(root, `${index}`);
      await mkdir(join(directory, host), { recursive: true });
      for (const [name, text] of Object.entries(files)) await writeFile(join(directory, host, name), text);
      return directory;
    }),
  );
}

function read(directories: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<TlsSettings> {
  const options: HostTlsOptions = {
    certsDirs: directories,
    environment: { env, platform: 'linux' },
    warn: (text) => assert.fail(text),
  };
  return readHostTls(host, options);
}

describe("a host's TLS settings", () => {
  it('name where certificates would be kept where nothing is set, and read nothing', async () => {
    const { systemRoots, ...rest } = await read(['/nonexistent', '/nowhere']);
    assert.deepEqual(rest, { directory: `/nonexistent/${host}` });
  });

  it("have the authorities of certs.d, and a reader of the system's roots", async (t) => {
    const [directory = ''] = await certsDirs(t, { 'ca.crt': authority.cert });
    const { ca, systemRoots, directory: named } = await read([directory]);
    assert.deepEqual(ca, [authority.cert.trim()]);
    assert.equal(named, join(directory, host));
    const system = await systemRoots?.();
    assert.ok(system);
    assert.ok(rootCertificates.every((root) => !system.includes(root)));
  });

  it('come from the first directory that has the host', async (t) => {
    const client = issue('client', { by: authority });
    const [first = '', second = ''] = await certsDirs(
      t,
      { 'client.cert': client.cert, 'client.key': client.key },
      { 'ca.crt': authority.cert },
    );
    const { systemRoots, ...rest } = await read(['/nonexistent', first, second]);
    assert.deepEqual(rest, { cert: client.cert, key: client.key, directory: join(first, host) });
  });

  it('take SSL_CERT_FILE in place of the system’s bundle, and SSL_CERT_DIR in place of its directories', async (t) => {
    const other = issue('Other CA');
    const [directory = ''] = await certsDirs(t, { 'roots.pem': authority.cert, 'unrelated.txt': 'nothing' });
    const hashed = await temporaryDirectory(t);
    await writeFile(join(hashed, 'other.pem'), other.cert);
    await symlink('other.pem', join(hashed, '0a1b2c3d.0'));
    const env = {
      SSL_CERT_FILE: join(directory, host, 'roots.pem'),
      SSL_CERT_DIR: `/nonexistent:${hashed}`,
    };
    const { systemRoots } = await read(['/nonexistent'], env);
    assert.deepEqual(await systemRoots?.(), [authority.cert.trim(), other.cert.trim()]);
  });

  for (const [what, text] of [
    ['is not there', undefined],
    ['holds no certificate', 'nothing'],
  ] as const) {
    it(`refuse an SSL_CERT_FILE that ${what}`, async (t) => {
      const [directory = ''] = await certsDirs(t, text === undefined ? {} : { 'roots.pem': text });
      await assert.rejects(
        read(['/nonexistent'], { SSL_CERT_FILE: join(directory, host, 'roots.pem') }),
        (error) => isOciError(error, 'CONFIG_INVALID') && error.message.startsWith('SSL_CERT_FILE names '),
      );
    });
  }

  it('let a client in that the server asks for a certificate', async (t) => {
    const certificate = issue('server', { by: authority, dnsNames: ['localhost'] });
    const client = issue('client', { by: authority });
    const server = createServer(
      { cert: certificate.cert, key: certificate.key, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
      (_, response) => response.end('in'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const directories = await certsDirs(t, {
      'ca.crt': authority.cert,
      'client.cert': client.cert,
      'client.key': client.key,
    });
    const { ca, cert, key } = await read(directories);
    const { port } = server.address() as AddressInfo;
    const options = { port, host: '127.0.0.1', servername: 'localhost', agent: false as const };
    const ask = (tls: { ca?: string[]; cert?: string | undefined; key?: string | undefined }) =>
      new Promise<number | undefined>((resolve, reject) => {
        request({ ...options, ...tls }, (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end();
      });
    assert.equal(await ask({ ca: [...(ca ?? [])], cert, key }), 200);
    await assert.rejects(ask({ ca: [...(ca ?? [])] }), 'without the client certificate');
    await assert.rejects(ask({ cert, key }), 'without the authority');
  });
});
