import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { ocictl, spawnServe } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { type DockerRegistry, makeCertificates, needs, skopeo, startDockerRegistry } from '../../support/programs.ts';
import { atEnd, sandbox, temporaryDirectory } from '../../support/sandbox.ts';

const exec = promisify(execFile);
const account = { username: 'ada', password: 'correct:horse ✓' };

function logIn(t: TestContext, host: string, password = account.password, env: Readonly<Record<string, string>> = {}) {
  const words = ['login', '-u', account.username, '--password-stdin', host];
  return ocictl(t, words, { input: `${password}\n`, env });
}

async function pushImage(t: TestContext, registry: DockerRegistry, words: readonly string[]): Promise<string> {
  const layout = await temporaryDirectory(t);
  await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
  const name = `${registry.host}/team/app:1`;
  await skopeo(t, ['copy', '-q', '--dest-tls-verify=false', ...words, `oci:${layout}:1`, `docker://${name}`]);
  return name;
}

describe('ocictl login at a docker-registry with passwords', () => {
  it('stores what skopeo, too, reads and is let in with', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo', 'htpasswd')) return;
    const registry = await startDockerRegistry(t, { htpasswd: account });
    const login = await logIn(t, registry.host);
    assert.deepEqual([login.exitCode, login.stdout], [0, 'Login Succeeded\n'], login.stderr);
    const authfile = ['--authfile', join((await sandbox(t)).dockerConfig, 'config.json')];
    const name = await pushImage(t, registry, authfile);
    const inspected = await skopeo(t, ['inspect', '--tls-verify=false', ...authfile, `docker://${name}`]);
    assert.equal((JSON.parse(inspected.stdout) as { Name: string }).Name, `${registry.host}/team/app`);
    const pulled = await ocictl(t, ['pull', '-q', name]);
    assert.deepEqual([pulled.exitCode, pulled.stdout], [0, `${name}\n`], pulled.stderr);

    const logout = await ocictl(t, ['logout', registry.host]);
    assert.equal(logout.stdout, `Removing login credentials for ${registry.host}\n`);
    await assert.rejects(skopeo(t, ['inspect', '--tls-verify=false', ...authfile, `docker://${name}`]), /auth/);
    assert.equal((await ocictl(t, ['pull', '-q', name])).exitCode, 4);
  });

  it('reads what skopeo stores', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo', 'htpasswd')) return;
    const registry = await startDockerRegistry(t, { htpasswd: account });
    const file = join((await sandbox(t)).dockerConfig, 'config.json');
    const words = ['login', '--authfile', file, '--tls-verify=false', '-u', account.username, '-p', account.password];
    await skopeo(t, [...words, registry.host]);
    const { exitCode, stdout, stderr } = await ocictl(t, ['login', registry.host]);
    assert.deepEqual([exitCode, stdout], [0, 'Login Succeeded\n'], stderr);
  });

  it('ends with status 4 for a wrong password, also over TLS', async (t) => {
    if (!needs(t, 'docker-registry', 'htpasswd', 'openssl')) return;
    const { certificate, key } = await makeCertificates(t);
    for (const tls of [undefined, { certificate, key }]) {
      const registry = await startDockerRegistry(t, { htpasswd: account, ...(tls && { tls }) });
      const { exitCode, stdout, stderr } = await logIn(t, registry.host, 'wrong');
      assert.deepEqual([exitCode, stdout], [4, '']);
      assert.ok(stderr.includes(`login attempt to ${registry.url}/v2/ failed with status: 401 Unauthorized`), stderr);
      assert.equal((await logIn(t, registry.host)).exitCode, 0);
    }
  });

  it('searches it through its catalog', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo', 'htpasswd')) return;
    const registry = await startDockerRegistry(t, { htpasswd: account });
    await pushImage(t, registry, ['--dest-creds', `${account.username}:${account.password}`]);
    const words = ['search', '--format', '{{.Name}}', `${registry.host}/app`];
    assert.equal((await ocictl(t, words)).exitCode, 4);
    await logIn(t, registry.host);
    const { stdout, stderr } = await ocictl(t, words);
    assert.equal(stdout, 'team/app\n', stderr);
    assert.match(stderr, /has no search/);
  });
});

describe('ocictl login with docker-credential-pass', () => {
  it('keeps the password in pass, uses it, and forgets it', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo', 'htpasswd', 'docker-credential-pass', 'pass', 'gpg')) return;
    const registry = await startDockerRegistry(t, { htpasswd: account });
    const env = await initPass(t);
    const { dockerConfig, env: base } = await sandbox(t);
    const file = join(dockerConfig, 'config.json');
    await writeFile(file, JSON.stringify({ credsStore: 'pass' }));
    const name = await pushImage(t, registry, ['--dest-creds', `${account.username}:${account.password}`]);

    const login = await logIn(t, registry.host, account.password, env);
    assert.deepEqual([login.exitCode, login.stderr], [0, '']);
    assert.doesNotMatch(await readFile(file, 'utf8'), /auth/);
    const listed = await exec('docker-credential-pass', ['list'], { env: { ...base, ...env } });
    assert.deepEqual(JSON.parse(listed.stdout), { [registry.host]: account.username });

    const pulled = await ocictl(t, ['pull', '-q', name], { env });
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    assert.equal((await ocictl(t, ['login', registry.host], { env })).stdout, 'Login Succeeded\n');

    const logout = await ocictl(t, ['logout', registry.host], { env });
    assert.deepEqual([logout.exitCode, logout.stderr], [0, '']);
    assert.equal((await exec('docker-credential-pass', ['list'], { env: { ...base, ...env } })).stdout.trim(), '{}');
    assert.equal((await ocictl(t, ['logout', registry.host], { env })).exitCode, 0);
  });

  it('names the cause when pass was never set up', async (t) => {
    if (!needs(t, 'docker-registry', 'htpasswd', 'docker-credential-pass', 'pass')) return;
    const registry = await startDockerRegistry(t, { htpasswd: account });
    const { dockerConfig } = await sandbox(t);
    await writeFile(join(dockerConfig, 'config.json'), JSON.stringify({ credsStore: 'pass' }));
    const { exitCode, stderr } = await logIn(t, registry.host);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, /docker-credential-pass .*pass/);
  });
});

describe('docker search', () => {
  it('finds what ocictl serve serves', async (t) => {
    if (!needs(t, 'docker', 'dockerd', 'skopeo')) return;
    const server = await spawnServe(t, ['--memory']);
    const layout = await temporaryDirectory(t);
    await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
    for (const name of ['app', 'team/app', 'other']) {
      await skopeo(t, [
        'copy',
        '-q',
        '--dest-tls-verify=false',
        `oci:${layout}:1`,
        `docker://${server.host}/${name}:1`,
      ]);
    }
    const words = ['search', '--format', '{{.Name}}', `${server.host}/app`];
    const { stdout } = await exec('docker', words, { env: { ...(await sandbox(t)).env, ...(await startDocker(t)) } });
    assert.equal(stdout, 'app\nteam/app\n');
    assert.equal((await ocictl(t, words)).stdout, stdout);
  });
});

/** A password store with a key without a passphrase. @returns The environment for programs that use it. */
async function initPass(t: TestContext): Promise<Readonly<Record<string, string>>> {
  const { home, env } = await sandbox(t);
  // It contains gpg-agent's socket, and a socket's path must be short.
  const keys = join(home, 'g');
  await mkdir(keys, { mode: 0o700 });
  const own = { GNUPGHOME: keys, PASSWORD_STORE_DIR: join(home, 'pass') };
  const options = { env: { ...env, ...own } };
  atEnd(t, () => exec('gpgconf', ['--kill', 'gpg-agent'], options).catch(() => {}));
  const user = 'test@example.com';
  await exec(
    'gpg',
    ['--batch', '--passphrase', '', '--quick-generate-key', user, 'default', 'default', 'never'],
    options,
  );
  await exec('pass', ['init', user], options);
  return own;
}
