import { describe, it } from 'node:test';
import type { Digest } from '../../../src/model/digest.ts';
import { startServe } from '../../support/registries.ts';
import { onLines, onScreen, onTerminals, type Screen } from '../../support/screen.ts';
import { type Held, holdCommits, holdLayers, repo } from './held.ts';
import { keptScreens } from './kept.ts';

type Layers = readonly [Digest, Digest, Digest, Digest, Digest];

/** What a copy of one image shows, or of two tags of it. */
async function watchCopy(
  name: string,
  screen: Screen,
  { registry, layers }: Held,
  begun: (text: string) => boolean,
): Promise<void> {
  const kept = await keptScreens(name);
  const [, b, , , e] = layers as Layers;
  await kept.see('layers begin', screen, begun);
  registry.allow(b, 1_000_000);
  registry.allow(e, Number.POSITIVE_INFINITY);
  await kept.see('one is done in its place', screen, /1\.00MB\/3\.00MB[\s\S]*0B\/1\.20MB[\s\S]*: Copied[\s\S]* 1\/5/);
  registry.release();
  await kept.see('the end', screen, /^exit /m);
  await kept.compare();
}

describe('the screen of a copy', onTerminals, () => {
  for (const columns of [40, 80, 200]) {
    it(`is kept for ${columns} columns`, async (t) => {
      const held = await holdLayers(t, { atOnce: 5 });
      const { host } = await startServe(t);
      const line = `run copy ${held.host}/${repo}:1 ${host}/${repo}:1`;
      const screen = await onScreen(t, line, { columns });
      await watchCopy(`copy-${columns}`, screen, held, onLines(/(?:Copying|Stalled) /, 5, /0\/5/));
    });

    it(`is kept for ${columns} columns, with all tags`, async (t) => {
      const held = await holdLayers(t, { tags: ['1', '2'], atOnce: 5 });
      const { host } = await startServe(t);
      const line = `run copy --all-tags ${held.host}/${repo} ${host}/${repo}`;
      const screen = await onScreen(t, line, { columns });
      await watchCopy(`copy-all-${columns}`, screen, held, onLines(/(?:Copying|Stalled) /, 5, /0\/5 .*1\.65kB/));
    });
  }
});

describe('the screen of a push', onTerminals, () => {
  for (const columns of [40, 80, 200]) {
    it(`is kept for ${columns} columns`, async (t) => {
      const held = await holdLayers(t, { atOnce: 5 });
      held.registry.release();
      const { host, commit } = await holdCommits(t);
      const [from, to] = [`${held.host}/${repo}:1`, `${host}/${repo}:1`];
      const line = `run pull -q ${from} && run tag ${from} ${to} && clear && run push ${to}`;
      const screen = await onScreen(t, line, { columns });
      const kept = await keptScreens(`push-${columns}`);
      const [, b, , , e] = held.layers as Layers;
      await kept.see('all layers have arrived, and are not confirmed', screen, onLines(/Verifying /, 5));
      commit(b);
      await kept.see('one is done in its place', screen, onLines(/Verifying /, 4, /: Pushed\n[\s\S]*Total.* 1\/5/));
      commit(e);
      commit();
      await kept.see('the end', screen, /^exit /m);
      await kept.compare();
    });
  }

  it('is kept for a registry that has it all', async (t) => {
    const held = await holdLayers(t, { atOnce: 5 });
    held.registry.release();
    const from = `${held.host}/${repo}:1`;
    const line = `run pull -q ${from} && clear && run push ${from}`;
    const screen = await onScreen(t, line, { columns: 80 });
    const kept = await keptScreens('push-again');
    await kept.see('the end', screen, /^exit /m);
    await kept.compare();
  });
});
