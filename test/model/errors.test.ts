import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type ErrorCode,
  errorCodes,
  exitStatusOf,
  isErrorCode,
  isOciError,
  OciError,
  statusOf,
} from '../../src/model/errors.ts';
import { quote } from '../../src/model/quote.ts';

/** The contract of docs/exit-codes.md in full: changing it breaks scripts. */
const exits: Readonly<Record<number, readonly ErrorCode[]>> = {
  1: ['UNSUPPORTED', 'NOT_MODIFIED', 'INTERNAL'],
  2: ['NAME_INVALID', 'TAG_INVALID', 'PAGINATION_NUMBER_INVALID', 'USAGE', 'REFERENCE_INVALID', 'CONFIG_INVALID'],
  3: [
    'BLOB_UNKNOWN',
    'MANIFEST_BLOB_UNKNOWN',
    'MANIFEST_UNKNOWN',
    'NAME_UNKNOWN',
    'IMAGE_UNKNOWN',
    'PLATFORM_UNKNOWN',
    'FILE_UNKNOWN',
  ],
  4: ['UNAUTHORIZED', 'DENIED'],
  5: [
    'BLOB_UPLOAD_INVALID',
    'BLOB_UPLOAD_UNKNOWN',
    'RANGE_INVALID',
    'UNKNOWN',
    'UNAVAILABLE',
    'NETWORK',
    'TIMEOUT',
    'TLS',
    'PROTOCOL',
  ],
  6: ['TOOMANYREQUESTS'],
  7: [
    'DIGEST_INVALID',
    'MANIFEST_INVALID',
    'SIZE_INVALID',
    'MANIFEST_UNVERIFIED',
    'DIGEST_MISMATCH',
    'SIZE_MISMATCH',
    'TOO_LARGE',
    'ARCHIVE_INVALID',
  ],
  8: ['PARTLY_FAILED'],
  9: ['REFUSED'],
  10: ['STORAGE', 'STORAGE_FULL', 'STORAGE_DENIED', 'STORAGE_DAMAGED'],
  11: ['UNTRUSTED'],
  130: ['CANCELLED'],
};

describe('the exit status of an error', () => {
  for (const [exit, codes] of Object.entries(exits)) {
    it(`is ${exit} for ${codes.join(', ')}`, () => {
      for (const code of codes) assert.equal(exitStatusOf(new OciError(code, 'x')), Number(exit), code);
    });
  }

  it('is listed above for every code', () => {
    assert.deepEqual(Object.values(exits).flat().sort(), Object.keys(errorCodes).sort());
  });

  it('is 1 for whatever else is thrown', () => {
    for (const thrown of [new Error('x'), new TypeError('x'), 'x', undefined, null, { code: 'USAGE' }]) {
      assert.equal(exitStatusOf(thrown), 1);
    }
  });
});

describe('the HTTP status of a code', () => {
  it('is that of the distribution spec and of distribution', () => {
    const statuses: Partial<Record<ErrorCode, number>> = {
      BLOB_UNKNOWN: 404,
      BLOB_UPLOAD_INVALID: 404,
      BLOB_UPLOAD_UNKNOWN: 404,
      DIGEST_INVALID: 400,
      MANIFEST_BLOB_UNKNOWN: 400,
      MANIFEST_INVALID: 400,
      MANIFEST_UNKNOWN: 404,
      MANIFEST_UNVERIFIED: 400,
      NAME_INVALID: 400,
      NAME_UNKNOWN: 404,
      SIZE_INVALID: 400,
      TAG_INVALID: 400,
      PAGINATION_NUMBER_INVALID: 400,
      UNAUTHORIZED: 401,
      DENIED: 403,
      UNSUPPORTED: 405,
      RANGE_INVALID: 416,
      TOOMANYREQUESTS: 429,
      UNKNOWN: 500,
      UNAVAILABLE: 503,
    };
    for (const [code, status] of Object.entries(statuses)) assert.equal(statusOf(code as ErrorCode), status, code);
  });
});

describe('OciError', () => {
  it('is retryable by its code, unless the caller knows better', () => {
    assert.equal(new OciError('NETWORK', 'x').retryable, true);
    assert.equal(new OciError('TLS', 'x').retryable, false);
    assert.equal(new OciError('NETWORK', 'x', { retryable: false }).retryable, false);
    assert.equal(new OciError('DENIED', 'x', { retryable: true }).retryable, true);
  });

  it('keeps its options, and has a cause only if one was given', () => {
    const cause = new Error('why');
    const error = new OciError('USAGE', 'x', {
      hint: 'do',
      cause,
      detail: 1,
      status: 400,
      endpoint: 'e',
      retryAfterMs: 5,
    });
    const { hint, detail, status, endpoint, retryAfterMs } = error;
    assert.deepEqual(
      { hint, detail, status, endpoint, retryAfterMs },
      { hint: 'do', detail: 1, status: 400, endpoint: 'e', retryAfterMs: 5 },
    );
    assert.equal(error.cause, cause);
    assert.equal(error.name, 'OciError');
    assert.equal('cause' in new OciError('USAGE', 'x'), false);
  });

  it('is recognised by its codes', () => {
    const error = new OciError('USAGE', 'x');
    assert.deepEqual(
      [isOciError(error), isOciError(error, 'USAGE'), isOciError(error, 'TLS', 'USAGE'), isOciError(error, 'TLS')],
      [true, true, true, false],
    );
    assert.equal(isOciError(new Error('x')), false);
    assert.deepEqual(['USAGE', 'toString', '__proto__', ''].map(isErrorCode), [true, false, false, false]);
  });
});

describe('quoting text from outside', () => {
  it('escapes control and invisible characters, and cuts long text', () => {
    assert.equal(quote('a"b\\c'), '"a\\"b\\\\c"');
    assert.equal(
      quote('\u001b[2J\u009b\u007f\u202e\u200b\u2028'),
      '"\\u001b[2J\\u{9b}\\u{7f}\\u{202e}\\u{200b}\\u{2028}"',
    );
    assert.equal(quote('日本 é'), '"日本 é"');
    assert.equal(quote('a'.repeat(1000)).length, 163);
    assert.equal(quote('abcdef', 3), '"abc…"');
  });
});
