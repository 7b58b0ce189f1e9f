import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl, spawnOcictl } from '../../support/command.ts';
import { ada, startPasswordRegistry, startTokenRegistry } from '../../support/login-servers.ts';
import { sandbox } from '../../support/sandbox.ts';
import { adaAuth, base64, readConfig, writeConfig } from './stored-credentials.ts';

const show = 'stat -c %a "$DOCKER_CONFIG" "$DOCKER_CONFIG/config.json"; cat "$REGISTRY_AUTH_FILE"';

/** The temporary configurations that still exist. */
async function left(t: TestContext): Promise<readonly string[]> {
  const { env } = await sandbox(t);
  const directories = [env['XDG_RUNTIME_DIR'] ?? '', env['TMPDIR'] ?? ''];
  return (await Promise.all(directories.map((each) => readdir(each)))).flat().filter((name) => /^ocictl/.test(name));
}

describe('ocictl with-login', () => {
  it('gives a command the login of one registry, in a private directory that is gone afterwards', async (t) => {
    await writeConfig(t, {
      auths: { 'a.example': { auth: adaAuth }, 'b.example': { auth: base64('b:secret') } },
      HttpHeaders: { 'X-Token': 'secret' },
      credHelpers: { c: 'pass' },
      currentContext: 'mine',
    });
    const { dockerConfig } = await sandbox(t);
    await mkdir(join(dockerConfig, 'cli-plugins'));
    const words = ['with-login', 'a.example', '--', 'sh', '-c', `${show}; ls "$DOCKER_CONFIG"`];
    const { exitCode, stdout, stderr } = await ocictl(t, words, { env: { DOCKER_AUTH_CONFIG: '{"auths":{}}' } });
    assert.deepEqual([exitCode, stderr], [0, '']);
    const [directory, file, ...rest] = stdout.split('\n');
    assert.deepEqual([directory, file], ['700', '600']);
    const config = JSON.parse(rest.slice(0, -3).join('\n'));
    assert.deepEqual(config, { currentContext: 'mine', auths: { 'a.example': { auth: adaAuth } } });
    assert.deepEqual(rest.slice(-3), ['cli-plugins', 'config.json', '']);
    assert.deepEqual(await left(t), []);
    assert.ok(await stat(join(dockerConfig, 'cli-plugins')));
  });

  it("ends with the status of the command, and passes the command's options on", async (t) => {
    await writeConfig(t, { auths: { a: { auth: adaAuth } } });
    const run = async (...words: string[]) => (await ocictl(t, ['with-login', 'a', '--', ...words])).exitCode;
    assert.equal(await run('sh', '-c', 'exit 7', '--json', '-v'), 7);
    assert.equal(await run('sh', '-c', 'kill -TERM $$'), 143);
    assert.deepEqual(await left(t), []);
  });

  it('ends as a shell does where the command is not there or cannot be run', async (t) => {
    await writeConfig(t, { auths: { a: { auth: adaAuth } } });
    const missing = await ocictl(t, ['with-login', 'a', '--', 'no-such-program']);
    assert.equal(missing.exitCode, 127);
    assert.match(missing.stderr, /error: "no-such-program": there is no such program\n$/);
    const { home } = await sandbox(t);
    const denied = await ocictl(t, ['with-login', 'a', '--', home]);
    assert.equal(denied.exitCode, 126);
    assert.match(denied.stderr, /cannot be run \(EACCES\)/);
    assert.deepEqual(await left(t), []);
  });

  it('hands on standard input, and DOCKER_AUTH_CONFIG not', async (t) => {
    const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { a: { auth: adaAuth } } }) };
    const words = ['with-login', 'a', '--', 'sh', '-c', 'cat; echo "[$DOCKER_AUTH_CONFIG]"'];
    const { stdout } = await ocictl(t, words, { env, input: 'through' });
    assert.equal(stdout, 'through[]\n');
  });

  it('checks credentials that it is given, and stores them nowhere', async (t) => {
    const registry = await startPasswordRegistry(t);
    const words = ['with-login', '-u', ada.username, '--password-stdin', registry.host, '--', 'sh', '-c', show];
    const { exitCode, stdout, stderr } = await ocictl(t, words, { input: ada.password });
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, new RegExp(adaAuth));
    assert.deepEqual(await readConfig(t), {});
    const wrong = await ocictl(t, words, { input: 'wrong' });
    assert.deepEqual([wrong.exitCode, wrong.stdout], [4, '']);
  });

  it('lends an identity token in place of the password where the registry gives one', async (t) => {
    const { registry } = await startTokenRegistry(t);
    const words = ['with-login', '-u', ada.username, '--password-stdin', registry.host, '--', 'sh', '-c', show];
    const { stdout } = await ocictl(t, words, { input: ada.password });
    assert.match(stdout, /"identitytoken": "identity-1"/);
    assert.doesNotMatch(stdout, new RegExp(adaAuth));
  });

  it('runs nothing without a login, and requires a command', async (t) => {
    const { exitCode, stdout, stderr } = await ocictl(t, ['with-login', 'a', '--', 'echo', 'ran']);
    assert.deepEqual([exitCode, stdout], [4, '']);
    assert.match(stderr, /nobody is logged in to a\n.*ocictl login a/);
    assert.equal((await ocictl(t, ['with-login', 'a'])).exitCode, 2);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`hands a ${signal} on, waits, and erases`, async (t) => {
      await writeConfig(t, { auths: { a: { auth: adaAuth } } });
      const script = `trap 'echo got; exit 5' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`;
      const running = await spawnOcictl(t, ['with-login', 'a', '--', 'sh', '-c', script]);
      await running.waitFor(/ready/);
      assert.equal((await left(t)).length, 1);
      running.child.kill(signal);
      const { exitCode, stdout } = await running.result;
      assert.deepEqual([exitCode, stdout], [5, 'ready\ngot\n']);
      assert.deepEqual(await left(t), []);
    });
  }

  it('follows no link that replaced a leftover directory', async (t) => {
    await writeConfig(t, { auths: { a: { auth: adaAuth } } });
    const { home, env } = await sandbox(t);
    const gone = spawnSync('true').pid;
    const name = `ocictl-login-${hostname()}-${gone}-abcdef`;
    await symlink(home, join(env['XDG_RUNTIME_DIR'] ?? '', name));
    assert.equal((await ocictl(t, ['with-login', 'a', '--', 'true'])).exitCode, 0);
    assert.deepEqual(await left(t), [name]);
  });

  it('erases the leftovers of a killed one at the next run', async (t) => {
    await writeConfig(t, { auths: { a: { auth: adaAuth } } });
    const running = await spawnOcictl(t, ['with-login', 'a', '--', 'sh', '-c', 'echo "$$ ready"; exec sleep 60']);
    const [, pid] = await running.waitFor(/(\d+) ready/);
    running.child.kill('SIGKILL');
    process.kill(Number(pid), 'SIGKILL');
    await running.result;
    const [directory = ''] = await left(t);
    assert.match(directory, /^ocictl-login-/);
    await writeFile(join((await sandbox(t)).env['XDG_RUNTIME_DIR'] ?? '', 'ocictl-other'), '');
    await ocictl(t, ['with-login', 'a', '--', 'true']);
    assert.deepEqual(await left(t), ['ocictl-other']);
  });
});
