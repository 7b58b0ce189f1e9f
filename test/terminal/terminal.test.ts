import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { OciError } from '../../src/model/errors.ts';
import { createPainter } from '../../src/terminal/colour.ts';
import { Output } from '../../src/terminal/output.ts';
import { report } from '../../src/terminal/report.ts';
import { createTerminal, type Painter, type Terminal } from '../../src/terminal/terminal.ts';
import { bufferedText } from '../support/buffered.ts';

const screen = { isDumb: false, isCi: false, unicode: true };

function opened(painter?: Painter): { readonly terminal: Terminal; readonly written: () => string } {
  const stderr = new PassThrough();
  const stdout = new Output(() => new PassThrough());
  const terminal = createTerminal({ stdout, stderr: new Output(() => stderr), painter, screen });
  return { terminal, written: () => bufferedText(stderr) };
}

const hostile = 'a\u001b[31mb\u009b2Jc\rd\u202ee\nf\u001b[2mg\u001b[22m';
const harmless = 'a\\u{1b}[31mb\\u{9b}2Jc\\u{d}d\\u{202e}e\nf\\u{1b}[2mg\\u{1b}[22m';

describe('results into a pipe beside a display', () => {
  it('wait for it, and are written at once when the process ends now', () => {
    const piped = new PassThrough();
    const stdout = new Output(() => piped);
    const stderr = new Output(() => Object.assign(new PassThrough(), { isTTY: true }));
    const terminal = createTerminal({ stdout, stderr, screen });
    terminal.overlay({ note: () => {}, aside: (write) => write() });
    void terminal.out('a result\n');
    assert.equal(bufferedText(piped), '');
    terminal.finishNow();
    terminal.finishNow();
    assert.equal(bufferedText(piped), 'a result\n');
  });
});

describe('a line for people', () => {
  it('escapes control characters, all but line ends', () => {
    const { terminal, written } = opened();
    terminal.note(hostile);
    terminal.note('\u001b[31merror:\u001b[39m x');
    assert.equal(written(), `${harmless}\n\\u{1b}[31merror:\\u{1b}[39m x\n`);
  });

  it('keeps the paint at its beginning, and no other', () => {
    const { terminal, written } = opened(createPainter());
    terminal.warn(hostile);
    terminal.note(terminal.paint('dim', hostile));
    const dim = harmless.replace('\n', '\\u{a}');
    assert.equal(written(), `\u001b[33mwarning:\u001b[39m ${harmless}\n\u001b[2m${dim}\u001b[22m\n`);
  });

  it('is passed escaped to the display on the screen', () => {
    const { terminal } = opened();
    const lines: string[] = [];
    terminal.overlay({ note: (line) => lines.push(line), aside: (write) => write() });
    terminal.note(hostile);
    assert.deepEqual(lines, [harmless]);
  });

  it('leaves a failure in JSON as valid as it was', () => {
    const { terminal, written } = opened();
    const message = 'no \u009b2J\u202e"\n';
    report(new OciError('DENIED', message), { terminal, json: true, signalStatus: 130 });
    const json = written().trimEnd().split('\n').at(-1) ?? '';
    assert.equal(JSON.parse(json).error.message, message);
    assert.doesNotMatch(json, /[\p{Cc}\p{Cf}]/u);
  });
});
