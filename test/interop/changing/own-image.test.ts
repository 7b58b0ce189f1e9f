/** The container image of ocictl, which ocictl makes: it runs in podman or buildah. */
import assert from 'node:assert/strict';
import { copyFile, cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { app, imageFor, one } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { freePort } from '../../support/network/ports.ts';
import { start } from '../../support/process.ts';
import { needs, podman, waitForPort } from '../../support/programs.ts';
import { projectRoot } from '../../support/project.ts';
import { startServe } from '../../support/registries.ts';
import { atEnd, sandbox } from '../../support/sandbox.ts';

const arch = process.arch === 'arm64' ? 'arm64' : 'x64';

/** What a base has: the libraries that the single file is linked to, and the system's certificates. */
async function makeBase(t: TestContext, file: string): Promise<string> {
  const { home, env } = await sandbox(t);
  const { stdout } = await start(t, 'ldd', [file], { env, cwd: home }).result;
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  for (const path of [...(stdout.match(/\/\S+/g) ?? []), certificates]) {
    await mkdir(join(home, 'base', dirname(path)), { recursive: true });
    await cp(path, join(home, 'base', path), { dereference: true });
  }
  for (const platform of ['linux/amd64', 'linux/arm64']) {
    const words = ['append', '-f', 'base', '--set-platform', platform, '-t', `oci:bases:${platform.replace('/', '-')}`];
    assert.equal((await ocictl(t, words)).exitCode, 0);
  }
  const made = await ocictl(t, [
    'index',
    'create',
    'oci:bases:linux-amd64',
    'oci:bases:linux-arm64',
    '-t',
    'oci:bases:1',
  ]);
  assert.equal(made.exitCode, 0, made.stderr);
  return `oci:${join(home, 'bases')}:1`;
}

interface Runner {
  /** @returns Standard output. */
  run(...words: readonly string[]): Promise<string>;
  /** Serves until the test ends. @returns When the port answers. */
  serve(port: number): Promise<void>;
}

/** Runs the image as its user: in podman, or, where the machine lets no container run, in a chroot that buildah makes of it. */
async function runner(t: TestContext): Promise<Runner> {
  const { home, env } = await sandbox(t);
  const image = ['--network', 'host', '--cgroups', 'disabled', 'localhost/ocictl:1'];
  const serving = (port: number): readonly string[] => ['serve', '--memory', '--addr', `127.0.0.1:${port}`];
  const tried = await podman(t, ['run', '--rm', ...image, 'version']).catch((error: unknown) => String(error));
  if (typeof tried !== 'string') {
    return {
      run: async (...words) => (await podman(t, ['run', '--rm', ...image, ...words])).stdout,
      async serve(port) {
        const { stdout } = await podman(t, ['run', '-d', ...image, ...serving(port)]);
        atEnd(t, () => podman(t, ['rm', '-f', stdout.trim()]));
        await waitForPort(port, new Promise(() => {}));
      },
    };
  }
  // runc always makes a cgroup, which some machines refuse.
  assert.match(tried, /not permitted|permission denied|runc is not compatible with NoCgroups/i);
  t.diagnostic('podman runs no container on this machine: buildah runs one in a chroot');
  const places = ['--root', 'buildah', '--runroot', 'buildah-run', '--storage-driver', 'vfs'];
  const buildah = (words: readonly string[]) => start(t, 'buildah', [...places, ...words], { env, cwd: home });
  const made = await buildah(['from', '--name', 'ocictl', 'oci-archive:one.tar']).result;
  assert.equal(made.exitCode, 0, made.stderr);
  atEnd(t, () => buildah(['rm', 'ocictl']).result);
  const begin = (words: readonly string[]) => {
    const running = buildah(['run', '--isolation', 'chroot', 'ocictl', '--', '/usr/local/bin/ocictl', ...words]);
    // Killed at once, buildah would leave the program behind.
    atEnd(t, async () => {
      running.child.kill('SIGTERM');
      await running.result;
    });
    return running;
  };
  return {
    async run(...words) {
      const { exitCode, stdout, stderr } = await begin(words).result;
      assert.equal(exitCode, 0, stderr);
      return stdout;
    },
    serve: (port) => waitForPort(port, begin(serving(port)).result),
  };
}

describe('the image of ocictl', () => {
  it('is made twice with the same digest, and pulls, copies and serves in a container', async (t) => {
    if (!needs(t, 'podman', 'buildah', 'ldd')) return;
    const { home } = await sandbox(t);
    const { makeBinary } = await import(pathToFileURL(join(projectRoot, 'scripts', 'binary.mjs')).href);
    const { makeImage } = await import(pathToFileURL(join(projectRoot, 'scripts', 'image.mjs')).href);
    const file: string = await makeBinary({ arch, folder: join(home, 'binary') });
    const other = join(home, 'other');
    // Of another processor it is not run here.
    await copyFile(process.execPath, other);
    const files = { x64: other, arm64: other, [arch]: file };
    const base = await makeBase(t, file);
    const archive = join(home, 'ocictl.tar');
    const digest = await makeImage({ tag: `oci-archive:${archive}:localhost/ocictl:1`, base, files });
    assert.equal(await makeImage({ tag: `oci:${join(home, 'again')}:1`, base, files }), digest);
    const alone = ['copy', '-q', '--platform', `linux/${arch === 'x64' ? 'amd64' : 'arm64'}`];
    assert.equal(
      (await ocictl(t, [...alone, `oci-archive:${archive}`, 'oci-archive:one.tar:localhost/ocictl:1'])).exitCode,
      0,
    );
    const { stdout: loaded } = await podman(t, ['load', '-q', '-i', 'one.tar']);
    assert.match(loaded, /localhost\/ocictl:1/);
    const { host, registry } = await startServe(t);
    await pushImage(registry, app, one, await imageFor('amd64'));
    const { run, serve } = await runner(t);
    assert.match(await run('copy', '-q', `${host}/${app}:1`, `${host}/${app}:2`), /:2$/m);
    await run('pull', '-q', `${host}/${app}:2`);
    const port = await freePort();
    await serve(port);
    await run('copy', '-q', `${host}/${app}:2`, `127.0.0.1:${port}/${app}:3`);
    assert.equal(await run('tags', `127.0.0.1:${port}/${app}`), '3\n');
  });
});
