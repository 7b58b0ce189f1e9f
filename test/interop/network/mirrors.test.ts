import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startRecorder } from '../../service/recorder.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { deadAddress } from '../../support/network/ports.ts';
import { makeCertificates, needs, startDockerRegistry } from '../../support/programs.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';

interface World {
  /** A docker-registry with library/alpine, in place of Docker Hub. */
  readonly hub: string;
  /** A docker-registry as a pull-through cache of it. */
  readonly mirror: { readonly url: string; readonly host: string };
  /** Pulls alpine, with these mirrors in daemon.json and this address of Docker Hub. */
  pull(mirrors: readonly string[], hub?: string): ReturnType<typeof ocictl>;
}

async function world(t: TestContext): Promise<World> {
  const origin = await startDockerRegistry(t);
  const mirror = await startDockerRegistry(t, { proxyOf: origin.url });
  const layout = await temporaryDirectory(t);
  await writeLayout(layout, '1', await buildImage({ layers: [{ files: { name: 'alpine' } }] }));
  const name = `${origin.host}/library/alpine:latest`;
  const pushed = await ocictl(t, ['copy', '-q', `oci:${layout}:1`, name]);
  assert.equal(pushed.exitCode, 0, pushed.stderr);
  const { home, daemonJson } = await sandbox(t);
  const conf = join(home, 'registries.conf');
  return {
    hub: origin.host,
    mirror,
    async pull(mirrors, hub = origin.host) {
      await writeFile(daemonJson, JSON.stringify({ 'registry-mirrors': mirrors, 'max-download-attempts': 1 }));
      await writeFile(conf, `[[registry]]\nprefix = "docker.io"\nlocation = "${hub}"\ninsecure = true\n`);
      const env = { CONTAINERS_REGISTRIES_CONF: conf, OCICTL_ROOT: await temporaryDirectory(t) };
      return ocictl(t, ['pull', '-q', '--json', 'alpine'], { env });
    },
  };
}

const servedBy = (stdout: string): unknown => (JSON.parse(stdout) as { endpoint: unknown }).endpoint;
const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');

describe('ocictl pull alpine with registry-mirrors', () => {
  it('is served by the mirror, and says so', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { mirror, pull } = await world(t);
    const { exitCode, stdout, stderr } = await pull([mirror.url], await deadAddress());
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.equal(servedBy(stdout), mirror.url);
  });

  it('is served by the next one, with one line about it, where the first is down, broken, empty or not to be trusted', async (t) => {
    if (!needs(t, 'docker-registry', 'openssl')) return;
    const { hub, mirror, pull } = await world(t);
    const tls = await startDockerRegistry(t, { tls: await makeCertificates(t) });
    const untrusted = tls.url.replace('127.0.0.1', '0.0.0.0');
    const bad = [
      [`http://${await deadAddress()}`, /cannot be reached \(connection refused\), trying /],
      [(await startRecorder(t, { status: 500 })).url, /500/],
      [(await startDockerRegistry(t)).url, / has no \S+, trying /],
      [untrusted, /signed by an unknown authority\), trying /],
    ] as const;
    for (const [url, reason] of bad) {
      for (const mirrors of [[url, mirror.url], [url]]) {
        const { exitCode, stdout, stderr } = await pull(mirrors);
        assert.equal(exitCode, 0, `${url}: ${stderr}`);
        assert.equal(servedBy(stdout), mirrors.length > 1 ? mirror.url : `http://${hub}`);
        assert.equal(lines(stderr).length, 1, stderr);
        assert.match(stderr, reason);
        assert.ok(stderr.includes(url.replace(/^https?:\/\//, '')), stderr);
      }
    }
  });

  it('fails with one error that names each endpoint and its reason where all are down', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { pull } = await world(t);
    const [one, two, hub] = [await deadAddress(), await deadAddress(), await deadAddress()];
    const broken = await startRecorder(t, { status: 503 });
    const { exitCode, stdout, stderr } = await pull([`http://${one}`, broken.url, `http://${two}`], hub);
    assert.deepEqual([exitCode, stdout], [5, '']);
    const error = lines(stderr).findLast((line) => line.startsWith('{')) ?? '';
    const { message } = (JSON.parse(error) as { error: { message: string } }).error;
    for (const host of [one, two, hub])
      assert.match(message, new RegExp(`${host} cannot be reached \\(connection refused\\)`));
    assert.match(message, new RegExp(`${broken.host}.*503`));
  });
});

describe('a rule of registries.conf', () => {
  it('has mirrors for any registry, under names of their own', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { hub } = await world(t);
    const { home } = await sandbox(t);
    const conf = join(home, 'team.conf');
    await writeFile(
      conf,
      [
        '[[registry]]',
        'prefix = "registry.invalid/base"',
        '[[registry.mirror]]',
        `location = "${hub}/library"`,
        '[[registry]]',
        'prefix = "registry.invalid/bad"',
        'blocked = true',
      ].join('\n'),
    );
    const env = { CONTAINERS_REGISTRIES_CONF: conf };
    const pulled = await ocictl(t, ['pull', '-q', '--json', 'registry.invalid/base/alpine'], { env });
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    assert.equal(servedBy(pulled.stdout), `http://${hub}`);
    for (const words of [
      ['pull', 'registry.invalid/bad/app'],
      ['tags', 'registry.invalid/bad/app'],
    ]) {
      const blocked = await ocictl(t, words, { env });
      assert.equal(blocked.exitCode, 4, blocked.stderr);
      assert.ok(
        blocked.stderr.includes(`is blocked by the rule for "registry.invalid/bad" (${conf}:5)`),
        blocked.stderr,
      );
    }
  });
});

describe('a hosts.toml of containerd', () => {
  it('has docker-registry in proxy mode before a registry, which alone says what a tag stands for', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { hub, mirror } = await world(t);
    const recorder = await startRecorder(t, { target: mirror.url });
    const hosts = join((await sandbox(t)).home, 'hosts');
    await mkdir(join(hosts, 'registry.invalid'), { recursive: true });
    await writeFile(
      join(hosts, 'registry.invalid', 'hosts.toml'),
      [
        `server = "http://${hub}"`,
        `[host."${recorder.url}"]`,
        'capabilities = ["pull"]',
        `[host."${recorder.url}".header]`,
        'x-key = "k"',
      ].join('\n'),
    );
    const env = { OCICTL_HOSTS_DIR: hosts };
    const pulled = await ocictl(t, ['pull', '-q', '--json', 'registry.invalid/library/alpine'], { env });
    assert.equal(pulled.exitCode, 0, pulled.stderr);
    assert.equal(servedBy(pulled.stdout), `http://${hub}`, 'the manifest came with the tag');
    assert.ok(recorder.seen.length > 1, 'the blobs came from the mirror');
    for (const { path, headers } of recorder.seen) {
      assert.match(path, /[?&]ns=registry\.invalid$/);
      assert.doesNotMatch(path, /\/latest/);
      assert.equal(headers['x-key'], 'k');
    }
  });
});
