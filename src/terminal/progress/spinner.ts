import ora from 'ora';
import type { Terminal } from '../terminal.ts';
import { formatSeconds } from './figures.ts';
import type { Screen } from './screen.ts';

const toldAfterMs = 2000;

/** Spins until the first layer is known. @param text `Pulling alpine:3`; must be safe to show. */
export function openSpinner(terminal: Terminal, text: string): Screen {
  const { columns, unicode } = terminal.drawing;
  const stream = terminal.progressStream as NodeJS.WriteStream;
  const startedMs = Date.now();
  const isPainted = terminal.paint('cyan', 'x') !== 'x';
  const shown = (): string => {
    const ms = Date.now() - startedMs;
    const time = ms < toldAfterMs ? '' : ` ${formatSeconds(ms / 1000)}`;
    return text.slice(0, columns - 12) + time;
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
  }, 1000);
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
