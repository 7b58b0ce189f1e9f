import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { spawnServe } from '../../support/command.ts';

/** How often the threads of a process have voluntarily gone to sleep, and so were woken before. */
async function wakes(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const texts = await Promise.all(threads.map((id) => readFile(`/proc/${pid}/task/${id}/status`, 'utf8')));
  return texts.reduce((sum, text) => sum + Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(text)?.[1]), 0);
}

describe('an idle ocictl serve', () => {
  it('wakes at most twice a second, also after requests', async (t) => {
    if (process.platform !== 'linux') return t.skip('reads /proc');
    const { child, url } = await spawnServe(t, ['--memory']);
    for (let i = 0; i < 20; i += 1) assert.equal((await fetch(`${url}/v2/`)).status, 200);
    const seconds = 5;
    const window = async (): Promise<number> => {
      const before = await wakes(child.pid ?? 0);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      return ((await wakes(child.pid ?? 0)) - before) / seconds;
    };
    // The engine still tidies up for a while after its work.
    let rate = await window();
    for (let tries = 0; rate > 2 && tries < 8; tries += 1) rate = await window();
    assert.ok(rate <= 2, `${rate} a second`);
  });
});
