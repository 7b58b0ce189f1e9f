import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { startNginx } from '../../support/programs/nginx.ts';
import { type Certificates, makeCertificates, needs, startDockerRegistry } from '../../support/programs.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';

/** Certificates of 127.0.0.0/8 are not verified, as in Docker. On Linux, 0.0.0.0 is another name for loopback. */
const elsewhere = (host: string): string => host.replace('127.0.0.1', '0.0.0.0');

async function withImage(t: TestContext, host: string, name: string): Promise<void> {
  const layout = await temporaryDirectory(t);
  await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
  const { exitCode, stderr } = await ocictl(t, ['copy', '-q', `oci:${layout}:1`, `${host}/${name}`]);
  assert.equal(exitCode, 0, stderr);
}

async function startTls(t: TestContext): Promise<{ readonly host: string; readonly certificates: Certificates }> {
  const certificates = await makeCertificates(t);
  const registry = await startDockerRegistry(t, { tls: certificates });
  await withImage(t, registry.host, 'app:1');
  return { host: elsewhere(registry.host), certificates };
}

describe('a registry with a certificate of a private authority', () => {
  it('is refused, and the hint names the directory in which its ca.crt then works', async (t) => {
    if (!needs(t, 'docker-registry', 'openssl')) return;
    const { host, certificates } = await startTls(t);
    const name = `${host}/app:1`;
    const refused = await ocictl(t, ['pull', '-q', name]);
    assert.equal(refused.exitCode, 5);
    const file = /into (\/\S+\/ca\.crt)$/m.exec(refused.stderr)?.[1] ?? '';
    assert.equal(file, join((await sandbox(t)).certsDir, host, 'ca.crt'));
    await mkdir(join(file, '..'), { recursive: true });
    await cp(certificates.authority, file);
    assert.equal((await ocictl(t, ['pull', '-q', name])).exitCode, 0);
  });

  it('is trusted with the authority among those of the system, and by podman’s own directory', async (t) => {
    if (!needs(t, 'docker-registry', 'openssl')) return;
    const { host, certificates } = await startTls(t);
    const name = `${host}/app:1`;
    const bySystem = await ocictl(t, ['pull', '-q', name], { env: { SSL_CERT_FILE: certificates.authority } });
    assert.equal(bySystem.exitCode, 0, bySystem.stderr);
    const { home } = await sandbox(t);
    const directory = join(home, 'config/containers/certs.d', host);
    await mkdir(directory, { recursive: true });
    await cp(certificates.authority, join(directory, 'ca.crt'));
    const byPodman = await ocictl(t, ['pull', '-q', name], { env: { OCICTL_CERTS_DIR: '' } });
    assert.equal(byPodman.exitCode, 0, byPodman.stderr);
  });

  it('is trusted by its own certificate in certs.d, without its authority', async (t) => {
    if (!needs(t, 'docker-registry', 'openssl')) return;
    const { host, certificates } = await startTls(t);
    const directory = join((await sandbox(t)).certsDir, host);
    await mkdir(directory, { recursive: true });
    await cp(certificates.certificate, join(directory, 'server.crt'));
    const pulled = await ocictl(t, ['pull', '-q', `${host}/app:1`]);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
  });

  it('is not spoken to in plain http unless it is insecure', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const registry = await startDockerRegistry(t);
    await withImage(t, registry.host, 'app:1');
    const host = elsewhere(registry.host);
    const refused = await ocictl(t, ['-v', 'pull', '-q', `${host}/app:1`]);
    assert.equal(refused.exitCode, 5);
    assert.match(refused.stderr, /it answered in plain http, not TLS/);
    assert.doesNotMatch(refused.stderr, /(?:GET|HEAD) http:/);
    const insecure = await ocictl(t, ['pull', '-q', '--insecure-registry', host, `${host}/app:1`]);
    assert.equal(insecure.exitCode, 0, insecure.stderr);
  });

  it('is trusted unseen where it is insecure: by host, by network, or by an entry with a scheme', async (t) => {
    if (!needs(t, 'docker-registry', 'openssl')) return;
    const { host } = await startTls(t);
    const name = `${host}/app:1`;
    const port = host.split(':')[1];
    for (const [entry, exitCode, warning] of [
      [host, 0, ''],
      ['0.0.0.0/8', 0, ''],
      [`http://${host}`, 0, "should not contain 'http://'"],
      ['0.0.0.0', 5, ''],
      [`0.0.0.0:${Number(port) - 1}`, 5, ''],
      ['10.0.0.0/8', 5, ''],
    ] as const) {
      const { daemonJson } = await sandbox(t);
      await writeFile(daemonJson, JSON.stringify({ 'insecure-registries': [entry] }));
      const pulled = await ocictl(t, ['pull', '-q', name]);
      assert.equal(pulled.exitCode, exitCode, `${entry}: ${pulled.stderr}`);
      if (exitCode === 0) assert.equal(pulled.stderr.includes('should not contain'), warning !== '', pulled.stderr);
    }
  });
});

describe('a registry behind nginx that wants a client certificate', () => {
  it('is refused with where to put one, and works with client.cert and client.key there', async (t) => {
    if (!needs(t, 'docker-registry', 'openssl', 'nginx')) return;
    const registry = await startDockerRegistry(t);
    await withImage(t, registry.host, 'app:1');
    const certificates = await makeCertificates(t);
    const nginx = await startNginx(t, { before: registry.url, certificates });
    const host = elsewhere(nginx.host);
    const directory = join((await sandbox(t)).certsDir, host);
    await mkdir(directory, { recursive: true });
    await cp(certificates.authority, join(directory, 'ca.crt'));
    const name = `${host}/app:1`;
    const without = await ocictl(t, ['pull', '-q', name]);
    assert.equal(without.exitCode, 5, without.stderr);
    assert.ok(without.stderr.includes(`put client.cert and client.key into ${directory}/`), without.stderr);

    await cp(certificates.certificate, join(directory, 'client.cert'));
    const half = await ocictl(t, ['pull', '-q', name]);
    assert.equal(half.exitCode, 2);
    assert.match(half.stderr, /missing key client\.key for client certificate client\.cert/);

    await cp(certificates.key, join(directory, 'client.key'));
    const pulled = await ocictl(t, ['pull', '-q', name]);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    const pushed = await ocictl(t, ['copy', '-q', name, `${host}/other:1`]);
    assert.equal(pushed.exitCode, 0, pushed.stderr);

    const stranger = await makeCertificates(t);
    await cp(stranger.certificate, join(directory, 'client.cert'));
    await cp(stranger.key, join(directory, 'client.key'));
    const refused = await ocictl(t, ['pull', '-q', name]);
    assert.equal(refused.exitCode, 5);
    assert.match(refused.stderr, /the registry refused the client certificate/);
  });
});
