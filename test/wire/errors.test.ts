import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, exitStatusOf, OciError } from '../../src/model/errors.ts';
import { decodeError, type ErrorContext, encodeErrors, printable } from '../../src/wire/errors.ts';
import { processorMs } from '../support/processor-time.ts';

const endpoint = 'https://registry.example.com';

function decode(body: string | Uint8Array, status: number, more: Partial<ErrorContext> = {}): OciError {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return decodeError(bytes, { status, subject: 'manifest for alpine:3', endpoint, ...more });
}

const spec = (code: unknown, message?: unknown, detail?: unknown): string =>
  JSON.stringify({ errors: [{ code, message, detail }] });

describe('the error that a response stands for', () => {
  it('has code, message and detail of the spec’s body', () => {
    const error = decode(spec('manifest_unknown', 'no such manifest', { Tag: '3' }), 404);
    assert.equal(error.code, 'MANIFEST_UNKNOWN');
    assert.equal(error.message, 'manifest for alpine:3: no such manifest');
    assert.deepEqual(error.detail, { Tag: '3' });
    assert.deepEqual([error.status, error.endpoint, error.retryable], [404, endpoint, false]);
  });

  const byStatus: readonly (readonly [status: number, code: ErrorCode, retryable: boolean])[] = [
    [400, 'PROTOCOL', false],
    [401, 'UNAUTHORIZED', false],
    [403, 'DENIED', false],
    [404, 'NAME_UNKNOWN', false],
    [405, 'UNSUPPORTED', false],
    [408, 'TIMEOUT', true],
    [413, 'TOO_LARGE', false],
    [416, 'RANGE_INVALID', false],
    [418, 'PROTOCOL', false],
    [429, 'TOOMANYREQUESTS', true],
    [500, 'UNAVAILABLE', true],
    [501, 'UNSUPPORTED', false],
    [502, 'UNAVAILABLE', true],
    [503, 'UNAVAILABLE', true],
    [504, 'TIMEOUT', true],
    [507, 'UNAVAILABLE', false],
  ];
  for (const [status, code, retryable] of byStatus) {
    it(`${status} without a readable body is ${code}, ${retryable ? '' : 'not '}to be retried`, () => {
      for (const body of [
        '',
        '<html><h1>nginx</h1></html>',
        '[]',
        'null',
        '"x"',
        '{',
        '{}',
        '{"errors":[]}',
        '{"errors":[null]}',
        '{"errors":{}}',
        '{"errors":null}',
      ]) {
        const error = decode(body, status);
        assert.deepEqual([error.code, error.retryable], [code, retryable], body);
        assert.equal(error.message, `manifest for alpine:3: ${status} from ${endpoint}`);
      }
    });
  }

  it('has the code that the caller gave for a 404 without a code', () => {
    assert.equal(decode('', 404, { notFound: 'BLOB_UNKNOWN' }).code, 'BLOB_UNKNOWN');
    assert.equal(decode(spec('NAME_UNKNOWN'), 404, { notFound: 'BLOB_UNKNOWN' }).code, 'NAME_UNKNOWN');
  });

  it('bodies of other shapes give their message', () => {
    for (const body of [
      '{"details":"why"}',
      '{"message":"why"}',
      '{"error":"why"}',
      '{"errors":[{"message":"why"}]}',
      '{"errors":[{"code":7,"message":"why"}]}',
      '\ufeff{"details":"why"}',
    ]) {
      const error = decode(body, 403);
      assert.deepEqual([error.code, error.message], ['DENIED', 'manifest for alpine:3: why'], body);
    }
  });

  it('a code is believed only where it fits the status', () => {
    assert.equal(decode(spec('MANIFEST_UNKNOWN', 'x'), 500).code, 'UNAVAILABLE');
    assert.equal(decode(spec('UNKNOWN', 'x'), 404).code, 'NAME_UNKNOWN');
    assert.equal(decode(spec('DENIED', 'x'), 429).code, 'TOOMANYREQUESTS');
    assert.equal(decode(spec('DENIED', 'x'), 401).code, 'DENIED');
    assert.equal(decode(spec('toString', 'x'), 404).code, 'NAME_UNKNOWN');
  });

  it('a registry cannot make us report our own disk full or the user’s Ctrl-C', () => {
    for (const [code, status] of [
      ['STORAGE_FULL', 507],
      ['CANCELLED', 499],
      ['REFUSED', 409],
      ['USAGE', 400],
      ['INTERNAL', 500],
    ] as const) {
      const error = decode(spec(code, 'x'), status);
      assert.equal(exitStatusOf(error), 5, `${code} became ${error.code}`);
    }
  });

  it('keeps how long to wait', () => {
    assert.equal(decode('', 429, { retryAfterMs: 1500 }).retryAfterMs, 1500);
  });

  it('text of a registry cannot write to the terminal', () => {
    const error = decode(spec('DENIED', '\u001b]0;owned\u0007 a\r\nb \u009b2J \u202ec'), 403);
    assert.equal(error.message, 'manifest for alpine:3: ]0;owned  a b  2J  c');
    assert.equal(decode(spec('DENIED', '\u0000\u001b'), 403).message, `manifest for alpine:3: 403 from ${endpoint}`);
  });

  it('a MiB of junk is survived, in a short message', () => {
    const junk = new Uint8Array(2 ** 20).fill(0xff);
    const deep = '['.repeat(2 ** 20);
    for (const body of [
      junk,
      deep,
      'x'.repeat(2 ** 20),
      spec('DENIED', 'x\u0001'.repeat(2 ** 19)),
      spec('DENIED', 'https://'.repeat(2 ** 17)),
      spec('DENIED', '?'.repeat(2 ** 20)),
    ]) {
      assert.ok(processorMs(() => decode(body, 403)) < 1000);
      const error = decode(body, 403);
      assert.equal(error.code, 'DENIED');
      assert.ok(error.message.length < 700);
    }
  });
});

describe('printable text', () => {
  it('loses credentials and queries of URLs, and is cut at 500 characters', () => {
    assert.equal(printable('see https://me:pw@x.io/a?sig=abc&t=1 now'), 'see https://x.io/a?… now');
    assert.equal(printable('is it so? yes'), 'is it so? yes');
    assert.equal(printable('x'.repeat(600)).length, 500);
  });

  it('shows no part of a password, whatever is in it and wherever it is cut', () => {
    assert.equal(printable('see "https://me:p@secret@x.io/a", or'), 'see "https://x.io/a", or');
    assert.equal(printable('see https://me:pa/secret@x.io/a now'), 'see https://x.io/a now');
    const image = `https://x.io/a@sha256:${'0'.repeat(64)}`;
    assert.equal(printable(`no ${image}`), `no ${image}`);
    for (const url of [
      'https://me:secretsecretsecret@x.io/',
      'https://me:a?secret@x.io',
      'https://x.io?a@b&sig=secret',
    ]) {
      for (const length of [0, 480, 490, 4076, 4085]) {
        const texts = [`${'x'.repeat(length)} ${url}`, `https://x.io/?${'q'.repeat(Math.max(length - 15, 0))} ${url}`];
        for (const text of texts) assert.doesNotMatch(printable(text), /secret/, text);
      }
    }
  });
});

describe('the error body that a server sends', () => {
  const sent = (error: OciError): unknown => JSON.parse(encodeErrors(error));

  it('is the spec’s', () => {
    assert.deepEqual(sent(new OciError('BLOB_UNKNOWN', 'gone', { detail: { digest: 'd' } })), {
      errors: [{ code: 'BLOB_UNKNOWN', message: 'gone', detail: { digest: 'd' } }],
    });
    assert.deepEqual(sent(new OciError('DENIED', 'no')), { errors: [{ code: 'DENIED', message: 'no' }] });
  });

  it('calls our own codes by names that clients know', () => {
    for (const [code, name] of [
      ['DIGEST_MISMATCH', 'DIGEST_INVALID'],
      ['SIZE_MISMATCH', 'SIZE_INVALID'],
      ['TOO_LARGE', 'SIZE_INVALID'],
      ['REFERENCE_INVALID', 'NAME_INVALID'],
      ['IMAGE_UNKNOWN', 'MANIFEST_UNKNOWN'],
      ['REFUSED', 'DENIED'],
      ['STORAGE_FULL', 'UNKNOWN'],
      ['INTERNAL', 'UNKNOWN'],
      ['CANCELLED', 'UNKNOWN'],
      ['UNAVAILABLE', 'UNAVAILABLE'],
      ['TOOMANYREQUESTS', 'TOOMANYREQUESTS'],
    ] as const) {
      assert.deepEqual(sent(new OciError(code, 'x')), { errors: [{ code: name, message: 'x' }] });
    }
  });

  it('is understood by the client', () => {
    const error = decode(encodeErrors(new OciError('TAG_INVALID', 'bad tag')), 400);
    assert.deepEqual([error.code, error.message], ['TAG_INVALID', 'manifest for alpine:3: bad tag']);
  });
});
