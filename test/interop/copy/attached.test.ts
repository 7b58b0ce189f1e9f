/** What refers to an image, between registries with and without a list of referrers; regctl and oras judge. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { layoutRepository, openLayout } from '../../../src/layout/layout.ts';
import { childrenOf } from '../../../src/model/manifest/manifest.ts';
import { digestTagsOf, isDigestTag } from '../../../src/model/reference/digest-tag.ts';
import { parseRepositoryName, type RepositoryName } from '../../../src/model/reference/reference.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { app, buildDemoIndex, one } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { buildArtifact, pushImage } from '../../support/images.ts';
import { start } from '../../support/process.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';

const suite = { concurrency: false };

describe('copy --referrers --digest-tags', suite, () => {
  it('takes a referrer and a signature from docker-registry to a registry with a list, and on to another without', async (t) => {
    if (!needs(t, 'docker-registry', 'regctl', 'oras')) return;
    const [first, second, last] = [await startDockerRegistry(t), await startServe(t), await startDockerRegistry(t)];
    const { index, arm64 } = await buildDemoIndex();
    const remote = openRemote(t, first.url);
    await pushImage(remote, app, one, index);
    const [signature] = digestTagsOf(index.descriptor.digest);
    await pushImage(remote, app, signature, await buildArtifact({ artifactType: 'a/signature' }));
    const subject = `team/app@${arm64.descriptor.digest}`;
    await program(t, 'regctl', [
      ...hosts(first, second, last),
      'artifact',
      'put',
      '--artifact-type=a/parts',
      `--subject=${first.host}/${subject}`,
    ]);
    let from = first.host;
    for (const { host } of [second, last]) {
      const words = ['copy', '--json', '--referrers', '--digest-tags', `${from}/team/app:1`, `${host}/team/app:1`];
      const { exitCode, stdout, stderr } = await ocictl(t, words);
      assert.equal(exitCode, 0, stderr);
      const { referrers, digestTags } = JSON.parse(stdout) as Record<string, readonly string[]>;
      assert.deepEqual([referrers?.length, digestTags], [1, [signature]]);
      const listed = await program(t, 'regctl', [
        ...hosts(first, second, last),
        'artifact',
        'list',
        `${host}/${subject}`,
      ]);
      assert.match(listed, /a\/parts/);
      const discovered = await program(t, 'oras', ['discover', '--plain-http', `${host}/${subject}`]);
      assert.match(discovered, /a\/parts/);
      const tree = ['artifact', 'tree', '--digest-tags', `${host}/team/app:1`];
      assert.match(await program(t, 'regctl', [...hosts(first, second, last), ...tree]), new RegExp(`${signature}`));
      from = host;
    }
  });

  it('takes along what regctl copied into a layout', async (t) => {
    if (!needs(t, 'docker-registry', 'regctl')) return;
    const [first, last] = [await startDockerRegistry(t), await startDockerRegistry(t)];
    const { index } = await buildDemoIndex();
    const remote = openRemote(t, first.url);
    await pushImage(remote, app, one, index);
    const referrer = await buildArtifact({ artifactType: 'a/parts', subject: index.descriptor });
    await pushImage(remote, app, undefined, referrer);
    const { home } = await sandbox(t);
    const layout = `ocidir://${home}/dir:1`;
    const copy = ['image', 'copy', '--referrers', '--digest-tags', `${first.host}/team/app:1`, layout];
    await program(t, 'regctl', [...hosts(first), ...copy]);
    const words = ['copy', '--json', '--referrers', 'oci:dir:1', `${last.host}/team/app:1`];
    const { exitCode, stdout, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual((JSON.parse(stdout) as Record<string, unknown>)['referrers'], [referrer.descriptor.digest]);
  });
});

/** A place that both programs write to. */
interface Kind {
  readonly name: string;
  /** The registry behind an image of a repository, and the words for it. */
  at(repo: string): Promise<{ registry: Registry; repo: RepositoryName; ours: string; theirs: string }>;
}

describe('copy --referrers --digest-tags, of every kind to every kind', suite, () => {
  it('brings all that hangs on an index, its images and what refers to them, and what regctl brings', async (t) => {
    if (!needs(t, 'docker-registry', 'registry', 'regctl')) return;
    const registries = [
      await startDockerRegistry(t),
      await startDockerRegistry(t, { distribution: 3 }),
      await startServe(t),
    ];
    const { home } = await sandbox(t);
    const kinds: readonly Kind[] = [
      ...registries.map(({ host, url }, i) => ({
        name: ['two', 'three', 'serve'][i] ?? '',
        at: async (repo: string) => ({
          registry: openRemote(t, url),
          repo: parseRepositoryName(repo),
          ours: `${host}/${repo}:1`,
          theirs: `${host}/${repo}:1`,
        }),
      })),
      {
        name: 'layout',
        at: async (repo) => ({
          registry: await openLayout({ directory: join(home, repo), create: true }),
          repo: layoutRepository,
          ours: `oci:${repo}:1`,
          theirs: `ocidir://${home}/${repo}:1`,
        }),
      },
    ];
    const pushed = await Promise.all(kinds.map(async (kind) => fill(await kind.at('source'))));
    for (const [i, kind] of kinds.entries()) {
      const from = await kind.at('source');
      for (const other of kinds) {
        const name = `${kind.name} to ${other.name}`;
        const [ours, theirs] = [await other.at(`ours-${kind.name}`), await other.at(`theirs-${kind.name}`)];
        const flags = ['--referrers', '--digest-tags'];
        const { exitCode, stderr } = await ocictl(t, ['copy', ...flags, from.ours, ours.ours]);
        assert.equal(exitCode, 0, `${name}: ${stderr}`);
        await program(t, 'regctl', [...hosts(...registries), 'image', 'copy', ...flags, from.theirs, theirs.theirs]);
        const [got, got2] = [await hanging(await other.at(`ours-${kind.name}`)), await hanging(theirs)];
        assert.deepEqual(got, pushed[i], name);
        for (const one of got2) assert.ok(got.includes(one), `${name}: regctl has ${one}`);
      }
    }
  });
});

type At = Awaited<ReturnType<Kind['at']>>;

/** @returns What hangs on the image, as {@link hanging} does. */
async function fill(at: At): Promise<readonly string[]> {
  const { registry, repo } = at;
  const { index, amd64, arm64 } = await buildDemoIndex();
  await pushImage(registry, repo, one, index);
  const onIndex = await buildArtifact({ artifactType: 'a/index', subject: index.descriptor });
  const onImage = await buildArtifact({ artifactType: 'a/image', subject: amd64.descriptor });
  const onReferrer = await buildArtifact({ artifactType: 'a/referrer', subject: onImage.descriptor });
  for (const referrer of [onIndex, onImage, onReferrer]) await pushImage(registry, repo, undefined, referrer);
  for (const { descriptor } of [index, arm64]) {
    for (const tag of digestTagsOf(descriptor.digest)) {
      await pushImage(registry, repo, tag, await buildArtifact({ artifactType: `a/${tag}` }));
    }
  }
  const found = await hanging(at);
  assert.equal(found.length, 9);
  return found;
}

/** Referrers by subject on all levels, and tags that are named after digests. */
async function hanging({ registry, repo }: At): Promise<readonly string[]> {
  const root = await registry.getManifest(repo, one);
  const subjects = new Set([root.descriptor.digest, ...childrenOf(root.view).map(({ digest }) => digest)]);
  const found: string[] = [];
  for (const subject of subjects) {
    for await (const { digest } of registry.referrers(repo, subject)) {
      subjects.add(digest);
      found.push(`${digest} refers to ${subject}`);
    }
  }
  for await (const tag of registry.tags(repo)) {
    if (isDigestTag(tag)) found.push(`${tag} is ${(await registry.statManifest(repo, tag)).digest}`);
  }
  return found.sort();
}

function hosts(...registries: readonly { readonly host: string }[]): string[] {
  return registries.flatMap(({ host }) => ['--host', `reg=${host},tls=disabled`]);
}

async function program(t: TestContext, name: string, words: readonly string[]): Promise<string> {
  const { home } = await sandbox(t);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home };
  const { exitCode, stdout, stderr } = await start(t, name, words, { env, timeoutMs: 60_000, input: '' }).result;
  assert.equal(exitCode, 0, `${name} ${words.join(' ')}: ${stderr}`);
  return stdout;
}
