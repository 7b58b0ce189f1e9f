/** Changed images beside crane's, and loaded by podman and Docker. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseTag } from '../../../src/model/reference/reference.ts';
import { app, buildDemoIndex, one } from '../../commands/copy/places.ts';
import { ocictl } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { buildLayer, tarOf } from '../../support/layer.ts';
import { start } from '../../support/process.ts';
import { needs, podman, startDockerRegistry } from '../../support/programs.ts';
import { openRemote } from '../../support/remotes.ts';
import { sandbox } from '../../support/sandbox.ts';

async function program(t: TestContext, name: string, words: readonly string[], more = {}): Promise<string> {
  const { home, env } = await sandbox(t);
  const options = { env: { ...env, PATH: process.env['PATH'] ?? '', HOME: home, ...more }, cwd: home, input: '' };
  const { exitCode, stdout, stderr } = await start(t, name, words, { ...options, timeoutMs: 60_000 }).result;
  assert.equal(exitCode, 0, `${name} ${words.join(' ')}: ${stderr}`);
  return stdout;
}

async function ours(t: TestContext, ...words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await ocictl(t, words);
  assert.equal(exitCode, 0, `${words.join(' ')}: ${stderr}`);
  return stdout.trim();
}

const run = { Env: ['PATH=/bin', 'OLD=1'], Cmd: ['/bin/sh'], Labels: { kept: 'y' } };
const layer = (name: string) => buildLayer({ files: { [`${name}/file`]: name, [`${name}/link`]: { linkTo: 'file' } } });

/** A registry with an image, its base, and a newer base. */
async function setUp(t: TestContext) {
  const { url, host } = await startDockerRegistry(t);
  const remote = openRemote(t, url);
  const [base, newer, own] = [await layer('base'), await layer('newer'), await layer('own')];
  await pushImage(remote, app, one, await buildImage({ layers: [base, own], run }));
  await pushImage(remote, app, parseTag('old'), await buildImage({ layers: [base], run }));
  await pushImage(remote, app, parseTag('new'), await buildImage({ layers: [newer], run }));
  const { home } = await sandbox(t);
  await writeFile(join(home, 'more.tar'), await tarOf({ 'more/file': 'more' }));
  const config = async (tag: string) =>
    JSON.parse(await program(t, 'crane', ['config', '--insecure', `${host}/${app}:${tag}`]));
  const tree = async (tag: string) => {
    const tar = join(home, `${tag}.tar`);
    await program(t, 'crane', ['export', '--insecure', `${host}/${app}:${tag}`, tar]);
    const lines = (await program(t, 'tar', ['tvf', tar, '--full-time'])).split('\n');
    return lines.map((line) => line.replace(/^(\S+) +\S+ +\d+ /, '$1 ')).sort();
  };
  return { remote, name: `${host}/${app}`, config, tree };
}

describe('changed images', { concurrency: false }, () => {
  it('have the configs and layers that crane gives them', async (t) => {
    if (!needs(t, 'docker-registry', 'crane', 'tar')) return;
    const { name, config, tree } = await setUp(t);
    const crane = (...words: readonly string[]) => program(t, 'crane', ['--insecure', ...words]);
    const [image, mine, theirs] = [`${name}:1`, `${name}:ours`, `${name}:crane`];
    const set = [
      '--env',
      'A=b',
      '--label',
      'l=m',
      '--user',
      '1:2',
      '--workdir',
      '/w',
      '--entrypoint',
      '/app',
      '--cmd',
      'x',
    ];
    await ours(t, 'mutate', image, '-t', mine, ...set);
    await crane('mutate', image, '-t', theirs, ...set);
    assert.deepEqual((await config('ours')).config, (await config('crane')).config);
    assert.deepEqual((await config('ours')).rootfs, (await config('crane')).rootfs);

    await ours(t, 'append', image, '-f', 'more.tar', '-t', mine);
    await crane('append', '-b', image, '-f', 'more.tar', '-t', theirs);
    assert.deepEqual((await config('ours')).rootfs, (await config('crane')).rootfs);
    assert.deepEqual(await tree('ours'), await tree('crane'));

    await ours(t, 'rebase', image, '--old-base', `${name}:old`, '--new-base', `${name}:new`, '-t', mine);
    await crane('rebase', image, '--old_base', `${name}:old`, '--new_base', `${name}:new`, '-t', theirs);
    assert.deepEqual((await config('ours')).rootfs, (await config('crane')).rootfs);
    assert.deepEqual((await config('ours')).config, (await config('crane')).config);

    await ours(t, 'flatten', image, '-t', mine);
    assert.deepEqual(await tree('ours'), await tree('1'));
    for (const tag of ['ours', '1']) await crane('validate', '--remote', `${name}:${tag}`);
  });

  it('are loaded by podman and Docker, and have there what they have here', async (t) => {
    if (!needs(t, 'docker-registry', 'podman', 'dockerd', 'docker', 'tar')) return;
    const { name } = await setUp(t);
    const env = await startDocker(t);
    const changes = [
      ['mutate', `${name}:1`, '--label', 'l=m'],
      ['append', `${name}:1`, '-f', 'more.tar'],
      ['squash', `${name}:1`, '--from', '1'],
      ['rebase', `${name}:1`, '--old-base', `${name}:old`, '--new-base', `${name}:new`],
    ];
    for (const [i, words] of changes.entries()) {
      const [oci, classic] = [`oci${i}.tar`, `docker${i}.tar`];
      const digest = await ours(t, ...words, '-t', `oci-archive:${oci}:made:${i}`);
      assert.equal(await ours(t, ...words, '-t', `oci:dir:${i}`), digest, 'the same twice');
      await ours(t, 'copy', `oci-archive:${oci}`, `docker-archive:${classic}:localhost/made:${i}`);
      await podman(t, ['load', '-q', '-i', oci]);
      await program(t, 'docker', ['load', '-q', '-i', classic], env);
      const container = (await program(t, 'docker', ['create', `localhost/made:${i}`, '/x'], env)).trim();
      await program(t, 'docker', ['export', '-o', 'seen.tar', container], env);
      await ours(t, 'export', `oci-archive:${oci}`, '-o', 'ours.tar');
      const files = async (tar: string) =>
        (await program(t, 'tar', ['tf', tar]))
          .split('\n')
          .filter((line) => /^(?:base|newer|own|more)\//.test(line))
          .sort();
      assert.deepEqual(await files('seen.tar'), await files('ours.tar'), words.join(' '));
    }
  });

  it('keep an index whole, where crane makes one image of it', async (t) => {
    if (!needs(t, 'docker-registry', 'crane', 'regctl')) return;
    const { remote, name } = await setUp(t);
    await pushImage(remote, app, one, (await buildDemoIndex()).index);
    await ours(t, 'mutate', `${name}:1`, '-t', `${name}:2`, '--label', 'a=b');
    const host = name.split('/', 1)[0] ?? '';
    const regctl = (...words: readonly string[]) =>
      program(t, 'regctl', ['--host', `reg=${host},tls=disabled`, ...words]);
    for (const platform of ['linux/amd64', 'linux/arm64', 'linux/riscv64']) {
      const { config } = JSON.parse(await regctl('image', 'inspect', '--platform', platform, `${name}:2`));
      assert.deepEqual(config.Labels, { a: 'b' }, platform);
    }
    await program(t, 'crane', ['--insecure', 'mutate', `${name}:1`, '-t', `${name}:3`, '--label', 'a=b']);
    assert.match(await program(t, 'crane', ['--insecure', 'manifest', `${name}:3`]), /"config"/);
    await program(t, 'crane', ['--insecure', 'validate', '--remote', `${name}:2`, '--fast']);
  });
});
