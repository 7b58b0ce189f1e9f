import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { onLines, onScreen, onTerminals, type Screen } from '../../support/screen.ts';
import { type Held, holdLayers, repo } from './held.ts';
import { keptScreens } from './kept.ts';

interface Delayed extends Held {
  readonly proxy: FaultProxy;
}

/** The registry that holds layers back, with a proxy in front that fails as a test says. */
async function delayed(t: TestContext): Promise<Delayed> {
  const held = await holdLayers(t);
  return { ...held, proxy: await startFaultProxy(t, `http://${held.host}`) };
}

function pull(t: TestContext, { proxy }: Delayed, columns: number, env = {}): Promise<Screen> {
  return onScreen(t, `run pull ${proxy.host}/${repo}:1`, { columns, env });
}

// The waits end with their tests: nobody waits for a minute.
const later = { status: 429, headers: { 'retry-after': '50' } };

describe('the screen of a pull that is held up', onTerminals, () => {
  for (const columns of [40, 80, 200]) {
    it(`is kept for ${columns} columns: a registry that sends nothing`, async (t) => {
      const held = await delayed(t);
      const [, b] = held.layers;
      held.registry.allow(b as (typeof held.layers)[0], 1_000_000);
      const screen = await pull(t, held, columns);
      const kept = await keptScreens(`stall-${columns}`, { stalls: true });
      await kept.see('three layers stand still', screen, onLines(/Stalled \d+s /, 3));
      await kept.compare();
    });

    it(`is kept for ${columns} columns: a registry that asks to wait`, async (t) => {
      const held = await delayed(t);
      const [, b] = held.layers;
      held.proxy.fail({ ...later, path: new RegExp(b ?? '') });
      const screen = await pull(t, held, columns);
      const kept = await keptScreens(`asked-layer-${columns}`);
      const one = /: Waiting \d\ds[\s\S]*0B\/2\.10MB[\s\S]*0B\/3\.30MB[\s\S]*Total/;
      await kept.see('one layer waits', screen, one);
      await kept.compare();
    });

    it(`is kept for ${columns} columns: a registry that asks to wait before it tells of any layer`, async (t) => {
      const held = await delayed(t);
      held.proxy.fail({ ...later, path: /manifests/ });
      const screen = await pull(t, held, columns);
      const kept = await keptScreens(`asked-name-${columns}`);
      await kept.see('the name waits', screen, /Waiting \d\ds:[\s\S]*team\/app/);
      await kept.compare();
    });

    it(`is kept for ${columns} columns: an outage, and the end after it`, async (t) => {
      const held = await delayed(t);
      const { proxy, registry, layers } = held;
      const path = new RegExp(layers[1] ?? '');
      registry.allow(layers[1] as (typeof layers)[0], Number.POSITIVE_INFINITY);
      proxy.fail({ path, cutAfterBytes: 1_000_000, times: 1 });
      proxy.fail({ path, cutAfterBytes: 0 });
      const screen = await pull(t, held, columns);
      const kept = await keptScreens(`outage-${columns}`);
      await kept.see('one layer is cut off', screen, /: Waiting[\s\S]*the connection was[\s\S]*Total/);
      proxy.heal();
      registry.release();
      await kept.see('the end', screen, /^exit /m);
      await kept.compare();
    });
  }
});

describe('the colours of a pull', onTerminals, () => {
  /** What is shown while one layer waits and all others are done: that stays as it is. */
  const title = 'one layer waits, the others are done';
  const done = onLines(/: Pull complete/, 4, /Waiting \d\ds[\s\S]*Total.* 4\/5/);
  const watch = async (t: TestContext, env = {}): Promise<Screen> => {
    const held = await delayed(t);
    // The smallest, which comes last.
    held.proxy.fail({ ...later, path: new RegExp(held.layers[0] ?? '') });
    held.registry.release();
    const screen = await pull(t, held, 80, env);
    return screen;
  };

  it('are kept', async (t) => {
    const screen = await watch(t);
    const kept = await keptScreens('pull-colours');
    await kept.see(title, screen, done, screen.painted);
    await kept.compare();
  });

  it('are none where NO_COLOR is set', async (t) => {
    const screen = await watch(t, { NO_COLOR: '1' });
    const kept = await keptScreens('pull-no-colour');
    await kept.see(title, screen, done, screen.painted);
    await kept.compare();
    const painted = await screen.painted();
    assert.ok(!painted.includes('\x1b'), painted);
  });
});
