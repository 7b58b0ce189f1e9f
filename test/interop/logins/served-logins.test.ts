import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { type Access, type Authorize, formatScope } from '../../../src/server/auth/access.ts';
import type { AccessEntry } from '../../../src/server/http/access-entry.ts';
import { ocictl, spawnServe } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { json, startFakeServer } from '../../support/fake-server.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { ada, basic } from '../../support/login-servers.ts';
import { needs, skopeo, startDockerRegistry } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';

const exec = promisify(execFile);

/** One account, which may do everything below `team/`, and nothing else. */
const authorize: Authorize = async ({ headers, access }) => {
  if (headers.authorization !== basic(ada)) {
    return { outcome: 'challenge', challenges: [{ scheme: 'basic', parameters: { realm: 'ocictl' } }] };
  }
  const mine = access.every(({ type, name }) => type === 'repository' && name.startsWith('team/'));
  return { outcome: mine ? 'grant' : 'deny', user: ada.username };
};

const words = (password: string): string[] => ['-u', ada.username, '-p', password];

describe('a server that wants a password', () => {
  it('is logged in to, pushed to and pulled from by ocictl', async (t) => {
    const { host } = await startServe(t, { authorize });
    const layout = await temporaryDirectory(t);
    await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
    const copy = ['copy', `oci:${layout}:1`, `${host}/team/app:1`];
    assert.equal((await ocictl(t, copy)).exitCode, 4);
    const wrong = await ocictl(t, ['login', '-u', ada.username, '--password-stdin', host], { input: 'wrong' });
    assert.deepEqual([wrong.exitCode, wrong.stdout], [4, '']);
    const login = await ocictl(t, ['login', '-u', ada.username, '--password-stdin', host], { input: ada.password });
    assert.equal(login.stdout, 'Login Succeeded\n', login.stderr);
    assert.equal((await ocictl(t, copy)).exitCode, 0);
    assert.equal((await ocictl(t, ['pull', '-q', `${host}/team/app:1`])).exitCode, 0);
    const foreign = await ocictl(t, ['copy', `${host}/team/app:1`, `${host}/others/app:1`]);
    assert.equal(foreign.exitCode, 4);
    assert.match(foreign.stderr, /access denied for .*others\/app/);
  });

  it('is logged in to, pushed to and read by skopeo', async (t) => {
    if (!needs(t, 'skopeo')) return;
    const { host } = await startServe(t, { authorize });
    const file = ['--authfile', join((await sandbox(t)).home, 'auth.json')];
    const login = ['login', ...file, '--tls-verify=false'];
    await assert.rejects(skopeo(t, [...login, ...words('wrong'), host]), /invalid username\/password/);
    await skopeo(t, [...login, ...words(ada.password), host]);
    const layout = await temporaryDirectory(t);
    await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
    const plain = ['--dest-tls-verify=false', ...file];
    await skopeo(t, ['copy', '-q', ...plain, `oci:${layout}:1`, `docker://${host}/team/app:1`]);
    await skopeo(t, ['inspect', '--tls-verify=false', ...file, `docker://${host}/team/app:1`]);
    await assert.rejects(
      skopeo(t, ['copy', '-q', ...plain, `oci:${layout}:1`, `docker://${host}/x/app:1`]),
      /403|denied/,
    );
    await assert.rejects(skopeo(t, ['inspect', '--tls-verify=false', '--no-creds', `docker://${host}/team/app:1`]));
  });

  it('is logged in to by docker', async (t) => {
    if (!needs(t, 'docker', 'dockerd')) return;
    const { host } = await startServe(t, { authorize });
    const { env: base, dockerConfig } = await sandbox(t);
    // Without an entry, docker would choose an installed credential helper.
    await writeFile(join(dockerConfig, 'config.json'), '{"auths":{"registry.test":{}}}');
    const env = { ...base, ...(await startDocker(t)) };
    await assert.rejects(exec('docker', ['login', ...words('wrong'), host], { env }), /401 Unauthorized/);
    const { stdout } = await exec('docker', ['login', ...words(ada.password), host], { env });
    assert.match(stdout, /Login Succeeded/);
  });
});

/** A server that accepts tokens, and a token server that grants the account every scope below `team/`. */
async function startTokenServe(t: TestContext) {
  const tokens = await startFakeServer(t, ({ headers, query }, response) => {
    if (headers.authorization !== basic(ada)) return json(response, 401, { details: 'incorrect username or password' });
    const scopes = query.getAll('scope').flatMap((scope) => scope.split(' '));
    const granted = scopes.filter((scope) => scope.startsWith('repository:team/'));
    json(response, 200, { token: Buffer.from(JSON.stringify(granted)).toString('base64url'), expires_in: 300 });
  });
  const takesTokens: Authorize = async ({ headers, access }) => {
    const [, token] = /^Bearer (\S+)$/.exec(headers.authorization ?? '') ?? [];
    const granted = token === undefined ? [] : (JSON.parse(Buffer.from(token, 'base64url').toString()) as string[]);
    const may = ({ type, name, actions }: Access): boolean => {
      const held = granted
        .filter((scope) => scope.startsWith(`${type}:${name}:`))
        .flatMap((scope) => scope.split(/[:,]/).slice(2));
      return actions.every((action) => held.includes(action));
    };
    if (token !== undefined && access.every(may)) return { outcome: 'grant', user: ada.username };
    const scope = formatScope(access);
    const parameters = { realm: `${tokens.url}token`, service: 'test', ...(scope !== undefined && { scope }) };
    return { outcome: 'challenge', challenges: [{ scheme: 'bearer', parameters }] };
  };
  const log: AccessEntry[] = [];
  const served = await startServe(t, { authorize: takesTokens, log: (entry) => log.push(entry) });
  return { ...served, log };
}

describe('a server that takes tokens', () => {
  it('is logged in to, pushed to and pulled from by ocictl, which may mount', async (t) => {
    const { host, log } = await startTokenServe(t);
    const layout = await temporaryDirectory(t);
    await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
    const copy = ['copy', `oci:${layout}:1`, `${host}/team/base:1`];
    assert.equal((await ocictl(t, copy)).exitCode, 4);
    const login = await ocictl(t, ['login', '-u', ada.username, '--password-stdin', host], { input: ada.password });
    assert.equal(login.stdout, 'Login Succeeded\n', login.stderr);
    const pushed = await ocictl(t, copy);
    assert.equal(pushed.exitCode, 0, pushed.stderr);
    log.length = 0;
    const mounted = await ocictl(t, ['copy', `${host}/team/base:1`, `${host}/team/app:1`]);
    assert.equal(mounted.exitCode, 0, mounted.stderr);
    const posts = log.filter(({ method, status }) => method === 'POST' && status !== 401);
    assert.deepEqual([...new Set(posts.map(({ status }) => status))], [201]);
    assert.equal((await ocictl(t, ['pull', '-q', `${host}/team/app:1`])).exitCode, 0);
    assert.equal((await ocictl(t, ['copy', `${host}/team/app:1`, `${host}/others/app:1`])).exitCode, 4);
  });

  it('is pushed to and read by skopeo', async (t) => {
    if (!needs(t, 'skopeo')) return;
    const { host } = await startTokenServe(t);
    const layout = await temporaryDirectory(t);
    await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
    const creds = `${ada.username}:${ada.password}`;
    const copy = ['copy', '-q', '--dest-tls-verify=false', '--dest-creds', creds, `oci:${layout}:1`];
    await skopeo(t, [...copy, `docker://${host}/team/app:1`]);
    await skopeo(t, ['inspect', '--tls-verify=false', '--creds', creds, `docker://${host}/team/app:1`]);
    await assert.rejects(
      skopeo(t, [...copy, `docker://${host}/others/app:1`]),
      /authentication required|unauthorized|denied/,
    );
  });
});

describe('ocictl serve --auth htpasswd=FILE', () => {
  it('lets in the users that htpasswd made, as docker-registry does, and reads changes', async (t) => {
    if (!needs(t, 'htpasswd', 'docker-registry')) return;
    const account = { username: ada.username, password: 'correct:horse ✓' };
    const file = join((await sandbox(t)).home, 'htpasswd');
    await exec('htpasswd', ['-Bbc', file, account.username, account.password]);
    const ours = await spawnServe(t, ['--memory', '--auth', `htpasswd=${file}`]);
    const theirs = await startDockerRegistry(t, { htpasswd: account });
    const status = async (url: string, authorization?: string) =>
      (await fetch(`${url}/v2/`, { headers: authorization === undefined ? {} : { authorization } })).status;
    const tried = [
      undefined,
      basic(account),
      basic({ ...account, password: 'wrong' }),
      basic({ ...account, password: '' }),
      basic({ username: 'eve', password: account.password }),
      basic({ username: '', password: '' }),
      basic(account).replace('Basic', 'basic'),
      'Basic !!!',
      'Bearer token',
    ];
    for (const authorization of tried) {
      assert.equal(await status(ours.url, authorization), await status(theirs.url, authorization), authorization);
    }
    assert.match(ours.output().stderr, new RegExp(`log in to it with: ocictl login ${ours.host}\n`));

    const eve = { username: 'eve', password: 'second' };
    assert.equal(await status(ours.url, basic(eve)), 401);
    await exec('htpasswd', ['-BbC', '10', file, eve.username, eve.password]);
    await exec('htpasswd', ['-D', file, account.username]);
    while ((await status(ours.url, basic(eve))) !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await status(ours.url, basic(account)), 401);
    assert.doesNotMatch(ours.output().stderr, /second|correct/);
  });

  it('is pushed to by skopeo and pulled from by ocictl', async (t) => {
    if (!needs(t, 'htpasswd', 'skopeo')) return;
    const { home } = await sandbox(t);
    await exec('htpasswd', ['-Bbc', join(home, 'users'), ada.username, ada.password]);
    const { host } = await spawnServe(t, ['--memory', '--auth', 'htpasswd=users']);
    const layout = await temporaryDirectory(t);
    await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
    const creds = ['--dest-creds', `${ada.username}:${ada.password}`];
    const copy = ['copy', '-q', '--dest-tls-verify=false', `oci:${layout}:1`, `docker://${host}/team/app:1`];
    await assert.rejects(skopeo(t, copy), /authentication required|unauthorized/);
    await skopeo(t, [...copy.slice(0, 1), ...creds, ...copy.slice(1)]);
    assert.equal((await ocictl(t, ['pull', '-q', `${host}/team/app:1`])).exitCode, 4);
    const login = await ocictl(t, ['login', '-u', ada.username, '--password-stdin', host], { input: ada.password });
    assert.equal(login.exitCode, 0, login.stderr);
    assert.equal((await ocictl(t, ['pull', '-q', `${host}/team/app:1`])).exitCode, 0);
  });

  it('does not start with other hashes, without the file or with another word: status 2', async (t) => {
    if (!needs(t, 'htpasswd')) return;
    const { home } = await sandbox(t);
    await exec('htpasswd', ['-mbc', join(home, 'md5'), 'ada', 'secret']);
    const secret = (await readFile(join(home, 'md5'), 'utf8')).split(':')[1]?.trim() ?? '';
    const said: readonly (readonly [string, RegExp])[] = [
      ['htpasswd=md5', /md5:1: the password of "ada" is not a bcrypt hash\nhint: .*htpasswd -B/],
      ['htpasswd=none', /cannot read the password file \S+none: ENOENT\nhint: .*htpasswd -Bc/],
      ['htpasswd=', /invalid --auth "htpasswd="/],
      ['ldap', /invalid --auth "ldap"/],
    ];
    for (const [word, pattern] of said) {
      const { exitCode, stderr } = await ocictl(t, ['serve', '--memory', '--addr', '127.0.0.1:0', '--auth', word]);
      assert.equal(exitCode, 2, word);
      assert.match(stderr, pattern);
      assert.ok(!stderr.includes(secret));
    }
  });
});
