import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Bench } from '../../bench/context.ts';
import { cells, settings, titleOf } from '../../bench/distance/cells.ts';
import { forget } from '../../bench/distance/stage.ts';
import { race } from '../../bench/race.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

describe('what is measured at a distance', () => {
  it('has 40 cells at most, and a name of its own for each and for each setting', () => {
    assert.ok(cells.length <= 40, `${cells.length}`);
    const names = [...cells, ...settings].map(({ name }) => name);
    assert.deepEqual([...new Set(names)], names);
    const titles = settings.map(titleOf);
    assert.deepEqual([...new Set(titles)], titles);
  });

  it('begins without what was learned before, but with what Node compiled', async (t) => {
    const home = await temporaryDirectory(t);
    const [cache, run] = [join(home, 'cache'), join(home, 'run')];
    for (const directory of ['cache/ocictl/code', 'cache/ocictl/hosts', 'run/ocictl'])
      await mkdir(join(home, directory), { recursive: true });
    await writeFile(join(run, 'ocictl', 'token'), 'secret');
    for (const _ of ['what is there', 'nothing']) {
      await forget({ XDG_CACHE_HOME: cache, XDG_RUNTIME_DIR: run });
      assert.deepEqual(await readdir(join(cache, 'ocictl')), ['code']);
      assert.deepEqual(await readdir(run), []);
    }
  });
});

describe('a race', () => {
  it('runs a peer that is much slower once, and everybody else as often as was asked for', async (t) => {
    const home = await temporaryDirectory(t);
    const runner = (name: string, seconds: number) => ({ name, commands: [['sleep', `${seconds}`]] });
    const bench = { runs: 2, until: Date.now() + 60_000, env: process.env, work: home } as unknown as Bench;
    // Ours is as slow, and is never left out.
    const runners = [runner('ours', 0.8), runner('peer', 0), runner('slow', 0.8)];
    const base = (name: string): boolean => name !== 'ours';
    const { rows } = await race(bench, { part: 'distance', title: 'race', runners, base, patience: 1.1 });
    assert.deepEqual(
      rows.map(({ name, runs }) => [name, runs]),
      [
        ['ours', 2],
        ['peer', 2],
        ['slow', 1],
      ],
    );
  });
});
