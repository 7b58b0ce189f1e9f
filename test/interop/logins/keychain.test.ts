import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { ada, startTokenRegistry } from '../../support/login-servers.ts';
import { lockKeyring, needsKeychain, startKeyring } from '../../support/logins/keyrings.ts';
import { start } from '../../support/process.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';

type Env = Readonly<Record<string, string>>;

async function readConfig(t: TestContext): Promise<string> {
  return readFile(join((await sandbox(t)).dockerConfig, 'config.json'), 'utf8');
}

function logIn(t: TestContext, host: string, env: Env, ...words: string[]) {
  return ocictl(t, ['login', '-u', ada.username, '--password-stdin', ...words, host], { input: ada.password, env });
}

/** Calls our helper as docker does. */
async function call(t: TestContext, env: Env, action: string, input = '') {
  const { env: base } = await sandbox(t);
  return start(t, 'docker-credential-ocictl', [action], { env: { ...base, ...env }, input }).result;
}

describe('ocictl login with a keychain', () => {
  it('keeps the password there by itself, in no file, and uses and forgets it', async (t) => {
    if (!needsKeychain(t) || !needs(t, 'docker-registry', 'htpasswd')) return;
    const env = await startKeyring(t);
    const registry = await startDockerRegistry(t, { htpasswd: ada });
    const login = await logIn(t, registry.host, env);
    assert.deepEqual([login.exitCode, login.stdout, login.stderr], [0, 'Login Succeeded\n', '']);
    assert.deepEqual(JSON.parse(await readConfig(t)), { credHelpers: { [registry.host]: 'ocictl' } });
    const again = await ocictl(t, ['login', registry.host], { env });
    assert.equal(again.stdout, 'Login Succeeded\n', again.stderr);

    const layout = await temporaryDirectory(t);
    await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
    const name = `${registry.host}/team/app:1`;
    const pushed = await ocictl(t, ['copy', '-q', `oci:${layout}:1`, name], { env });
    assert.equal(pushed.exitCode, 0, pushed.stderr);
    assert.equal((await ocictl(t, ['pull', '-q', name], { env })).exitCode, 0);
    assert.match((await ocictl(t, ['whoami'], { env })).stdout, /ada +password +docker-credential-ocictl/);

    const logout = await ocictl(t, ['logout', registry.host], { env });
    assert.deepEqual([logout.exitCode, logout.stderr], [0, '']);
    assert.deepEqual(JSON.parse(await readConfig(t)), {});
    assert.equal((await call(t, env, 'list')).stdout.trim(), '{}');
    assert.equal((await ocictl(t, ['pull', '-q', name], { env })).exitCode, 4);
  });

  it('shares it with skopeo and podman, and they theirs with it', async (t) => {
    if (!needsKeychain(t) || !needs(t, 'docker-registry', 'htpasswd', 'skopeo', 'podman')) return;
    const env = await startKeyring(t);
    const registry = await startDockerRegistry(t, { htpasswd: ada });
    await logIn(t, registry.host, env);
    const { env: base, home, dockerConfig } = await sandbox(t);
    const authfile = ['--authfile', join(dockerConfig, 'config.json')];
    const run = (program: string, ...words: string[]) =>
      start(t, program, words, { env: { ...base, ...env }, cwd: home }).result;
    for (const program of ['skopeo', 'podman']) {
      const who = await run(program, 'login', '--get-login', ...authfile, registry.host);
      assert.equal(who.stdout, 'ada\n', who.stderr);
    }
    await ocictl(t, ['logout', registry.host], { env });
    await writeFile(join(dockerConfig, 'config.json'), JSON.stringify({ credHelpers: { [registry.host]: 'ocictl' } }));
    const words = ['--tls-verify=false', '-u', ada.username, '-p', ada.password, registry.host];
    const login = await run('skopeo', 'login', ...authfile, ...words);
    assert.equal(login.exitCode, 0, login.stderr);
    assert.equal((await ocictl(t, ['login', registry.host], { env })).stdout, 'Login Succeeded\n');
  });

  it('keeps identity tokens and namespaces there', async (t) => {
    if (!needsKeychain(t)) return;
    const env = await startKeyring(t);
    const { registry } = await startTokenRegistry(t);
    assert.equal((await logIn(t, `${registry.host}/team`, env, '--store', 'keychain')).exitCode, 0);
    assert.doesNotMatch(await readConfig(t), /identity-1|horse/);
    const { stdout } = await ocictl(t, ['whoami', '--json', `${registry.host}/team/app`], { env });
    assert.equal((JSON.parse(stdout) as { kind: string }).kind, 'identity-token');
    assert.equal((await ocictl(t, ['whoami', `${registry.host}/other`], { env })).exitCode, 4);
  });

  it('leaves Docker’s file without a helper that Docker would not find', async (t) => {
    if (!needsKeychain(t)) return;
    const { DBUS_SESSION_BUS_ADDRESS = '' } = await startKeyring(t);
    const env = { DBUS_SESSION_BUS_ADDRESS };
    const { registry } = await startTokenRegistry(t);
    assert.equal((await logIn(t, registry.host, env)).exitCode, 0);
    assert.deepEqual(JSON.parse(await readConfig(t)), { auths: { [registry.host]: {} } });
    assert.equal((await ocictl(t, ['whoami', registry.host], { env })).exitCode, 0);
    assert.equal((await ocictl(t, ['logout', registry.host], { env })).exitCode, 0);
    assert.deepEqual(JSON.parse(await readConfig(t)), { auths: {} });
  });

  it('says that a keyring may be locked, and keeps a new login elsewhere meanwhile', async (t) => {
    if (!needsKeychain(t)) return;
    const env = await startKeyring(t);
    const { registry } = await startTokenRegistry(t, { identityTokens: false });
    assert.equal((await logIn(t, registry.host, env)).exitCode, 0);
    await lockKeyring(t, env);
    const who = await ocictl(t, ['whoami', registry.host], { env });
    assert.equal(who.exitCode, 4);
    const warning = `warning: the keychain has no login for ${registry.host}, although config.json names it: is its keyring locked?`;
    assert.equal(who.stderr.split('\n')[0], warning);
    const again = await logIn(t, registry.host, env);
    assert.equal(again.exitCode, 2, 'what is configured is kept to');
    assert.match(again.stderr, /Cannot create an item in a locked collection\nhint: unlock the keyring/);
    const other = await logIn(t, `${registry.host}/team`, env, '--no-verify');
    assert.equal(other.exitCode, 2);
    const { registry: second } = await startTokenRegistry(t, { identityTokens: false });
    const kept = await logIn(t, second.host, env);
    assert.deepEqual([kept.exitCode, kept.stdout], [0, 'Login Succeeded\n'], kept.stderr);
    assert.match(
      kept.stderr,
      /locked collection: the login is stored in the file instead\nWARNING! Your password will be stored/,
    );
  });

  it('falls back to the file where a session has no keyring, and says so when one is asked for', async (t) => {
    if (!needsKeychain(t)) return;
    const env = await startKeyring(t, { service: false });
    const { registry } = await startTokenRegistry(t, { identityTokens: false });
    const login = await logIn(t, registry.host, env);
    assert.equal(login.exitCode, 0, login.stderr);
    assert.match(login.stderr, /stored unencrypted/);
    const asked = await logIn(t, registry.host, env, '--store', 'keychain');
    assert.equal(asked.exitCode, 2);
    assert.match(asked.stderr, /docker-credential-ocictl .*failed/);
  });
});

describe('docker-credential-ocictl', () => {
  it('speaks the protocol of Docker’s helpers', async (t) => {
    if (!needsKeychain(t)) return;
    const env = await startKeyring(t);
    const hub = 'https://index.docker.io/v1/';
    const store = (ServerURL: string, Username: string, Secret: string) =>
      call(t, env, 'store', JSON.stringify({ ServerURL, Username, Secret }));
    assert.deepEqual(await store(hub, 'ada', 'pass"word ✓'), { exitCode: 0, signal: null, stdout: '', stderr: '' });
    assert.equal((await store('example.com:5000', '<token>', 'identity')).exitCode, 0);
    const got = await call(t, env, 'get', `${hub}\n`);
    assert.deepEqual(JSON.parse(got.stdout), { ServerURL: hub, Username: 'ada', Secret: 'pass"word ✓' });
    // podman's name for Docker Hub.
    assert.equal((JSON.parse((await call(t, env, 'get', 'docker.io')).stdout) as { Username: string }).Username, 'ada');
    const listed = JSON.parse((await call(t, env, 'list')).stdout) as object;
    assert.deepEqual(listed, { [hub]: 'ada', 'example.com:5000': '<token>' });
    assert.equal((await call(t, env, 'erase', hub)).exitCode, 0);
    const gone = await call(t, env, 'get', hub);
    assert.deepEqual([gone.exitCode, gone.stdout], [1, 'credentials not found in native keychain\n']);
  });

  it('answers what it cannot do with status 1, on standard output, without a secret', async (t) => {
    if (!needsKeychain(t)) return;
    const env = await startKeyring(t);
    for (const [action, input, text] of [
      ['get', '', 'no credentials server URL'],
      ['store', '{"Username":"a","Secret":"hunter2"}', 'no credentials server URL'],
      ['store', '{"ServerURL":"a","Secret":"hunter2"}', 'no credentials username'],
      ['store', 'hunter2', 'no credentials server URL'],
      ['steal', '', 'Usage: docker-credential-ocictl <store|get|erase|list|version>'],
    ] as const) {
      const { exitCode, stdout, stderr } = await call(t, env, action, input);
      assert.deepEqual([exitCode, stdout, stderr], [1, `${text}\n`, '']);
    }
    const outside = await call(t, { ...env, DBUS_SESSION_BUS_ADDRESS: '' }, 'get', 'a');
    assert.deepEqual([outside.exitCode, outside.stdout], [1, 'there is no keychain here: this session has no D-Bus\n']);
  });
});
