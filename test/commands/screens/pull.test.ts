import { describe, it } from 'node:test';
import type { Digest } from '../../../src/model/digest.ts';
import { onLines, onScreen, onTerminals, type Screen } from '../../support/screen.ts';
import { type Held, holdLayers, repo } from './held.ts';
import { keptScreens } from './kept.ts';

/** What a pull shows from its beginning to its end, one state after the other. */
async function watchPull(name: string, screen: Screen, { registry, layers }: Held): Promise<void> {
  const [a, b, c, d, e] = layers as readonly [Digest, Digest, Digest, Digest, Digest];
  const kept = await keptScreens(name);
  const see = (title: string, pattern: Parameters<Screen['waitFor']>[0]): Promise<void> =>
    kept.see(title, screen, pattern);
  await see('three layers begin, two wait', onLines(/(?:Downloading|Stalled) /, 3, /Total/));
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
  await kept.compare();
}

describe('the screen of a pull', onTerminals, () => {
  for (const columns of [40, 80, 200]) {
    it(`is kept for ${columns} columns`, async (t) => {
      const held = await holdLayers(t);
      const screen = await onScreen(t, `run pull ${held.host}/${repo}:1`, { columns });
      await watchPull(`pull-${columns}`, screen, held);
    });
  }

  it('is kept for a terminal of six rows', async (t) => {
    const held = await holdLayers(t);
    const screen = await onScreen(t, `run pull ${held.host}/${repo}:1`, { columns: 80, rows: 6 });
    const kept = await keptScreens('pull-6-rows');
    const begun = onLines(/(?:Downloading|Stalled) /, 2, /and 3 more: 1 moving, 2 waiting/);
    await kept.see('three layers begin', screen, begun);
    held.registry.release();
    await kept.see('the end', screen, /^exit /m);
    await kept.compare();
  });

  it('is kept for a terminal that shows ASCII alone', async (t) => {
    const held = await holdLayers(t);
    const screen = await onScreen(t, `run pull ${held.host}/${repo}:1`, { columns: 80, env: { LANG: 'C' } });
    await watchPull('pull-ascii', screen, held);
  });
});
