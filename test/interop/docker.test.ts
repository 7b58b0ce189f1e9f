/** Docker's own daemon and command line as clients of `ocictl serve`. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl, spawnServe } from '../support/command.ts';
import { startDocker } from '../support/docker.ts';
import { buildAttestation, buildImage, buildIndex } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { start } from '../support/process.ts';
import { needs } from '../support/programs.ts';
import { sandbox } from '../support/sandbox.ts';

describe('docker push', () => {
  for (const [what, words] of [
    ['memory', ['--memory']],
    ['a directory', ['--root', 'served']],
  ] as const) {
    it(`brings an image to ocictl serve over ${what}, and ocictl gets the same`, async (t) => {
      if (!needs(t, 'docker', 'dockerd')) return;
      const docker = await dockerWith(t);
      const { host } = await spawnServe(t, words);
      const name = `${host}/team/app:1`;
      await buildWithDocker(t, docker, name, ['first', 'second']);
      const pushed = await docker('push', name);
      assert.equal(count(pushed, /: Pushed$/gm), 2);
      const digest = digestIn(pushed);

      assert.equal(await run(t, ['digest', name]), `${digest}\n`);
      const raw = await run(t, ['inspect', '--raw', name]);
      assert.equal(`sha256:${createHash('sha256').update(raw).digest('hex')}`, digest);
      const pulled = JSON.parse(await run(t, ['pull', '--json', name])) as { digest: string };
      assert.equal(pulled.digest, digest);
      assert.equal(await run(t, ['digest', `store:${name}`]), `${digest}\n`);

      const again = await docker('push', name);
      assert.equal(count(again, /: Layer already exists$/gm), 2);
      assert.equal(digestIn(again), digest);
      const other = `${host}/other/name:1`;
      await docker('tag', name, other);
      const mounted = await docker('push', other);
      assert.equal(count(mounted, /: Mounted from team\/app$/gm), 2);
      assert.equal(digestIn(mounted), digest);
      assert.equal(await run(t, ['digest', other]), `${digest}\n`);
    });
  }

  it('is told that a registry is read-only, and ends', async (t) => {
    if (!needs(t, 'docker', 'dockerd')) return;
    const docker = await dockerWith(t);
    const { host } = await spawnServe(t, ['--memory', '--read-only']);
    const name = `${host}/team/app:1`;
    await buildWithDocker(t, docker, name, ['first']);
    await assert.rejects(docker('push', name), /read-only/);
  });
});

describe('docker pull', () => {
  it('gets what ocictl copied, by tag and by digest, and pushes it on', async (t) => {
    if (!needs(t, 'docker', 'dockerd')) return;
    const docker = await dockerWith(t);
    const { host } = await spawnServe(t, ['--root', 'served']);
    const image = await imageFor(hostArchitecture);
    const { digest } = image.descriptor;
    await writeLayout(join((await sandbox(t)).home, 'layout'), '1', image);
    const name = `${host}/team/app:1`;
    await run(t, ['copy', '-q', 'oci:layout:1', name]);

    assert.match(await docker('pull', name), new RegExp(`^Digest: ${digest}$`, 'm'));
    assert.equal(await docker('image', 'inspect', '-f', '{{.Id}}', name), `${image.config.descriptor.digest}\n`);
    assert.match(await docker('pull', name), /Image is up to date/);
    await docker('rmi', name);
    await docker('pull', `${host}/team/app@${digest}`);
    const known = await docker('images', '--digests', '--format', '{{.Repository}}@{{.Digest}}');
    assert.match(known, new RegExp(`^${host}/team/app@${digest}$`, 'm'));

    const other = `${host}/team/other:2`;
    await docker('tag', image.config.descriptor.digest, other);
    const pushed = await docker('push', other);
    assert.equal(await run(t, ['digest', other]), `${digestIn(pushed)}\n`);
    const inspected = JSON.parse(await run(t, ['inspect', '--raw', other])) as { layers: { digest: string }[] };
    assert.deepEqual(
      inspected.layers.map((layer) => layer.digest),
      image.layers.map(({ descriptor }) => descriptor.digest),
    );
  });

  it('chooses its platform from an index with attestations, and another when told', async (t) => {
    if (!needs(t, 'docker', 'dockerd')) return;
    const docker = await dockerWith(t);
    const { host } = await spawnServe(t, ['--memory']);
    const images = [await imageFor('amd64'), await imageFor('arm64')];
    const attestations = await Promise.all(images.map((image) => buildAttestation(image)));
    await writeLayout(join((await sandbox(t)).home, 'layout'), '1', await buildIndex([...images, ...attestations]));
    const name = `${host}/team/app:1`;
    await run(t, ['copy', '-q', 'oci:layout:1', name]);
    for (const [words, architecture] of [
      [[], hostArchitecture],
      [['--platform', 'linux/arm64'], 'arm64'],
      [['--platform', 'linux/amd64'], 'amd64'],
    ] as const) {
      await docker('pull', '-q', ...words, name);
      const { config } = await imageFor(architecture);
      assert.equal(await docker('image', 'inspect', '-f', '{{.Id}}', name), `${config.descriptor.digest}\n`);
    }
  });

  it('gets what is in the local store, through ocictl serve --store', async (t) => {
    if (!needs(t, 'docker', 'dockerd')) return;
    const docker = await dockerWith(t);
    const image = await imageFor(hostArchitecture);
    await writeLayout(join((await sandbox(t)).home, 'layout'), '1', image);
    await run(t, ['copy', '-q', 'oci:layout:1', 'store:example.com/team/app:1']);
    const { host } = await spawnServe(t, ['--store']);
    const pulled = await docker('pull', `${host}/example.com/team/app:1`);
    assert.match(pulled, new RegExp(`^Digest: ${image.descriptor.digest}$`, 'm'));
  });
});

const hostArchitecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

type Docker = (...words: readonly string[]) => Promise<string>;

/** A daemon and its command line. Rejects with the output when a command fails. */
async function dockerWith(t: TestContext): Promise<Docker> {
  const { env, home } = await sandbox(t);
  const own = { ...env, ...(await startDocker(t)), DOCKER_BUILDKIT: '0' };
  return async (...words) => {
    const { exitCode, stdout, stderr } = await start(t, 'docker', words, { env: own, cwd: home }).result;
    assert.equal(exitCode, 0, `docker ${words.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  };
}

/** An image of one layer for each text. */
async function buildWithDocker(t: TestContext, docker: Docker, name: string, texts: readonly string[]): Promise<void> {
  const directory = join((await sandbox(t)).home, 'context');
  await mkdir(directory);
  for (const text of texts) await writeFile(join(directory, text), `${text}\n`);
  const steps = texts.map((text) => `COPY ${text} /${text}\n`);
  await writeFile(join(directory, 'Dockerfile'), `FROM scratch\n${steps.join('')}CMD ["/first"]\n`);
  await docker('build', '-q', '-t', name, directory);
}

function imageFor(architecture: string) {
  return buildImage({
    platform: { os: 'linux', architecture },
    layers: [{ files: { 'etc/arch': architecture } }, { files: { 'etc/name': 'app' } }],
  });
}

async function run(t: TestContext, words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await ocictl(t, words);
  assert.equal(exitCode, 0, `${words.join(' ')}: ${stderr}`);
  return stdout;
}

function digestIn(output: string): string {
  const digest = /: digest: (sha256:[0-9a-f]{64}) size: \d+$/m.exec(output)?.[1];
  assert.ok(digest, output);
  return digest;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
