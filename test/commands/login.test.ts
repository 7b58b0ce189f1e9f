import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type CommandOptions, ocictl, spawnOcictl } from '../support/command.ts';
import { json, startFakeServer } from '../support/fake-server.ts';
import { ada, basic, startPasswordRegistry, startTokenRegistry } from '../support/login-servers.ts';
import type { RunResult } from '../support/process.ts';
import { needs } from '../support/programs.ts';
import { startServe } from '../support/registries.ts';
import { sandbox } from '../support/sandbox.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const adaAuth = base64(`${ada.username}:${ada.password}`);
const hubKey = 'https://index.docker.io/v1/';

interface ConfigFile {
  readonly auths?: Readonly<Record<string, unknown>>;
}

async function writeConfig(t: TestContext, config: object): Promise<void> {
  await writeFile(join((await sandbox(t)).dockerConfig, 'config.json'), JSON.stringify(config));
}

async function readConfig(t: TestContext): Promise<ConfigFile> {
  return JSON.parse(await readFile(join((await sandbox(t)).dockerConfig, 'config.json'), 'utf8')) as ConfigFile;
}

function logIn(t: TestContext, host: string, options: CommandOptions = {}): Promise<RunResult> {
  const words = ['login', '-u', ada.username, '--password-stdin', host];
  return ocictl(t, words, { input: `${ada.password}\n`, ...options });
}

/** A credential helper that keeps one login in a file. @returns The environment that has it on its PATH. */
async function installHelper(t: TestContext, name: string): Promise<{ PATH: string; file: string }> {
  const { home, env } = await sandbox(t);
  const [bin, file] = [join(home, 'bin'), join(home, 'kept.json')];
  await mkdir(bin, { recursive: true });
  const script = `#!/bin/sh
input=$(cat)
echo "$1 $input" >> '${home}/calls'
case $1 in
  store) printf '%s' "$input" > '${file}' ;;
  get) if [ -f '${file}' ]; then cat '${file}'; else echo 'credentials not found in native keychain'; exit 1; fi ;;
  erase) rm '${file}' ;;
esac
`;
  await writeFile(join(bin, `docker-credential-${name}`), script);
  await chmod(join(bin, `docker-credential-${name}`), 0o755);
  return { PATH: `${bin}:${env['PATH']}`, file };
}

describe('ocictl login', () => {
  it('checks the password, stores it in config.json and says what docker says', async (t) => {
    const registry = await startPasswordRegistry(t);
    await writeConfig(t, { psFormat: 'kept', auths: { other: { auth: base64('b:c') } } });
    const { exitCode, stdout, stderr } = await logIn(t, registry.host);
    assert.deepEqual([exitCode, stdout], [0, 'Login Succeeded\n'], stderr);
    const { dockerConfig } = await sandbox(t);
    assert.deepEqual(stderr.split('\n').slice(0, 2), [
      `WARNING! Your password will be stored unencrypted in ${dockerConfig}/config.json.`,
      'Configure a credential helper to remove this warning. See',
    ]);
    assert.deepEqual(await readConfig(t), {
      psFormat: 'kept',
      auths: { other: { auth: base64('b:c') }, [registry.host]: { auth: adaAuth } },
    });
    assert.equal(registry.requests.at(-1)?.headers.authorization, basic(ada));
  });

  it('ends with status 4 when the password is wrong, and stores nothing', async (t) => {
    const registry = await startPasswordRegistry(t);
    const { exitCode, stdout, stderr } = await logIn(t, registry.host, { input: 'wrong password' });
    assert.deepEqual([exitCode, stdout], [4, '']);
    const message = `error: login attempt to http://${registry.host}/v2/ failed with status: 401 Unauthorized: auth`;
    assert.ok(stderr.startsWith(message), stderr);
    assert.doesNotMatch(stderr, /wrong password/);
    assert.deepEqual(await readConfig(t), {});
  });

  it('stores the identity token in place of the password, without a warning, and pulls with it', async (t) => {
    const { registry, tokens } = await startTokenRegistry(t);
    const { exitCode, stderr } = await logIn(t, registry.host);
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.deepEqual(await readConfig(t), {
      auths: { [registry.host]: { auth: base64('ada:'), identitytoken: 'identity-1' } },
    });
    await ocictl(t, ['pull', '-q', `${registry.host}/app:1`]);
    assert.equal(tokens.lines.at(-1), 'POST /token');
    assert.doesNotMatch(JSON.stringify(registry.requests), /identity-1|correct horse/);
  });

  it('tells as JSON what was stored where', async (t) => {
    const registry = await startPasswordRegistry(t);
    const words = ['login', '--json', '-u', ada.username, '--password-stdin', registry.host];
    const { stdout } = await ocictl(t, words, { input: ada.password });
    const { dockerConfig } = await sandbox(t);
    assert.deepEqual(JSON.parse(stdout), {
      server: registry.host,
      username: 'ada',
      verified: true,
      stored: { what: 'password', kind: 'file', file: `${dockerConfig}/config.json` },
    });
    const failed = await ocictl(t, words, { input: 'wrong' });
    assert.deepEqual([failed.exitCode, failed.stdout], [4, '']);
    assert.match(failed.stderr.trimEnd().split('\n').at(-1) ?? '', /^\{"error":\{"code":"UNAUTHORIZED"/);
  });

  it('stores under the host, whatever URL it was given', async (t) => {
    const registry = await startPasswordRegistry(t);
    assert.equal((await logIn(t, `${registry.url}v2/`)).exitCode, 0);
    assert.deepEqual(Object.keys((await readConfig(t)).auths ?? {}), [registry.host]);
  });

  it('says when a registry could not check anything', async (t) => {
    const registry = await startServe(t);
    const { exitCode, stdout, stderr } = await logIn(t, registry.host);
    assert.deepEqual([exitCode, stdout], [0, 'Login Succeeded\n']);
    assert.match(stderr, /asks nobody to log in: the credentials could not be checked/);
  });

  it('ends with status 5 where nobody answers, and stores nothing', async (t) => {
    const { exitCode } = await logIn(t, '127.0.0.1:1');
    assert.equal(exitCode, 5);
    assert.deepEqual(await readConfig(t), {});
  });

  it('leaves a broken config.json alone', async (t) => {
    const { dockerConfig } = await sandbox(t);
    await writeFile(join(dockerConfig, 'config.json'), '{"auths": {');
    const { exitCode, stderr } = await logIn(t, '127.0.0.1:1');
    assert.equal(exitCode, 2);
    assert.match(stderr, /config\.json:1/);
    assert.equal(await readFile(join(dockerConfig, 'config.json'), 'utf8'), '{"auths": {');
  });

  it('shows the credentials to no other host', async (t) => {
    const elsewhere = await startPasswordRegistry(t);
    const registry = await startFakeServer(t, ({ headers, path }, response) => {
      if (headers.authorization === basic(ada)) json(response, 200, {});
      else if (path === '/v2/') response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
      else response.writeHead(307, { location: `${elsewhere.url}v2/` }).end();
    });
    assert.equal((await logIn(t, registry.host)).exitCode, 0);
    await ocictl(t, ['pull', '-q', `${elsewhere.host}/app:1`]);
    assert.ok(elsewhere.requests.length > 0);
    assert.ok(elsewhere.requests.every(({ headers }) => headers.authorization === undefined));
  });
});

describe('ocictl login with words that do not do', () => {
  const host = '127.0.0.1:1';
  for (const [words, input, message] of [
    [
      ['-u', 'a', '-p', 'b', '--password-stdin'],
      '',
      'conflicting options: cannot specify both --password and --password-stdin',
    ],
    [['--password-stdin'], 'x', 'the --password-stdin option requires --username to be set'],
    [['-u', '', '--password-stdin'], 'x', 'username is empty'],
    [['-u', 'a', '--password-stdin'], '\n', 'password is empty'],
    [['-u', 'a', '-p', ''], '', 'password is empty'],
    [['-u', 'a\nb', '--password-stdin'], 'x', 'the username holds a line break or a NUL character'],
    [['-u', 'a:b', '--password-stdin'], 'x', 'a username cannot hold a colon'],
    [['-u', 'a', '--password-stdin'], 'x\0', 'the password holds a NUL character'],
    [['-u', 'a', '--password-stdin'], 'x\n\n', 'the password holds a line break'],
    [['-u', 'a'], '', 'cannot perform an interactive login from a non-TTY device'],
    [[], '', 'cannot perform an interactive login from a non-TTY device'],
  ] as const) {
    it(`says ${JSON.stringify(message)} to ${JSON.stringify(words)} and ${JSON.stringify(input)}`, async (t) => {
      const { exitCode, stdout, stderr } = await ocictl(t, ['login', ...words, host], { input });
      assert.deepEqual([exitCode, stdout], [2, ''], stderr);
      assert.ok(stderr.includes(`error: ${message}\n`), stderr);
      assert.deepEqual(await readConfig(t), {});
    });
  }

  it('warns of a password among the words', async (t) => {
    const registry = await startPasswordRegistry(t);
    const { exitCode, stderr } = await ocictl(t, ['login', '-u', 'ada', '-p', ada.password, registry.host]);
    assert.equal(exitCode, 0);
    const [first] = stderr.split('\n');
    assert.equal(first, 'WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
  });

  it('takes a JSON key of several lines for a password', async (t) => {
    const key = JSON.stringify({ type: 'service_account', private_key: '-----BEGIN-----\n…' }, null, 2);
    const registry = await startPasswordRegistry(t, { username: '_json_key', password: key });
    const words = ['login', '-u', '_json_key', '--password-stdin', registry.host];
    const { exitCode, stderr } = await ocictl(t, words, { input: `${key}\n` });
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual((await readConfig(t)).auths, { [registry.host]: { auth: base64(`_json_key:${key}`) } });
  });
});

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
    it(`ends with status 4 when ${what} has expired and nobody can be asked`, async (t) => {
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

  it('refuses what is no server', async (t) => {
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

  it('asks anew when what is stored has expired, and proposes its user', async (t) => {
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

  it('ends with status 130 on Ctrl-C, and leaves the terminal as it was', async (t) => {
    if (!needs(t, 'script', 'stty')) return;
    const { env, home } = await sandbox(t);
    const registry = await startPasswordRegistry(t);
    const before = `${home}/before`;
    const after = `${home}/after`;
    const { start } = await import('../support/process.ts');
    const { projectRoot } = await import('../support/project.ts');
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
