import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { json, startFakeServer } from '../../support/fake-server.ts';
import { ada, basic, startPasswordRegistry, startTokenRegistry } from '../../support/login-servers.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';
import { adaAuth, base64, logIn, readConfig, writeConfig } from './stored-credentials.ts';

describe('ocictl login', () => {
  it("checks the password, stores it in config.json and prints Docker's lines", async (t) => {
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
    const programs = await temporaryDirectory(t);
    const { exitCode, stderr } = await logIn(t, registry.host, { env: { PATH: programs } });
    assert.deepEqual([exitCode, stderr], [0, '']);
    await writeFile(join(programs, 'podman'), '', { mode: 0o755 });
    // As after `podman login`: this user uses podman.
    const used = join((await sandbox(t)).home, 'run', 'containers');
    await mkdir(used);
    await writeFile(join(used, 'auth.json'), '{}');
    const told = await logIn(t, registry.host, { env: { PATH: programs } });
    assert.match(told.stderr, new RegExp(`^podman uses .*; before 'podman login': ocictl logout ${registry.host}\n$`));
    assert.deepEqual(await readConfig(t), {
      auths: { [registry.host]: { auth: base64('ada:'), identitytoken: 'identity-1' } },
    });
    await ocictl(t, ['pull', '-q', `${registry.host}/app:1`]);
    assert.equal(tokens.lines.at(-1), 'POST /token');
    assert.doesNotMatch(JSON.stringify(registry.requests), /identity-1|correct horse/);
  });

  it('prints as JSON which kind of credential was stored, and where', async (t) => {
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
    assert.match(failed.stderr.trimEnd().split('\n').at(-1) ?? '', /^\{"type":"error","error":\{"code":"UNAUTHORIZED"/);
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
    assert.match(stderr, /requires no login: the credentials could not be checked/);
  });

  it('stores nothing for a server that answers with a web page: status 5', async (t) => {
    const type = { 'content-type': 'text/html; charset=utf-8' };
    const page = await startFakeServer(t, (_, response) => response.writeHead(200, type).end('<html>Welcome</html>'));
    const { exitCode, stdout, stderr } = await logIn(t, page.host);
    assert.deepEqual([exitCode, stdout], [5, '']);
    assert.match(stderr, /answered with a web page, not as a registry/);
    assert.deepEqual(await readConfig(t), {});
    // Some registries answer a single word with this content type.
    const terse = await startFakeServer(t, (_, response) => response.writeHead(200, type).end('true'));
    assert.equal((await logIn(t, terse.host)).exitCode, 0);
  });

  it('ends with status 5 if no server answers, and stores nothing', async (t) => {
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
    [['-u', '', '--password-stdin'], 'x', '--username is empty'],
    [['-u', 'a', '--password-stdin'], '\n', 'password is empty'],
    [['-u', 'a', '-p', ''], '', '--password is empty'],
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

  it('accepts a JSON key of several lines as a password', async (t) => {
    const key = JSON.stringify({ type: 'service_account', private_key: '-----BEGIN-----\n…' }, null, 2);
    const registry = await startPasswordRegistry(t, { username: '_json_key', password: key });
    const words = ['login', '-u', '_json_key', '--password-stdin', registry.host];
    const { exitCode, stderr } = await ocictl(t, words, { input: `${key}\n` });
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual((await readConfig(t)).auths, { [registry.host]: { auth: base64(`_json_key:${key}`) } });
  });
});
