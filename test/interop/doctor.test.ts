import assert from 'node:assert/strict';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { doctor, writeDaemonJson, writeDockerConfig } from '../support/doctor.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { startTestProxy } from '../support/network/proxies.ts';
import { type DockerRegistryOptions, makeCertificates, needs, startDockerRegistry } from '../support/programs.ts';
import { startServe } from '../support/registries.ts';
import { openRemote } from '../support/remotes.ts';
import { sandbox } from '../support/sandbox.ts';

const repo = parseRepositoryName('app');

async function registryWithImage(t: TestContext, options: DockerRegistryOptions = {}) {
  const registry = await startDockerRegistry(t, options);
  const image = await buildImage({ layers: [{ files: { hello: 'world\n' } }] });
  if (!options.tls && !options.htpasswd) await pushImage(openRemote(t, registry.url), repo, parseTag('1'), image);
  return registry;
}

/** On Linux, 0.0.0.0 reaches loopback, but no rule makes it insecure. */
function secureName(host: string): string {
  return host.replace('127.0.0.1', '0.0.0.0');
}

describe('ocictl doctor with a reference', () => {
  it('says that a pull would work, and from where', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { host } = await registryWithImage(t);
    const found = await doctor(t, [`${host}/app:1`]);
    assert.equal(found.exitCode, 0);
    assert.match(found.find('pull')[0]?.text ?? '', /^would work for linux\/\w+/);
    assert.deepEqual(
      found.find('ping').map(({ status }) => status),
      ['ok'],
    );
    assert.equal(found.find('clock')[0]?.status, 'ok');
    const { stdout } = await ocictl(t, ['images', '-q']);
    assert.equal(stdout, '', 'nothing was stored');
  });

  it('prints a list for people', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { host } = await registryWithImage(t);
    const { stdout, exitCode } = await ocictl(t, ['doctor', `${host}/app:1`]);
    assert.equal(exitCode, 0);
    assert.match(stdout, new RegExp(`^ok {7}reference {5}registry ${host}, repository app, tag 1$`, 'm'));
    assert.match(stdout, new RegExp(`^http://${host}$`, 'm'));
    assert.match(stdout, /^ok {7}image {9}sha256:[0-9a-f]{64}$/m);
    assert.match(stdout, /^ok {7}pull {10}would work/m);
  });

  it('ends with the status of the pull where the tag is not there', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { host } = await registryWithImage(t);
    const found = await doctor(t, [`${host}/app:none`]);
    assert.equal(found.exitCode, 3);
    assert.equal(found.find('ping').at(-1)?.status, 'ok');
    assert.equal(found.find('image').at(-1)?.status, 'problem');
    assert.match(found.find('pull')[0]?.text ?? '', /^would fail: manifest for .* not found/);
  });

  it('names the authority that is missing, and what the server showed', async (t) => {
    if (!needs(t, 'docker-registry', 'openssl')) return;
    const { certificate, key, authority } = await makeCertificates(t, { days: 60 });
    const registry = await startDockerRegistry(t, { tls: { certificate, key } });
    const host = secureName(registry.host);
    const before = await doctor(t, [`${host}/app:1`]);
    assert.equal(before.exitCode, 5);
    const [tls] = before.find('tls');
    assert.equal(tls?.status, 'problem');
    assert.match(
      tls?.text ?? '',
      /unknown authority .*certificate of 127\.0\.0\.1 for .*0\.0\.0\.0.*, by Test Authority, until 20/,
    );
    assert.match(tls?.advice ?? '', new RegExp(`certs\\.d/${host}/ca\\.crt`));
    const directory = join((await sandbox(t)).certsDir, host);
    await mkdir(directory);
    await copyFile(authority, join(directory, 'ca.crt'));
    const elsewhere = await doctor(t, ['--certs-dir', join((await sandbox(t)).home, 'none'), `${host}/app:1`]);
    assert.equal(elsewhere.exitCode, 5, '--certs-dir comes before the variable');
    const after = await doctor(t, [`${host}/app:1`]);
    assert.equal(after.exitCode, 3, 'nothing was pushed there');
    assert.equal(after.find('tls')[0]?.status, 'ok');
    assert.equal(after.find('certificates')[0]?.text, `${host}: ca.crt in ${directory}`);
  });

  it('names a wrong authority in the directory', async (t) => {
    if (!needs(t, 'docker-registry', 'openssl')) return;
    const { certificate, key } = await makeCertificates(t);
    const other = await makeCertificates(t);
    const registry = await startDockerRegistry(t, { tls: { certificate, key } });
    const host = secureName(registry.host);
    const directory = join((await sandbox(t)).certsDir, host);
    await mkdir(directory);
    await copyFile(other.authority, join(directory, 'ca.crt'));
    const found = await doctor(t, [`${host}/app:1`]);
    assert.equal(found.exitCode, 5);
    assert.equal(found.find('certificates')[0]?.text, `${host}: ca.crt in ${directory}`);
    assert.equal(found.find('tls')[0]?.status, 'problem');
  });

  it('names an expired certificate', async (t) => {
    if (!needs(t, 'docker-registry', 'openssl')) return;
    const { certificate, key, authority } = await makeCertificates(t, { days: -1 });
    const registry = await startDockerRegistry(t, { tls: { certificate, key } });
    const host = secureName(registry.host);
    const directory = join((await sandbox(t)).certsDir, host);
    await mkdir(directory);
    await copyFile(authority, join(directory, 'ca.crt'));
    const found = await doctor(t, [`${host}/app:1`]);
    assert.equal(found.exitCode, 5);
    assert.match(found.find('tls')[0]?.text ?? '', /its certificate has expired/);
  });

  it('names a registry that speaks plain http where TLS is expected', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const registry = await registryWithImage(t);
    const host = secureName(registry.host);
    const found = await doctor(t, [`${host}/app:1`]);
    assert.equal(found.exitCode, 5);
    assert.match(found.find('tls')[0]?.text ?? '', /plain http, not TLS/);
    assert.match(found.find('tls')[0]?.advice ?? '', /insecure/);
    const allowed = await doctor(t, ['--insecure-registry', host, `${host}/app:1`]);
    assert.equal(allowed.exitCode, 0);
    assert.match(allowed.find('endpoint')[0]?.text ?? '', /insecure by .* \(--insecure-registry\)/);
  });

  it('names a mirror that is not there, and goes on', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const registry = await startDockerRegistry(t);
    const image = await buildImage({ layers: [{ files: { hello: 'world\n' } }] });
    await pushImage(openRemote(t, registry.url), parseRepositoryName('library/app'), parseTag('1'), image);
    await writeDaemonJson(t, { 'registry-mirrors': ['http://127.0.0.1:1', registry.url] });
    const found = await doctor(t, ['app:1']);
    assert.equal(found.exitCode, 0);
    const [first] = found.find('ping');
    assert.deepEqual([first?.endpoint, first?.status], ['http://127.0.0.1:1', 'problem']);
    assert.match(first?.text ?? '', /connection refused/);
    assert.match(found.find('pull')[0]?.text ?? '', new RegExp(`from ${registry.host}$`));
    const { daemonJson: file } = await sandbox(t);
    assert.match(found.find('endpoint')[0]?.text ?? '', new RegExp(`^mirror; set by ${file}:1`));
  });

  it('sends whom a registry fails to its log, and does not doubt that there is one', async (t) => {
    const proxy = await startFaultProxy(t, (await startServe(t)).url);
    proxy.fail({ path: /./, status: 500 });
    const found = await doctor(t, [`${proxy.host}/app:1`]);
    assert.equal(found.exitCode, 5);
    const ping = found.find('ping').find(({ text }) => /^answered 500 /.test(text));
    assert.equal(ping?.advice, 'its own log says why');
  });

  it('names a helper that is missing', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { host } = await registryWithImage(t);
    await writeDockerConfig(t, { credsStore: 'nowhere' });
    const found = await doctor(t, [`${host}/app:1`]);
    assert.equal(found.exitCode, 0, 'the image is public');
    const warnings = found.find('credentials').filter(({ status }) => status === 'warning');
    assert.match(warnings[0]?.text ?? '', /docker-credential-nowhere is not on PATH/);
  });

  it('names where stale credentials are kept', async (t) => {
    if (!needs(t, 'docker-registry', 'htpasswd')) return;
    const { host } = await startDockerRegistry(t, { htpasswd: { username: 'ada', password: 'correct' } });
    await writeDockerConfig(t, { auths: { [host]: { auth: Buffer.from('ada:wrong').toString('base64') } } });
    const found = await doctor(t, [`${host}/app:1`]);
    assert.equal(found.exitCode, 4);
    assert.match(found.find('credentials')[0]?.text ?? '', /^ada, by password, from .*config\.json/);
    assert.match(found.find('image').at(-1)?.advice ?? '', /config\.json/);
    const { stdout, stderr } = await ocictl(t, ['doctor', `${host}/app:1`]);
    assert.doesNotMatch(stdout + stderr, /wrong|YWRh/);
  });

  it('names the proxy, and entries of NO_PROXY that miss', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const registry = await registryWithImage(t);
    const proxy = await startTestProxy(t, { to: registry.host });
    const host = 'app.registry.test:5000';
    const env = {
      HTTP_PROXY: `http://ada:secret@${proxy.host}`,
      NO_PROXY: `other.test,registry.test:443,http://${host}`,
    };
    const found = await doctor(t, ['--insecure-registry', host, `${host}/app:1`], {
      ...env,
      HTTPS_PROXY: env.HTTP_PROXY,
    });
    const [used, ...warnings] = found.find('proxy').filter(({ endpoint }) => endpoint === `http://${host}`);
    assert.equal(used?.text, `${proxy.host}, set by HTTP_PROXY`);
    assert.deepEqual(
      warnings.map(({ text }) => text),
      [
        `NO_PROXY has "registry.test:443", which does not cover ${host}: the port is 5000`,
        `NO_PROXY has "http://${host}", which does not cover ${host}: an entry has no scheme`,
      ],
    );
    assert.equal(found.exitCode, 0);
    const direct = await doctor(t, ['--insecure-registry', host, `${host}/app:1`], {
      ...env,
      NO_PROXY: 'registry.test',
    });
    assert.equal(direct.exitCode, 5);
    assert.equal(direct.find('proxy').at(-1)?.text, 'none: NO_PROXY has "registry.test"');
  });

  it('names a clock that is wrong, and a rate limit that is nearly used up', async (t) => {
    const image = await buildImage({ layers: [{ files: { hello: 'world\n' } }] });
    const { registry, url } = await startServe(t);
    await pushImage(registry, repo, parseTag('1'), image);
    const proxy = await startFaultProxy(t, url);
    const headers = {
      date: new Date(Date.now() + 300_000).toUTCString(),
      'ratelimit-limit': '100;w=21600',
      'ratelimit-remaining': '3;w=21600',
    };
    proxy.fail({ headers });
    const found = await doctor(t, [`${proxy.host}/app:1`]);
    assert.equal(found.exitCode, 0);
    const [clock] = found.find('clock');
    assert.equal(clock?.status, 'warning');
    assert.match(clock?.text ?? '', /^this machine is (?:2\d\d|300) s behind the registry$/);
    const [limit] = found.find('rate limit');
    assert.deepEqual([limit?.status, limit?.text], ['warning', '3 of 100 in 6 h left']);
  });

  it('names the rule that blocks', async (t) => {
    const { home } = await sandbox(t);
    const file = join(home, 'registries.conf');
    await writeFile(file, '[[registry]]\nprefix = "registry.test/secret"\nblocked = true\n');
    const found = await doctor(t, ['registry.test/secret/app'], { CONTAINERS_REGISTRIES_CONF: file });
    assert.equal(found.exitCode, 4);
    const [blocked] = found.find('endpoint');
    assert.equal(blocked?.status, 'problem');
    assert.match(
      blocked?.text ?? '',
      new RegExp(`is blocked by the rule for "registry\\.test/secret" \\(${file}:\\d\\)`),
    );
  });

  it('refuses what is no reference before anything is asked', async (t) => {
    const { exitCode, stdout } = await ocictl(t, ['doctor', 'Not:A:Reference']);
    assert.deepEqual([exitCode, stdout], [2, '']);
  });
});
