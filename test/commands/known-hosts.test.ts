import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { ocictl, spawnOcictl } from '../support/command.ts';
import { doctor } from '../support/doctor.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { ada } from '../support/login-servers.ts';
import { logIn } from '../support/logins/issuing.ts';
import { startTokenServe } from '../support/logins/token-serve.ts';
import { smallDisk } from '../support/programs/small-disk.ts';
import { projectRoot } from '../support/project.ts';
import { sandbox } from '../support/sandbox.ts';

interface Setup {
  readonly image: string;
  readonly host: string;
  /** Token requests so far. */
  readonly tokens: () => number;
  readonly digest: (
    env?: Record<string, string>,
  ) => Promise<{ readonly exitCode: number | null; readonly stderr: string }>;
}

/** A registry that gives tokens to ada, who is logged in. */
async function setup(t: TestContext): Promise<Setup> {
  const { registry, host, issuer } = await startTokenServe(t);
  await pushImage(
    registry,
    parseRepositoryName('team/app'),
    parseTag('1'),
    await buildImage({ layers: [{ files: { name: 'app' } }] }),
  );
  assert.equal((await logIn(t, host, ada)).exitCode, 0);
  const before = issuer.server.requests.length;
  const image = `${host}/team/app:1`;
  return {
    image,
    host,
    tokens: () => issuer.server.requests.length - before,
    digest: (env = {}) => ocictl(t, ['digest', '-v', image], { env }),
  };
}

async function writeConfigYaml(t: TestContext, text: string): Promise<void> {
  const { home } = await sandbox(t);
  await mkdir(join(home, 'config', 'ocictl'), { recursive: true });
  await writeFile(join(home, 'config', 'ocictl', 'config.yaml'), text);
}

describe('tokens between commands', () => {
  it('are asked for once by a loop', async (t) => {
    const { digest, tokens } = await setup(t);
    for (let count = 0; count < 20; count += 1) assert.equal((await digest()).exitCode, 0);
    assert.equal(tokens(), 1);
  });

  it('are each command’s own with token-cache: off, which config show shows', async (t) => {
    const { digest, tokens } = await setup(t);
    await writeConfigYaml(t, 'token-cache: off\n');
    for (const _ of [1, 2]) assert.equal((await digest()).exitCode, 0);
    assert.equal(tokens(), 2);
    const { env } = await sandbox(t);
    assert.deepEqual(await readdir(env['XDG_RUNTIME_DIR'] ?? ''), []);
    const shown = await ocictl(t, ['config', 'show']);
    assert.match(shown.stdout, /^token-cache +off +.*config\.yaml:1$/m);
    await writeConfigYaml(t, 'token-cache: sometimes\n');
    const refused = await digest();
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /config\.yaml:1(?::\d+)?: "token-cache" must be one of on, off/);
  });

  it('are each command’s own where XDG_RUNTIME_DIR is not private, or not set, and only -v says so', async (t) => {
    const { digest, tokens, image } = await setup(t);
    const { home } = await sandbox(t);
    const open = join(home, 'open');
    await mkdir(open);
    await chmod(open, 0o755);
    const { stderr } = await digest({ XDG_RUNTIME_DIR: open });
    assert.match(stderr, /^tokens are not kept in .*open: .* is open to other users$/m);
    const silent = await ocictl(t, ['digest', image], { env: { XDG_RUNTIME_DIR: open } });
    assert.deepEqual([silent.exitCode, silent.stderr], [0, '']);
    await digest({ XDG_RUNTIME_DIR: '' });
    assert.equal(tokens(), 3);
    assert.deepEqual(await readdir(open), []);
  });

  it('are erased by logout, of the host or of all', async (t) => {
    const { digest, tokens, host } = await setup(t);
    const kept = async (): Promise<readonly string[]> => {
      const { env } = await sandbox(t);
      return readdir(join(env['XDG_RUNTIME_DIR'] ?? '', 'ocictl', 'tokens')).catch(() => []);
    };
    await digest();
    assert.deepEqual(await kept(), [host.replace(':', '_')]);
    await ocictl(t, ['logout', 'other.example']);
    assert.equal((await kept()).length, 1);
    await ocictl(t, ['logout', host]);
    assert.deepEqual(await kept(), []);
    assert.equal((await logIn(t, host, ada)).exitCode, 0);
    const before = tokens();
    await digest();
    assert.equal(tokens(), before + 1);
    await ocictl(t, ['logout', '--all']);
    assert.deepEqual(await kept(), []);
  });

  it('of a login for one command end with it', async (t) => {
    const { host, image, tokens } = await setup(t);
    const program = [process.execPath, join(projectRoot, 'bin', 'ocictl.js')];
    const words = ['with-login', host, '--', ...program, 'digest', image];
    const { exitCode, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    assert.equal(tokens(), 1);
    const { env } = await sandbox(t);
    assert.deepEqual(await readdir(join(env['XDG_RUNTIME_DIR'] ?? '', 'ocictl', 'tokens')), []);
  });

  it('are shared by processes that run at once', async (t) => {
    const { image, tokens } = await setup(t);
    const round = () =>
      Promise.all(Array.from({ length: 4 }, async () => (await spawnOcictl(t, ['digest', image])).result));
    for (const { exitCode, stderr } of [...(await round()), ...(await round())]) assert.equal(exitCode, 0, stderr);
    assert.ok(tokens() <= 4, `${tokens()} tokens`);
  });
});

describe('directories of caches on a disk', () => {
  for (const state of ['full', 'read-only'] as const) {
    it(`that is ${state} change no result, and nothing is said`, async (t) => {
      const disk = await smallDisk(t, 64 * 1024);
      if (disk === undefined) return;
      const { image, host, tokens } = await setup(t);
      const [cache, run] = [join(disk, 'cache'), join(disk, 'run')];
      for (const directory of [cache, run]) await mkdir(directory, { mode: 0o700 });
      if (state === 'full') await assert.rejects(writeFile(join(disk, 'filler'), Buffer.alloc(128 * 1024)), /ENOSPC/);
      else await promisify(execFile)('mount', ['-o', 'remount,ro', disk]);
      const env = { XDG_CACHE_HOME: cache, XDG_RUNTIME_DIR: run };
      for (const _ of [1, 2]) {
        const { exitCode, stderr } = await ocictl(t, ['digest', image], { env, ownProcess: true });
        assert.deepEqual([exitCode, stderr], [0, '']);
      }
      assert.equal(tokens(), 2);
      const told = await ocictl(t, ['digest', '-v', image], { env });
      assert.match(told.stderr, state === 'full' ? /tokens are not kept .*ENOSPC/ : /tokens are not kept .*EROFS/);
      for (const words of [
        ['logout', host],
        ['doctor', '--forget', host],
      ]) {
        const { exitCode, stderr } = await ocictl(t, words, { env });
        assert.deepEqual([exitCode, stderr], [0, ''], words[0]);
      }
    });
  }
});

describe('ocictl doctor of a host that is known', () => {
  it('shows what was learned, which --forget forgets', async (t) => {
    const { image, host, digest, tokens } = await setup(t);
    await digest();
    const { home } = await sandbox(t);
    await writeRecord(t, host);
    const found = await doctor(t, [image]);
    assert.equal(found.exitCode, 0, found.stderr);
    const [learned] = found.find('learned');
    assert.match(
      learned?.text ?? '',
      /^asks for Bearer realm="https:\/\/auth\.example\/token"; HTTP\/2; mounts no blobs \(known for 24 hours, forgotten in 6 days or by 'doctor --forget'\)$/,
    );
    const listed = (await doctor(t, [])).find('learned').map(({ text }) => text.replace(/: asks for .*/, ''));
    assert.deepEqual(listed.sort(), [`http://${host}`, `https://${host}, without a valid certificate`]);
    const forgot = await ocictl(t, ['doctor', '--forget', host]);
    assert.deepEqual([forgot.exitCode, forgot.stdout], [0, `Forgot what was learned of ${host}\n`]);
    assert.deepEqual(await readdir(join(home, 'cache', 'ocictl', 'hosts')), []);
    const before = tokens();
    await digest();
    assert.equal(tokens(), before + 1, 'its tokens went too');
    await rm(join(home, 'cache', 'ocictl'), { recursive: true, force: true });
    await ocictl(t, ['logout', host]);
    const nothing = await ocictl(t, ['doctor', '--forget', host, '--json']);
    assert.deepEqual(JSON.parse(nothing.stdout), { host, known: false });
  });

  it('takes one host with --forget, and no image', async (t) => {
    const both = await ocictl(t, ['doctor', '--forget', 'registry.example', 'alpine']);
    assert.equal(both.exitCode, 2);
    const invalid = await ocictl(t, ['doctor', '--forget', 'not a host']);
    assert.equal(invalid.exitCode, 2);
    assert.match(invalid.stderr, /invalid server/);
  });
});

/** What a verified host would have taught: on loopback no certificate is verified. */
async function writeRecord(t: TestContext, host: string): Promise<void> {
  const { home } = await sandbox(t);
  const directory = join(home, 'cache', 'ocictl', 'hosts');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const facts = { challenges: { '/': ['Bearer realm="https://auth.example/token"'] }, http2: true, mounts: false };
  for (const name of [`https://${host} unverified`, `http://${host}`]) {
    const record = { format: 1, origin: name, since: Date.now() - 24 * 60 * 60 * 1000, facts };
    const file = join(directory, `${name.replace(/[^A-Za-z0-9.-]+/g, '_')}.json`);
    await writeFile(file, JSON.stringify(record), { mode: 0o600 });
  }
}
