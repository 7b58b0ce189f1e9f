import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { ocictl, spawnServe } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { ada } from '../../support/login-servers.ts';
import { layoutOf, logIn, writeAccess } from '../../support/logins/issuing.ts';
import { start } from '../../support/process.ts';
import { startNginx } from '../../support/programs/nginx.ts';
import {
  type Certificates,
  makeCertificates,
  needs,
  podman,
  skopeo,
  startDockerRegistry,
} from '../../support/programs.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';

const exec = promisify(execFile);

const flags = ({ certificate, key }: Certificates): string[] => ['--tls-cert', certificate, '--tls-key', key];

/** A directory with a registry's authority and a client certificate, as container programs read it. */
async function certsDir(t: TestContext, { authority, certificate, key }: Certificates): Promise<string> {
  const directory = await temporaryDirectory(t);
  await copyFile(authority, join(directory, 'ca.crt'));
  await copyFile(certificate, join(directory, 'client.cert'));
  await copyFile(key, join(directory, 'client.key'));
  return directory;
}

describe('ocictl serve with a certificate', () => {
  it('is used by skopeo, podman and curl, with certificates of their own where it asks for them', async (t) => {
    if (!needs(t, 'openssl', 'skopeo', 'podman', 'curl')) return;
    const certificates = await makeCertificates(t);
    const image = await layoutOf(t);
    for (const more of [[], ['--client-ca', certificates.authority]]) {
      const { host, url } = await spawnServe(t, ['--memory', ...flags(certificates), ...more]);
      const directory = await certsDir(t, certificates);
      await skopeo(t, ['copy', '-q', `--dest-cert-dir=${directory}`, image, `docker://${host}/team/app:1`]);
      await podman(t, ['pull', '-q', `--cert-dir=${directory}`, `${host}/team/app:1`]);
      await podman(t, ['push', '-q', `--cert-dir=${directory}`, `${host}/team/app:1`, `${host}/team/again:1`]);
      const curl = ['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', certificates.authority];
      const own = ['--cert', certificates.certificate, '--key', certificates.key];
      const { stdout } = await exec('curl', [...curl, ...own, `${url}/v2/team/again/manifests/1`]);
      assert.equal(stdout, '200');
      const nobody = exec('curl', [...curl, `${url}/v2/`]);
      if (more.length === 0) assert.equal((await nobody).stdout, '200');
      else await assert.rejects(nobody, /certificate required|alert|reset|SSL/i);
    }
  });

  it('is used by docker', async (t) => {
    if (!needs(t, 'openssl', 'docker', 'dockerd')) return;
    const certificates = await makeCertificates(t);
    const { host, waitFor } = await spawnServe(t, ['--memory', ...flags(certificates), '-v']);
    assert.equal((await ocictl(t, ['copy', '-q', await layoutOf(t), `${host}/team/app:1`])).exitCode, 0);
    const env = { ...(await sandbox(t)).env, ...(await startDocker(t)) };
    await exec('docker', ['pull', '-q', `${host}/team/app:1`], { env });
    await exec('docker', ['tag', `${host}/team/app:1`, `${host}/team/again:1`], { env });
    await exec('docker', ['push', '-q', `${host}/team/again:1`], { env });
    await waitFor(/PUT \/v2\/team\/again\/manifests\/1 201 .*agent="docker/);
  });

  it('is what docker-registry caches from', async (t) => {
    if (!needs(t, 'openssl', 'docker-registry')) return;
    const certificates = await makeCertificates(t);
    const { host, url } = await spawnServe(t, ['--memory', ...flags(certificates)]);
    await ocictl(t, ['copy', '-q', await layoutOf(t), `${host}/team/app:1`]);
    const cache = await startDockerRegistry(t, { proxyOf: url, env: { SSL_CERT_FILE: certificates.authority } });
    const pulled = await ocictl(t, ['pull', '-q', `${cache.host}/team/app:1`]);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
  });

  it('takes another certificate while an image is pulled, which comes whole', async (t) => {
    if (!needs(t, 'openssl', 'curl')) return;
    const { home, env } = await sandbox(t);
    const [first, second] = [await makeCertificates(t), await makeCertificates(t)];
    const files = { certificate: join(home, 'cert.pem'), key: join(home, 'key.pem'), authority: '' };
    const install = async (from: Certificates): Promise<void> => {
      await copyFile(from.key, files.key);
      await copyFile(from.certificate, files.certificate);
    };
    await install(first);
    const { host, url } = await spawnServe(t, ['--memory', ...flags(files)]);
    const layout = join(home, 'layout');
    const layer = randomBytes(3_000_000).toString('latin1');
    const image = await buildImage({ layers: [{ files: { large: layer } }] });
    await writeLayout(layout, '1', image);
    await ocictl(t, ['copy', '-q', `oci:${layout}:1`, `${host}/team/app:1`]);
    const [blob] = image.layers;
    const got = join(home, 'got');
    const path = `${url}/v2/team/app/blobs/${blob?.descriptor.digest}`;
    const reading = start(t, 'curl', ['-sS', '-k', '--limit-rate', '400k', '-o', got, path], { env });
    await install(second);
    const trusts = (ca: string) =>
      exec('curl', ['-sS', '--cacert', ca, `${url}/v2/`]).then(
        () => true,
        () => false,
      );
    while (!(await trusts(second.authority)));
    const { exitCode, stderr } = await reading.result;
    assert.equal(exitCode, 0, stderr);
    const { stdout } = await exec('sha256sum', [got]);
    assert.equal(`sha256:${stdout.slice(0, 64)}`, blob?.descriptor.digest);
  });
});

describe('ocictl serve --trust-proxy behind nginx', () => {
  for (const [what, headers] of [
    [
      'X-Forwarded',
      [
        'Host $proxy_host',
        'X-Forwarded-Host $http_host',
        'X-Forwarded-Proto $scheme',
        'X-Forwarded-For $proxy_add_x_forwarded_for',
      ],
    ],
    ['Forwarded', ['Host $proxy_host', 'Forwarded "for=$remote_addr;proto=$scheme;host=\\"$http_host\\""']],
  ] as const) {
    it(`is logged in to, pushed to and pulled from by the proxy's name, which tells by ${what}`, async (t) => {
      if (!needs(t, 'openssl', 'nginx', 'skopeo', 'podman', 'curl')) return;
      const certificates = await makeCertificates(t);
      const words = ['--root', 'images', '--issue-tokens', await writeAccess(t), '-v', '--trust-proxy', '127.0.0.1'];
      const served = await spawnServe(t, words);
      const nginx = await startNginx(t, { before: served.url, certificates, open: true, headers });
      const { stdout } = await exec('curl', [
        '-sSi',
        '--cacert',
        certificates.authority,
        '--interface',
        '127.0.0.2',
        `https://${nginx.host}/v2/`,
      ]);
      assert.match(stdout, new RegExp(`realm="https://${nginx.host}/token"`));
      await served.waitFor(/127\.0\.0\.2 GET \/v2\/ 401/);
      const spoofed = await exec('curl', [
        '-sSi',
        `${served.url}/v2/`,
        '--interface',
        '127.0.0.9',
        '-H',
        'X-Forwarded-Proto: https',
        '-H',
        'X-Forwarded-Host: evil.test',
        '-H',
        'Forwarded: proto=https;host=evil.test',
      ]);
      assert.match(spoofed.stdout, new RegExp(`realm="${served.url}/token"`));

      assert.equal((await logIn(t, nginx.host, ada)).exitCode, 0);
      const pushed = await ocictl(t, ['copy', await layoutOf(t), `${nginx.host}/team/app:1`]);
      assert.equal(pushed.exitCode, 0, pushed.stderr);
      const directory = await certsDir(t, certificates);
      const creds = `${ada.username}:${ada.password}`;
      await podman(t, ['pull', '-q', `--cert-dir=${directory}`, '--creds', creds, `${nginx.host}/team/app:1`]);
      const source = `docker://${nginx.host}/team/app:1`;
      const [from, to] = [`--src-cert-dir=${directory}`, `--dest-cert-dir=${directory}`];
      await skopeo(t, [
        'copy',
        '-q',
        from,
        to,
        '--src-creds',
        creds,
        '--dest-creds',
        creds,
        source,
        `docker://${nginx.host}/team/again:1`,
      ]);
      // The line is written when the answer has been sent, so the client may be done before it.
      await served.waitFor(/PUT \/v2\/team\/again\/manifests\/1 201 .*user="ada"/);
    });
  }
});
