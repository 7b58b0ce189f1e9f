import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatContentRange,
  formatNextLink,
  formatRangeRequest,
  formatUploadRange,
  parseChunkRange,
  parseContentRange,
  parseNextLink,
  parseRangeRequest,
  parseRetryAfter,
  parseUploadRange,
  parseWarnings,
} from '../../src/wire/headers.ts';

describe('the range that a request asks for', () => {
  const cases: readonly (readonly [header: string | undefined, size: number, expected: unknown])[] = [
    [undefined, 10, 'whole'],
    ['', 10, 'whole'],
    ['bytes=0-', 10, { start: 0, end: 9 }],
    ['bytes=0-0', 10, { start: 0, end: 0 }],
    ['bytes=3-5', 10, { start: 3, end: 5 }],
    ['Bytes=9-', 10, { start: 9, end: 9 }],
    ['bytes=3-99999999999999999999', 10, { start: 3, end: 9 }],
    ['bytes=-4', 10, { start: 6, end: 9 }],
    ['bytes=-400', 10, { start: 0, end: 9 }],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=10-', 10, 'unsatisfiable'],
    [`bytes=${'9'.repeat(400)}-`, 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-1', 0, 'unsatisfiable'],
    ['bytes=5-3', 10, 'whole'],
    ['bytes=-', 10, 'whole'],
    ['bytes=1-2,4-5', 10, 'whole'],
    ['bytes=1 2-5', 10, 'whole'],
    ['items=0-1', 10, 'whole'],
    ['bytes=a-b', 10, 'whole'],
    ['bytes=-1-2', 10, 'whole'],
  ];
  for (const [header, size, expected] of cases) {
    it(`${header?.slice(0, 30)} of ${size} bytes`, () => assert.deepEqual(parseRangeRequest(header, size), expected));
  }

  it('is written with an inclusive end', () => {
    assert.equal(formatRangeRequest(5), 'bytes=5-');
    assert.equal(formatRangeRequest(5, 10), 'bytes=5-9');
    assert.deepEqual(parseRangeRequest(formatRangeRequest(5, 10), 20), { start: 5, end: 9 });
  });
});

describe('the range that an answer holds', () => {
  it('is read with and without the size of the whole', () => {
    assert.deepEqual(parseContentRange('bytes 2-5/10'), { start: 2, end: 5, size: 10 });
    assert.deepEqual(parseContentRange(' BYTES 2-5/* '), { start: 2, end: 5 });
    assert.deepEqual(parseContentRange(formatContentRange({ start: 0, end: 0 }, 1)), { start: 0, end: 0, size: 1 });
  });

  it('is nothing where it makes no sense', () => {
    for (const header of [
      undefined,
      '',
      'bytes */10',
      'bytes 5-2/10',
      'bytes 0-10/10',
      '0-5/10',
      'bytes 0-5',
      `bytes 0-${'9'.repeat(400)}/*`,
      `bytes 0-1/${'9'.repeat(20)}`,
      'bytes -1-5/10',
      'items 0-5/10',
    ]) {
      assert.equal(parseContentRange(header), undefined, header);
    }
  });
});

describe('the ranges of an upload', () => {
  it('a chunk is start-end, which some clients prefix', () => {
    for (const header of ['5-9', 'bytes 5-9', 'bytes=5-9', 'bytes 5-9/100', 'Bytes 5-9/*', ' 5-9 ']) {
      assert.deepEqual(parseChunkRange(header), { start: 5, end: 9 }, header);
    }
    for (const header of ['', '9-5', '5-', '-9', '5', '5-9-', 'bytes', `0-${'9'.repeat(30)}`])
      assert.equal(parseChunkRange(header), undefined, header);
  });

  it('state the size of a session as an inclusive end, and 0-0 for an empty one', () => {
    assert.equal(formatUploadRange(0), '0-0');
    assert.equal(formatUploadRange(10), '0-9');
    assert.equal(parseUploadRange('0-0'), 0);
    assert.equal(parseUploadRange('0-9'), 10);
    assert.equal(parseUploadRange('bytes=0-9'), 10);
    for (const header of [undefined, '', '1-9', '0-', '9', '0--1', `0-${'9'.repeat(30)}`])
      assert.equal(parseUploadRange(header), undefined, header);
  });
});

describe('the link to the next page', () => {
  const none = Symbol('no next page');
  const unreadable = Symbol('an error');
  type Case = readonly [header: string | readonly string[] | undefined, target: string | symbol];
  const cases: readonly Case[] = [
    [undefined, none],
    ['', none],
    [' , ', none],
    ['</v2/_catalog?last=b&n=2>; rel="next"', '/v2/_catalog?last=b&n=2'],
    ['</v2/_catalog?last=b>; rel=next', '/v2/_catalog?last=b'],
    ['<https://x/y>;rel="next"', 'https://x/y'],
    ['<?n=2&last=x>; rel="next"', '?n=2&last=x'],
    ['<a>; REL="Next"', 'a'],
    ['<a>; rel="prev next"', 'a'],
    ['<a>; rel="nextish"', none],
    ['<a>; rel=prev', none],
    ['<a>', 'a'],
    ['<a>; rel=prev, <b>', 'b'],
    ['<a>; rel=prev; rel=next', none],
    ['/v2/_catalog?last=b&n=2; rel="next"', '/v2/_catalog?last=b&n=2'],
    ['https://x/v2/_catalog?last=b,c&n=2;rel=next', 'https://x/v2/_catalog?last=b,c&n=2'],
    ['?n=2&last=x', '?n=2&last=x'],
    ['list?last=x, <b>; rel=prev', 'list?last=x'],
    ['<a>, <b>; rel=next', 'b'],
    ['/a; rel=prev, /b; rel=next', '/b'],
    ['/a; rel=prev', none],
    ['<a>; rel="prev", <b>; rel="next"', 'b'],
    ['<a>; title="x, <b>; rel=next"; rel=next', 'a'],
    ['<a>; title="; rel=next", <b>; rel=next', 'b'],
    [String.raw`<a>; title="\"; rel=next; \"", <b>; rel=next`, 'b'],
    ['<a,b;c>; rel=next', 'a,b;c'],
    ['<a>; crossorigin; rel = "next" ; type="x/y"', 'a'],
    [['<a>; rel="prev"', '<b>; rel="next"'], 'b'],
    ['garbage, <b>; rel=next', 'b'],
    ['garbage', unreadable],
    ['garbage; rel=next', unreadable],
    ['<a>; rel="first" garbage', unreadable],
    ['; rel=next', unreadable],
    ['<a>; rel="first" garbage, <b>; rel=next', 'b'],
    ['<a; rel=next', unreadable],
    ['<>; rel=next', ''],
    [formatNextLink('/v2/a/tags/list?last=1'), '/v2/a/tags/list?last=1'],
  ];
  for (const [header, target] of cases) {
    const expected = target === none ? 'none' : target === unreadable ? 'unreadable' : { target };
    const shown = typeof target === 'symbol' ? target.description : target;
    it(`of ${JSON.stringify(header)} is ${shown}`, () => assert.deepEqual(parseNextLink(header), expected));
  }
});

describe('warnings', () => {
  it('are the texts of all 299s, in one line or several', () => {
    assert.deepEqual(parseWarnings('299 - "one", 299 example.com "t \\"w\\" o"'), ['one', 't "w" o']);
    assert.deepEqual(parseWarnings(['299 - "one"', '299 - "two"']), ['one', 'two']);
    assert.deepEqual(parseWarnings('299 - "one" "Sun, 06 Nov 1994 08:49:37 GMT"'), ['one']);
  });

  it('of other codes, or malformed, are nothing', () => {
    for (const header of [undefined, '', '199 - "x"', '299 - x', '299 "x"', '1299 - "x"', '299 - "x'])
      assert.deepEqual(parseWarnings(header), []);
  });

  it('cannot write to the terminal', () => {
    assert.deepEqual(parseWarnings('299 - "a\u009b2Jb\u001b[0m"'), ['a 2Jb [0m']);
  });
});

describe('Retry-After', () => {
  const nowMs = Date.UTC(2024, 0, 1, 12, 0, 0);
  const cases: readonly (readonly [header: string | undefined, waitMs: number | undefined])[] = [
    [undefined, undefined],
    ['', undefined],
    ['0', 0],
    ['120', 120_000],
    [' 1.5 ', 1500],
    ['0.0001', 1],
    ['880µs', 1],
    ['880μs', 1],
    ['880us', 1],
    ['880Âµs', 1],
    ['5ns', 1],
    ['250ms', 250],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1m30s', 90_000],
    ['1h0m0.5s', 3_600_500],
    ['Mon, 01 Jan 2024 12:00:30 GMT', 30_000],
    ['Monday, 01-Jan-24 12:00:30 GMT', 30_000],
    ['Mon Jan  1 12:00:30 2024', 30_000],
    ['2024-01-01T12:00:30Z', 30_000],
    ['Mon, 01 Jan 2024 11:00:00 GMT', 0],
    ['Fri, 01 Jan 9999 00:00:00 GMT', 2 ** 31 - 1],
    ['99999999999', 2 ** 31 - 1],
    ['9'.repeat(60), 2 ** 31 - 1],
    ['9'.repeat(400), undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['soon 5', undefined],
    ['5 apples', undefined],
    ['5x', undefined],
    ['s', undefined],
    ['1..5s', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['NaN', undefined],
    ['Infinity', undefined],
    ['Mon, 99 Foo 2024', undefined],
  ];
  for (const [header, waitMs] of cases) {
    it(`${header?.slice(0, 40)} is ${waitMs} ms`, () => assert.equal(parseRetryAfter(header, nowMs), waitMs));
  }

  it('in C’s form is universal time, wherever this runs', () => {
    const zone = process.env['TZ'];
    process.env['TZ'] = 'Asia/Kolkata';
    try {
      assert.equal(parseRetryAfter('Mon Jan  1 12:00:30 2024', nowMs), 30_000);
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });
});
