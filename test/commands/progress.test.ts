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
async function pullOnTerminal(t: TestContext, name: string, columns: number): Promise<string> {
  const { home, env } = await sandbox(t);
  const command = `stty cols ${columns} rows 30; '${process.execPath}' '${join(projectRoot, 'bin', 'ocictl.js')}' pull ${name}`;
  const { NO_COLOR: _, ...colourful } = env;
  const { result } = start(t, 'script', ['-qefc', command, '/dev/null'], {
    env: { ...colourful, TERM: 'xterm-256color' },
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
});

describe('progress without a terminal', () => {
  it('tells one aggregate line now and then on stderr, and none with -q', async (t) => {
    const name = await startSlowRegistry(t, 500_000);
    const { stdout, stderr } = await ocictl(t, ['pull', name]);
    assert.match(stderr, /^pulling \S+: \S+ of 6MB, \d of 3 blobs, \S+\/s(, \d+s left)?$/m);
    assert.doesNotMatch(stdout, /blobs/);
  });
});
