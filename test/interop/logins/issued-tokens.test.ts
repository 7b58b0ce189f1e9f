import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { ocictl, spawnServe } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { type Account, ada } from '../../support/login-servers.ts';
import { eve, layoutOf, logIn, startIssuer, storedLogin, writeAccess } from '../../support/logins/issuing.ts';
import { type DockerRegistry, needs, skopeo, startDockerRegistry } from '../../support/programs.ts';
import { sandbox } from '../../support/sandbox.ts';

const exec = promisify(execFile);

describe('another ocictl serve with the tokens of ocictl', () => {
  it('takes them, each for its own registry alone', async (t) => {
    const file = await writeAccess(t, { services: ['first', 'second'] });
    const first = await startIssuer(t, file);
    const word = `token=${first.url}/token,service=second,issuer=ocictl,cert=images/tokens/certificate.pem`;
    const second = await spawnServe(t, ['--memory', '--auth', word]);
    assert.match(first.output().stderr, /second: trust its tokens with rootcertbundle \S+certificate\.pem/);
    const image = await layoutOf(t);
    const copy = ['copy', image, `${second.host}/team/app:1`];
    assert.equal((await ocictl(t, copy)).exitCode, 4);
    assert.equal((await logIn(t, second.host, ada)).exitCode, 0);
    assert.equal((await ocictl(t, copy)).exitCode, 0);
    assert.equal((await ocictl(t, ['pull', '-q', `${second.host}/team/app:1`])).exitCode, 0);
    assert.equal((await ocictl(t, ['copy', image, `${second.host}/others/app:1`])).exitCode, 4);
    const headers = { authorization: `Basic ${Buffer.from(`ada:${ada.password}`).toString('base64')}` };
    for (const [service, statuses] of [
      ['first', [200, 401]],
      ['second', [401, 200]],
    ] as const) {
      const answer = await fetch(`${first.url}/token?service=${service}`, { headers });
      const { token } = (await answer.json()) as { token: string };
      const status = async (url: string): Promise<number> =>
        (await fetch(`${url}/v2/`, { headers: { authorization: `Bearer ${token}` } })).status;
      assert.deepEqual([await status(first.url), await status(second.url)], statuses);
    }
  });
});

describe('docker-registry with the tokens of ocictl', () => {
  async function startBoth(t: TestContext): Promise<DockerRegistry> {
    const file = await writeAccess(t, { services: ['ocictl', 'debian'], issuer: 'team-tokens' });
    const { url } = await startIssuer(t, file);
    const certificate = await readFile(join((await sandbox(t)).home, 'images/tokens/certificate.pem'), 'utf8');
    const tokens = { realm: `${url}/token`, service: 'debian', issuer: 'team-tokens', certificate };
    return startDockerRegistry(t, { tokens });
  }

  it('is used by ocictl', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { host } = await startBoth(t);
    const image = await layoutOf(t);
    assert.equal((await ocictl(t, ['copy', image, `${host}/team/app:1`])).exitCode, 4);
    assert.equal((await logIn(t, host, ada)).exitCode, 0);
    assert.ok((await storedLogin(t, host))['identitytoken']);
    const pushed = await ocictl(t, ['copy', image, `${host}/team/app:1`]);
    assert.equal(pushed.exitCode, 0, pushed.stderr);
    assert.equal((await ocictl(t, ['pull', '-q', `${host}/team/app:1`])).exitCode, 0);
    assert.match((await ocictl(t, ['search', `${host}/app`])).stdout, /team\/app/);
    const foreign = await ocictl(t, ['copy', image, `${host}/others/app:1`]);
    assert.equal(foreign.exitCode, 4);
    assert.match(foreign.stderr, /denied/);
  });

  it('is used by skopeo', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const { host } = await startBoth(t);
    const image = await layoutOf(t);
    const creds = ({ username, password }: Account): string => `${username}:${password}`;
    const copy = ['copy', '-q', '--dest-tls-verify=false'];
    await skopeo(t, [...copy, '--dest-creds', creds(ada), image, `docker://${host}/team/app:1`]);
    await skopeo(t, ['inspect', '--tls-verify=false', '--creds', creds(eve), `docker://${host}/team/app:1`]);
    const another = await layoutOf(t, { name: 'other' });
    const denied = skopeo(t, [...copy, '--dest-creds', creds(eve), another, `docker://${host}/team/app:2`]);
    await assert.rejects(denied, /unauthorized|denied/);
  });

  it('is used by docker, which keeps an identity token', async (t) => {
    if (!needs(t, 'docker-registry', 'docker', 'dockerd')) return;
    const { host } = await startBoth(t);
    const { env: base, dockerConfig } = await sandbox(t);
    // Without an entry, docker would choose an installed credential helper.
    await writeFile(join(dockerConfig, 'config.json'), '{"auths":{"registry.test":{}}}');
    const env = { ...base, ...(await startDocker(t)) };
    const login = (password: string) => exec('docker', ['login', '-u', ada.username, '-p', password, host], { env });
    await assert.rejects(login('wrong'), /unauthorized|incorrect/);
    assert.match((await login(ada.password)).stdout, /Login Succeeded/);
    assert.ok((await storedLogin(t, host))['identitytoken'], 'no password is kept');
    assert.equal((await ocictl(t, ['copy', await layoutOf(t), `${host}/team/app:1`])).exitCode, 0);
    await exec('docker', ['pull', '-q', `${host}/team/app:1`], { env });
    await exec('docker', ['tag', `${host}/team/app:1`, `${host}/team/again:1`], { env });
    await exec('docker', ['push', '-q', `${host}/team/again:1`], { env });
    await exec('docker', ['tag', `${host}/team/app:1`, `${host}/others/app:1`], { env });
    await assert.rejects(exec('docker', ['push', '-q', `${host}/others/app:1`], { env }), /denied|unauthorized/);
  });
});
