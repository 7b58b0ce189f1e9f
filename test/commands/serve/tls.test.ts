import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { ocictl, spawnServe } from '../../support/command.ts';
import { doctor } from '../../support/doctor.ts';
import { type Certificates, makeCertificates, needs } from '../../support/programs.ts';
import { sandbox } from '../../support/sandbox.ts';

/** The serial number of the certificate that a new connection gets. */
function shown(host: string): Promise<string> {
  const [name, port] = host.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host: name, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    }).on('error', reject);
  });
}

async function serialOf({ certificate }: Certificates): Promise<string> {
  return new X509Certificate(await readFile(certificate)).serialNumber;
}

/** A certificate over a key that OpenSSL takes for none. */
async function shortKey(home: string): Promise<{ readonly cert: string; readonly key: string }> {
  const [cert, key] = [join(home, 'short.crt'), join(home, 'short.key')];
  const words = ['req', '-x509', '-newkey', 'rsa:512', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1'];
  await promisify(execFile)('openssl', [...words, '-keyout', key, '-out', cert]);
  return { cert, key };
}

describe('ocictl serve --tls-cert', () => {
  it('speaks https, and reads changed files; a broken pair is reported', async (t) => {
    if (!needs(t, 'openssl')) return;
    const { home } = await sandbox(t);
    const [first, second] = [await makeCertificates(t), await makeCertificates(t)];
    const [cert, key] = [join(home, 'cert.pem'), join(home, 'key.pem')];
    await copyFile(first.certificate, cert);
    await copyFile(first.key, key);
    const served = await spawnServe(t, ['--memory', '--tls-cert', cert, '--tls-key', key]);
    assert.match(served.output().stdout, /^Serving memory on https:\/\/127\.0\.0\.1:\d+\n$/);
    assert.equal(await shown(served.host), await serialOf(first));
    // This machine's network is insecure, so its certificates need no authority.
    assert.equal((await ocictl(t, ['search', `${served.host}/app`])).exitCode, 0);

    await writeFile(cert, 'no certificate');
    await served.waitFor(
      /--tls-cert: \S+cert\.pem holds no PEM certificate; the earlier certificate stays in effect\n/,
    );
    assert.equal(await shown(served.host), await serialOf(first));
    // First the certificate: for a moment it does not match the key.
    await copyFile(second.certificate, `${cert}.new`);
    await rename(`${cert}.new`, cert);
    await copyFile(second.key, key);
    while ((await shown(served.host)) !== (await serialOf(second))) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(
      (served.output().stderr.match(/the earlier certificate stays/g) ?? []).length,
      1,
      served.output().stderr,
    );
  });

  it('lets in only clients with a certificate, and tells the others to get one', async (t) => {
    if (!needs(t, 'openssl')) return;
    const { authority, certificate, key } = await makeCertificates(t);
    const words = ['--tls-cert', certificate, '--tls-key', key, '--client-ca', authority];
    const { host } = await spawnServe(t, ['--memory', ...words]);
    const { home } = await sandbox(t);
    const directory = join(home, 'certs', host);
    await mkdir(directory, { recursive: true });
    const own = ['--certs-dir', join(home, 'certs')];
    for (const command of [
      ['digest', `${host}/app:1`],
      ['tags', `${host}/app`],
      ['search', `${host}/app`],
    ]) {
      const { exitCode, stderr } = await ocictl(t, [...command, ...own]);
      assert.equal(exitCode, 5);
      assert.equal(
        stderr,
        `error: ${host}: the registry asks for a client certificate\nhint: put client.cert and client.key into ${directory}/\n`,
      );
    }
    const { find, exitCode } = await doctor(t, [`${host}/app:1`, ...own]);
    assert.equal(exitCode, 5);
    assert.deepEqual(find('ping'), []);
    assert.deepEqual(
      [...find('tls'), ...find('endpoint')].map(({ status, text }) => `${status} ${text.replace(/[(;].*/, '')}`),
      [
        `problem ${host}: the registry asks for a client certificate `,
        'ok the registry itself',
        'note not asked: the registry has answered over TLS',
      ],
    );
    await copyFile(certificate, join(directory, 'client.cert'));
    await copyFile(key, join(directory, 'client.key'));
    const { exitCode: missing, stderr } = await ocictl(t, ['digest', `${host}/app:1`, ...own]);
    assert.equal(missing, 3, stderr);
  });

  it('tells others its own name, and warns of passwords in clear text without it alone', async (t) => {
    if (!needs(t, 'openssl', 'htpasswd')) return;
    const { home } = await sandbox(t);
    await writeFile(join(home, 'users'), 'ada:$2y$05$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzABCDE\n');
    const { certificate, key } = await makeCertificates(t);
    const words = ['--memory', '--auth', 'htpasswd=users', '--addr', '0.0.0.0:0'];
    const plain = await spawnServe(t, words);
    await plain.waitFor(/warning: passwords cross the network in clear text: name a certificate with --tls-cert/);
    const secure = await spawnServe(t, [...words, '--tls-cert', certificate, '--tls-key', key, '-v']);
    await secure.waitFor(/copy to it from elsewhere with: ocictl copy alpine \S+:\d+\/alpine\n/);
    const { port } = new URL(secure.url);
    const status = await ocictl(t, ['search', `127.0.0.1:${port}/app`]);
    assert.equal(status.exitCode, 4);
    await secure.waitFor(/GET \/v2\/_catalog 401/);
    assert.doesNotMatch(secure.output().stderr, /warning|--insecure-registry/);
  });

  it('is refused where a file cannot be used, or flags make no sense: status 2', async (t) => {
    if (!needs(t, 'openssl')) return;
    const [{ certificate, key }, other] = [await makeCertificates(t), await makeCertificates(t)];
    const short = await shortKey((await sandbox(t)).home);
    for (const [words, said] of [
      [['--tls-cert', 'missing.pem'], /--tls-cert: \S*missing\.pem cannot be read \(ENOENT\)/],
      [['--tls-cert', certificate], /--tls-cert: \S+server\.crt holds no PEM key without a passphrase/],
      [
        ['--tls-cert', certificate, '--tls-key', other.key],
        /--tls-key: \S+server\.key is not the key of \S+server\.crt\nhint: these print the same .*openssl x509 -in \S+server\.crt /,
      ],
      [['--tls-cert', certificate, '--tls-key', 'missing.pem'], /--tls-key: \S+missing\.pem cannot be read \(ENOENT\)/],
      [['--tls-cert', certificate, '--tls-key', certificate], /--tls-cert: \S+ holds no PEM key without a passphrase/],
      [
        ['--tls-cert', short.cert, '--tls-key', short.key],
        /--tls-cert: \S+ has a key that is too short to be safe: TLS /,
      ],
      [['--tls-cert', ''], /--tls-cert is empty\nhint: give --tls-cert a value, or leave it out/],
      [['--trust-proxy='], /--trust-proxy is empty/],
      [['--config='], /--config is empty/],
      [['--tls-cert', certificate, '--tls-key', key, '--client-ca', key], /--client-ca: \S+ holds no PEM certificate/],
      [['--tls-key', key], /--tls-key is of no use without a certificate\nhint: name one with --tls-cert FILE/],
      [['--client-ca', certificate], /--client-ca is of no use without a certificate/],
      [
        ['--trust-proxy', '10.0.0.0/99'],
        /invalid --trust-proxy "10\.0\.0\.0\/99"\nhint: it is an address or a network/,
      ],
    ] as const) {
      const { exitCode, stderr } = await ocictl(t, ['serve', '--memory', '--addr', '127.0.0.1:0', ...words]);
      assert.equal(exitCode, 2, `${words.join(' ')}: ${stderr}`);
      assert.match(stderr, said);
    }
  });
});
