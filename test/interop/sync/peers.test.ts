/** The same files with skopeo and regsync, between registries on a disk: the same images, fewer requests, less time. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Delay } from '../../../bench/distance/delay.ts';
import { startRelay } from '../../../bench/distance/relay.ts';
import { monotonicMs } from '../../../src/model/clock.ts';
import { parsePlatform } from '../../../src/model/platform/platform.ts';
import { parseRepositoryName, parseTag, type RepositoryName } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { start } from '../../support/process.ts';
import { type DockerRegistry, needs, skopeo, startDockerRegistry } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';

const tags = Array.from({ length: 50 }, (_, at) => `1.${at}`);
const repo = parseRepositoryName('team/app');

/** Two registries; the first has an index under fifty tags, ten different ones. */
async function startBoth(t: TestContext): Promise<readonly [DockerRegistry, DockerRegistry]> {
  const both = await Promise.all([
    startDockerRegistry(t, { accessLog: true }),
    startDockerRegistry(t, { accessLog: true }),
  ]);
  const remote = openRemote(t, both[0].url);
  for (let first = 0; first < tags.length; first += 5) {
    const images = await Promise.all(
      ['linux/amd64', 'linux/arm64'].map((name) =>
        buildImage({ platform: parsePlatform(name), layers: [{ files: { name, first: String(first) } }] }),
      ),
    );
    const index = await buildIndex(images, { format: 'docker' });
    for (const tag of tags.slice(first, first + 5)) await pushImage(remote, repo, parseTag(tag), index);
  }
  return both;
}

async function inFile(t: TestContext, text: string, ...words: string[]) {
  await writeFile(join((await sandbox(t)).home, 'mirror.yaml'), text);
  return ocictl(t, ['sync', 'mirror.yaml', ...words]);
}

async function regsync(t: TestContext, text: string): Promise<void> {
  const { home, env } = await sandbox(t);
  await writeFile(join(home, 'regsync.yaml'), text);
  const { exitCode, stderr } = await start(t, 'regsync', ['once', '-c', 'regsync.yaml'], { env, cwd: home }).result;
  assert.equal(exitCode, 0, stderr);
}

async function skopeoSync(t: TestContext, text: string, to: string): Promise<void> {
  const { home } = await sandbox(t);
  await writeFile(join(home, 'skopeo.yaml'), text);
  const words = ['sync', '--all', '--src', 'yaml', '--dest', 'docker', '--dest-tls-verify=false'];
  const { exitCode, stderr } = await skopeo(t, [...words, join(home, 'skopeo.yaml'), to]);
  assert.equal(exitCode, 0, stderr);
}

/** Tags and digests of a repository. */
async function contents(t: TestContext, url: string, name: RepositoryName): Promise<Readonly<Record<string, string>>> {
  const remote = openRemote(t, url);
  const found: Record<string, string> = {};
  for await (const tag of remote.tags(name)) found[tag] = (await remote.statManifest(name, tag)).digest;
  return found;
}

const skopeoFile = (host: string, keys: string): string => `${host}:\n  tls-verify: false\n${keys}`;

const regsyncFile = (from: string, to: string, keys: string): string =>
  `version: 1\ncreds:\n  - {registry: "${from}", tls: disabled}\n  - {registry: "${to}", tls: disabled}\n` +
  `sync:\n  - source: ${from}/team/app\n    target: ${to}\n    type: repository\n${keys}`;

describe('sync with the file of another program', { concurrency: false }, () => {
  it('copies what skopeo copies, and skopeo finds nothing to add', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo')) return;
    const [from, to] = await startBoth(t);
    const file = skopeoFile(
      from.host,
      "  images: {team/app: ['1.0', '1.49']}\n  images-by-tag-regex: {team/app: '^1\\.[34].$'}\n",
    );
    await skopeoSync(t, file, `${to.host}/theirs`);
    const { exitCode, stderr } = await inFile(t, file, `${to.host}/ours/{{.Name}}`);
    assert.equal(exitCode, 0, stderr);
    const theirs = await contents(t, to.url, parseRepositoryName('theirs/app'));
    assert.equal(Object.keys(theirs).length, 21);
    assert.deepEqual(await contents(t, to.url, parseRepositoryName('ours/app')), theirs);
    const again = await inFile(t, file, `${to.host}/theirs/{{.Name}}`, '--dry-run');
    assert.equal(again.exitCode, 0, again.stdout);
  });

  it('copies what regsync copies, and regsync finds nothing to add', async (t) => {
    if (!needs(t, 'docker-registry', 'regsync')) return;
    const [from, to] = await startBoth(t);
    const keys = '    tags: {semverRange: [">=1.10 <1.30", ">=1.45"], deny: ["1\\\\.2."]}\n';
    await regsync(t, regsyncFile(from.host, `${to.host}/theirs`, keys));
    const { exitCode, stderr } = await inFile(t, regsyncFile(from.host, `${to.host}/ours`, keys));
    assert.equal(exitCode, 0, stderr);
    const theirs = await contents(t, to.url, parseRepositoryName('theirs'));
    assert.equal(Object.keys(theirs).length, 15);
    assert.deepEqual(await contents(t, to.url, parseRepositoryName('ours')), theirs);
    const again = await inFile(t, regsyncFile(from.host, `${to.host}/theirs`, keys), '--dry-run');
    assert.equal(again.exitCode, 0, again.stdout);
  });
});

describe('a second sync of fifty tags', { concurrency: false }, () => {
  it('reads no manifest and no blob, and looks at each tag once on each side', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const [from, to] = await startBoth(t);
    const file = `to: ${to.host}/ours\nsources: [{from: ${from.host}/team/app}]`;
    assert.equal((await inFile(t, file)).exitCode, 0);
    const before = [from, to].map((registry) => registry.requests().length);
    const { exitCode, stderr } = await inFile(t, file);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /^50 images: 0 copied, 50 unchanged$/m);
    const asked = [from, to].map((registry, at) =>
      registry
        .requests()
        .slice(before[at])
        .map(({ method, path }) => `${method} ${/manifests|tags|blobs|$/.exec(path)?.[0]}`),
    );
    const heads = Array<string>(50).fill('HEAD manifests');
    assert.deepEqual(asked[0]?.sort(), ['GET tags', ...heads]);
    assert.deepEqual(asked[1]?.sort(), heads);
  });

  it('takes at most half the time of regsync at a distance of 100 ms, and of skopeo at 20 ms', async (t) => {
    if (!needs(t, 'docker-registry', 'skopeo', 'regsync')) return;
    const [from, to] = await startBoth(t);
    // So far that the time is that of the waits, however busy the machine is. skopeo would take minutes there.
    const relays = (rttMs: number) =>
      Promise.all(
        [from, to].map(({ host }) => startRelay(t, { name: host, target: host, link: new Delay({ rttMs }) })),
      );
    const runs: Readonly<Record<string, (from: string, to: string) => Promise<unknown>>> = {
      ocictl: (host, at) => inFile(t, `to: ${at}/ours\nsources: [{from: ${host}/team/app}]`),
      regsync: (host, at) => regsync(t, regsyncFile(host, `${at}/regsync`, '')),
      skopeo: (host, at) => skopeoSync(t, skopeoFile(host, '  images: {team/app: []}\n'), `${at}/skopeo`),
    };
    const took: Record<string, number> = {};
    for (const [name, run] of Object.entries(runs)) {
      await run(from.host, to.host);
      const [source, destination] = await relays(name === 'skopeo' ? 20 : 100);
      assert.ok(source && destination);
      const began = monotonicMs();
      await run(source.host, destination.host);
      took[name] = Math.round(monotonicMs() - began);
    }
    t.diagnostic(JSON.stringify(took));
    const { ocictl: mine = 0, regsync: regsyncMs = 0, skopeo: skopeoMs = 0 } = took;
    assert.ok(mine <= regsyncMs / 2 && mine <= skopeoMs / 2, JSON.stringify(took));
  });
});
