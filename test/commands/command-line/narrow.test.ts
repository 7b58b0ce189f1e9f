import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { start } from '../../support/process.ts';
import { needs } from '../../support/programs.ts';
import { projectRoot } from '../../support/project.ts';
import { sandbox } from '../../support/sandbox.ts';

/** What is printed on a terminal of so many columns. */
async function onTerminal(t: TestContext, columns: number, words: string): Promise<readonly string[]> {
  const { home, env } = await sandbox(t);
  const line = `stty cols ${columns}; ${process.execPath} ${join(projectRoot, 'bin', 'ocictl.js')} ${words}`;
  const { stdout } = await start(t, 'script', ['-qefc', line, '/dev/null'], {
    env: { ...env, TERM: 'xterm' },
    cwd: home,
  }).result;
  return stdout.split(/\r?\n/);
}

/** Lines that are to be typed, and words that have no place to break, are longer. */
function tooLong(lines: readonly string[], columns: number): readonly string[] {
  return lines.filter((line) => line.length > columns && !/^ {2}(?:ocictl|#) /.test(line) && /\S \S/.test(line.trim()));
}

describe('a narrow terminal', () => {
  for (const columns of [40, 52, 79]) {
    it(`of ${columns} columns shows help, doctor and config show without broken lines`, async (t) => {
      if (!needs(t, 'script')) return;
      for (const words of ['--help', 'copy --help', 'with-login --help', 'doctor', 'config show', 'config path']) {
        const lines = await onTerminal(t, columns, words);
        assert.ok(lines.length > 5, lines.join('\n'));
        assert.deepEqual(tooLong(lines, columns), [], words);
      }
    });
  }

  it('shows the same words as a wide one', async (t) => {
    if (!needs(t, 'script')) return;
    const plain = (lines: readonly string[]) =>
      lines
        .join(' ')
        .split(/\s+/)
        // Free space changes between two runs.
        .filter((word) => word !== '' && !/^\d+\.\d$/.test(word));
    for (const words of ['copy --help', 'doctor']) {
      const [narrow, wide] = [await onTerminal(t, 40, words), await onTerminal(t, 100, words)];
      assert.deepEqual(plain(narrow), plain(wide));
      assert.ok(narrow.length > wide.length);
    }
  });
});
