import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { monotonicMs } from '../../../src/model/clock.ts';
import { parseDigest } from '../../../src/model/digest.ts';
import type { TransferEvent } from '../../../src/model/events.ts';
import { ProgressTracker, type TrackedBlob } from '../../../src/model/progress/tracker.ts';
import { boardLines } from '../../../src/terminal/progress/board-lines.ts';
import { formatSeconds, steadyBytes, summaryLines } from '../../../src/terminal/progress/figures.ts';
import { actions } from '../../../src/terminal/progress/progress.ts';
import { startWait } from '../../../src/terminal/progress/shown-wait.ts';

function tracker(count: number): ProgressTracker {
  const made = new ProgressTracker();
  for (let at = 0; at < count; at += 1) {
    const digest = parseDigest(`sha256:${String(at).padStart(64, '0')}`);
    const node = { mediaType: 'application/octet-stream', digest, size: 1_000_000 * (at + 1) };
    const events: TransferEvent[] = [{ type: 'discovered', node, kind: 'layer' }];
    if (at % 4 === 1)
      events.push({ type: 'started', node, resumedBytes: 0 }, { type: 'progress', node, bytes: 500_000 });
    if (at % 4 === 2)
      events.push({ type: 'waiting', node, reason: 'registry.example.com: connection refused, trying again' });
    if (at % 4 === 3) events.push({ type: 'done', node, kind: 'layer', outcome: 'exists' });
    for (const event of events) made.event(event);
  }
  return made;
}

function lines(count: number, columns: number, rows = 24, unicode = true): readonly string[] {
  const made = tracker(count);
  const drawing = { isPossible: true, isWanted: true, columns, rows, unicode };
  const terminal = { drawing, paint: (_style: string, text: string) => text };
  return boardLines([...made.blobs], made, new Map(), { terminal, words: actions.pull });
}

describe('the lines of layers', () => {
  it('fit any width, and use it', () => {
    for (let columns = 20; columns <= 250; columns += 1) {
      const shown = lines(8, columns);
      for (const line of shown) assert.ok(line.length < columns, `${columns}: ${line}`);
      const longest = Math.max(...shown.map((line) => line.length));
      assert.ok(longest > columns - 20, `${columns}: ${longest}`);
    }
  });

  it('have their columns below each other', () => {
    assert.deepEqual(lines(4, 80), [
      '000000000000: Waiting                                  1.00MB',
      '000000000000: Downloading ━━━━━────────────────  500kB/2.00MB',
      '000000000000: Waiting     registry.example.com: connection refused, trying aga…',
      '000000000000: Already exists',
      'Total         1/4 layers  ━━━━━━━━━──────────── 4.50MB/10.0MB',
    ]);
  });

  it('tell how long a layer waits, and why: below the layers where its line has no room', () => {
    const made = tracker(3);
    const [blob] = made.blobs;
    const { node } = blob as TrackedBlob;
    made.event({ type: 'waiting', node, reason: 'registry.example.com asks to wait 30 seconds (429)', seconds: 30 });
    const shown = (columns: number, more: object = {}): readonly string[] => {
      const drawing = { isPossible: true, isWanted: true, columns, rows: 24, unicode: true };
      const terminal = { drawing, paint: (_style: string, text: string) => text };
      return boardLines([...made.blobs], made, new Map(), { terminal, words: actions.pull, ...more });
    };
    assert.match(shown(80)[0] ?? '', /^0{12}: Waiting \d\ds registry\.example\.com asks to wait 30 seconds \(429\)$/);
    const narrow = shown(40);
    assert.match(narrow[0] ?? '', /^0{12}: Waiting \d\ds$/);
    assert.deepEqual(narrow.slice(3, 5), ['registry.example.com asks to wait 30', 'seconds (429)']);
    const wait = startWait({ reason: 'registry.example.com answered 503, trying again' });
    assert.equal(shown(80, { wait }).at(-2), 'Waiting: registry.example.com answered 503, trying again');
    assert.match(shown(80, { wait: startWait({ reason: 'busy', seconds: 9 }) }).at(-2) ?? '', /^Waiting \ds: busy$/);
    const over = startWait({ reason: 'busy', seconds: 9 }, monotonicMs() - 9000);
    assert.equal(shown(80, { wait: over }).length, 4);
  });

  it('are without a total where there is one layer', () => {
    const made = tracker(1);
    const drawing = { isPossible: true, isWanted: true, columns: 80, rows: 24, unicode: true };
    const terminal = { drawing, paint: (_style: string, text: string) => text };
    const shown = (): readonly string[] =>
      boardLines([...made.blobs], made, new Map(), { terminal, words: actions.pull });
    assert.equal(shown().length, 2);
    made.event({ type: 'images', found: 1, finished: 0, failed: 0, complete: true });
    assert.deepEqual(shown(), ['000000000000: Waiting                                  1.00MB']);
  });

  it('are ASCII where the terminal shows no more', () => {
    assert.match(lines(2, 80, 24, false).join('\n'), /^[\x20-\x7e\n]+$/);
  });

  it('show what moves first where there are more layers than rows', () => {
    for (const rows of [5, 10, 24, 100]) {
      const shown = lines(60, 80, rows);
      assert.ok(shown.length < rows && shown.length <= 42, `${rows}: ${shown.length}`);
      const moving = shown.filter((line) => /Downloading|refused/.test(line)).length;
      assert.equal(moving, Math.min(30, shown.length - 2), `${rows}`);
      assert.match(shown.at(-2) ?? '', /^and \d+ more: (\d+ moving, )?\d+ waiting, 15 done$/);
    }
  });
});

describe('figures', () => {
  it('keep their width while they change', () => {
    const given = [0, 999, 1000, 9994, 9996, 99_949, 99_951, 999_499, 999_500, 31_000_000, 5_500_000_000];
    assert.deepEqual(given.map(steadyBytes), [
      ...['0B', '999B', '1.00kB', '9.99kB', '10.0kB', '99.9kB', '100kB', '999kB', '1.00MB', '31.0MB', '5.50GB'],
    ]);
    for (let bytes = 1; bytes < 1e15; bytes = Math.ceil(bytes * 1.07)) {
      assert.ok(steadyBytes(bytes).length <= 6, steadyBytes(bytes));
    }
  });

  it('tell times as people say them', () => {
    assert.deepEqual([0.2, 59.4, 59.6, 61, 3599, 7620, 277_200].map(formatSeconds), [
      ...['1s', '59s', '1m 00s', '1m 01s', '59m 59s', '2h 07m', '3d 05h'],
    ]);
  });

  it('make a summary that fits', () => {
    const totals = {
      ...tracker(4).summary(),
      transferredBytes: 61_100_000,
      elapsedSeconds: 6.2,
      bytesPerSecond: 9_850_000,
    };
    const lines = (columns?: number, more: Partial<typeof totals> = {}): readonly string[] =>
      summaryLines({ ...totals, ...more }, actions.pull, {
        route: 'from registry.example.com',
        ...(columns !== undefined && { columns }),
      });
    const whole = 'Pulled 61.1MB in 6.2s (9.85MB/s) from registry.example.com; 1 of 4 layers (4MB) were there already';
    assert.deepEqual(lines(), [whole]);
    for (let columns = 30; columns <= 120; columns += 1) {
      const shown = lines(columns);
      for (const line of shown) assert.ok(line.length <= columns, `${columns}: ${line}`);
      assert.equal(shown.map((line) => line.trim()).join(' '), whole);
    }
    assert.deepEqual(lines(40), [
      'Pulled 61.1MB in 6.2s (9.85MB/s) from',
      '  registry.example.com; 1 of 4 layers',
      '  (4MB) were there already',
    ]);
    const nothing = { transferredBytes: 0, elapsedSeconds: 0.1, existingBytes: 0, existingLayers: 0, layers: 0 };
    assert.deepEqual(lines(undefined, nothing), [
      'Pulled nothing in 0.1s from registry.example.com; everything was there already',
    ]);
    const all = { ...nothing, existingBytes: 4_000_000, existingLayers: 1, layers: 1 };
    assert.deepEqual(lines(undefined, all), [
      'Pulled nothing in 0.1s from registry.example.com; the layer (4MB) was there already',
    ]);
  });
});
