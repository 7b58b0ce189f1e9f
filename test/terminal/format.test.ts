import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatAge, formatBytes, formatTable } from '../../src/terminal/format.ts';

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
    ['nonsense', 'N/A'],
  ];
  for (const [from, text] of rows)
    it(`says ${text} of ${from}`, () => assert.equal(formatAge(new Date(from), now), text));
});

describe('tables', () => {
  it('aligns columns three spaces apart and leaves no trailing space', () => {
    const table = formatTable([
      ['NAME', 'TAG', 'SIZE'],
      ['a-long-name', 'x', ''],
    ]);
    assert.equal(table, 'NAME          TAG   SIZE\na-long-name   x\n');
  });
});
