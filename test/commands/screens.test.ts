import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../src/model/digest.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { randomLayer } from '../support/layer.ts';
import { memoryRegistry } from '../support/memory.ts';
import { type PacedRegistry, paced } from '../support/paced.ts';
import { projectRoot } from '../support/project.ts';
import { startServe } from '../support/registries.ts';
import { atEnd, sandbox } from '../support/sandbox.ts';
import { needsTmux, onScreen, type Screen } from '../support/screen.ts';

const repo = parseRepositoryName('team/app');
const sizes = [902_000, 3_000_000, 2_100_000, 1_200_000, 3_300_000];

interface Held {
  readonly registry: PacedRegistry;
  readonly host: string;
  readonly layers: readonly Digest[];
}

/** A registry that holds five layers back. */
async function holdLayers(t: TestContext): Promise<Held> {
  const inner = memoryRegistry();
  const layers = await Promise.all(sizes.map((size, at) => randomLayer(size, `${at}`)));
  await pushImage(inner, repo, parseTag('1'), await buildImage({ layers }));
  const digests = layers.map(({ descriptor }) => descriptor.digest);
  const registry = paced(inner, digests);
  const { host } = await startServe(t, { registry });
  // A server does not end while one of its answers waits.
  atEnd(t, () => registry.release());
  return { registry, host, layers: digests };
}

/** Without what no two runs have alike: ports, rates and times. */
function masked(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
        .replace(/^\S (Pulling|Copying|Pushing) /, '* $1 ')
        .replace(/Stalled \S+ */, 'Downloading ')
        .replace(/^Total( \d+m)? \d+s +/, 'Total         ')
        .replace(/(\d[kMG]?B\/[\d.]+[kMG]?B) .*$/, '$1')
        .replace(/ in [\d.ms ]+ \([\d.]+[kM]?B\/s\)/, ' in TIME (RATE)')
        .trimEnd(),
    )
    .join('\n');
}

/** Compares screens with those that are kept; with OCICTL_UPDATE_SCREENS=1 it keeps them. */
async function compare(name: string, screens: readonly (readonly [title: string, text: string])[]): Promise<void> {
  const file = join(projectRoot, 'test', 'commands', 'screens', `${name}.txt`);
  const text = screens.map(([title, shown]) => `=== ${title}\n${masked(shown)}\n`).join('');
  if (process.env['OCICTL_UPDATE_SCREENS'] === '1') await writeFile(file, text);
  assert.equal(text, await readFile(file, 'utf8'));
}

/** What a pull shows from its beginning to its end, one state after the other. */
async function watchPull(screen: Screen, { registry, layers }: Held): Promise<(readonly [string, string])[]> {
  const [a, b, c, d, e] = layers as readonly [Digest, Digest, Digest, Digest, Digest];
  const seen: (readonly [string, string])[] = [];
  const see = async (title: string, pattern: RegExp): Promise<void> => {
    seen.push([title, await screen.waitFor(pattern)]);
  };
  await see('three layers begin, two wait', /(?:(?:Downloading|Stalled) .*[\s\S]*){3}Total/);
  registry.allow(b, 1_000_000);
  registry.allow(c, 1_500_000);
  registry.allow(e, 2_000_000);
  await see('they come on', /1\.00MB\/3\.00MB[\s\S]*1\.50MB\/2\.10MB[\s\S]*2\.00MB\/3\.30MB/);
  registry.allow(e, Number.POSITIVE_INFINITY);
  await see('one is done in its place, another begins', /0B\/1\.20MB[\s\S]*: Pull complete[\s\S]*Total.* 1\/5/);
  registry.allow(a, 400_000);
  registry.allow(d, Number.POSITIVE_INFINITY);
  await see('two are done, the first is half there', /400kB\/904kB[\s\S]*Total.* 2\/5/);
  registry.allow(a, Number.POSITIVE_INFINITY);
  await see('the first is done: its line stays', /^[0-9a-f]{12}: Pull complete\n[\s\S]*Total.* 3\/5/m);
  registry.release();
  await see('the end', /^exit /m);
  return seen;
}

describe('the screen of a pull', needsTmux, () => {
  for (const columns of [40, 80, 200]) {
    it(`is kept for ${columns} columns`, async (t) => {
      const held = await holdLayers(t);
      const screen = await onScreen(t, `run pull ${held.host}/${repo}:1`, { columns });
      await compare(`pull-${columns}`, await watchPull(screen, held));
    });
  }

  it('is kept for a terminal of six rows', async (t) => {
    const held = await holdLayers(t);
    const screen = await onScreen(t, `run pull ${held.host}/${repo}:1`, { columns: 80, rows: 6 });
    const begun = await screen.waitFor(/(?:(?:Downloading|Stalled) .*[\s\S]*){2}and 3 more: 1 moving, 2 waiting/);
    held.registry.release();
    await compare('pull-6-rows', [
      ['three layers begin', begun],
      ['the end', await screen.waitFor(/^exit /m)],
    ]);
  });

  it('is kept for a terminal that shows ASCII alone', async (t) => {
    const held = await holdLayers(t);
    const screen = await onScreen(t, `run pull ${held.host}/${repo}:1`, { columns: 80, env: { LANG: 'C' } });
    await compare('pull-ascii', await watchPull(screen, held));
  });
});

describe('a terminal that is not what it says, or does not stay', needsTmux, () => {
  /** No frame is left behind, and the result is whole. */
  const assertWhole = (text: string): void => {
    assert.match(
      text,
      /^Digest: sha256:[0-9a-f]{64}\nStatus: Downloaded newer image for \S+\n\S+\n(?:Pulled .*\n)?exit 0$/m,
    );
    assert.equal(text.match(/: Pull complete/g)?.length, sizes.length, text);
    assert.doesNotMatch(text, /[━─]|Downloading|Total/);
  };

  for (const width of [0, 1, 100_000]) {
    it(`gets the result alone in the end where it says that it has ${width} columns`, async (t) => {
      const { registry, host } = await holdLayers(t);
      const screen = await onScreen(t, `stty cols ${width}; run pull ${host}/${repo}:1`, { columns: 80 });
      await screen.waitFor(/Pulling from/);
      registry.release();
      assertWhole(await screen.waitFor(/^exit /m));
    });
  }

  it('is drawn anew when its width changes', async (t) => {
    const { registry, host } = await holdLayers(t);
    const screen = await onScreen(t, `run pull ${host}/${repo}:1`, { columns: 80 });
    await screen.waitFor(/Total/);
    await screen.resize(120);
    await screen.waitFor(/^Total .{75,}$/m);
    registry.release();
    assertWhole(await screen.waitFor(/^exit 0/m));
  });

  it('is drawn as narrow as it becomes', async (t) => {
    const { registry, host, layers } = await holdLayers(t);
    const screen = await onScreen(t, `run pull ${host}/${repo}:1`, { columns: 80 });
    await screen.waitFor(/Total/);
    await screen.resize(50);
    registry.allow(layers[1] as Digest, 1_000_000);
    await screen.waitFor(/^[0-9a-f]{12}: .{10,25}1\.00MB\/3\.00MB$/m);
    registry.release();
    assert.match(await screen.waitFor(/^exit 0/m), /(?:^[0-9a-f]{12}: Pull complete\n){5}Digest: /m);
  });

  it('has no bars over the lines of a pipe that ends on it', async (t) => {
    const { registry, host } = await holdLayers(t);
    const screen = await onScreen(t, `run pull ${host}/${repo}:1 | tee log`, { columns: 80 });
    await screen.waitFor(/Total/);
    registry.release();
    // Whichever of the two writes later: the summary is stderr's.
    assertWhole((await screen.waitFor(/^exit 0/m)).replace(/^Pulled .*\n/m, ''));
  });

  it('is in order after a kill', async (t) => {
    const { host } = await holdLayers(t);
    const screen = await onScreen(t, `run pull ${host}/${repo}:1`, { columns: 80 });
    await screen.waitFor(/Total/);
    await screen.ask('#{pane_pid}').then((pid) => killChildren(Number(pid)));
    await screen.waitFor(/^exit 137/m);
    assert.equal(await screen.ask('#{cursor_flag} #{wrap_flag}'), '1 1');
  });

  it('may go away: the pull goes on, with its exit status', async (t) => {
    const { registry, host } = await holdLayers(t);
    const { home } = await sandbox(t);
    const line = `trap '' HUP; run pull ${host}/${repo}:1 > out; echo $? > status`;
    const screen = await onScreen(t, line, { columns: 80 });
    await screen.waitFor(/Total/);
    await screen.close();
    registry.release();
    let status = '';
    while (status === '') {
      await sleep(50);
      status = await readFile(join(home, 'status'), 'utf8').catch(() => '');
    }
    assert.equal(status, '0\n');
    assert.match(await readFile(join(home, 'out'), 'utf8'), /Status: Downloaded newer image/);
  });
});

async function killChildren(pid: number): Promise<void> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  for (const child of children.trim().split(' ')) process.kill(Number(child), 'SIGKILL');
}
