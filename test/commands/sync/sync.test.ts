import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { sandbox } from '../../support/sandbox.ts';
import { digestOf, openMirror, requestsIn } from './mirror.ts';

const everything = 'to: DESTINATION/mirror/{{.Path}}\nsources:\n  - from: SOURCE/team/app\n';

describe('sync', () => {
  it('copies what is not at its destination, and says so', async (t) => {
    const { source, destination, push, sync } = await openMirror(t);
    const image = await push('team/app:1');
    await push('team/app:2');
    const { exitCode, stdout, stderr } = await sync(everything);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(stdout.trimEnd().split('\n').sort(), [
      `Copied: ${source.host}/team/app:1 to ${destination.host}/mirror/team/app:1`,
      `Copied: ${source.host}/team/app:2 to ${destination.host}/mirror/team/app:2`,
    ]);
    assert.match(stderr, /^2 images: 2 copied, 0 unchanged$/m);
    assert.equal(await digestOf(destination.registry, 'mirror/team/app:1'), image.descriptor.digest);
  });

  it('takes one HEAD on each side for an image that is there', async (t) => {
    const { push, sync } = await openMirror(t);
    for (const tag of ['1', '2', '3']) await push(`team/app:${tag}`);
    await sync(everything);
    const { exitCode, stdout, stderr } = await sync(everything, '-v');
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, '');
    assert.deepEqual([...requestsIn(stderr)].sort(), ['GET tags', ...Array<string>(6).fill('HEAD manifests')]);
    assert.match(stderr, /^3 images: 0 copied, 3 unchanged$/m);
  });

  it('lists no tags if the file names them all', async (t) => {
    const { push, sync } = await openMirror(t);
    await push('team/app:1');
    const { stderr } = await sync(`${everything}    tags: '1'`, '-v', '--dry-run');
    assert.deepEqual([...requestsIn(stderr)].sort(), ['HEAD manifests', 'HEAD manifests']);
  });

  it('says with --dry-run what it would do, changes nothing, and ends with 12 if there is something', async (t) => {
    const { source, destination, push, sync, tags } = await openMirror(t);
    await push('team/app:1');
    await push('team/app:same');
    await sync(everything);
    const before = await digestOf(destination.registry, 'mirror/team/app:1');
    await push('team/app:1', 'another');
    await push('team/app:new');
    const { exitCode, stdout, stderr } = await sync(everything, '--dry-run');
    assert.equal(exitCode, 12, stderr);
    assert.deepEqual(stdout.trimEnd().split('\n').sort(), [
      `Would copy: ${source.host}/team/app:1 to ${destination.host}/mirror/team/app:1 (replaces ${before?.slice(7, 19)})`,
      `Would copy: ${source.host}/team/app:new to ${destination.host}/mirror/team/app:new (new)`,
    ]);
    assert.match(stderr, /^3 images: 2 would be copied, 1 unchanged$/m);
    assert.equal(await tags('mirror/team/app'), '1 same');
    assert.equal((await sync(everything)).exitCode, 0);
    assert.equal((await sync(everything, '--dry-run')).exitCode, 0);
  });

  it('moves tags that the source has moved, in several repositories of a pattern', async (t) => {
    const { destination, push, sync, tags } = await openMirror(t);
    await push('team/a:1');
    await push('team/b/c:1');
    await push('other/a:1');
    const file = "to: DESTINATION/{{.Path}}\nsources: [{from: 'SOURCE/team/**'}]";
    assert.equal((await sync(file)).exitCode, 0);
    const moved = await push('team/b/c:1', 'another');
    assert.match((await sync(file)).stdout, /^Copied: \S+\/team\/b\/c:1 to \S+\n$/);
    assert.equal(await digestOf(destination.registry, 'team/b/c:1'), moved.descriptor.digest);
    assert.equal(await tags('other/a'), '');
  });

  it('chooses tags, and tells of a rule that chooses none before anything is copied', async (t) => {
    const { push, sync, tags } = await openMirror(t);
    for (const tag of ['1.0', '1.1', '1.10', '2.0-rc1', 'latest']) await push(`team/app:${tag}`, 'same');
    const rule = (text: string): string => `${everything}    tags: ${text}`;
    const { exitCode, stderr } = await sync(rule('[latest, {semver: ">=3"}]'));
    assert.equal(exitCode, 3);
    assert.match(stderr, /mirror\.yaml:4:20: no tag of \S+\/team\/app matches semver >=3/);
    assert.equal(await tags('mirror/team/app'), '');
    assert.equal((await sync(rule('[latest, {semver: 1.x, newest: 2}]'))).exitCode, 0);
    assert.equal(await tags('mirror/team/app'), '1.1 1.10 latest');
  });

  it('refuses images that would overwrite each other, and names their lines', async (t) => {
    const { source, destination, push, sync, tags } = await openMirror(t);
    await push('a/app:1');
    await push('b/app:1');
    const { exitCode, stderr } = await sync(
      'to: DESTINATION/{{.Name}}\nsources:\n  - from: SOURCE/a/app\n  - from: SOURCE/b/app\n',
    );
    assert.equal(exitCode, 2);
    const [one, other] = [`${source.host}/a/app:1 (line 3)`, `${source.host}/b/app:1 (line 4)`];
    assert.ok(stderr.includes(`${destination.host}/app:1 would be both ${one} and ${other}`), stderr);
    assert.equal(await tags('app'), '');
  });

  it('takes an image that two sources choose once, and refuses a copy onto itself', async (t) => {
    const { push, sync } = await openMirror(t);
    await push('team/app:1');
    const twice = await sync(`${everything}  - from: SOURCE/team/*\n    tags: '1'`);
    assert.match(twice.stderr, /^1 image: 1 copied, 0 unchanged$/m);
    const itself = await sync('to: SOURCE/{{.Path}}\nsources: [{from: SOURCE/team/app}]');
    assert.equal(itself.exitCode, 2);
    assert.match(itself.stderr, /mirror\.yaml:1:5: \S+\/team\/app:1 would be copied to itself/);
  });

  it('copies to several places, among them a layout', async (t) => {
    const { source, push, sync, tags } = await openMirror(t);
    const { descriptor } = await push('team/app:1');
    const file =
      "to: ['DESTINATION/x/{{.Name}}', 'oci:dir:{{.Registry}}/{{.Path}}']\nsources: [{from: SOURCE/team/app}]";
    const { exitCode, stderr } = await sync(file);
    assert.equal(exitCode, 0, stderr);
    assert.equal(await tags('x/app'), '1');
    const name = `oci:dir:${source.host}/team/app:1`;
    assert.equal((await ocictl(t, ['digest', name])).stdout.trim(), descriptor.digest);
    assert.match((await sync(file)).stderr, /^2 images: 0 copied, 2 unchanged$/m);
    assert.equal((await sync(file, '--dry-run')).exitCode, 0);
  });

  it('writes all images to one archive', async (t) => {
    const { source, push, sync } = await openMirror(t);
    const digests = [];
    for (const name of ['team/app:1', 'team/tool:1']) digests.push((await push(name)).descriptor.digest);
    const { exitCode, stderr } = await sync("sources: [{from: 'SOURCE/team/*'}]", 'oci-archive:all.tar');
    assert.equal(exitCode, 0, stderr);
    const names = ['app', 'tool'].map((name) => `oci-archive:all.tar:${source.host}/team/${name}:1`);
    const { stdout } = await ocictl(t, ['digest', ...names]);
    for (const digest of digests) assert.ok(stdout.includes(digest), stdout);
  });

  it('makes no layout in a dry run', async (t) => {
    const { push, sync } = await openMirror(t);
    await push('team/app:1');
    const { exitCode, stdout } = await sync('sources: [{from: SOURCE/team/app}]', 'oci:dir', '--dry-run');
    assert.equal(exitCode, 12);
    assert.match(stdout, /^Would copy: \S+ to oci:dir:\S+\/team\/app:1 \(new\)$/m);
    await assert.rejects(readFile(join((await sandbox(t)).home, 'dir', 'oci-layout')), { code: 'ENOENT' });
  });

  it('prints with --json a line for each image, and the sums', async (t) => {
    const { source, destination, push, sync } = await openMirror(t);
    const { descriptor } = await push('team/app:1');
    await sync(everything);
    const moved = await push('team/app:1', 'another');
    await push('team/app:same', 'team/app:1');
    const { stdout } = await sync(everything, '--json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line): Record<string, unknown> => JSON.parse(line));
    const route = (tag: string) => ({
      source: `${source.host}/team/app:${tag}`,
      destination: `${destination.host}/mirror/team/app:${tag}`,
    });
    const image = lines.find(({ before }) => before);
    assert.ok(Number(image?.['transferredBytes']) > 0);
    const { transferredBytes } = image ?? {};
    assert.deepEqual(image, {
      ...route('1'),
      digest: moved.descriptor.digest,
      before: descriptor.digest,
      outcome: 'copied',
      transferredBytes,
    });
    assert.deepEqual(lines.at(-1), {
      summary: { images: 2, copied: 2, unchanged: 0, deleted: 0, transferredBytes, gone: 0, failed: 0, dryRun: false },
    });
  });

  it('reads the file from standard input', async (t) => {
    const { source, destination, push } = await openMirror(t);
    await push('team/app:1');
    const input = `sources: [{from: ${source.host}/team/app}]`;
    const { exitCode, stdout } = await ocictl(t, ['sync', '-', `${destination.host}/m`], { input });
    assert.equal(exitCode, 0);
    assert.match(stdout, /\/m\/127\.0\.0\.1_\d+\/team\/app:1$/m);
  });

  it('says what a file must be that is not there, or wrong', async (t) => {
    const { sync } = await openMirror(t);
    const missing = await ocictl(t, ['sync', 'nothing.yaml']);
    assert.equal(missing.exitCode, 2);
    assert.match(missing.stderr, /nothing\.yaml does not exist/);
    const wrong = await sync('to: a\nsources:\n  - form: x');
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.stderr, /mirror\.yaml:3:5: unknown key "form"\nhint: did you mean from\?/);
  });
});

describe('sync with files of other programs', () => {
  it("copies what skopeo's file lists", async (t) => {
    const { source, destination, push, sync, tags } = await openMirror(t);
    await push('team/app:1.0');
    await push('team/app:1.1');
    const { descriptor } = await push('team/tool:x');
    const file = [
      'SOURCE:',
      '  tls-verify: false',
      '  images:',
      `    team/tool: ["x", "${descriptor.digest}"]`,
      '  images-by-tag-regex:',
      '    team/app: ^1\\.1$',
    ].join('\n');
    const nameless = await sync(file, 'oci:dir');
    assert.equal(nameless.exitCode, 2);
    assert.match(nameless.stderr, /keeps no image without a name, and sha256:\w+ is a digest/);
    const copied = await sync(file, `${destination.host}/m`);
    assert.equal(copied.exitCode, 0, copied.stderr);
    const below = `m/${source.host.replace(':', '_')}`;
    assert.equal(await tags(`${below}/team/app`), '1.1');
    assert.equal(await tags(`${below}/team/tool`), 'x');
  });

  it("copies what regsync's file lists", async (t) => {
    const { push, sync, tags } = await openMirror(t);
    for (const name of ['team/app:1.0', 'team/app:2.0', 'team/app:latest', 'other/app:1']) await push(name);
    const { exitCode, stderr } = await sync(`
version: 1
creds: [{registry: SOURCE, tls: disabled}]
sync:
  - {source: SOURCE/team/app, target: DESTINATION/app, type: repository, tags: {semverRange: [">=1.5"]}}
  - {source: "SOURCE/team/app:latest", target: "DESTINATION/app:stable", type: image}
  - {source: SOURCE, target: DESTINATION/all, type: registry, repos: {allow: ["other/.*"]}}
`);
    assert.equal(exitCode, 0, stderr);
    assert.equal(await tags('app'), '2.0 stable');
    assert.equal(await tags('all/other/app'), '1');
    assert.equal(await tags('all/team/app'), '');
  });
});
