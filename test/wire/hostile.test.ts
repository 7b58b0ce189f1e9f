import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError } from '../../src/model/errors.ts';
import { parseChallenges } from '../../src/wire/challenges.ts';
import { decodeError, printable } from '../../src/wire/errors.ts';
import {
  parseChunkRange,
  parseContentRange,
  parseNextLink,
  parseRangeRequest,
  parseRetryAfter,
  parseUploadRange,
  parseWarnings,
} from '../../src/wire/headers.ts';
import { parseRoute } from '../../src/wire/routes.ts';

const size = 64 * 1024;
const context = { status: 400, subject: 's', endpoint: 'e' };
const parsers: Readonly<Record<string, (text: string) => unknown>> = {
  parseChallenges,
  parseNextLink,
  parseWarnings,
  parseChunkRange,
  parseContentRange,
  parseUploadRange,
  parseRangeRequest: (text) => parseRangeRequest(text, 10),
  parseRetryAfter: (text) => parseRetryAfter(text, 0),
  parseRoute,
  printable,
  decodeError: (text) => decodeError(Buffer.from(text), context),
};

/** Starts that bring a parser into its middle, pieces that it may chew on, ends that make it fail late. */
const starts = [
  '',
  '<',
  '<a>',
  '<a>;a',
  '<a>; rel="',
  '299 - "',
  '299',
  '299 ',
  'Bearer ',
  'Bearer realm="',
  'Bearer realm=',
  'bytes=',
  'bytes ',
  'bytes 0-',
  '0-',
  '/v2/',
  '/v2/a/blobs/',
  'Mon, ',
  '1',
  '"',
  'https://',
];
const pieces = [
  'a',
  ' ',
  '\t',
  ',',
  ';',
  '=',
  '"',
  '\\',
  '\\"',
  '<',
  '>',
  '/',
  '0',
  '-',
  '.',
  '%',
  '?',
  '@',
  ', ',
  '; ',
  ';a',
  ';a ',
  ';a=',
  'a ',
  'a=',
  'a="',
  'a=",',
  '<a',
  '<a>',
  '<a>,',
  '<a>;',
  '299',
  '299 ',
  '299 - ',
  '299 - "',
  '299 - "\\',
  'x"',
  '/blobs/',
  '/tags/list',
  'a/blobs/uploads/',
  '/manifests',
  '1s',
  '1.',
  '1.0',
  '%2f',
  'https://',
  'https://a?',
  '\u009b',
  '==',
  '= ',
];
const ends = ['', 'x\u0000'];

describe('64 KiB of hostile text', () => {
  for (const [name, parser] of Object.entries(parsers)) {
    it(`is answered by ${name} in linear time`, () => {
      for (const piece of pieces) {
        const body = piece.repeat(Math.ceil(size / piece.length));
        for (const start of starts) {
          for (const end of ends) {
            const startedAt = performance.now();
            try {
              parser(start + body + end);
            } catch (error) {
              assert.ok(isOciError(error), String(error));
            }
            const tookMs = performance.now() - startedAt;
            assert.ok(tookMs < 500, `${tookMs} ms for ${JSON.stringify([start, piece, end])}`);
          }
        }
      }
    });
  }
});
