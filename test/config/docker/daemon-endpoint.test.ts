import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseDaemonAddress } from '../../../src/config/docker/daemon-address.ts';
import { findDaemon } from '../../../src/config/docker/daemon-endpoint.ts';
import { environment } from '../../../src/config/environment.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

const origin = { kind: 'environment', name: 'DOCKER_HOST' } as const;

const find = (env: Readonly<Record<string, string>>, configDir?: string, platform: NodeJS.Platform = 'linux') =>
  findDaemon(environment({ env, platform }), configDir);

/** Writes a context as `docker context create` does. */
async function writeContext(
  configDir: string,
  name: string,
  endpoint: unknown,
  files: Readonly<Record<string, string>> = {},
) {
  const id = createHash('sha256').update(name).digest('hex');
  const [meta, tls] = [join(configDir, 'contexts/meta', id), join(configDir, 'contexts/tls', id, 'docker')];
  await mkdir(meta, { recursive: true });
  await writeFile(join(meta, 'meta.json'), JSON.stringify({ Name: name, Endpoints: { docker: endpoint } }));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(tls, { recursive: true });
    await writeFile(join(tls, file), text);
  }
}

async function configured(t: TestContext, config: unknown = {}): Promise<string> {
  const directory = await temporaryDirectory(t);
  await writeFile(join(directory, 'config.json'), JSON.stringify(config));
  return directory;
}

describe('the address of a Docker daemon', () => {
  const socket = (path: string) => ({ kind: 'socket', path });
  const tcp = (host: string, port: number, prefix = '') => ({ kind: 'tcp', host, port, prefix });
  for (const [text, address] of [
    ['unix:///run/user/1000/docker.sock', socket('/run/user/1000/docker.sock')],
    ['unix://', socket('/var/run/docker.sock')],
    ['npipe:////./pipe/docker_engine', socket('\\\\.\\pipe\\docker_engine')],
    ['tcp://example.com', tcp('example.com', 2375)],
    ['tcp://', tcp('localhost', 2375)],
    ['tcp://:4243', tcp('localhost', 4243)],
    ['tcp://[::1]:4243', tcp('::1', 4243)],
    ['tcp://example.com:443/docker/', tcp('example.com', 443, '/docker')],
    ['127.0.0.1:4243', tcp('127.0.0.1', 4243)],
  ] as const) {
    it(`is read from ${text}`, () => assert.deepEqual(parseDaemonAddress(text, { origin, tls: false }), address));
  }

  for (const text of [
    'foo://x',
    'http://127.0.0.1:1',
    'fd://',
    'tcp://x:99999',
    'tcp://x:0',
    'tcp://u:p@x',
    'tcp://a b',
    'x?y',
  ]) {
    it(`is not ${text}`, () => {
      assert.throws(() => parseDaemonAddress(text, { origin, tls: false }), {
        code: 'CONFIG_INVALID',
        message: /^DOCKER_HOST: /,
      });
    });
  }

  it('is refused over ssh, with the way to do it', () => {
    assert.throws(() => parseDaemonAddress('ssh://ada@far', { origin, tls: false }), {
      code: 'UNSUPPORTED',
      hint: /ssh -nNT -L .* ada@far, and set DOCKER_HOST/,
    });
  });
});

describe('the Docker daemon', () => {
  it('is that of DOCKER_HOST, then of DOCKER_CONTEXT, then of config.json, then the default', async (t) => {
    const directory = await configured(t, { currentContext: 'saved' });
    await writeContext(directory, 'saved', { Host: 'unix:///saved.sock' });
    await writeContext(directory, 'named', { Host: 'unix:///named.sock' });
    const hostOf = async (env: Readonly<Record<string, string>>) => (await find(env, directory)).host;
    assert.equal(await hostOf({ DOCKER_HOST: 'unix:///host.sock', DOCKER_CONTEXT: 'named' }), 'unix:///host.sock');
    assert.equal(await hostOf({ DOCKER_CONTEXT: 'named' }), 'unix:///named.sock');
    assert.equal(await hostOf({}), 'unix:///saved.sock');
    assert.equal(await hostOf({ DOCKER_CONTEXT: 'default' }), 'unix:///var/run/docker.sock');
    assert.equal((await find({})).host, 'unix:///var/run/docker.sock');
    assert.equal((await find({}, await configured(t))).host, 'unix:///var/run/docker.sock');
    assert.equal((await find({}, undefined, 'win32')).host, 'npipe:////./pipe/docker_engine');
  });

  it('is reached over TLS as the variables say', async (t) => {
    const directory = await configured(t);
    for (const name of ['ca', 'cert', 'key']) await writeFile(join(directory, `${name}.pem`), name);
    const host = { DOCKER_HOST: 'tcp://example.com' };
    const files = { ca: 'ca', cert: 'cert', key: 'key' };
    assert.equal((await find(host, directory)).tls, undefined);
    const verified = await find({ ...host, DOCKER_TLS_VERIFY: '1' }, directory);
    assert.deepEqual(verified.tls, { verify: true, ...files });
    assert.deepEqual(verified.address, { kind: 'tcp', host: 'example.com', port: 2376, prefix: '' });
    assert.deepEqual((await find({ ...host, DOCKER_TLS: '1', DOCKER_CERT_PATH: directory })).tls, {
      verify: false,
      ...files,
    });
    const none = await find({ ...host, DOCKER_TLS_VERIFY: '1' });
    assert.deepEqual(none.tls, { verify: true, ca: undefined, cert: undefined, key: undefined });
  });

  it('has the certificates of its context', async (t) => {
    const directory = await configured(t);
    await writeContext(directory, 'far', { Host: 'tcp://far', SkipTLSVerify: false }, { 'ca.pem': 'ca' });
    await writeContext(directory, 'lax', { Host: 'tcp://lax:1', SkipTLSVerify: true });
    const far = await find({ DOCKER_CONTEXT: 'far' }, directory);
    assert.deepEqual(far.tls, { verify: true, ca: 'ca', cert: undefined, key: undefined });
    assert.deepEqual(far.address, { kind: 'tcp', host: 'far', port: 2376, prefix: '' });
    assert.equal((await find({ DOCKER_CONTEXT: 'lax' }, directory)).tls?.verify, false);
  });

  it('is an error where the context is not there, or names none', async (t) => {
    const directory = await configured(t, { currentContext: 'gone' });
    await assert.rejects(find({}, directory), {
      code: 'CONFIG_INVALID',
      message: /config\.json.*no Docker context "gone"/,
    });
    await assert.rejects(find({ DOCKER_CONTEXT: '../../x' }, directory), { message: /^DOCKER_CONTEXT: there is no/ });
    await writeContext(directory, 'empty', {});
    await assert.rejects(find({ DOCKER_CONTEXT: 'empty' }, directory), { message: /names no Docker daemon/ });
    await writeContext(directory, 'kube', undefined);
    await assert.rejects(find({ DOCKER_CONTEXT: 'kube' }, directory), { code: 'CONFIG_INVALID' });
  });
});
