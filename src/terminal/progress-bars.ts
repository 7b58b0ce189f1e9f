import cliProgress from 'cli-progress';
import ora from 'ora';
import { type Digest, shortDigest } from '../model/digest.ts';
import type { TransferEvent } from '../model/events.ts';
import { formatBytes } from './format.ts';
import type { Progress, ProgressOptions } from './progress.ts';
import type { Terminal } from './terminal.ts';

const maxBars = 12;

/** A spinner until the first layer is known, then one bar for each layer that moves. */
export function createBars(terminal: Terminal, { title }: ProgressOptions): Progress {
  const stream = terminal.progressStream as NodeJS.WriteStream;
  const spinner = ora({ text: title, stream, discardStdin: false, hideCursor: true }).start();
  let bars: cliProgress.MultiBar | undefined;
  const shown = new Map<Digest, cliProgress.SingleBar>();
  let stopped = false;

  terminal.overlay((line) => {
    if (bars) {
      bars.log(`${line}\n`);
      return;
    }
    spinner.clear();
    stream.write(`${line}\n`);
  });

  const open = (): cliProgress.MultiBar => {
    if (bars) return bars;
    spinner.stop();
    bars = new cliProgress.MultiBar(
      {
        stream,
        format: '{id} {state} [{bar}] {have} of {size}',
        barsize: 24,
        hideCursor: true,
        clearOnComplete: true,
        forceRedraw: false,
        gracefulExit: false,
        emptyOnZero: true,
      },
      cliProgress.Presets.rect,
    );
    return bars;
  };

  const barOf = (
    event: TransferEvent & { type: 'started' | 'progress' | 'waiting' },
  ): cliProgress.SingleBar | undefined => {
    const { digest, size } = event.node;
    const known = shown.get(digest);
    if (known || shown.size >= maxBars) return known;
    const bar = open().create(Math.max(size, 1), 0, {
      id: shortDigest(digest),
      state: 'waiting    ',
      have: formatBytes(0),
      size: formatBytes(size),
    });
    shown.set(digest, bar);
    return bar;
  };

  return {
    event(event) {
      if (stopped) return;
      if (event.type === 'started') {
        barOf(event)?.update(event.resumedBytes, { state: event.resumedBytes > 0 ? 'resuming   ' : 'downloading' });
      } else if (event.type === 'progress') {
        barOf(event)?.update(event.bytes, { state: 'downloading', have: formatBytes(event.bytes) });
      } else if (event.type === 'waiting') {
        barOf(event)?.update({ state: 'waiting    ' });
      } else if (event.type === 'done') {
        const bar = shown.get(event.node.digest);
        if (bar) bars?.remove(bar);
        shown.delete(event.node.digest);
      }
    },
    stop() {
      if (stopped) return;
      stopped = true;
      terminal.overlay(undefined);
      spinner.stop();
      for (const bar of shown.values()) bars?.remove(bar);
      bars?.stop();
    },
  };
}
