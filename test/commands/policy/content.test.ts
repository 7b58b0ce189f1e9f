import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { loadCommands } from '../../../src/commands/command-line/all-commands.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { type Built, buildArtifact, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { buildBlob } from '../../support/layer.ts';
import { app, one, two, writes } from '../copy/places.ts';
import { writeTar } from '../load/archived.ts';
import { sign, startJudged, stranger } from './signed-place.ts';

const platform = { os: 'linux', architecture: 'amd64' };
const layers = [{ files: { a: 'a' } }, { files: { b: 'b' } }];
const base = await buildImage({ platform, layers: layers.slice(0, 1) });
const other = await buildImage({ platform, layers: [{ files: { c: 'c' } }] });
const good = await buildImage({ platform, layers });
const bad = await buildImage({ platform, layers: [...layers, { files: { d: 'd' } }] });
const bases = parseRepositoryName('team/base');

/** team/app:1 is signed by the team, :2 by a stranger; of the bases, :1 is signed and :2 is not. */
async function start(t: TestContext) {
  const judged = await startJudged(t);
  const { registry, home, host } = judged;
  await pushImage(registry, app, one, good);
  await pushImage(registry, app, two, bad);
  await pushImage(registry, bases, one, base);
  await pushImage(registry, bases, two, other);
  await sign(registry, good);
  await sign(registry, bad, { key: stranger });
  await sign(registry, base, { repo: bases });
  await judged.demand();
  const run = (...words: readonly string[]) => ocictl(t, [...words, '--policy', 'policy.yaml'], { cwd: home });
  return { ...judged, base: `${host}/team/base`, run };
}

type Judged = Awaited<ReturnType<typeof start>>;

/** How each command reads a tag. */
const commands: Readonly<Record<string, (judged: Judged, tag: string) => readonly string[]>> = {
  append: ({ name, home }, tag) => ['append', `${name}:${tag}`, '-f', home, '-t', `${name}:new`],
  mutate: ({ name }, tag) => ['mutate', `${name}:${tag}`, '--user', 'x', '-t', `${name}:new`],
  'mutate into a layout': ({ name }, tag) => ['mutate', `${name}:${tag}`, '--user', 'x', '-t', 'oci:layout:new'],
  flatten: ({ name }, tag) => ['flatten', `${name}:${tag}`, '-t', `${name}:new`],
  squash: ({ name }, tag) => ['squash', `${name}:${tag}`, '--from', '2', '-t', `${name}:new`],
  rebase: ({ name, base: from }, tag) => [
    ...['rebase', `${name}:${tag}`, '--old-base', `${from}:1`, '--new-base', `${from}:1`, '-t', `${name}:new`],
  ],
  'index create': ({ name }, tag) => ['index', 'create', `${name}:${tag}`, '-t', `${name}:new`],
  'artifact pull': ({ name }, tag) => ['artifact', 'pull', `${name}:${tag}`, '-o', 'files'],
  cat: ({ name }, tag) => ['cat', `${name}:${tag}`, 'a'],
  export: ({ name }, tag) => ['export', `${name}:${tag}`, '-o', 'exported.tar'],
  extract: ({ name }, tag) => ['extract', `${name}:${tag}`, 'a', '-o', 'extracted'],
};

describe('the policy of a command that reads the content of an image', () => {
  for (const [command, wordsOf] of Object.entries(commands)) {
    it(`lets ${command} read what complies, and nothing of what does not`, async (t) => {
      const judged = await start(t);
      const [before, files] = [judged.proxy.requests.length, await readdir(judged.home)];
      const refused = await judged.run(...wordsOf(judged, '2'));
      assert.equal(refused.exitCode, 11, refused.stderr);
      assert.match(refused.stderr, /app:2 does not comply with the policy .* not signed by .*team\.pub/);
      assert.equal(refused.stdout, '');
      assert.deepEqual(writes(judged.proxy, before), []);
      assert.deepEqual(await readdir(judged.home), files);
      const asked = judged.proxy.requests.slice(before).map(({ path }) => path);
      for (const { descriptor } of bad.layers) {
        assert.ok(!asked.some((path) => path.endsWith(`/blobs/${descriptor.digest}`)));
      }
      const taken = await judged.run(...wordsOf(judged, '1'));
      assert.equal(taken.exitCode, 0, taken.stderr);
    });
  }

  it('is asked about an image that index add adds, and about both bases of rebase', async (t) => {
    const { name, base: from, run } = await start(t);
    assert.equal((await run('index', 'create', `${name}:1`, '-t', `${name}:index`)).exitCode, 0);
    const added = await run('index', 'add', `${name}:index`, `${name}:2`);
    assert.equal(added.exitCode, 11, added.stderr);
    const rebased = await run('rebase', `${name}:1`, '--old-base', `${from}:1`, '--new-base', `${from}:2`, '-t', name);
    assert.equal(rebased.exitCode, 11, rebased.stderr);
    assert.match(rebased.stderr, /base:2 does not comply/);
  });

  it('is asked about the platform that is read, and about all images where all go into the result', async (t) => {
    const { registry, name, run, demand } = await start(t);
    const arm = await buildImage({ platform: { os: 'linux', architecture: 'arm64' }, layers });
    await pushImage(registry, app, two, await buildIndex([good, arm]));
    await demand('    signed: image\n');
    const cat = (architecture: string) => run('cat', '--platform', `linux/${architecture}`, `${name}:2`, 'a');
    assert.deepEqual([(await cat('amd64')).exitCode, (await cat('arm64')).exitCode], [0, 11]);
    const changed = await run('mutate', '--platform', 'linux/amd64', '--user', 'x', `${name}:2`, '-t', `${name}:new`);
    assert.equal(changed.exitCode, 11, changed.stderr);
  });

  it('stands in config.yaml too, and is not asked about what the store has', async (t) => {
    const { name, host, home, configure } = await start(t);
    assert.equal((await ocictl(t, ['pull', `${name}:2`])).exitCode, 0);
    await configure(
      `trust:\n  default: accept\n  registries:\n    ${host}: { signed-by: [{ key: ${home}/team.pub }] }\n`,
    );
    assert.equal((await ocictl(t, ['cat', '--remote', `${name}:2`, 'a'])).exitCode, 11);
    assert.equal((await ocictl(t, ['mutate', `${name}:2`, '--user', 'x', '-t', 'oci:here:1'])).exitCode, 11);
    assert.equal((await ocictl(t, ['mutate', `store:${name}:2`, '--user', 'x', '-t', 'oci:here:1'])).exitCode, 11);
    assert.equal((await ocictl(t, ['cat', `${name}:2`, 'a'])).exitCode, 0);
  });

  it('is read from the digest that was judged, also if the tag moves', async (t) => {
    const { registry, name, run, proxy } = await start(t);
    const move = () => registry.pushManifest(app, bad.manifest, { tags: [one] });
    proxy.fail({ path: /\.sig$/, times: 1, before: move });
    const { exitCode, stdout, stderr } = await run('export', `${name}:1`);
    assert.deepEqual([exitCode, stdout.includes('a'), stdout.includes('d')], [0, true, false], stderr);
    assert.equal((await registry.statManifest(app, one)).digest, bad.descriptor.digest);
  });

  it('is asked about files under a tag of signatures, and about images in 16 indexes', async (t) => {
    const { registry, name, run, demand } = await start(t);
    const type = 'application/vnd.dev.cosign.simplesigning.v1+json';
    const title = { 'org.opencontainers.image.title': 'run.sh' };
    const blob = await buildBlob('x', type);
    const titled = { ...blob, descriptor: { ...blob.descriptor, annotations: title } };
    const files = await buildArtifact({ artifactType: 'application/x', blobs: [titled] });
    const tag = parseTag(`sha256-${'0'.repeat(64)}.sig`);
    await pushImage(registry, app, tag, files);
    const pulled = await run('artifact', 'pull', `${name}:${tag}`);
    assert.equal(pulled.exitCode, 11, pulled.stderr);
    let deep: Built = bad;
    for (let level = 0; level < 16; level += 1) deep = await buildIndex([deep]);
    const index = await buildIndex([good, deep]);
    await pushImage(registry, app, two, index);
    await demand('    signed: image\n');
    const verified = await run('verify', `${name}:2`);
    assert.equal(verified.exitCode, 7, verified.stderr);
    const changed = await run('mutate', `${name}:2`, '--user', 'x', '-t', `${name}:new`);
    assert.equal(changed.exitCode, 7, changed.stderr);
    await assert.rejects(registry.statManifest(app, parseTag('new')));
  });

  it('is an option of all commands that write an image elsewhere, or content of one', async () => {
    const all = await loadCommands();
    const judged = all.filter(({ options }) => 'policy' in options).map(({ name }) => name);
    const writing = all.filter(({ options }) => {
      const { tag } = options as { readonly tag?: { readonly summary: string } };
      return tag?.summary.startsWith('Where the ');
    });
    assert.ok(writing.length > 8);
    for (const { name } of writing) assert.ok(judged.includes(name), name);
  });
});

describe('the policy of load', () => {
  it('is the rule for OCI archives, or for those of Docker that have no layout in them', async (t) => {
    const { name, home, run, policy } = await start(t);
    const saved = await ocictl(t, ['save', '-o', 'layout.tar', `${name}:1`], { cwd: home });
    assert.equal(saved.exitCode, 0, saved.stderr);
    const config = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } });
    await writeTar(
      t,
      [
        {
          name: 'manifest.json',
          content: JSON.stringify([{ Config: 'config.json', RepoTags: ['app:1'], Layers: [] }]),
        },
        { name: 'config.json', content: config },
      ],
      'classic.tar',
    );
    for (const [kind, file] of [
      ['oci-archive', 'layout.tar'],
      ['docker-archive', 'classic.tar'],
    ]) {
      const load = () => run('load', '-i', `${file}`);
      await policy(`default: accept\nplaces: { ${kind}: reject }\n`);
      const refused = await load();
      assert.equal(refused.exitCode, 11, refused.stderr);
      assert.match(
        refused.stderr,
        new RegExp(`${kind}:${file}@sha256:.* is rejected by the policy .* rule for ${kind}`),
      );
      assert.equal((await ocictl(t, ['images', '-q'])).stdout, '');
    }
    for (const [kind, file] of [
      ['oci-archive', 'layout.tar'],
      ['docker-archive', 'classic.tar'],
    ]) {
      await policy(`default: reject\nplaces: { ${kind}: accept }\n`);
      const loaded = await run('load', '-i', `${file}`);
      assert.equal(loaded.exitCode, 0, loaded.stderr);
    }
  });

  it('lets an image pass whose signature is in the archive, and no other', async (t) => {
    const { name, home, run, policy, configure } = await start(t);
    for (const tag of ['1', '2']) {
      const words = ['copy', '--referrers', '--digest-tags', `${name}:${tag}`, `oci-archive:${tag}.tar:${tag}`];
      assert.equal((await ocictl(t, words, { cwd: home })).exitCode, 0);
    }
    await policy('default: reject\nplaces: { oci-archive: { signed-by: [{ key: team.pub }] } }\n');
    const [first, second] = [await run('load', '-i', '1.tar'), await run('load', '-i', '2.tar')];
    assert.deepEqual([first.exitCode, second.exitCode], [0, 11], first.stderr + second.stderr);
    await configure('trust: { default: reject }\n');
    assert.equal((await ocictl(t, ['load', '-i', '1.tar'], { cwd: home })).exitCode, 11);
    await writeFile(join(home, 'config', 'ocictl', 'config.yaml'), '');
    assert.equal((await ocictl(t, ['load', '-i', '2.tar'], { cwd: home })).exitCode, 0);
  });
});
