import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { ocictl } from '../support/command.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { randomLayer } from '../support/layer.ts';
import { start } from '../support/process.ts';
import { findProgram } from '../support/programs.ts';
import { projectRoot } from '../support/project.ts';
import { startServe } from '../support/registries.ts';
import { sandbox } from '../support/sandbox.ts';

const repo = parseRepositoryName('team/app');

/** A registry with an image of two layers, slow enough for progress to be seen. @returns The image's name. */
async function startSlowRegistry(t: TestContext, bytesPerSecond: number): Promise<string> {
  const { registry, url } = await startServe(t);
  const layers = [await randomLayer(3_000_000, 'a'), await randomLayer(3_000_000, 'b')];
  await pushImage(registry, repo, parseTag('1'), await buildImage({ layers }));
  const proxy = await startFaultProxy(t, url);
  proxy.fail({ path: /\/blobs\//, bytesPerSecond });
  return `${proxy.host}/${repo}:1`;
}

/** Pulls on a pseudo terminal of a given width. @returns What the terminal showed. */
async function pullOnTerminal(
  t: TestContext,
  name: string,
  columns: number,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { home, env } = await sandbox(t);
  const command = `stty cols ${columns} rows 30; '${process.execPath}' '${join(projectRoot, 'bin', 'ocictl.js')}' pull ${name}`;
  const { NO_COLOR: _, ...colourful } = env;
  const { result } = start(t, 'script', ['-qefc', command, '/dev/null'], {
    env: { ...colourful, TERM: 'xterm-256color', ...more },
    cwd: home,
    timeoutMs: 30_000,
  });
  const { exitCode, stdout } = await result;
  assert.equal(exitCode, 0, stdout.slice(-2000));
  return stdout;
}

describe('progress on a terminal', {
  skip: findProgram('script') === undefined && 'needs script, of util-linux',
}, () => {
  it('draws nothing on a terminal without a width, and ends', async (t) => {
    const shown = await pullOnTerminal(t, await startSlowRegistry(t, 8_000_000), 0);
    assert.doesNotMatch(shown, /Downloading/);
    assert.match(shown, /Status: Downloaded/);
  });

  for (const more of [{ TERM: 'dumb' }, { CI: '1' }]) {
    it(`moves no cursor and draws no bar: ${JSON.stringify(more)}`, async (t) => {
      const shown = await pullOnTerminal(t, await startSlowRegistry(t, 4_000_000), 80, more);
      assert.ok(!shown.includes('\u001b'), shown);
      assert.doesNotMatch(shown, /Downloading/);
    });
  }

  it('draws bars without colour where NO_COLOR is set', async (t) => {
    const shown = await pullOnTerminal(t, await startSlowRegistry(t, 4_000_000), 80, { NO_COLOR: '1' });
    assert.match(shown, /Downloading/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences begin with ESC
    assert.doesNotMatch(shown, /\u001b\[[0-9;]*m/);
  });
});

describe('progress without a terminal', () => {
  it('tells one aggregate line now and then on stderr, and none with -q', async (t) => {
    const name = await startSlowRegistry(t, 500_000);
    const { stdout, stderr } = await ocictl(t, ['pull', name]);
    assert.match(stderr, /^pulling \S+: \S+ of 6MB, \d of 2 layers(, \S+\/s)?(, \d+s left)?$/m);
    assert.doesNotMatch(stdout, / of /);
  });
});

describe('--progress', () => {
  it('json: every line on stderr is an event, from the first to the error', async (t) => {
    const name = await startSlowRegistry(t, 8_000_000);
    const { stdout, stderr, exitCode } = await ocictl(t, ['pull', '--progress', 'json', name]);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /Status: Downloaded newer image/);
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line): Readonly<Record<string, unknown>> => JSON.parse(line));
    assert.deepEqual(events[0], { type: 'start', version: 1, action: 'pull' });
    const states = events.filter(({ kind }) => kind === 'layer').map(({ digest, state }) => `${digest} ${state}`);
    const [first = ''] = states[0]?.split(' ') ?? [];
    const ofFirst = states.filter((each) => each.startsWith(first)).map((each) => each.split(' ')[1]);
    assert.deepEqual([...new Set(ofFirst)], ['waiting', 'moving', 'verifying', 'transferred']);
    const { type, completed, bytes, totalBytes, doneLayers } = events.at(-1) ?? {};
    assert.deepEqual({ type, completed, doneLayers }, { type: 'end', completed: true, doneLayers: 2 });
    assert.equal(bytes, totalBytes);

    const failed = await ocictl(t, ['pull', '--progress=json', `${name}2`]);
    assert.equal(failed.exitCode, 3);
    const told = failed.stderr
      .trimEnd()
      .split('\n')
      .map((line): Readonly<Record<string, unknown>> => JSON.parse(line));
    assert.deepEqual(
      told.slice(-2).map(({ type }) => type),
      ['end', 'error'],
    );
    assert.match(failed.stderr, /"error":\{"code":"MANIFEST_UNKNOWN"/);
  });

  it('json to a full disk: the pull is done and its result printed, with status 10', {
    skip: process.platform !== 'linux' && 'needs /dev/full',
  }, async (t) => {
    const name = await startSlowRegistry(t, 8_000_000);
    const { home, env } = await sandbox(t);
    const program = `'${process.execPath}' '${join(projectRoot, 'bin', 'ocictl.js')}'`;
    const run = (words: string): Promise<{ readonly exitCode: number | null; readonly stdout: string }> =>
      start(t, '/bin/sh', ['-c', `${program} ${words}`], { env, cwd: home }).result;
    const full = await run(`pull --progress json ${name} 2> /dev/full`);
    assert.match(full.stdout, /Status: Downloaded newer image/);
    assert.equal(full.exitCode, 10);
    // Lines for people are no result.
    assert.equal((await run(`pull --progress plain ${name} 2> /dev/full`)).exitCode, 0);
  });

  it('plain begins with what there is to do and ends with a summary, none and -q nothing, and what it does not know is status 2', async (t) => {
    const name = await startSlowRegistry(t, 8_000_000);
    const plain = await ocictl(t, ['pull', '--progress', 'plain', name]);
    assert.match(
      plain.stderr,
      /^pulling \S+: 2 layers, 6MB\n(pulling .*\n)*Pulled 6MB in \S+ \(\S+\/s\) from 127\.0\.0\.1:\d+\n$/,
    );
    for (const words of [['--progress', 'none'], ['-q']]) {
      const { stderr, stdout } = await ocictl(t, ['pull', ...words, name]);
      assert.equal(stderr, '');
      assert.equal(stdout.split('\n').at(-2)?.endsWith('/team/app:1'), true);
    }
    const wrong = await ocictl(t, ['copy', '--progress', 'loud', name, 'oci:there:1']);
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.stderr, /choose auto, bars, plain, json, none/);
  });
});
