/** Logins that docker stored, read by ocictl, and the other way round. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { base64, readConfig, writeConfig } from '../../commands/login/stored-credentials.ts';
import { ocictl } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { ada } from '../../support/login-servers.ts';
import { needsKeychain, startKeyring } from '../../support/logins/keyrings.ts';
import { type RunResult, start } from '../../support/process.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';

type Env = Readonly<Record<string, string>>;

interface Setup {
  readonly host: string;
  /** An image there. */
  readonly name: string;
  /** The environment of both programs. */
  readonly env: Env;
  readonly docker: (words: readonly string[], input?: string) => Promise<RunResult>;
}

async function setup(t: TestContext, more: Env = {}): Promise<Setup> {
  const { host } = await startDockerRegistry(t, { htpasswd: ada });
  const env = { ...more, ...(await startDocker(t)) };
  const layout = await temporaryDirectory(t);
  await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'app' } }] }));
  const name = `${host}/team/app:1`;
  const words = ['copy', '-q', '--dest-creds', `${ada.username}:${ada.password}`, `oci:${layout}:1`, name];
  const copied = await ocictl(t, words);
  assert.equal(copied.exitCode, 0, copied.stderr);
  const { env: base } = await sandbox(t);
  const docker: Setup['docker'] = (args, input) => start(t, 'docker', args, { env: { ...base, ...env }, input }).result;
  return { host, name, env, docker };
}

const account = ['-u', ada.username, '--password-stdin'];

function assertDone({ exitCode, stdout, stderr }: RunResult): void {
  assert.equal(exitCode, 0, stdout + stderr);
}

describe('docker and ocictl', () => {
  it('are let in with what the other has stored in config.json', async (t) => {
    if (!needs(t, 'docker', 'dockerd', 'docker-registry', 'htpasswd')) return;
    const { host, name, docker } = await setup(t);
    // With an empty configuration, docker would choose pass by itself if it is installed.
    await writeConfig(t, { auths: { other: { auth: base64('a:b') } } });
    assertDone(await docker(['login', ...account, host], ada.password));
    assertDone(await ocictl(t, ['pull', '-q', name]));
    assertDone(await ocictl(t, ['logout', host]));
    assert.notEqual((await docker(['pull', '-q', name])).exitCode, 0);
    assertDone(await ocictl(t, ['login', ...account, host], { input: ada.password }));
    assertDone(await docker(['pull', '-q', name]));
    assertDone(await docker(['logout', host]));
    assert.deepEqual(Object.keys((await readConfig(t)).auths ?? {}), ['other']);
  });

  it('share the keychain through docker-credential-ocictl', async (t) => {
    if (!needs(t, 'docker', 'dockerd', 'docker-registry', 'htpasswd') || !needsKeychain(t)) return;
    const { host, name, env, docker } = await setup(t, await startKeyring(t));
    assertDone(await ocictl(t, ['login', ...account, host], { input: ada.password, env }));
    assertDone(await docker(['pull', '-q', name]));
    assertDone(await docker(['logout', host]));
    assert.equal((await ocictl(t, ['pull', '-q', name], { env })).exitCode, 4);
    await writeConfig(t, { credsStore: 'ocictl' });
    assertDone(await docker(['login', ...account, host], ada.password));
    assert.doesNotMatch(JSON.stringify(await readConfig(t)), /YWRh/);
    assertDone(await ocictl(t, ['pull', '-q', name], { env }));
  });

  it('work together for one command, and nothing of the login is left', async (t) => {
    if (!needs(t, 'docker', 'dockerd', 'docker-registry', 'htpasswd')) return;
    const { host, name, env, docker } = await setup(t);
    const words = ['with-login', ...account, host, '--', 'docker', 'pull', '-q', name];
    assertDone(await ocictl(t, words, { input: ada.password, env }));
    assert.deepEqual(await readConfig(t), {});
    await docker(['image', 'rm', name]);
    assert.notEqual((await docker(['pull', '-q', name])).exitCode, 0);
  });
});
