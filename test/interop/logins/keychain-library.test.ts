import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ada, startTokenRegistry } from '../../support/login-servers.ts';
import { lockKeyring, needsKeychain, startKeyring } from '../../support/logins/keyrings.ts';
import { withoutKeytar } from '../../support/logins/other-keychain-library.ts';
import { start } from '../../support/process.ts';
import { projectRoot } from '../../support/project.ts';
import { sandbox } from '../../support/sandbox.ts';

type Env = Readonly<Record<string, string>>;

/** Runs a program of an installed package, whose helper docker would find by its name. */
async function run(t: TestContext, root: string, env: Env, program: string, words: readonly string[], input = '') {
  const { env: base, home } = await sandbox(t);
  const script = join(root, 'bin', `${program}.js`);
  return start(t, process.execPath, [script, ...words], { env: { ...base, ...env }, cwd: home, input }).result;
}

function helper(t: TestContext, root: string, env: Env, action: string, input = '') {
  return run(t, root, env, 'docker-credential-ocictl', [action], input);
}

function store(t: TestContext, root: string, env: Env, ServerURL: string) {
  return helper(t, root, env, 'store', JSON.stringify({ ServerURL, Username: 'ada', Secret: 'pass"word ✓' }));
}

const notFound = 'credentials not found in native keychain\n';

describe('the keychain where keytar cannot be loaded', () => {
  it('keeps, shows, lists and forgets logins, as Docker’s helpers do', async (t) => {
    if (!needsKeychain(t)) return;
    const env = await startKeyring(t);
    const root = await withoutKeytar(t);
    for (const url of ['example.com:5000', 'other.example.com']) {
      assert.deepEqual(await store(t, root, env, url), { exitCode: 0, signal: null, stdout: '', stderr: '' });
    }
    const got = await helper(t, root, env, 'get', 'example.com:5000');
    assert.deepEqual(JSON.parse(got.stdout), { ServerURL: 'example.com:5000', Username: 'ada', Secret: 'pass"word ✓' });
    const listed = JSON.parse((await helper(t, root, env, 'list')).stdout) as object;
    assert.deepEqual(listed, { 'example.com:5000': 'ada', 'other.example.com': 'ada' });
    assert.equal((await helper(t, root, env, 'erase', 'example.com:5000')).exitCode, 0);
    const gone = await helper(t, root, env, 'get', 'example.com:5000');
    assert.deepEqual([gone.exitCode, gone.stdout], [1, notFound]);
    // Erasing a missing login is not an error, since logout erases under two keys.
    assert.equal((await helper(t, root, env, 'erase', 'example.com:5000')).exitCode, 0);
  });

  it('is what login uses, and what a pull is asked with', async (t) => {
    if (!needsKeychain(t)) return;
    const env = await startKeyring(t);
    const root = await withoutKeytar(t);
    const { registry } = await startTokenRegistry(t, { identityTokens: false });
    const words = ['login', '-u', ada.username, '--password-stdin', '--store', 'keychain', registry.host];
    const login = await run(t, root, env, 'ocictl', words, ada.password);
    assert.deepEqual([login.exitCode, login.stdout, login.stderr], [0, 'Login Succeeded\n', '']);
    assert.match((await run(t, root, env, 'ocictl', ['whoami'])).stdout, /ada +password +/);
    assert.equal((await run(t, root, env, 'ocictl', ['logout', registry.host])).exitCode, 0);
    assert.equal((await helper(t, root, env, 'list')).stdout.trim(), '{}');
  });

  it('does not see what keytar has stored, on Linux: each names its entries in its own way', async (t) => {
    if (!needsKeychain(t)) return;
    const env = await startKeyring(t);
    const root = await withoutKeytar(t);
    assert.equal((await store(t, projectRoot, env, 'keytar.example.com')).exitCode, 0);
    assert.equal((await store(t, root, env, 'keyring.example.com')).exitCode, 0);
    const lists = await Promise.all([projectRoot, root].map((from) => helper(t, from, env, 'list')));
    assert.deepEqual(
      lists.map(({ stdout }) => Object.keys(JSON.parse(stdout) as object)),
      [['keytar.example.com'], ['keyring.example.com']],
    );
  });

  it('says what is wrong where the keyring is locked or there is none, and stores nothing elsewhere', async (t) => {
    if (!needsKeychain(t)) return;
    const root = await withoutKeytar(t);
    const env = await startKeyring(t);
    assert.equal((await store(t, root, env, 'example.com')).exitCode, 0);
    await lockKeyring(t, env);
    const locked = await store(t, root, env, 'example.com');
    assert.equal(locked.exitCode, 1, locked.stdout);
    assert.match(locked.stdout, /lock|prompt/i);
    await writeFile(join(root, 'node_modules', 'keytar', 'index.js'), 'module.exports = {');
    const { DBUS_SESSION_BUS_ADDRESS: _, ...none } = env;
    const outside = await helper(t, root, { ...none, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' }, 'get', 'a');
    assert.equal(outside.exitCode, 1, outside.stdout);
    assert.doesNotMatch(outside.stdout, /not found in native/);
  });
});
