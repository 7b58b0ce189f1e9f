import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { ocictl, spawnOcictl } from '../../support/command.ts';
import { ada, startPasswordRegistry, startTokenRegistry } from '../../support/login-servers.ts';
import { start } from '../../support/process.ts';
import { needs } from '../../support/programs.ts';
import { projectRoot } from '../../support/project.ts';
import { sandbox } from '../../support/sandbox.ts';
import { adaAuth, base64, hubKey, installHelper, logIn, readConfig, writeConfig } from './stored-credentials.ts';

describe('ocictl login where something is stored', () => {
  it('tries that first', async (t) => {
    const registry = await startPasswordRegistry(t);
    await writeConfig(t, { auths: { [registry.host]: { auth: adaAuth } } });
    const { exitCode, stdout, stderr } = await ocictl(t, ['login', registry.host]);
    assert.deepEqual(
      [exitCode, stdout, stderr],
      [0, 'Login Succeeded\n', 'Authenticating with existing credentials...\n'],
    );
  });

  it('tries a stored identity token too', async (t) => {
    const { registry } = await startTokenRegistry(t);
    await writeConfig(t, { auths: { [registry.host]: { identitytoken: 'identity-1' } } });
    assert.equal((await ocictl(t, ['login', registry.host])).exitCode, 0);
  });

  for (const [what, entry] of [
    ['a password', { auth: base64('ada:old') }],
    ['an identity token', { identitytoken: 'expired' }],
  ] as const) {
    it(`ends with status 4 when ${what} has expired and there is no terminal`, async (t) => {
      const { registry } = await startTokenRegistry(t);
      await writeConfig(t, { auths: { [registry.host]: entry } });
      const { exitCode, stderr } = await ocictl(t, ['login', registry.host]);
      assert.equal(exitCode, 4);
      assert.match(stderr, /^Authenticating with existing credentials\.\.\.\nStored credentials invalid or expired\n/);
      assert.match(stderr, /hint: .*--password-stdin/);
      assert.deepEqual((await readConfig(t)).auths, { [registry.host]: entry });
    });
  }

  it('warns while DOCKER_AUTH_CONFIG is set', async (t) => {
    const registry = await startPasswordRegistry(t);
    const env = { DOCKER_AUTH_CONFIG: '{"auths":{}}' };
    const login = await logIn(t, registry.host, { env });
    assert.match(login.stderr, /^warning: DOCKER_AUTH_CONFIG is set/);
    const logout = await ocictl(t, ['logout', registry.host], { env });
    assert.match(logout.stderr, /^warning: DOCKER_AUTH_CONFIG is set/);
    assert.equal(logout.exitCode, 0);
  });
});

describe('ocictl login with a credential helper', () => {
  it('keeps the password there, forgets the one in the file, and warns of nothing', async (t) => {
    const registry = await startPasswordRegistry(t);
    await writeConfig(t, { credsStore: 'test', auths: { [registry.host]: { auth: base64('ada:old') } } });
    const { PATH, file } = await installHelper(t, 'test');
    const { exitCode, stderr } = await logIn(t, registry.host, { env: { PATH } });
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), {
      ServerURL: registry.host,
      Username: 'ada',
      Secret: ada.password,
    });
    assert.deepEqual(await readConfig(t), { credsStore: 'test', auths: {} });
    const again = await ocictl(t, ['login', registry.host], { env: { PATH } });
    assert.equal(again.stdout, 'Login Succeeded\n');
    const out = await ocictl(t, ['logout', registry.host], { env: { PATH } });
    assert.deepEqual([out.exitCode, out.stderr], [0, '']);
    await assert.rejects(readFile(file), { code: 'ENOENT' });
  });

  it('keeps an identity token there under the user <token>', async (t) => {
    const { registry } = await startTokenRegistry(t);
    await writeConfig(t, { credHelpers: { [registry.host]: 'test' } });
    const { PATH, file } = await installHelper(t, 'test');
    assert.equal((await logIn(t, registry.host, { env: { PATH } })).exitCode, 0);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), {
      ServerURL: registry.host,
      Username: '<token>',
      Secret: 'identity-1',
    });
  });

  it('says which program is missing', async (t) => {
    const registry = await startPasswordRegistry(t);
    await writeConfig(t, { credsStore: 'missing' });
    const { exitCode, stdout, stderr } = await logIn(t, registry.host);
    assert.deepEqual([exitCode, stdout], [2, '']);
    assert.match(stderr, /docker-credential-missing is not on PATH/);
  });
});

describe('ocictl logout', () => {
  it('names and keeps other logins of the registry if nothing is stored under the name', async (t) => {
    const auths = {
      'example.com/team': { auth: adaAuth },
      'example.com/team/app': { auth: adaAuth },
      'example.community/x': { auth: adaAuth },
    };
    await writeConfig(t, { auths });
    const { exitCode, stderr } = await ocictl(t, ['logout', 'example.com']);
    const told = (name: string) =>
      `nothing is stored for example.com; for ${name} there is a login: ocictl logout ${name}\n`;
    assert.deepEqual([exitCode, stderr], [0, told('example.com/team') + told('example.com/team/app')]);
    assert.deepEqual((await readConfig(t)).auths, auths);
    await writeConfig(t, { auths: { 'example.com': { auth: adaAuth } } });
    const below = await ocictl(t, ['logout', 'example.com/team']);
    assert.match(below.stderr, /^nothing is stored for example.com\/team; for example.com there is a login: /);
    assert.equal((await ocictl(t, ['logout', 'example.com'])).stderr, '');
  });

  it('forgets every key of the host and no other', async (t) => {
    const entry = { auth: adaAuth };
    const hosts = ['example.com', 'https://example.com', 'http://example.com/v1/', 'example.com:5000', hubKey];
    await writeConfig(t, { auths: Object.fromEntries(hosts.map((host) => [host, entry])) });
    const { exitCode, stdout, stderr } = await ocictl(t, ['logout', 'https://example.com/v2/']);
    assert.deepEqual([exitCode, stdout, stderr], [0, 'Removing login credentials for example.com\n', '']);
    assert.deepEqual(Object.keys((await readConfig(t)).auths ?? {}), ['example.com:5000', hubKey]);
  });

  it('forgets Docker Hub where no server is named', async (t) => {
    await writeConfig(t, { auths: { [hubKey]: { auth: adaAuth }, 'docker.io': { auth: adaAuth }, a: {} } });
    const { stdout } = await ocictl(t, ['logout']);
    assert.equal(stdout, `Removing login credentials for ${hubKey}\n`);
    assert.deepEqual(await readConfig(t), { auths: { a: {} } });
  });

  it('does not mind that nothing is stored', async (t) => {
    const first = await ocictl(t, ['logout', 'example.com']);
    assert.deepEqual([first.exitCode, first.stderr], [0, '']);
    const { stdout } = await ocictl(t, ['logout', '--json', 'example.com']);
    assert.deepEqual(JSON.parse(stdout), { server: 'example.com', removed: false });
  });

  it('prints nothing on stdout where the helper fails', async (t) => {
    await writeConfig(t, { credsStore: 'missing' });
    const { exitCode, stdout, stderr } = await ocictl(t, ['logout', 'example.com']);
    assert.deepEqual([exitCode, stdout], [2, '']);
    assert.match(stderr, /docker-credential-missing is not on PATH/);
  });

  it('refuses an invalid server', async (t) => {
    const { exitCode, stderr } = await ocictl(t, ['logout', 'not a host']);
    assert.equal(exitCode, 2);
    assert.match(stderr, /invalid server "not a host"/);
  });
});

describe('ocictl login on a terminal', () => {
  it('asks for user and password, and does not show the password', async (t) => {
    if (!needs(t, 'script')) return;
    const registry = await startPasswordRegistry(t);
    const running = await spawnOcictl(t, ['login', registry.host], { tty: true, typing: true });
    await running.waitFor(/Username: /);
    running.child.stdin?.write('ada\n');
    await running.waitFor(/Password: /);
    running.child.stdin?.write(`${ada.password}\n`);
    const { exitCode, stdout } = await running.result;
    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, /Username: ada\r\nPassword: \r\n/);
    assert.match(stdout, /Login Succeeded\r\n$/);
    assert.doesNotMatch(stdout, /horse/);
  });

  it('asks again if the stored login has expired, and proposes its user', async (t) => {
    if (!needs(t, 'script')) return;
    const registry = await startPasswordRegistry(t);
    await writeConfig(t, { auths: { [registry.host]: { auth: base64('ada:old') } } });
    const running = await spawnOcictl(t, ['login', registry.host], { tty: true, typing: true });
    await running.waitFor(/Stored credentials invalid or expired\r\nUsername \(ada\): /);
    running.child.stdin?.write('\n');
    await running.waitFor(/Password: /);
    running.child.stdin?.write(`${ada.password}\n`);
    assert.equal((await running.result).exitCode, 0);
    assert.deepEqual((await readConfig(t)).auths, { [registry.host]: { auth: adaAuth } });
  });

  it('ends with status 130 on Ctrl-C in place of a user name, and says so on a line of its own', async (t) => {
    if (!needs(t, 'script')) return;
    const registry = await startPasswordRegistry(t);
    const running = await spawnOcictl(t, ['login', registry.host], { tty: true, typing: true });
    await running.waitFor(/Username: /);
    running.child.stdin?.write('ad\u0003');
    const { exitCode, stdout } = await running.result;
    assert.equal(exitCode, 130);
    assert.match(stdout, /^Username: .*\r\nerror: interrupted\r\n$/);
    assert.deepEqual(registry.requests, []);
  });

  it('ends with status 130 on Ctrl-C, and leaves the terminal as it was', async (t) => {
    if (!needs(t, 'script', 'stty')) return;
    const { env, home } = await sandbox(t);
    const registry = await startPasswordRegistry(t);
    const before = `${home}/before`;
    const after = `${home}/after`;
    const program = `'${process.execPath}' '${projectRoot}/bin/ocictl.js' login -u ada ${registry.host}`;
    const line = `stty -a > ${before}; ${program}; echo "status $?"; stty -a > ${after}`;
    const running = start(t, 'script', ['-qefc', line, '/dev/null'], { env: { ...env }, cwd: home, typing: true });
    await running.waitFor(/Password: /);
    running.child.stdin?.write('half\u0003');
    await running.waitFor(/status 130/);
    await running.result;
    assert.equal(await readFile(after, 'utf8'), await readFile(before, 'utf8'));
    assert.deepEqual(registry.requests, []);
  });
});
