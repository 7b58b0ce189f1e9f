import ora from 'ora';
import { monotonicMs } from '../../model/clock.ts';
import { visible } from '../../model/quote.ts';
import type { Terminal } from '../terminal.ts';
import { wrapped } from '../width.ts';
import { formatSeconds } from './figures.ts';
import type { Screen } from './screen.ts';
import { type ShownWait, waitWord } from './shown-wait.ts';

const toldAfterMs = 2000;

/**
 * Spins until the first layer is known.
 *
 * @param text `Pulling alpine:3`; must be safe to show.
 * @param wait What a request waits for.
 */
export function openSpinner(terminal: Terminal, text: string, wait: () => ShownWait | undefined): Screen {
  const { columns, unicode } = terminal.drawing;
  const stream = terminal.progressStream as NodeJS.WriteStream;
  const startedMs = monotonicMs();
  const ellipsis = unicode ? '…' : '...';
  const isPainted = terminal.paint('cyan', 'x') !== 'x';
  const shown = (): string => {
    const nowMs = monotonicMs();
    const ms = nowMs - startedMs;
    const time = ms < toldAfterMs ? '' : ` ${formatSeconds(ms / 1000)}`;
    const waits = wait();
    const word = waits && waitWord(waits, nowMs);
    const reason = word === undefined ? [] : wrapped(`${word}: ${waits?.reason}`, columns - 4, (part) => part.length);
    const room = columns - 4 - time.length;
    const title = text.length <= room ? text : `${text.slice(0, room - ellipsis.length)}${ellipsis}`;
    return [title + time, ...reason.map((line) => `  ${visible(line)}`)].join('\n');
  };
  const spinner = ora({
    text: shown(),
    stream,
    spinner: unicode ? 'dots' : 'line',
    color: isPainted ? 'cyan' : false,
    isEnabled: true,
    discardStdin: false,
    hideCursor: false,
  }).start();
  const clock = setInterval(() => {
    spinner.text = shown();
  }, 500);
  const around = (write: () => void): void => {
    spinner.clear();
    write();
    spinner.render();
  };
  return {
    note: (line) => around(() => stream.write(`${line}\n`)),
    around,
    close() {
      clearInterval(clock);
      spinner.stop();
    },
  };
}
