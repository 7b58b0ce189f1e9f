import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { formatPlatform, hostPlatform } from '../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { type Built, buildImage, buildIndex, pushImage } from '../support/images.ts';
import { type RunResult, start } from '../support/process.ts';
import { type DockerRegistry, needs, skopeo, startDockerRegistry } from '../support/programs.ts';
import { projectRoot } from '../support/project.ts';
import { startServe } from '../support/registries.ts';
import { sandbox } from '../support/sandbox.ts';

const account = { username: 'ci', password: 'top: secret ✓' };
const script = join(projectRoot, 'examples', 'ci.sh');
const programs = ['bash', 'docker-registry', 'htpasswd', 'skopeo'] as const;

/** A public registry with an image for two platforms, and a private registry that requires a password. */
async function startPlaces(
  t: TestContext,
): Promise<{ readonly source: string; readonly image: Built; readonly own: DockerRegistry }> {
  const image = await buildIndex([
    await buildImage({ platform: hostPlatform(), layers: [{ files: { app: 'for this machine' } }] }),
    await buildImage({ platform: { os: 'linux', architecture: 's390x' }, layers: [{ files: { app: 'for another' } }] }),
  ]);
  const { host, registry } = await startServe(t);
  await pushImage(registry, parseRepositoryName('base'), parseTag('1'), image);
  return { source: `${host}/base:1`, image, own: await startDockerRegistry(t, { htpasswd: account }) };
}

async function runScript(t: TestContext, words: readonly string[], password = account.password): Promise<RunResult> {
  const { home, env } = await sandbox(t);
  const bin = join(home, 'bin');
  if ((await mkdir(bin, { recursive: true })) !== undefined) {
    await symlink(join(projectRoot, 'bin', 'ocictl.js'), join(bin, 'ocictl'));
  }
  const PATH = [bin, dirname(process.execPath), env['PATH']].join(delimiter);
  const own = { PATH, REGISTRY_USER: account.username, REGISTRY_PASSWORD: password };
  return start(t, 'bash', [script, ...words], { cwd: home, env: { ...env, ...own } }).result;
}

/** Asserts that neither the user's own configuration nor the temporary directory contains anything of the job. */
async function assertNothingLeft(t: TestContext): Promise<void> {
  const { dockerConfig, env } = await sandbox(t);
  assert.equal(await readFile(join(dockerConfig, 'config.json'), 'utf8'), '{}');
  assert.deepEqual(await readdir(env['TMPDIR'] ?? ''), []);
}

describe('examples/ci.sh', () => {
  it('publishes an image, prints the results alone, and leaves no credentials', async (t) => {
    if (!needs(t, ...programs)) return;
    const { source, image, own } = await startPlaces(t);
    const repository = `${own.host}/team/app`;
    const { exitCode, stdout, stderr } = await runScript(t, [source, repository, '1.2']);
    assert.equal(exitCode, 0, stderr);
    const { digest } = image.descriptor;
    const platform = formatPlatform(hostPlatform());
    assert.equal(stdout, `image=${repository}@${digest}\nplatform=${platform}\npublished=true\n`);
    assert.doesNotMatch(stderr, /^error:|secret/m);
    assert.match(stderr, /^Login Succeeded$/m);
    assert.match(stderr, new RegExp(`^Removing login credentials for ${own.host}$`, 'm'));
    await assertNothingLeft(t);
    assert.equal((await ocictl(t, ['digest', `${repository}:1.2`])).exitCode, 4, 'nobody is logged in any more');
    for (const tag of ['1.2', 'latest']) {
      const words = ['inspect', '--raw', '--tls-verify=false', `--creds=${account.username}:${account.password}`];
      const raw = await skopeo(t, [...words, `docker://${repository}:${tag}`]);
      assert.deepEqual(Buffer.from(raw.stdout), Buffer.from(image.manifest.bytes));
    }
  });

  it('does not publish a version again', async (t) => {
    if (!needs(t, ...programs)) return;
    const { source, image, own } = await startPlaces(t);
    const repository = `${own.host}/team/app`;
    assert.equal((await runScript(t, [source, repository, '1.2'])).exitCode, 0);
    // The source does not exist: it must not be asked.
    const { exitCode, stdout, stderr } = await runScript(t, [`${source}-gone`, repository, '1.2']);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, new RegExp(`^image=${repository}@${image.descriptor.digest}\n.*\npublished=false\n$`));
  });

  it('ends with status 4 for a wrong password, with nothing on stdout and nothing left', async (t) => {
    if (!needs(t, ...programs)) return;
    const { source, own } = await startPlaces(t);
    const { exitCode, stdout, stderr } = await runScript(t, [source, `${own.host}/team/app`, '1.2'], 'guessed');
    assert.deepEqual([exitCode, stdout], [4, '']);
    assert.match(stderr, /^error: login attempt to .* failed with status: 401 Unauthorized/m);
    assert.doesNotMatch(stderr, /guessed|Removing login/);
    await assertNothingLeft(t);
  });

  it('ends with status 5 where the registry does not answer', async (t) => {
    if (!needs(t, ...programs)) return;
    const { source, own } = await startPlaces(t);
    await own.stop();
    assert.equal((await runScript(t, [source, `${own.host}/team/app`, '1.2'])).exitCode, 5);
  });

  it('ends with status 3 for a source that is not there, and logs out', async (t) => {
    if (!needs(t, ...programs)) return;
    const { source, own } = await startPlaces(t);
    const { exitCode, stdout, stderr } = await runScript(t, [`${source}-gone`, `${own.host}/team/app`, '1.2']);
    assert.deepEqual([exitCode, stdout], [3, ''], stderr);
    assert.match(stderr, /^Removing login credentials/m);
    await assertNothingLeft(t);
  });

  it('says what it wants', async (t) => {
    if (!needs(t, 'bash')) return;
    const { exitCode, stdout, stderr } = await runScript(t, ['alpine']);
    assert.deepEqual([exitCode, stdout], [2, '']);
    assert.match(stderr, /^usage: .*ci\.sh SOURCE REPOSITORY VERSION\n$/);
  });
});
