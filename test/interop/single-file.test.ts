import assert from 'node:assert/strict';
import { copyFile, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { ocictl } from '../support/command.ts';
import { buildImage } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { ada, startTokenRegistry } from '../support/login-servers.ts';
import { needsKeychain, startKeyring } from '../support/logins/keyrings.ts';
import { type RunOptions, type RunResult, start } from '../support/process.ts';
import { findProgram, needs } from '../support/programs.ts';
import { projectRoot } from '../support/project.ts';
import { type Scope, sandbox, temporaryDirectory } from '../support/sandbox.ts';

const timeoutMs = 600_000;
const isHere = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
/** What the libraries of Node's own builds are called: all that the file needs of a system. */
const libraries = /\/(?:ld-linux[\w-]*\.so\.\d|lib(?:c|m|dl|pthread|stdc\+\+|gcc_s)\.so\.\d)/;

describe('the single file without Node', { skip: !isHere && 'is made for Linux on x64 and arm64' }, () => {
  const endings: (() => unknown)[] = [];
  const scope = { after: (end: () => unknown) => void endings.push(end) } as Scope;
  let program: string;

  before(async () => {
    const folder = await temporaryDirectory(scope);
    const made = await run(scope, process.execPath, [join(projectRoot, 'scripts', 'binary.mjs'), '--out', folder], {
      // npm has its own settings and cache there.
      env: process.env as Record<string, string>,
    });
    assert.equal(made.exitCode, 0, made.stderr);
    program = made.stdout.trim();
  });

  after(async () => {
    for (const end of endings) await end();
  });

  async function run(t: Scope, file: string, words: readonly string[], options: Partial<RunOptions> = {}) {
    const { env, home } = await sandbox(t);
    return start(t, file, words, { cwd: home, timeoutMs, ...options, env: { ...env, ...options.env } }).result;
  }

  /** A root directory that holds the file, the libraries that it is linked to, the system's certificates, and nothing else. */
  async function emptyRoot(t: TestContext): Promise<string> {
    const root = await temporaryDirectory(t);
    const linked = (await run(t, 'ldd', [program])).stdout.match(/\/\S+/g) ?? [];
    for (const library of linked) {
      assert.match(library, libraries);
      await mkdir(join(root, dirname(library)), { recursive: true });
      await copyFile(library, join(root, library));
    }
    const certificates = '/etc/ssl/certs/ca-certificates.crt';
    for (const name of ['bin', 'tmp', 'data', dirname(certificates)])
      await mkdir(join(root, name), { recursive: true });
    await cp(certificates, join(root, certificates), { dereference: true });
    await copyFile(program, join(root, 'bin', 'ocictl'));
    return root;
  }

  function inRoot(t: TestContext, root: string, words: readonly string[], input = '') {
    const env = { OCICTL_ROOT: '/data/store', DOCKER_CONFIG: '/data/docker' };
    const all = ['--map-root-user', `--root=${root}`, '/bin/ocictl', ...words];
    return start(t, findProgram('unshare') ?? '', all, { env, input, timeoutMs });
  }

  it('serves, logs in and pulls where there is nothing but libc, libstdc++ and certificates', async (t) => {
    if (!needs(t, 'unshare', 'ldd', 'htpasswd')) return;
    const root = await emptyRoot(t);
    const { stdout: users } = await run(t, 'htpasswd', ['-Bbn', ada.username, ada.password]);
    await writeFile(join(root, 'data', 'users'), users);
    const words = ['serve', '--addr', '127.0.0.1:0', '--root', '/data/registry', '--auth', 'htpasswd=/data/users'];
    const serving = inRoot(t, root, words);
    const [, host = ''] = await serving.waitFor(/on http:\/\/(\S+)/);
    const login = (password: string) =>
      inRoot(t, root, ['login', '-u', ada.username, '--password-stdin', host], password).result;
    assert.equal((await login('wrong')).exitCode, 4, 'the thread compares passwords');
    assert.equal((await login(ada.password)).stdout, 'Login Succeeded\n');

    const layout = await temporaryDirectory(t);
    const image = await buildImage({ layers: [{ files: { name: 'app' } }] });
    await writeLayout(layout, '1', image);
    const name = `${host}/team/app:1`;
    const creds = ['--dest-creds', `${ada.username}:${ada.password}`];
    assert.equal((await ocictl(t, ['copy', '-q', ...creds, `oci:${layout}:1`, name])).exitCode, 0);
    const pulled = await inRoot(t, root, ['pull', name]).result;
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    assert.match(pulled.stdout, /Status: Downloaded newer image/);
    assert.match((await inRoot(t, root, ['images']).result).stdout, /team\/app +1 /);
    serving.child.kill('SIGTERM');
    assert.equal((await serving.result).exitCode, 0);
  });

  it('says what the package says', async (t) => {
    for (const words of [['--version'], ['pull', '--help'], ['completion', 'bash'], ['pull', '--no-such-flag']]) {
      const [here, there]: RunResult[] = [await run(t, program, words), await ocictl(t, words)];
      assert.deepEqual(here, there, words.join(' '));
    }
  });

  it('gives its child the environment of with-login, and its status on', async (t) => {
    const { registry } = await startTokenRegistry(t, { identityTokens: false });
    const words = ['with-login', '-u', ada.username, '--password-stdin', registry.host, '--'];
    const child = [program, 'whoami', registry.host];
    const ran = await run(t, program, [...words, ...child], { input: ada.password });
    assert.deepEqual([ran.exitCode, ran.stderr], [0, '']);
    assert.match(ran.stdout, /ada/);
  });

  it('keeps logins in the keychain, and is docker’s helper by the name of a link', async (t) => {
    if (!needsKeychain(t)) return;
    const { DBUS_SESSION_BUS_ADDRESS = '' } = await startKeyring(t);
    const env = { DBUS_SESSION_BUS_ADDRESS, PATH: '' };
    const { registry } = await startTokenRegistry(t, { identityTokens: false });
    const words = ['login', '-u', ada.username, '--password-stdin', '--store', 'keychain', registry.host];
    const login = await run(t, program, words, { env, input: ada.password });
    assert.deepEqual([login.exitCode, login.stdout, login.stderr], [0, 'Login Succeeded\n', '']);
    const { dockerConfig } = await sandbox(t);
    assert.doesNotMatch(await readFile(join(dockerConfig, 'config.json'), 'utf8'), /"auth"/);
    const link = join(await temporaryDirectory(t), 'docker-credential-ocictl');
    await symlink(program, link);
    const shown = await run(t, link, ['get'], { env, input: registry.host });
    assert.equal((JSON.parse(shown.stdout) as { Username: string }).Username, ada.username);
    assert.equal((await run(t, program, ['logout', registry.host], { env })).exitCode, 0);
    assert.equal((await run(t, link, ['list'], { env })).stdout.trim(), '{}');
  });
});
