/** Docker's own daemon, and podman's, behind `docker-daemon:`; `docker` makes the contexts. */
import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../support/command.ts';
import { startDocker } from '../support/docker.ts';
import { type BuiltImage, buildImage, buildIndex } from '../support/images.ts';
import { keepImage } from '../support/local-store.ts';
import { freePort } from '../support/network/ports.ts';
import { start } from '../support/process.ts';
import { startPodmanService } from '../support/programs/podman-service.ts';
import { makeCertificates, needs } from '../support/programs.ts';
import { startServe } from '../support/registries.ts';
import { sandbox } from '../support/sandbox.ts';

type Env = Readonly<Record<string, string>>;

const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** An image on a base that all of them have. */
function imageOf(name: string): Promise<BuiltImage> {
  return buildImage({
    platform: { os: 'linux', architecture },
    layers: ['base', name].map((layer) => ({ files: { [layer]: `${layer}\n`.repeat(500) } })),
  });
}

async function run(t: TestContext, words: readonly string[], env: Env): Promise<string> {
  const { stdout, stderr, exitCode } = await ocictl(t, words, { env });
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

async function docker(t: TestContext, words: readonly string[], env: Env): Promise<string> {
  const known = (await sandbox(t)).env;
  const { stdout, stderr, exitCode } = await start(t, 'docker', words, { env: { ...known, ...env } }).result;
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

/** The ID that Docker gives an image: the digest of its config. */
const idOf = (image: BuiltImage): string => image.config.descriptor.digest;

const idIn = async (t: TestContext, name: string, env: Env): Promise<string> =>
  (await docker(t, ['image', 'inspect', '--format', '{{.Id}}', name], env)).trim();

for (const daemon of ['dockerd', 'podman'] as const) {
  const startDaemon = async (t: TestContext): Promise<Env | undefined> => {
    if (!needs(t, 'docker', daemon)) return undefined;
    if (daemon === 'dockerd') return startDocker(t);
    return { DOCKER_HOST: await startPodmanService(t, (await sandbox(t)).env) };
  };

  describe(`docker-daemon: with ${daemon}`, () => {
    it('has images as they were copied, with the same image ID, and gives them back', async (t) => {
      const env = await startDaemon(t);
      if (!env) return;
      const [first, second] = [await imageOf('first'), await imageOf('second')];
      await keepImage(t, 'team/app:1', await buildIndex([first]));
      await keepImage(t, 'team/app:2', second);
      await run(t, ['copy', 'store:team/app:1', 'docker-daemon:team/app:1'], env);
      const told = JSON.parse(await run(t, ['copy', '--json', 'store:team/app:2', 'docker-daemon:team/app:2'], env));
      assert.equal(await idIn(t, 'team/app:1', env), idOf(first));
      assert.equal(await idIn(t, 'team/app:2', env), idOf(second));
      const base = second.layers[0]?.descriptor.size ?? assert.fail();
      const all = second.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
      assert.equal(told.transferredBytes, all - base, 'the base is there');
      assert.equal(await run(t, ['tags', 'docker-daemon:team/app'], env), '1\n2\n');

      const { host } = await startServe(t);
      for (const [word, image] of [
        ['team/app:1', first],
        ['team/app:2', second],
        [idOf(second), second],
      ] as const) {
        const digest = await run(t, ['digest', `docker-daemon:${word}`], env);
        assert.equal(await run(t, ['digest', `docker-daemon:${word}`], env), digest, 'it is the same each time');
        const back = await ocictl(t, ['copy', `docker-daemon:${word}`, `${host}/back:1`], { env });
        assert.equal(back.exitCode, 0, back.stderr);
        assert.match(back.stderr, /^the Docker daemon at \S+ keeps no manifests: its images get new ones, .*$/m);
        await run(t, ['copy', `${host}/back:1`, 'docker-daemon:back:1'], env);
        assert.equal(await idIn(t, 'back:1', env), idOf(image));
      }
    });

    it('has layers whole that were left out of what was sent', async (t) => {
      const env = await startDaemon(t);
      if (!env) return;
      const [first, second] = [await imageOf('first'), await imageOf('second')];
      await keepImage(t, 'app:1', first);
      await keepImage(t, 'app:2', second);
      await run(t, ['copy', 'store:app:1', 'docker-daemon:app:1'], env);
      await run(t, ['copy', 'store:app:2', 'docker-daemon:app:2'], env);
      await docker(t, ['rmi', 'app:1'], env);
      const { home } = await sandbox(t);
      await docker(t, ['save', '-o', join(home, 'app.tar'), 'app:2'], env);
      await docker(t, ['rmi', 'app:2'], env);
      await docker(t, ['load', '-i', join(home, 'app.tar')], env);
      assert.equal(await idIn(t, 'app:2', env), idOf(second));
    });
  });
}

describe('the daemon that docker uses', () => {
  it('is that of a context, over TLS with the client’s certificate', async (t) => {
    if (!needs(t, 'docker', 'dockerd', 'openssl')) return;
    const { authority, certificate, key } = await makeCertificates(t);
    const port = await freePort();
    const tls = ['--tlsverify', '--tlscacert', authority, '--tlscert', certificate, '--tlskey', key];
    await startDocker(t, ['-H', `tcp://127.0.0.1:${port}`, ...tls]);
    await keepImage(t, 'app:1', await imageOf('first'));
    const host = `host=tcp://127.0.0.1:${port}`;
    await docker(
      t,
      ['context', 'create', 'far', '--docker', `${host},ca=${authority},cert=${certificate},key=${key}`],
      {},
    );
    await docker(t, ['context', 'create', 'bare', '--docker', `${host},ca=${authority}`], {});
    await run(t, ['copy', 'store:app:1', 'docker-daemon:app:1'], { DOCKER_CONTEXT: 'far' });
    await docker(t, ['context', 'use', 'far'], {});
    assert.equal(await run(t, ['tags', 'docker-daemon:app'], {}), '1\n');

    const refused = await ocictl(t, ['tags', 'docker-daemon:app'], { env: { DOCKER_CONTEXT: 'bare' } });
    assert.equal(refused.exitCode, 5, refused.stderr);
    assert.match(refused.stderr, /cert\.pem and key\.pem/);
    const plain = await ocictl(t, ['tags', 'docker-daemon:app'], { env: { DOCKER_HOST: `tcp://127.0.0.1:${port}` } });
    assert.equal(plain.exitCode, 5, plain.stderr);
    assert.match(plain.stderr, /DOCKER_TLS_VERIFY=1/);

    const certificates = join((await sandbox(t)).home, 'docker-certificates');
    await mkdir(certificates);
    for (const [from, name] of [
      [authority, 'ca.pem'],
      [certificate, 'cert.pem'],
      [key, 'key.pem'],
    ] as const) {
      await copyFile(from, join(certificates, name));
    }
    const variables = {
      DOCKER_HOST: `tcp://127.0.0.1:${port}`,
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: certificates,
    };
    assert.equal(await run(t, ['tags', 'docker-daemon:app'], variables), '1\n');
  });
});
