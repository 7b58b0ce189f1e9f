import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Digest } from '../../src/model/digest.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { randomLayer } from '../support/layer.ts';
import { memoryRegistry } from '../support/memory.ts';
import { type PacedRegistry, paced } from '../support/paced.ts';
import { projectRoot } from '../support/project.ts';
import { startServe } from '../support/registries.ts';
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
  return { registry, host: (await startServe(t, { registry })).host, layers: digests };
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
