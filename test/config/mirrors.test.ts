import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { validateMirror } from '../../src/config/mirrors.ts';
import { readMirrors } from '../../src/config/settings.ts';
import { isOciError } from '../../src/model/errors.ts';

describe('a mirror', () => {
  const accepted = [
    ['https://m', 'https://m/'],
    ['https://m/', 'https://m/'],
    ['https://m//', 'https://m/'],
    ['http://mirror.example.com', 'http://mirror.example.com/'],
    ['http://mirror.example.com:5000', 'http://mirror.example.com:5000/'],
    ['https://m:443', 'https://m:443/'],
    ['https://m/v2', 'https://m/v2/'],
    ['https://m/v2/', 'https://m/v2/'],
    ['https://m/a/b', 'https://m/a/b/'],
    ['https://m/a%20b', 'https://m/a%20b/'],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5000/'],
    ['https://[::1]:5000', 'https://[::1]:5000/'],
    ['HTTP://m', 'http://m/'],
    ['HttpS://m', 'https://m/'],
  ] as const;
  for (const [text, expected] of accepted) {
    it(`${text} becomes ${expected}`, () => assert.equal(validateMirror(text), expected));
  }

  const refused = [
    ['', /no scheme in ""/],
    ['m.example', /no scheme in "m\.example"/],
    ['//m', /no scheme/],
    ['://m', /no scheme/],
    ['m:5000', /no scheme/],
    ['http:m', /no scheme/],
    ['/var/run/m.sock', /no scheme/],
    ['ftp://m', /unsupported scheme "ftp"/],
    ['unix://m', /unsupported scheme "unix"/],
    ['https://', /no host/],
    ['https:///', /no host/],
    ['https:///path', /no host/],
    ['https://m?', /query or fragment/],
    ['https://m#', /query or fragment/],
    ['https://m?q', /query or fragment/],
    ['https://m/?q=secret', /query or fragment/],
    ['https://m#f', /query or fragment/],
    ['https://m/path#f', /query or fragment/],
    ['https://u@m', /username or password/],
    ['https://u:p@m', /username or password in "https:\/\/u:xxxxx@m"/],
    ['https://m:abc', /not a valid URI/],
    ['https://m:65536', /not a valid URI/],
    ['https://m ', /not a valid URI/],
    ['https://m /x', /not a valid URI/],
    ['https://m\n', /not a valid URI/],
    ['https://m/%zz', /not a valid URI/],
    ['https://m/%', /not a valid URI/],
    ['https://m\\x', /not a valid URI/],
    ['https://[::1', /not a valid URI/],
    ['a\u009b://m', /unsupported scheme "a\\u\{9b\}" in "a\\u\{9b\}:/],
  ] as const;
  for (const [text, message] of refused) {
    it(`${JSON.stringify(text)} is refused`, () => {
      assert.throws(
        () => validateMirror(text),
        (error) => {
          assert.ok(isOciError(error, 'CONFIG_INVALID'));
          assert.match(error.message, /^invalid mirror: /);
          assert.match(error.message, message);
          assert.ok(error.hint);
          return true;
        },
      );
    });
  }

  for (const text of [
    'https://user:hunter2@m',
    'ftp://user:hunter2@m',
    'user:hunter2@m',
    'https://user:a/hunter2@m',
    'https://m?token=hunter2',
  ]) {
    it(`${text.replace('hunter2', '…')} does not show its secret in the error`, () => {
      assert.throws(
        () => validateMirror(text),
        (error) => error instanceof Error && !`${error.message}${error.stack}`.includes('hunter2'),
      );
    });
  }
});

describe('a list of mirrors', () => {
  it('keeps its order and drops duplicates after normalisation', () => {
    const origin = { kind: 'flag', name: '--registry-mirror' } as const;
    const entries = ['https://b', 'https://a/', 'HTTPS://b/', 'https://a', 'http://a'].map((value) => ({
      value,
      origin,
    }));
    assert.deepEqual(
      readMirrors(entries).map(({ value }) => value),
      ['https://b/', 'https://a/', 'http://a/'],
    );
  });
});
