import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpacedLines } from '../../src/terminal/spaced-lines.ts';

describe('lines about waits', () => {
  it('are seconds apart, the latest of those in between', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const told: string[] = [];
    const lines = new SpacedLines((line) => told.push(line));
    for (const [at, line] of ['a', 'b', 'c'].entries()) lines.tell(line, at);
    assert.deepEqual(told, ['a']);
    t.mock.timers.tick(3000);
    assert.deepEqual(told, ['a', 'c']);
    lines.tell('d', 4000);
    lines.close();
    t.mock.timers.tick(10_000);
    assert.deepEqual(told, ['a', 'c']);
  });

  it('are not repeated soon', () => {
    const told: number[] = [];
    let nowMs = 0;
    const lines = new SpacedLines(() => told.push(nowMs));
    for (; nowMs < 40_000; nowMs += 1000) lines.tell('same', nowMs);
    assert.deepEqual(told, [0, 15_000, 30_000]);
  });
});
