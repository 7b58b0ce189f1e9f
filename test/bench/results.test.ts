import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { distinctBlobs } from '../../bench/load.ts';
import { measure } from '../../bench/measure.ts';
import { commandOf, parseOptions } from '../../bench/options.ts';
import { asMarkdown, asText, writeTables } from '../../bench/report.ts';
import { compared, type Section, summarize } from '../../bench/results.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const machine = {
  ...{
    command: 'npm run bench',
    date: '2026-01-31',
    cpu: 'A processor',
    cores: 2,
    memoryBytes: 8e9,
    kernel: '6.1',
    loadBefore: 0.1,
  },
  programs: { crane: '0.20' },
};

describe('the results of the bench', () => {
  it('takes the middle of an odd number, and between the two in the middle of an even one', () => {
    assert.deepEqual(summarize([3, 1, 10]), { median: 3, min: 1, max: 10, runs: 3 });
    assert.deepEqual(summarize([4, 1, 10, 2]), { median: 3, min: 1, max: 10, runs: 4 });
  });

  it('compares medians with that of the base', () => {
    const rows = [
      { name: 'ours', ...summarize([3]) },
      { name: 'peer', ...summarize([4]) },
    ];
    const ratios = (base: string | undefined) => compared(rows, base).map(({ ratio }) => ratio);
    assert.deepEqual(ratios('peer'), [0.75, 1]);
    assert.deepEqual(ratios(undefined), [undefined, undefined]);
  });

  it('shows columns with results, and marks missing results', async () => {
    const rows = compared([{ name: 'ours', ...summarize([12.345, 20]), peakBytes: 5e7 }], 'ours');
    const section: Section = { part: 'pull', title: 'pull', unit: 'ms', base: 'ours', rows, failures: ['crane: no'] };
    assert.match(await asText(section), /^ *median ms +spread +× ours +peak$/m);
    assert.match(
      await asText(section),
      /^ours {3}16\.2 {8}12\.3–20\.0 {3}1\.00 {5}50MB\n {2}not measured: crane: no\n$/m,
    );
    const counted = { waits: 4, connections: 1, requests: 2, wireBytes: 3000 };
    const wire = { ...section, rows: rows.map((row) => ({ ...row, ...counted })), failures: [] };
    assert.match(await asText(wire), /waits +connections +requests +on the wire +peak\n.* 4 +1 +2 +3kB +50MB\n$/);
    const markdown = asMarkdown(machine, [section]);
    assert.match(markdown, /^`npm run bench`, 2026-01-31: A processor, 2 cores/);
    assert.match(markdown, /^\| ours \| 16\.2 \| 12\.3–20\.0 \| 1\.00 \| 50MB \|$/m);
  });

  it('writes tables between the marks of a document, and leaves the rest', async (t) => {
    const file = join(await temporaryDirectory(t), 'page.md');
    await writeFile(file, '# Page\n\n<!-- figures -->\nold\n<!-- /figures -->\n\nEnd.\n');
    for (const tables of ['first\n', 'second\n']) await writeTables(file, tables);
    assert.equal(await readFile(file, 'utf8'), '# Page\n\n<!-- figures -->\n\nsecond\n\n<!-- /figures -->\n\nEnd.\n');
    await writeFile(file, 'no marks');
    await writeTables(file, 'tables');
    assert.equal(await readFile(file, 'utf8'), 'tables');
  });
});

describe('the measurements of the bench', () => {
  it('names the digest of every blob rightly', () => {
    const blob = distinctBlobs(1000);
    for (const i of [0, 99_999]) {
      const bytes = Buffer.concat(blob(i).body);
      assert.equal(bytes.length, 1000);
      assert.equal(blob(i).digest, `sha256:${createHash('sha256').update(bytes).digest('hex')}`);
    }
    assert.notEqual(blob(1).digest, blob(2).digest);
  });

  it('gives time and memory of a program, and fails with its output if it fails', async () => {
    const run = (script: string) => measure([process.execPath, '-e', script], { env: process.env });
    const { wallMs, peakBytes } = await run('setTimeout(() => {}, 300)');
    assert.ok(wallMs >= 300);
    if (process.platform === 'linux') assert.ok(peakBytes > 1e6, `${peakBytes} bytes`);
    await assert.rejects(run('console.error("why"); process.exit(4)'), /ended with 4: why/);
    await assert.rejects(measure(['ocictl-no-such-program'], { env: process.env }), /ENOENT/);
  });

  it('kills programs that take too long', async () => {
    const forever = [process.execPath, '-e', 'setInterval(() => {}, 1000)'];
    await assert.rejects(measure(forever, { env: process.env, timeoutMs: 200 }), /ended with SIGTERM/);
  });
});

describe('the options of the bench', () => {
  it('names the command without the paths of a machine', () => {
    const options = parseOptions([
      '--runs',
      '3',
      '--only',
      'serve,pull',
      '--node',
      '/somewhere/node',
      '--json',
      '/out',
      '--cell',
      'digest-40',
      '--count',
    ]);
    assert.ok(options !== 'help' && options.count);
    assert.equal(commandOf(options), 'npm run bench -- --runs 3 --only pull,serve --cell digest-40');
  });

  for (const [words, message] of [
    [['--only', 'pul'], /--only pul: there are pull, push/],
    [['--cell', 'diges'], /--cell diges: there are .*digest-token.* digest-40/],
    [['--runs', '0'], /--runs 0: not a number above 0/],
    [['--runs', '1.5'], /--runs 1\.5/],
    [['--scale', 'x'], /--scale x/],
  ] as const) {
    it(`refuses ${words.join(' ')}`, () => {
      assert.throws(() => parseOptions(words), message);
    });
  }
});
