import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../../../src/model/digest.ts';
import { sandbox } from '../../support/sandbox.ts';
import { onScreen, onTerminals } from '../../support/screen.ts';
import { holdLayers, repo, sizes } from './held.ts';

describe('a terminal that is not what it says, or does not stay', onTerminals, () => {
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
