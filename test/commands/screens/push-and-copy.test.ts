import { describe, it } from 'node:test';
import type { Digest } from '../../../src/model/digest.ts';
import { startServe } from '../../support/registries.ts';
import { needsTmux, onLines, onScreen, type Screen } from '../../support/screen.ts';
import { type Held, holdCommits, holdLayers, repo } from './held.ts';
import { compare } from './kept.ts';

type Seen = (readonly [title: string, text: string])[];
type Layers = readonly [Digest, Digest, Digest, Digest, Digest];

/** Notes what is shown, state after state. */
function watch(
  screen: Screen,
  seen: Seen,
): (title: string, pattern: Parameters<Screen['waitFor']>[0]) => Promise<void> {
  return async (title, pattern) => void seen.push([title, await screen.waitFor(pattern)]);
}

/** What a copy of one image shows, or of two tags of it. */
async function watchCopy(screen: Screen, { registry, layers }: Held, begun: (text: string) => boolean): Promise<Seen> {
  const seen: Seen = [];
  const see = watch(screen, seen);
  const [, b, , , e] = layers as Layers;
  await see('layers begin', begun);
  registry.allow(b, 1_000_000);
  registry.allow(e, Number.POSITIVE_INFINITY);
  await see('one is done in its place', /1\.00MB\/3\.00MB[\s\S]*0B\/1\.20MB[\s\S]*: Copied[\s\S]* 1\/5/);
  registry.release();
  await see('the end', /^exit /m);
  return seen;
}

describe('the screen of a copy', needsTmux, () => {
  for (const columns of [40, 80, 200]) {
    it(`is kept for ${columns} columns`, async (t) => {
      const held = await holdLayers(t, { atOnce: 5 });
      const { host } = await startServe(t);
      const line = `run copy ${held.host}/${repo}:1 ${host}/${repo}:1`;
      const screen = await onScreen(t, line, { columns });
      await compare(`copy-${columns}`, await watchCopy(screen, held, onLines(/(?:Copying|Stalled) /, 5, /0\/5/)));
    });

    it(`is kept for ${columns} columns, with all tags`, async (t) => {
      const held = await holdLayers(t, { tags: ['1', '2'], atOnce: 5 });
      const { host } = await startServe(t);
      const line = `run copy --all-tags ${held.host}/${repo} ${host}/${repo}`;
      const screen = await onScreen(t, line, { columns });
      await compare(
        `copy-all-${columns}`,
        await watchCopy(screen, held, onLines(/(?:Copying|Stalled) /, 5, /0\/5 .*1\.65kB/)),
      );
    });
  }
});

describe('the screen of a push', needsTmux, () => {
  for (const columns of [40, 80, 200]) {
    it(`is kept for ${columns} columns`, async (t) => {
      const held = await holdLayers(t, { atOnce: 5 });
      held.registry.release();
      const { host, commit } = await holdCommits(t);
      const [from, to] = [`${held.host}/${repo}:1`, `${host}/${repo}:1`];
      const line = `run pull -q ${from} && run tag ${from} ${to} && clear && run push ${to}`;
      const screen = await onScreen(t, line, { columns });
      const seen: Seen = [];
      const see = watch(screen, seen);
      const [, b, , , e] = held.layers as Layers;
      await see('all layers have arrived, and are not confirmed', onLines(/Verifying /, 5));
      commit(b);
      await see('one is done in its place', onLines(/Verifying /, 4, /: Pushed\n[\s\S]*Total.* 1\/5/));
      commit(e);
      commit();
      await see('the end', /^exit /m);
      await compare(`push-${columns}`, seen);
    });
  }

  it('is kept for a registry that has it all', async (t) => {
    const held = await holdLayers(t, { atOnce: 5 });
    held.registry.release();
    const from = `${held.host}/${repo}:1`;
    const line = `run pull -q ${from} && clear && run push ${from}`;
    const screen = await onScreen(t, line, { columns: 80 });
    await compare('push-again', [['the end', await screen.waitFor(/^exit /m)]]);
  });
});
