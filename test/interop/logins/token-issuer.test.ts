import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { ocictl, spawnServe } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { type Account, ada } from '../../support/login-servers.ts';
import {
  eve,
  keepNoTokens,
  layoutOf,
  logIn,
  rules,
  startIssuer,
  storedLogin,
  writeAccess,
} from '../../support/logins/issuing.ts';
import type { RunResult } from '../../support/process.ts';
import { needs, podman, skopeo } from '../../support/programs.ts';
import { sandbox } from '../../support/sandbox.ts';

const exec = promisify(execFile);

describe('ocictl serve --issue-tokens', () => {
  it('is a whole token system for ocictl: login keeps an identity token, and the rules count', async (t) => {
    const { host, url, output, waitFor } = await startIssuer(t, await writeAccess(t));
    const image = await layoutOf(t);
    const push = ['copy', image, `${host}/team/app:1`];
    const nobody = await ocictl(t, push);
    assert.equal(nobody.exitCode, 4);
    const wrong = await logIn(t, host, { ...ada, password: 'wrong' });
    assert.deepEqual([wrong.exitCode, wrong.stdout], [4, '']);
    assert.match(wrong.stderr, /incorrect username or password/);
    const login = await logIn(t, host, ada);
    assert.equal(login.stdout, 'Login Succeeded\n', login.stderr);
    const stored = await storedLogin(t, host);
    assert.ok(stored['identitytoken']?.startsWith('ocictl-refresh.'), 'no password is kept');
    assert.ok(!JSON.stringify(stored).includes(Buffer.from(`ada:${ada.password}`).toString('base64')));
    const pushed = await ocictl(t, push);
    assert.equal(pushed.exitCode, 0, pushed.stderr);
    assert.equal((await ocictl(t, ['pull', '-q', `${host}/team/app:1`])).exitCode, 0);
    const mounted = await ocictl(t, ['copy', `${host}/team/app:1`, `${host}/public/app:1`]);
    assert.equal(mounted.exitCode, 0, mounted.stderr);
    await waitFor(/POST \/v2\/public\/app\/blobs\/uploads\/ 201 .*user="ada"/);
    const search = await ocictl(t, ['search', `${host}/app`]);
    assert.match(search.stdout, /team\/app/, search.stderr);
    assert.equal((await ocictl(t, ['delete', '-y', `${host}/public/app:1`])).exitCode, 0);
    await ocictl(t, ['copy', `${host}/team/app:1`, `${host}/public/app:1`]);
    const outside = await ocictl(t, ['copy', image, `${host}/others/app:1`]);
    assert.equal(outside.exitCode, 4);
    assert.match(outside.stderr, /access denied for \S+others\/app/);

    assert.equal((await logIn(t, host, eve)).exitCode, 0);
    assert.equal((await ocictl(t, ['pull', '-q', `${host}/team/app:1`])).exitCode, 0);
    const another = ['copy', await layoutOf(t, { name: 'other' }), `${host}/team/app:1`];
    const refused = await ocictl(t, another);
    assert.match(refused.stderr, /push access denied for \S+team\/app: requested access to the resource is denied/);
    for (const words of [another, ['delete', '-y', `${host}/team/app:1`], ['search', `${host}/app`]]) {
      const { exitCode, stderr } = await ocictl(t, words);
      assert.equal(exitCode, 4, words.join(' '));
      assert.match(stderr, /denied/, words.join(' '));
      assert.doesNotMatch(stderr, /ocictl-refresh|eyJ/);
    }
    assert.equal((await ocictl(t, ['logout', host])).exitCode, 0);
    assert.equal((await ocictl(t, ['pull', '-q', `${host}/public/app:1`])).exitCode, 0);
    assert.equal((await ocictl(t, ['pull', '-q', `${host}/team/app:1`])).exitCode, 4);
    assert.doesNotMatch(output().stderr, /ocictl-refresh|eyJ|horse|staple/);
    assert.equal((await fetch(`${url}/token`, { method: 'PUT' })).status, 405);
  });

  it('mounts nothing that the user may not pull', async (t) => {
    const rules = [
      { users: ['ada'], repositories: ['secret/app', 'team/app'], actions: ['push'] },
      { users: ['eve'], repositories: ['team/app'], actions: ['push'] },
    ];
    const { host, url } = await startIssuer(t, await writeAccess(t, { rules }));
    await logIn(t, host, ada);
    const image = await layoutOf(t, { name: 'secret' });
    assert.equal((await ocictl(t, ['copy', image, `${host}/secret/app:1`])).exitCode, 0);
    const { layers } = JSON.parse((await ocictl(t, ['inspect', '--raw', `${host}/secret/app:1`])).stdout);
    const tokenOf = async ({ username, password }: Account): Promise<string> => {
      const scope = 'scope=repository:team/app:pull,push&scope=repository:secret/app:pull';
      const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      const answer = await fetch(`${url}/token?service=ocictl&${scope}`, { headers: { authorization } });
      return ((await answer.json()) as { token: string }).token;
    };
    for (const [account, status] of [
      [ada, 201],
      [eve, 202],
    ] as const) {
      const headers = { authorization: `Bearer ${await tokenOf(account)}` };
      const mount = `${url}/v2/team/app/blobs/uploads/?mount=${layers[0].digest}&from=secret/app`;
      assert.equal((await fetch(mount, { method: 'POST', headers })).status, status, account.username);
    }
  });

  it('is searched by docker, logged in or not, as the rules say', async (t) => {
    if (!needs(t, 'docker', 'dockerd')) return;
    const file = await writeAccess(t);
    const { host } = await startIssuer(t, file);
    const { env: base, dockerConfig } = await sandbox(t);
    // Without an entry, docker would choose an installed credential helper.
    await writeFile(join(dockerConfig, 'config.json'), '{"auths":{"registry.test":{}}}');
    const env = { ...base, ...(await startDocker(t)) };
    const search = () => exec('docker', ['search', '--format', '{{.Name}}', `${host}/app`], { env });
    const login = ({ username, password }: Account) =>
      exec('docker', ['login', '-u', username, '-p', password, host], { env });
    await login(ada);
    assert.equal((await ocictl(t, ['copy', await layoutOf(t), `${host}/team/app:1`])).exitCode, 0);
    assert.equal((await search()).stdout, 'team/app\n');
    await login(eve);
    await assert.rejects(search(), /401|denied|unauthorized/i);
    await exec('docker', ['logout', host], { env });
    await assert.rejects(search(), /401|denied|unauthorized/i);
    await writeAccess(t, { rules: [...rules, { anonymous: true, actions: ['catalog'] }] });
    for (;;) {
      const found = await search().catch(() => undefined);
      if (found?.stdout === 'team/app\n') break;
    }
  });

  it('is used by podman with what ocictl login keeps, which says why podman login refuses', async (t) => {
    if (!needs(t, 'podman')) return;
    const { host } = await startIssuer(t, await writeAccess(t));
    const { home } = await sandbox(t);
    await mkdir(join(home, '.config', 'containers'), { recursive: true });
    await writeFile(join(home, '.config', 'containers', 'auth.json'), '{}');
    const login = await logIn(t, host, ada);
    assert.match(login.stderr, new RegExp(`before 'podman login': ocictl logout ${host}\n`));
    assert.equal((await ocictl(t, ['copy', await layoutOf(t), `${host}/team/app:1`])).exitCode, 0);
    await podman(t, ['pull', '-q', '--tls-verify=false', `${host}/team/app:1`]);
    const again = ['login', '--tls-verify=false', '-u', ada.username, '-p', ada.password, host];
    await assert.rejects(podman(t, again), /Identity token/i);
    assert.equal((await ocictl(t, ['logout', host])).exitCode, 0);
    await podman(t, again);
  });

  it('takes refresh tokens until the password changes, the user goes, or the key', async (t) => {
    await keepNoTokens(t);
    const file = await writeAccess(t);
    const served = await startIssuer(t, file);
    const { host } = served;
    const image = await layoutOf(t);
    await logIn(t, host, ada);
    assert.equal((await ocictl(t, ['copy', image, `${host}/team/app:1`])).exitCode, 0);
    const pull = ['pull', '-q', `${host}/team/app:1`];
    const until = async (exitCode: number): Promise<RunResult> => {
      for (;;) {
        const result = await ocictl(t, pull);
        if (result.exitCode === exitCode) return result;
      }
    };
    const changed = { ...ada, password: 'another' };
    await writeAccess(t, {}, [changed, eve]);
    assert.match((await until(4)).stderr, /refused the credentials from .*hint: log in with/s);
    await logIn(t, host, changed);
    assert.equal((await ocictl(t, pull)).exitCode, 0);

    await writeFile(file, '{"users": {');
    // The server reads the file again only when a request arrives.
    const asking = setInterval(() => void fetch(`${served.url}/v2/`), 100);
    await served.waitFor(/access\.yaml:1:\d+: not valid YAML.*; the earlier rules stay in effect/);
    clearInterval(asking);
    assert.equal((await ocictl(t, pull)).exitCode, 0);
    // A rule still names ada.
    await writeAccess(t, {}, [eve]);
    await until(4);
    assert.match(served.output().stderr, /access\.yaml:\d+:\d+: there is no user "ada"/);
    assert.doesNotMatch(served.output().stderr, /another|horse|\$2[aby]\$/);
  });

  it('keeps its key for itself in the root, and its logins over a restart', async (t) => {
    const file = await writeAccess(t);
    const { home } = await sandbox(t);
    const first = await startIssuer(t, file);
    const asked = await fetch(`${first.url}/token?offline_token=true`, {
      headers: { authorization: `Basic ${Buffer.from(`ada:${ada.password}`).toString('base64')}` },
    });
    const { refresh_token: token, token: access } = (await asked.json()) as { refresh_token: string; token: string };
    assert.equal((await stat(join(home, 'images/tokens/key.pem'))).mode & 0o777, 0o600);
    first.child.kill('SIGTERM');
    assert.equal((await first.result).exitCode, 0);
    const second = await startIssuer(t, file);
    const refresh = (): Promise<Response> =>
      fetch(`${second.url}/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, service: 'ocictl' }),
      });
    assert.equal((await refresh()).status, 200);
    assert.equal((await fetch(`${second.url}/v2/`, { headers: { authorization: `Bearer ${access}` } })).status, 200);
    const reading = await startIssuer(t, file, '--read-only');
    const headers = { authorization: `Bearer ${access}` };
    assert.equal((await fetch(`${reading.url}/v2/`, { headers })).status, 200);
    assert.equal((await readdir(join(home, 'images/tokens'))).length, 2);
    const third = await spawnServe(t, ['--memory', '--issue-tokens', file]);
    assert.equal((await fetch(`${third.url}/v2/`, { headers: { authorization: `Bearer ${access}` } })).status, 401);
  });

  it('is logged in to, pushed to and pulled from by skopeo and podman', async (t) => {
    if (!needs(t, 'skopeo', 'podman')) return;
    const { host } = await startIssuer(t, await writeAccess(t));
    const image = await layoutOf(t);
    const { home } = await sandbox(t);
    const file = ['--authfile', join(home, 'auth.json')];
    const login = (account: Account): string[] => [
      ...['login', ...file, '--tls-verify=false', '-u', account.username, '-p', account.password, host],
    ];
    await assert.rejects(skopeo(t, login({ ...ada, password: 'wrong' })), /invalid username\/password/);
    await skopeo(t, login(ada));
    const copy = ['copy', '-q', '--dest-tls-verify=false', ...file, image];
    await skopeo(t, [...copy, `docker://${host}/team/app:1`]);
    await skopeo(t, ['inspect', '--tls-verify=false', ...file, `docker://${host}/team/app:1`]);
    await assert.rejects(skopeo(t, [...copy, `docker://${host}/others/app:1`]), /unauthorized|denied/);

    await podman(t, login(eve));
    const plain = [...file, '--tls-verify=false'];
    await podman(t, ['pull', '-q', ...plain, `${host}/team/app:1`]);
    await assert.rejects(podman(t, ['push', '-q', ...plain, `${host}/team/app:1`]), /unauthorized|denied/);
    await podman(t, login(ada));
    await podman(t, ['push', '-q', ...plain, `${host}/team/app:1`, `${host}/team/again:1`]);
    await podman(t, ['logout', ...file, host]);
    await assert.rejects(podman(t, ['pull', '-q', ...plain, `${host}/team/again:1`]), /unauthorized|denied/);
  });

  it('does not start with a file that is wrong: status 2, with line and column', async (t) => {
    const { home } = await sandbox(t);
    const file = join(home, 'access.yaml');
    const start = (...words: string[]): Promise<RunResult> =>
      ocictl(t, ['serve', '--memory', '--addr', '127.0.0.1:0', '--issue-tokens', 'access.yaml', ...words]);
    assert.match((await start()).stderr, /cannot read the access file \S+access\.yaml: ENOENT/);
    await writeFile(file, 'users:\n  ada: secret\nrules: []\n');
    const { exitCode, stderr, stdout } = await start();
    assert.deepEqual([exitCode, stdout], [2, '']);
    assert.match(stderr, /access\.yaml:2:8: the password of "ada" is not a bcrypt hash\nhint: .*htpasswd -Bn/);
    assert.doesNotMatch(stderr, /secret/);
    await writeAccess(t);
    await writeFile(join(home, 'tokens'), '');
    const noPlace = ['serve', '--root', '.', '--addr', '127.0.0.1:0', '--issue-tokens', 'access.yaml'];
    const unkept = await ocictl(t, noPlace);
    assert.equal(unkept.exitCode, 10);
    assert.match(unkept.stderr, /cannot keep the key for tokens in \S+tokens: .*\nhint: /);
    const both = await start('--auth', 'htpasswd=users');
    assert.equal(both.exitCode, 2);
    assert.match(both.stderr, /conflicting options/);
  });
});
