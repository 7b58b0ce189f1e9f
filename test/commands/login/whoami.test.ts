import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { ada, startPasswordRegistry, startTokenRegistry } from '../../support/login-servers.ts';
import { sandbox } from '../../support/sandbox.ts';
import { adaAuth, base64, hubKey, installHelper, logIn, readConfig, writeConfig } from './stored-credentials.ts';

describe('ocictl whoami', () => {
  it('shows user, kind and source of the credentials for each registry, and no secret', async (t) => {
    const { dockerConfig, env, home } = await sandbox(t);
    await writeConfig(t, {
      auths: { [hubKey]: { auth: adaAuth }, 'example.com/team': { identitytoken: 'hunter2' }, empty: {} },
    });
    const authFile = join(env['XDG_RUNTIME_DIR'] ?? '', 'containers/auth.json');
    await mkdir(join(authFile, '..'), { recursive: true });
    await writeFile(authFile, JSON.stringify({ auths: { 'quay.io': { auth: base64('pod:hunter2') } } }));
    const { exitCode, stdout, stderr } = await ocictl(t, ['whoami']);
    assert.deepEqual([exitCode, stderr], [0, '']);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/\s{2,}/));
    assert.deepEqual(rows, [
      ['SERVER', 'USER', 'WITH', 'FROM'],
      ['docker.io', 'ada', 'password', `${dockerConfig}/config.json:1`],
      ['example.com/team', '-', 'identity token', `${dockerConfig}/config.json:1`],
      ['quay.io', 'pod', 'password', `${authFile}:1`],
    ]);
    assert.doesNotMatch(stdout, /hunter2|horse/);
    assert.ok(home);
  });

  it('shows the others where one entry cannot be read, and names that one', async (t) => {
    await writeConfig(t, { auths: { 'a.example': { auth: '!!!' }, 'b.example': { auth: adaAuth } } });
    const { exitCode, stdout, stderr } = await ocictl(t, ['whoami']);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /b\.example +ada/);
    assert.match(stderr, /warning: .*a\.example/);
    await writeConfig(t, { auths: { 'a.example': { auth: '!!!' } } });
    assert.equal((await ocictl(t, ['whoami'])).exitCode, 2);
  });

  it('shows nothing of a password that somebody wrote into the address of a login', async (t) => {
    await writeConfig(t, { auths: { 'https://eve:hunter2@url.example/v1/?k=hunter2': { auth: adaAuth } } });
    for (const words of [['whoami'], ['whoami', '--json']]) {
      const { exitCode, stdout, stderr } = await ocictl(t, words);
      assert.equal(exitCode, 0, stderr);
      assert.match(stdout, /url\.example/);
      assert.doesNotMatch(stdout, /hunter2|eve/);
    }
  });

  it('names the one that counts for a repository', async (t) => {
    await writeConfig(t, {
      auths: { 'example.com': { auth: base64('all:x') }, 'example.com/team': { auth: base64('team:x') } },
    });
    const json = async (...words: string[]) => JSON.parse((await ocictl(t, ['whoami', '--json', ...words])).stdout);
    const { dockerConfig } = await sandbox(t);
    const source = `${dockerConfig}/config.json:1`;
    const team = { server: 'example.com/team/app', username: 'team', kind: 'password', source };
    assert.deepEqual(await json('example.com/team/app'), team);
    assert.equal((await json('example.com')).username, 'all');
    assert.equal((await json()).length, 2);
  });

  it('asks a helper that cannot list for the registries that it is named for', async (t) => {
    await writeConfig(t, { credHelpers: { 'example.com': 'test' } });
    const { PATH, file } = await installHelper(t, 'test');
    await writeFile(file, JSON.stringify({ Username: 'ada', Secret: 'hunter2' }));
    const { stdout } = await ocictl(t, ['whoami'], { env: { PATH } });
    assert.match(stdout, /^example\.com +ada +password +docker-credential-test$/m);
  });

  it('tells of a helper that is not installed, and of one that cannot list nothing', async (t) => {
    await writeConfig(t, { credsStore: 'nowhere' });
    const { exitCode, stdout, stderr } = await ocictl(t, ['whoami']);
    assert.deepEqual([exitCode, stdout], [4, '']);
    assert.match(stderr, /^warning: docker-credential-nowhere is not on PATH; continuing without/);
    assert.equal(stderr.match(/is not on PATH/g)?.length, 1);
    await writeConfig(t, { credsStore: 'test' });
    const { PATH } = await installHelper(t, 'test');
    assert.doesNotMatch((await ocictl(t, ['whoami'], { env: { PATH } })).stderr, /warning/);
  });

  it('ends with status 4 if there are no credentials, and the hint says how to log in', async (t) => {
    for (const words of [['whoami'], ['whoami', 'example.com:5000']]) {
      const { exitCode, stdout, stderr } = await ocictl(t, words);
      assert.deepEqual([exitCode, stdout], [4, '']);
      assert.match(stderr, /nobody is logged in/);
      assert.ok(stderr.includes(`log in with '${['ocictl login', ...words.slice(1)].join(' ')}'`), stderr);
    }
  });
});

describe('ocictl logout --all', () => {
  it('removes every login, and names those that other programs keep', async (t) => {
    const { env } = await sandbox(t);
    await writeConfig(t, {
      auths: { [hubKey]: { auth: adaAuth }, 'a/team': { auth: adaAuth }, 'http://b/v1/': { auth: adaAuth } },
      kept: 1,
    });
    const file = join(env['XDG_RUNTIME_DIR'] ?? '', 'auth.json');
    await writeFile(file, JSON.stringify({ auths: { c: { auth: adaAuth } } }));
    const { exitCode, stdout, stderr } = await ocictl(t, ['logout', '--all'], { env: { REGISTRY_AUTH_FILE: file } });
    assert.equal(exitCode, 0, stderr);
    const lines = ['docker.io', 'a/team', 'b'].map((name) => `Removing login credentials for ${name}\n`);
    assert.equal(stdout, lines.join(''));
    assert.equal(stderr, `warning: credentials are still kept in ${file}:1, which ocictl only reads\n`);
    assert.deepEqual(await readConfig(t), { auths: {}, kept: 1 });
  });

  it('goes on after broken entries, and fails at the end for logins that it could not remove', async (t) => {
    const odd = { 'https://ada:secret@url.example/v1/': { auth: adaAuth }, 'broken.example': { auth: '!' } };
    await writeConfig(t, { auths: { ...odd, a: { auth: adaAuth } } });
    const { exitCode, stdout, stderr } = await ocictl(t, ['logout', '--all']);
    assert.deepEqual([exitCode, stderr], [0, '']);
    const lines = ['url.example', 'broken.example', 'a'].map((name) => `Removing login credentials for ${name}\n`);
    assert.equal(stdout, lines.join(''));
    assert.deepEqual(await readConfig(t), { auths: {} });
    const marked = { auths: { 'h.example': {}, a: { auth: adaAuth } }, credHelpers: { 'h.example': 'missing' } };
    await writeConfig(t, marked);
    const failed = await ocictl(t, ['logout', '--all']);
    assert.equal(failed.exitCode, 8);
    assert.equal(failed.stdout, 'Removing login credentials for a\n');
    assert.match(failed.stderr, /h\.example: docker-credential-missing is not on PATH/);
    assert.deepEqual((await readConfig(t)).auths, { 'h.example': {} });
  });

  it('is not said together with a server', async (t) => {
    assert.equal((await ocictl(t, ['logout', '--all', 'a'])).exitCode, 2);
  });
});

describe('ocictl login', () => {
  it('keeps an identity token that it is given', async (t) => {
    const { registry, tokens } = await startTokenRegistry(t);
    const words = ['login', '--identity-token-stdin', registry.host];
    const login = await ocictl(t, words, { input: 'identity-1\n' });
    assert.deepEqual([login.exitCode, login.stdout], [0, 'Login Succeeded\n']);
    // The line appears if podman is installed.
    assert.match(login.stderr, /^(?:podman uses the identity token that is stored; .*\n)?$/);
    assert.deepEqual(tokens.lines, ['POST /token']);
    assert.deepEqual((await readConfig(t)).auths, { [registry.host]: { identitytoken: 'identity-1' } });
    const wrong = await ocictl(t, words, { input: 'expired' });
    assert.equal(wrong.exitCode, 4);
    assert.deepEqual((await readConfig(t)).auths, { [registry.host]: { identitytoken: 'identity-1' } });
  });

  it('sends no request with --no-verify', async (t) => {
    const { exitCode, stdout, stderr } = await logIn(t, '127.0.0.1:1', {});
    assert.equal(exitCode, 5, stdout + stderr);
    const words = ['login', '--no-verify', '-u', ada.username, '--password-stdin', '127.0.0.1:1'];
    const stored = await ocictl(t, words, { input: ada.password });
    assert.deepEqual([stored.exitCode, stored.stdout], [0, 'Stored, and not verified\n']);
    assert.deepEqual((await readConfig(t)).auths, { '127.0.0.1:1': { auth: adaAuth } });
  });

  it('puts a login into the file in spite of a helper with --store file', async (t) => {
    const registry = await startPasswordRegistry(t);
    await writeConfig(t, { credsStore: 'missing' });
    const words = ['login', '--store', 'file', '-u', ada.username, '--password-stdin', registry.host];
    const { exitCode, stderr } = await ocictl(t, words, { input: ada.password });
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /stored unencrypted/);
    const written = { credsStore: 'missing', credHelpers: { [registry.host]: '' } };
    assert.deepEqual(await readConfig(t), { ...written, auths: { [registry.host]: { auth: adaAuth } } });
    assert.equal((await ocictl(t, ['whoami', registry.host])).exitCode, 0);
  });

  it('puts one with the helper again with --store helper', async (t) => {
    const registry = await startPasswordRegistry(t);
    const { PATH, file } = await installHelper(t, 'test');
    const auths = { [registry.host]: { auth: base64('ada:old') } };
    await writeConfig(t, { credsStore: 'test', credHelpers: { [registry.host]: '' }, auths });
    const words = ['login', '--store', 'helper', '-u', ada.username, '--password-stdin', registry.host];
    const { exitCode, stderr } = await ocictl(t, words, { input: ada.password, env: { PATH } });
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.deepEqual(await readConfig(t), { credsStore: 'test', auths: {} });
    assert.equal((JSON.parse(await readFile(file, 'utf8')) as { Secret: string }).Secret, ada.password);
  });

  for (const [store, message] of [
    ['helper', /no credential helper is configured for 127\.0\.0\.1:1/],
    ['keychain', /there is no keychain here: this session has no D-Bus/],
    ['vault', /unknown store "vault"/],
  ] as const) {
    it(`names what --store ${store} lacks`, async (t) => {
      const words = ['login', '--store', store, '--no-verify', '-u', 'a', '--password-stdin', '127.0.0.1:1'];
      const { exitCode, stderr } = await ocictl(t, words, { input: 'x' });
      assert.equal(exitCode, 2);
      assert.match(stderr, message);
      assert.deepEqual(await readConfig(t), {});
    });
  }

  it('for a namespace asks for its own credentials, whatever the registry has', async (t) => {
    const registry = await startPasswordRegistry(t);
    await writeConfig(t, { auths: { [registry.host]: { auth: adaAuth } } });
    const asked = await ocictl(t, ['login', `${registry.host}/team`]);
    assert.match(asked.stderr, /cannot perform an interactive login/);
    const { exitCode } = await logIn(t, `${registry.host}/team`);
    assert.equal(exitCode, 0);
    assert.deepEqual(Object.keys((await readConfig(t)).auths ?? {}), [registry.host, `${registry.host}/team`]);
    const out = await ocictl(t, ['logout', `${registry.host}/team`]);
    assert.deepEqual([out.exitCode, out.stderr], [0, '']);
    assert.deepEqual(Object.keys((await readConfig(t)).auths ?? {}), [registry.host]);
  });
});

describe('ocictl auth token', () => {
  it('prints the token that a repository would be asked with', async (t) => {
    const { registry, tokens } = await startTokenRegistry(t);
    await logIn(t, registry.host);
    const name = `${registry.host}/team/app`;
    const { stdout, stderr } = await ocictl(t, ['auth', 'token', name]);
    assert.deepEqual([stdout, stderr], ['for-ada\n', '']);
    const form = new URLSearchParams(tokens.requests.at(-1)?.body.toString());
    assert.equal(form.get('scope'), 'repository:team/app:pull');
    const words = ['auth', 'token', '--json', '--scope', 'pull,push', '--scope', 'repository:base:pull', name];
    const answer = JSON.parse((await ocictl(t, words)).stdout);
    const scopes = ['repository:base:pull', 'repository:team/app:pull,push'];
    assert.deepEqual(answer, { token: 'for-ada', scopes });
  });

  it('gets anybody’s token with --anonymous, and the catalog’s on demand', async (t) => {
    const { registry, tokens } = await startTokenRegistry(t);
    await logIn(t, registry.host);
    const words = ['auth', 'token', '--anonymous', '--scope', 'registry:catalog:*', `${registry.host}/any`];
    assert.equal((await ocictl(t, words)).stdout, 'for-anybody\n');
    assert.deepEqual(tokens.requests.at(-1)?.query.getAll('scope'), ['registry:catalog:*']);
  });

  it('fails for a registry without tokens, and for an invalid scope', async (t) => {
    const registry = await startPasswordRegistry(t);
    const { exitCode, stdout, stderr } = await ocictl(t, ['auth', 'token', `${registry.host}/app`]);
    assert.deepEqual([exitCode, stdout], [1, '']);
    assert.match(stderr, /gives no tokens: it asks for user and password/);
    assert.equal((await ocictl(t, ['auth', 'token', '--scope', 'a b', 'app'])).exitCode, 2);
    assert.equal((await ocictl(t, ['auth', 'gift', 'app'])).exitCode, 2);
  });
});
