import assert from 'node:assert/strict';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { deadAddress } from '../../support/network/ports.ts';
import { startSquid } from '../../support/programs/squid.ts';
import { type DockerRegistry, makeCertificates, needs, startDockerRegistry } from '../../support/programs.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';

const programs = ['docker-registry', 'squid', 'setpriv', 'htpasswd', 'openssl'];
/** Without this entry, loopback is reached directly, as in other programs. */
const loopbackToo = '<-loopback>';

async function withImage(t: TestContext, registry: DockerRegistry, host = registry.host): Promise<string> {
  const layout = await temporaryDirectory(t);
  await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app'.repeat(100_000) } }] }));
  const name = `${host}/team/app:1`;
  const pushed = await ocictl(t, ['copy', '-q', '--insecure-registry', host, `oci:${layout}:1`, name]);
  assert.equal(pushed.exitCode, 0, pushed.stderr);
  return name;
}

/** A registry over TLS with a trusted authority, under a name that does not count as loopback. */
async function startTlsRegistry(t: TestContext): Promise<DockerRegistry & { readonly port: string }> {
  const certificates = await makeCertificates(t);
  const registry = await startDockerRegistry(t, { tls: certificates });
  const host = registry.host.replace('127.0.0.1', '0.0.0.0');
  const directory = join((await sandbox(t)).certsDir, host);
  await mkdir(directory, { recursive: true });
  await cp(certificates.authority, join(directory, 'ca.crt'));
  return { ...registry, host, port: new URL(registry.url).port };
}

describe('ocictl behind squid', () => {
  it('reaches a registry over TLS through a tunnel, and one in plain http without', async (t) => {
    if (!needs(t, ...programs)) return;
    const [secured, plain] = [await startTlsRegistry(t), await startDockerRegistry(t)];
    const squid = await startSquid(t, { tunnelPorts: [secured.port] });
    const [one, two] = [await withImage(t, secured), await withImage(t, plain)];
    const env = { HTTPS_PROXY: squid.url, http_proxy: squid.host, NO_PROXY: loopbackToo };
    for (const name of [one, two]) {
      const { exitCode, stderr } = await ocictl(t, ['pull', '-q', name], { env });
      assert.equal(exitCode, 0, stderr);
      const copied = await ocictl(t, ['copy', '-q', name, name.replace(/:1$/, ':2').replace('team', 'other')], { env });
      assert.equal(copied.exitCode, 0, copied.stderr);
    }
    const log = await squid.log();
    assert.ok(log.includes(`CONNECT ${secured.host} 200`), log.join('\n'));
    assert.ok(log.some((line) => line.startsWith(`HEAD http://${plain.host}/v2/team/app/manifests/1 200`)));
    assert.ok(log.some((line) => line.startsWith(`PUT http://${plain.host}/v2/other/app/manifests/2 201`)));
  });

  it('shows it the user of the proxy’s address, and says what to do without', async (t) => {
    if (!needs(t, ...programs)) return;
    const [secured, plain] = [await startTlsRegistry(t), await startDockerRegistry(t)];
    const squid = await startSquid(t, {
      tunnelPorts: [secured.port],
      user: { username: 'ada', password: 'p@ss:word' },
    });
    const [one, two] = [await withImage(t, secured), await withImage(t, plain)];
    const through = (proxy: string) => ({ ALL_PROXY: proxy, NO_PROXY: loopbackToo });
    const known = squid.url.replace('//', '//ada:p%40ss%3Aword@');
    for (const name of [one, two]) {
      const { exitCode, stderr } = await ocictl(t, ['-v', 'pull', '-q', name], { env: through(known) });
      assert.equal(exitCode, 0, stderr);
      assert.doesNotMatch(stderr, /p%40ss|p@ss|proxy-authorization|Basic/i);
      for (const proxy of [squid.url, known.replace('word', 'wrong')]) {
        const refused = await ocictl(t, ['pull', '-q', name], { env: through(proxy) });
        assert.equal(refused.exitCode, 5, refused.stderr);
        assert.match(refused.stderr, /the proxy 127\.0\.0\.1:\d+ \(ALL_PROXY\) .*\(407 Proxy Authentication Required/);
        // The registry in plain http is tried over TLS first, which squid does not allow, so its error is another one.
        if (name === one) assert.match(refused.stderr, /ALL_PROXY, as in http:\/\/user:password@/);
        assert.doesNotMatch(refused.stderr, /ada|p%40ss|p@ss/);
      }
    }
  });

  it('goes where NO_PROXY says without it, and to loopback in any case', async (t) => {
    if (!needs(t, ...programs)) return;
    const [secured, plain] = [await startTlsRegistry(t), await startDockerRegistry(t)];
    const [one, two] = [await withImage(t, secured), await withImage(t, plain)];
    const dead = `http://${await deadAddress()}`;
    for (const [name, noProxy] of [
      [one, `0.0.0.0:${secured.port}`],
      [one, '0.0.0.0/8'],
      [two, ''],
    ] as const) {
      const { exitCode, stderr } = await ocictl(t, ['pull', '-q', name], {
        env: { ALL_PROXY: dead, NO_PROXY: noProxy },
      });
      assert.equal(exitCode, 0, `${noProxy}: ${stderr}`);
    }
    const { exitCode, stderr } = await ocictl(t, ['pull', '-q', one], { env: { ALL_PROXY: dead } });
    assert.equal(exitCode, 5);
    assert.match(stderr, /the proxy 127\.0\.0\.1:\d+ \(ALL_PROXY\) cannot be used: connection refused/);
  });

  it('names the proxy where it refuses or cannot reach a registry, and not the registry', async (t) => {
    if (!needs(t, ...programs)) return;
    const squid = await startSquid(t);
    const env = { ALL_PROXY: squid.url, NO_PROXY: loopbackToo };
    const dead = await deadAddress();
    const refused = await ocictl(t, ['pull', '-q', `${dead.replace('127.0.0.1', '0.0.0.0')}/app`], { env });
    assert.equal(refused.exitCode, 5);
    assert.match(
      refused.stderr,
      /the proxy \S+ \(ALL_PROXY\) refuses to connect \(403 Forbidden, ERR_ACCESS_DENIED 0\)/,
    );
    const lost = await ocictl(t, ['pull', '-q', `${dead}/app`], { env });
    assert.equal(lost.exitCode, 5);
    assert.match(
      lost.stderr,
      /the proxy \S+ \(ALL_PROXY\) cannot reach it \(503 Service Unavailable, ERR_CONNECT_FAIL/,
    );
  });

  it('ends with status 2 for a proxy that is none, and asks nobody', async (t) => {
    const { exitCode, stderr } = await ocictl(t, ['pull', '-q', 'registry.invalid/app'], {
      env: { HTTPS_PROXY: 'socks4://ada:secret@proxy.invalid' },
    });
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, /HTTPS_PROXY names a proxy of the kind "socks4"/);
    assert.doesNotMatch(stderr, /secret/);
  });
});
