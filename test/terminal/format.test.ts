import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatAge, formatBytes, formatFittingTable, formatTable } from '../../src/terminal/format.ts';
import { fitting, widthFor, wrapped } from '../../src/terminal/width.ts';

describe('sizes', () => {
  const rows: [number, string][] = [
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [5_590_000, '5.59MB'],
    [123_456_789, '123MB'],
    [1_000_000_000, '1GB'],
    [2 ** 53, '9.01PB'],
  ];
  for (const [bytes, text] of rows) it(`writes ${bytes} as ${text}`, () => assert.equal(formatBytes(bytes), text));
});

describe('ages', () => {
  const now = new Date('2026-06-01T00:00:00Z');
  const rows: [string, string][] = [
    ['2026-06-01T00:00:00Z', 'just now'],
    ['2027-01-01T00:00:00Z', 'just now'],
    ['2026-05-31T23:59:59Z', '1 second ago'],
    ['2026-05-31T23:50:00Z', '10 minutes ago'],
    ['2026-05-31T00:00:00Z', '24 hours ago'],
    ['2026-05-20T00:00:00Z', '12 days ago'],
    ['2026-05-11T00:00:00Z', '3 weeks ago'],
    ['2025-12-01T00:00:00Z', '6 months ago'],
    ['1970-01-01T00:00:00Z', '56 years ago'],
    ['1969-12-31T23:59:59Z', 'N/A'],
    ['0001-01-01T00:00:00Z', 'N/A'],
    ['nonsense', 'N/A'],
  ];
  for (const [from, text] of rows)
    it(`says ${text} of ${from}`, () => assert.equal(formatAge(new Date(from), now), text));
});

describe('tables', () => {
  it('aligns columns three spaces apart and leaves no trailing space', async () => {
    const table = await formatTable([
      ['NAME', 'TAG', 'SIZE'],
      ['a-long-name', 'x', ''],
    ]);
    assert.equal(table, 'NAME          TAG   SIZE\na-long-name   x\n');
  });

  it('counts terminal columns: CJK and emoji take two, combining marks zero', async () => {
    const rows = [
      ['NAME', 'X'],
      ['日本', 'x'],
      ['🚀🚀', 'x'],
      ['e\u0301e\u0301ee', 'x'],
      ['abcd', 'x'],
    ];
    assert.deepEqual(
      (await formatTable(rows)).trimEnd().split('\n'),
      rows.map(([name = '', x]) => `${name}   ${x}`),
    );
  });

  it('become paragraphs where the terminal is narrower', async () => {
    const rows = [
      ['SETTING', 'VALUE', 'FROM'],
      ['root', '/a/directory', 'the environment'],
    ];
    assert.equal(await formatFittingTable(rows, 40), await formatTable(rows));
    assert.equal(await formatFittingTable(rows, 20), 'root\n  /a/directory\n  from the\n  environment\n');
    assert.equal(await formatFittingTable(rows, Number.POSITIVE_INFINITY), await formatTable(rows));
  });
});

describe('text for a terminal', () => {
  it('is cut between characters, by columns', async () => {
    const width = await widthFor(['日本語']);
    assert.equal(fitting('日本語', 6, width), '日本語');
    assert.equal(fitting('日本語', 5, width), '日本…');
    assert.equal(fitting('日本語', 4, width), '日…');
    assert.equal(fitting('abcd', 3, width), 'ab…');
  });

  it('is broken between words, by columns', async () => {
    const width = await widthFor(['日本 語']);
    assert.deepEqual(wrapped('日本 語 abc', 5, width), ['日本', '語', 'abc']);
    assert.deepEqual(wrapped('a b c a-very-long-word d', 5, width), ['a b c', 'a-very-long-word', 'd']);
  });
});
