import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { digestTag } from '../../../src/model/reference/digest-tag.ts';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { buildIndex, pushImage } from '../../support/images.ts';
import { startServe } from '../../support/registries.ts';
import { app, imageFor, one, two, writes } from '../copy/places.ts';
import { sign, startJudged, stranger } from './signed-place.ts';

const good = await imageFor('amd64', ['a']);
const bad = await imageFor('amd64', ['b']);
const copies = parseRepositoryName('copies/app');

/** team/app:1 is signed by the team, :2 by a stranger. */
async function startTwo(t: TestContext) {
  const judged = await startJudged(t);
  const { registry } = judged;
  await pushImage(registry, app, one, good);
  await pushImage(registry, app, two, bad);
  await sign(registry, good);
  await sign(registry, bad, { key: stranger });
  await judged.demand();
  return judged;
}

type Judged = Awaited<ReturnType<typeof startTwo>>;

const stored = async (t: TestContext): Promise<string> => (await ocictl(t, ['images', '-q'])).stdout;

/** How each command copies a tag, and what it leaves if it may not. */
const commands: Readonly<Record<string, (judged: Judged, tag: string) => readonly string[]>> = {
  pull: ({ name }, tag) => ['pull', `${name}:${tag}`],
  'pull of a digest': ({ name }, tag) => ['pull', `${name}@${(tag === '1' ? good : bad).descriptor.digest}`],
  'copy to a registry': ({ name, host }, tag) => ['copy', `${name}:${tag}`, `${host}/copies/app:${tag}`],
  'copy to the store': ({ name }, tag) => ['copy', `${name}:${tag}`, `store:${name}:${tag}`],
  'copy to a layout': ({ name }, tag) => ['copy', `${name}:${tag}`, `oci:layout:${tag}`],
  'copy to an archive': ({ name }, tag) => ['copy', `${name}:${tag}`, `oci-archive:copy.tar:${tag}`],
  'copy of a platform': ({ name, host }, tag) => [
    ...['copy', '--platform', 'linux/amd64', `${name}:${tag}`],
    `${host}/copies/app:${tag}`,
  ],
  'copy to several': ({ name, host }, tag) => [
    ...['copy', `${name}:${tag}`, `${host}/copies/app:${tag}`, `oci:layout:${tag}`],
  ],
  'copy that converts': ({ name, host }, tag) => [
    ...['copy', '--image-format', 'docker', `${name}:${tag}`, `${host}/copies/app:${tag}`],
  ],
  save: ({ name }, tag) => ['save', '-o', 'saved.tar', `${name}:${tag}`],
};

describe('a policy', () => {
  for (const [command, wordsOf] of Object.entries(commands)) {
    it(`lets ${command} take what complies, and nothing of what does not`, async (t) => {
      const judged = await startTwo(t);
      const before = judged.proxy.requests.length;
      const refused = await judged.run(...wordsOf(judged, '2'));
      assert.equal(refused.exitCode, 11, refused.stderr);
      assert.match(refused.stderr, /does not comply with the policy \(policy\.yaml:3:3, the rule for .*\/\*\*\)/);
      assert.match(refused.stderr, /no signature that counts \(tag sha256-.*: it is not signed by .*team\.pub\)/);
      assert.deepEqual(writes(judged.proxy, before), []);
      const [layer] = bad.blobs.slice(1);
      const read = judged.proxy.requests.slice(before).map(({ path }) => path);
      assert.ok(!read.some((path) => path.endsWith(`/blobs/${layer?.descriptor.digest}`)));
      assert.equal(await stored(t), '');
      const taken = await judged.run(...wordsOf(judged, '1'));
      assert.equal(taken.exitCode, 0, taken.stderr);
    });
  }

  it('is asked about what the store and a destination have already', async (t) => {
    const judged = await startTwo(t);
    const { name, host } = judged;
    assert.equal((await ocictl(t, ['pull', `${name}:2`])).exitCode, 0);
    assert.equal((await judged.run('pull', `${name}:2`)).exitCode, 11);
    assert.equal((await ocictl(t, ['copy', `${name}:2`, `${host}/copies/app:2`])).exitCode, 0);
    assert.equal((await judged.run('copy', `${name}:2`, `${host}/copies/app:2`)).exitCode, 11);
  });

  it('fails the tags of a repository that do not comply, and lets the others pass', async (t) => {
    const judged = await startTwo(t);
    const { name, host, registry } = judged;
    for (const words of [
      ['pull', '-a', name],
      ['copy', '-a', name, `${host}/copies/app`],
    ]) {
      const { exitCode, stderr } = await judged.run(...words);
      assert.equal(exitCode, 8, stderr);
      assert.match(stderr, /app:2.*does not comply/);
    }
    const tags: string[] = [];
    for await (const tag of registry.tags(copies)) tags.push(tag);
    assert.deepEqual(
      tags.map((tag) => tag.replace(/.*\./, '')),
      ['1', 'sig', 'sig'],
    );
    const several = await judged.run('pull', `${name}:1`, `${name}:2`);
    assert.deepEqual([several.exitCode, /:1\n$/.test(several.stdout)], [8, true], several.stderr);
  });

  it('is obeyed by a sync, image by image, also of what is there', async (t) => {
    const judged = await startTwo(t);
    const { name, host, home, registry } = judged;
    const file = `to: ${host}/copies/app\nsources:\n- from: ${name}\n  tags: [{ match: "[12]" }]\n`;
    await writeFile(join(home, 'sync.yaml'), file);
    const dry = await judged.run('sync', '--dry-run', '--keep-going', 'sync.yaml');
    assert.equal(dry.exitCode, 8, dry.stderr);
    assert.match(dry.stderr, /app:2.*does not comply/);
    for (const _ of ['first', 'again']) {
      const { exitCode, stderr } = await judged.run('sync', '--keep-going', 'sync.yaml');
      assert.equal(exitCode, 8, stderr);
      assert.match(stderr, /^\S*app:2 does not comply/m);
    }
    await assert.rejects(registry.statManifest(copies, two));
    assert.equal((await registry.statManifest(copies, one)).digest, good.descriptor.digest);
    await pushImage(registry, copies, two, bad);
    assert.equal((await judged.run('sync', 'sync.yaml')).exitCode, 11, 'what is at its destination');
  });

  it('is asked by --dry-run, --plan and --apply', async (t) => {
    const judged = await startTwo(t);
    const { name, host } = judged;
    const copy = ['copy', `${name}:2`, `${host}/copies/app:2`];
    assert.equal((await judged.run(copy[0] ?? '', '--dry-run', ...copy.slice(1))).exitCode, 11);
    assert.equal((await judged.run('copy', '--plan', 'plan.json', ...copy.slice(1))).exitCode, 11);
    const planned = await ocictl(t, ['copy', '--plan', 'plan.json', ...copy.slice(1)], { cwd: judged.home });
    assert.equal(planned.exitCode, 12, planned.stderr);
    assert.equal((await judged.run('copy', '--apply', 'plan.json')).exitCode, 11);
  });

  it('stands in config.yaml too, and --policy counts instead', async (t) => {
    const judged = await startTwo(t);
    const { name, host, home } = judged;
    await judged.configure(
      `trust:\n  default: accept\n  registries:\n    ${host}/team/*:\n      signed-by: [{ key: ${home}/team.pub }]\n`,
    );
    const refused = await ocictl(t, ['pull', `${name}:2`]);
    assert.equal(refused.exitCode, 11, refused.stderr);
    assert.match(refused.stderr, /config\.yaml:4:5, the rule for .*\/team\/\*\)/);
    assert.equal((await ocictl(t, ['pull', `${name}:1`])).exitCode, 0);
    await judged.policy('default: accept\n');
    assert.equal((await judged.run('pull', `${name}:2`)).exitCode, 0);
    const verified = await ocictl(t, ['verify', `${name}:1`]);
    assert.deepEqual([verified.exitCode, /config\.yaml:4:5/.test(verified.stdout)], [0, true], verified.stderr);
    assert.equal((await ocictl(t, ['verify', `${name}:2`])).exitCode, 11);
    const said = await ocictl(t, ['verify', '--key', join(home, 'stranger.pub'), `${name}:2`]);
    assert.equal(said.exitCode, 0, said.stderr);
    const shown = await ocictl(t, ['config', 'show']);
    assert.match(shown.stdout, /trust .*team\/\*: signed by 1 of key .*team\.pub/);
  });

  it('goes by the name that was asked for, and finds signatures at the registry that its mirror lacks', async (t) => {
    const judged = await startTwo(t);
    const { name, host } = judged;
    const mirror = await startServe(t);
    await pushImage(mirror.registry, app, one, good);
    await pushImage(mirror.registry, app, two, bad);
    const rule = `registries:\n- prefix: ${host}\n  mirrors: ["http://${mirror.host}"]\n`;
    await judged.configure(rule);
    const { exitCode, stderr } = await judged.run('pull', '--json', `${name}:1`);
    assert.equal(exitCode, 0, stderr);
    assert.equal((await judged.run('pull', `${name}:2`)).exitCode, 11);
  });

  it('judges images of the store by their name, with the signatures of its registry', async (t) => {
    const judged = await startTwo(t);
    const { name } = judged;
    for (const tag of ['1', '2']) assert.equal((await ocictl(t, ['pull', `${name}:${tag}`])).exitCode, 0);
    assert.equal((await judged.run('save', '-o', 'one.tar', `${name}:1`)).exitCode, 0);
    const saved = await judged.run('save', '-o', 'two.tar', `${name}:2`);
    assert.equal(saved.exitCode, 11, saved.stderr);
    assert.equal((await judged.run('copy', `store:${name}:2`, 'oci:layout:2')).exitCode, 11);
  });

  it('judges layouts and archives by their kind, with the signatures in them', async (t) => {
    const judged = await startTwo(t);
    const { name } = judged;
    for (const tag of ['1', '2']) {
      const words = ['copy', '--referrers', '--digest-tags', `${name}:${tag}`, `oci:layout:${tag}`];
      assert.equal((await ocictl(t, words, { cwd: judged.home })).exitCode, 0);
    }
    const rejected = await judged.run('copy', 'oci:layout:1', `store:${name}:1`);
    assert.deepEqual([rejected.exitCode, /rejected by the policy \(.*the default\)/.test(rejected.stderr)], [11, true]);
    await judged.policy('default: reject\nplaces:\n  oci: { signed-by: [{ key: team.pub }] }\n');
    assert.equal((await judged.run('copy', 'oci:layout:1', `store:${name}:1`)).exitCode, 0);
    assert.equal((await judged.run('copy', 'oci:layout:2', `store:${name}:2`)).exitCode, 11);
  });

  it('does not take a list that failed for none', async (t) => {
    const judged = await startTwo(t);
    judged.proxy.fail({ path: /manifests\/sha256-.*\.sig$/, status: 403, body: '' });
    const { exitCode, stderr } = await judged.run('pull', `${judged.name}:1`);
    assert.equal(exitCode, 4, stderr);
    assert.equal(await stored(t), '');
  });
});

describe('a policy for an index', () => {
  const arm64 = imageFor('arm64', ['b']);
  const cases: readonly (readonly [signed: string, by: string, platform: number, whole: number])[] = [
    ['index-or-image', 'index', 0, 0],
    ['index-or-image', 'amd64', 0, 11],
    ['index-or-image', 'images', 0, 0],
    ['index', 'index', 0, 0],
    ['index', 'images', 11, 11],
    ['image', 'index', 11, 11],
    ['image', 'amd64', 0, 11],
    ['image', 'images', 0, 0],
  ];
  for (const [signed, by, platform, whole] of cases) {
    it(`with signed: ${signed}, where ${by} signed: ${platform} for a platform, ${whole} for all`, async (t) => {
      const judged = await startJudged(t);
      const { registry, name, host } = judged;
      const other = await arm64;
      const index = await buildIndex([good, other]);
      await pushImage(registry, app, one, index);
      const signing = { index: [index], amd64: [good], images: [good, other] }[by] ?? [];
      for (const built of signing) await sign(registry, built);
      await judged.demand(`    signed: ${signed}\n`);
      const pulled = await judged.run('pull', '--platform', 'linux/amd64', `${name}:1`);
      assert.equal(pulled.exitCode, platform, pulled.stderr);
      const one64 = await judged.run('copy', '--platform', 'linux/amd64', `${name}:1`, `${host}/copies/app:amd64`);
      assert.equal(one64.exitCode, platform, one64.stderr);
      const all = await judged.run('copy', `${name}:1`, `${host}/copies/app:1`);
      assert.equal(all.exitCode, whole, all.stderr);
      const both = ['copy', '--platform', 'linux/amd64,linux/arm64', `${name}:1`, `${host}/copies/app:both`];
      assert.equal((await judged.run(...both)).exitCode, whole);
    });
  }
});

describe('the digest that was judged', () => {
  it('is the one that is stored, if the tag moves meanwhile', async (t) => {
    const judged = await startTwo(t);
    const { registry, proxy, name } = judged;
    // The tag moves as soon as its signature is asked for.
    const move = () => registry.pushManifest(app, bad.manifest, { tags: [one] });
    proxy.fail({ path: /\.sig$/, times: 1, before: move });
    const { exitCode, stderr } = await judged.run('pull', `${name}:1`);
    assert.equal(exitCode, 0, stderr);
    assert.equal((await registry.statManifest(app, one)).digest, bad.descriptor.digest);
    const { stdout } = await ocictl(t, ['digest', `store:${name}:1`]);
    assert.equal(stdout.trim(), good.descriptor.digest);
  });

  it('has no signature any more where a registry loses it between two looks', async (t) => {
    const judged = await startTwo(t);
    const { registry, name } = judged;
    assert.equal((await judged.run('pull', `${name}:1`)).exitCode, 0);
    await registry.deleteTag(app, digestTag(good.descriptor.digest, 'sig'));
    assert.equal((await judged.run('pull', `${name}:1`)).exitCode, 11);
  });
});
