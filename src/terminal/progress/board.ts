import cliProgress from 'cli-progress';
import type { Terminal } from '../terminal.ts';
import { Frame } from './frame.ts';
import type { Screen } from './screen.ts';

/**
 * The rows of cli-progress on a terminal, redrawn at most ten times a second.
 *
 * @param lines Called for each frame to get its lines.
 */
export function openBoard(terminal: Terminal, lines: () => readonly string[]): Screen {
  const stream = terminal.progressStream as NodeJS.WriteStream;
  const frame = new Frame(terminal);
  // cli-progress has this option, but its types do not.
  const options: cliProgress.Options & { readonly terminal: Frame } = {
    terminal: frame,
    format: (_options, _params, payload: { readonly line: string }) => payload.line,
    clearOnComplete: true,
    hideCursor: null,
    linewrap: null,
    gracefulExit: false,
    fps: 10,
  };
  const bars = new cliProgress.MultiBar(options);
  const rows: cliProgress.SingleBar[] = [];
  let isUpdating = false;
  bars.on('update-pre', () => {
    isUpdating = true;
    const now = lines();
    isUpdating = false;
    while (rows.length < now.length) rows.push(bars.create(1, 0, { line: '' }));
    for (const [at, row] of rows.entries()) row.update({ line: now[at] ?? '' });
  });
  bars.on('redraw-post', () => frame.flush());
  const onResize = (): void => {
    frame.resize();
    bars.update();
  };
  const onContinue = (): void => frame.lose();
  stream.on('resize', onResize);
  process.on('SIGCONT', onContinue);
  rows.push(bars.create(1, 0, { line: '' }));
  bars.update();
  return {
    // Not cli-progress's own log, whose lines would come after what is written meanwhile.
    note: (line) => frame.write(`${line}\n`, true),
    around(write) {
      frame.hide();
      write();
      // Lines above the board are drawn together with the next frame.
      if (!isUpdating) bars.update();
    },
    close() {
      process.removeListener('SIGCONT', onContinue);
      stream.removeListener('resize', onResize);
      bars.update();
      bars.stop();
      frame.erase();
    },
  };
}
