import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError, OciError } from '../../../src/model/errors.ts';
import { parseReference, parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { processorMs } from '../../support/processor-time.ts';

const hex = '0123456789abcdef'.repeat(4);
const digest = `sha256:${'f'.repeat(64)}`;

function refusal(text: string): OciError {
  try {
    parseReference(text);
  } catch (error) {
    assert.ok(isOciError(error, 'REFERENCE_INVALID'), String(error));
    return error;
  }
  throw new assert.AssertionError({ message: `${text} was accepted` });
}

describe('a reference that is refused', () => {
  const format = /^invalid reference format: /;
  const lower = /^repository name must be lowercase: /;
  const tooLong = /^repository name must not be more than 255 characters: /;
  const vectors: readonly (readonly [text: string, message: RegExp, suggestion?: string])[] = [
    // Without the slash, these would be images of Docker Hub.
    ['docker.io/', format],
    ['localhost:5000/', format],
    ['https://quay.io/', format],
    [
      'example.com:99999/foo',
      /^invalid reference format: the port "99999" is not between 0 and 65535/,
      'example.com/foo',
    ],
    ['example.com:65536/foo', format, 'example.com/foo'],
    ['example.com:/foo', format, 'example.com/foo'],
    ['example.com:abc/foo', /the port "abc"/],
    ['foo_bar.com/x', /^invalid reference format: "foo_bar" cannot be a part of the domain/, 'foo-bar.com/x'],
    ['::1/foo', /^invalid reference format: the IPv6 address "::1" lacks brackets/, '[::1]/foo'],
    ['::1:5000/foo', format, '[::1]:5000/foo'],
    ['2001:db8:0:0:0:0:0:1/foo', format, '[2001:db8:0:0:0:0:0:1]/foo'],
    ['[fe80::1%25eth0]/x', format],
    ['[::ffff:1.2.3.4]/x', format],
    ['[:::]/x', format],
    ['[::1', format],
    ['[::1/x', format],
    ['[::1]x/y', format],
    ['[1:2:3:4:5:6:7:8:9]/x', format],
    ['[1:2]/x', format],
    ['[12345::]/x', format],
    ['例え.com/foo', format],
    ['-foo.com/bar', format],
    ['foo-.com/bar', format],
    ['.foo/bar', format],
    ['foo./bar', format],
    ['foo/Bar', /^repository name must be lowercase: "foo\/Bar"$/, 'foo/bar'],
    ['Ubuntu', lower, 'ubuntu'],
    ['Ubuntu:Focal', lower, 'ubuntu:Focal'],
    ['example.com/FOO', lower, 'example.com/foo'],
    ['a___b', /"___" in the component "a___b"/],
    ['a..b/c', format],
    ['x/a..b', /"\.\." in the component "a\.\.b"/],
    ['a._b', /"\._"/],
    ['a.-b', /"\.-"/],
    ['a-_b', /"-_"/],
    ['_a', /the component "_a" must start and end with/],
    ['a-', format],
    ['https://docker.io/ubuntu', /begins with "https:\/\/"/, 'docker.io/ubuntu'],
    ['HTTP://docker.io/Ubuntu/', format, 'docker.io/ubuntu'],
    ['https://hub.docker.com/_/ubuntu', format, 'ubuntu'],
    ['https://hub.docker.com/r/user/app', format, 'user/app'],
    ['docker://ubuntu', format, 'ubuntu'],
    ['//ubuntu', format, 'ubuntu'],
    ['a//b', format, 'a/b'],
    ['ubuntu/', format, 'ubuntu'],
    ['example.com/foo/../bar', /the component "\.\."/],
    ['example.com/foo%2fbar', /the character "%"/],
    ['example.com/foo?x=1', /the character "\?"/],
    ['ubuntu:', format, 'ubuntu'],
    ['ubuntu@', format, 'ubuntu'],
    ['a:b:c', format],
    ['', /^invalid reference format: the reference is empty$/],
    [':tag', format],
    [`@${digest}`, format],
    [' ubuntu', format, 'ubuntu'],
    ['ubuntu\n', /the character "\\n"/, 'ubuntu'],
    ['ubuntu:a+b', /the character "\+" is not allowed in a tag/],
    ['ubuntu:.x', /the tag "\.x"/],
    ['ubuntu:-x', format],
    ['ubuntu:ü', format],
    [`ubuntu:${'t'.repeat(129)}`, /has 129 characters, more than 128/],
    [`ubuntu@${digest}:tag`, format, `ubuntu:tag@${digest}`],
    [`ubuntu:${digest}`, format, `ubuntu@${digest}`],
    [`ubuntu@sha256:${'a'.repeat(63)}`, /^invalid digest length: /],
    [`ubuntu@sha256:${'a'.repeat(65)}`, /^invalid digest length: /],
    [`ubuntu@sha256:${'a'.repeat(31)}`, format],
    [`ubuntu@sha256:${'A'.repeat(64)}`, /^invalid digest format: /, `ubuntu@sha256:${'a'.repeat(64)}`],
    [`ubuntu@md5:${'a'.repeat(32)}`, /^unsupported digest algorithm: "md5"/],
    [`ubuntu@${hex}`, format, `ubuntu@sha256:${hex}`],
    [`x/${'a'.repeat(254)}`, tooLong],
    [`example.com/${'a'.repeat(256)}`, tooLong],
    ['a'.repeat(248), tooLong],
  ];
  for (const [text, message, suggestion] of vectors) {
    it(`${JSON.stringify(text.slice(0, 60))} is answered with what is wrong${suggestion ? ' and what was meant' : ''}`, () => {
      const error = refusal(text);
      assert.match(error.message, message);
      if (suggestion === undefined) return assert.doesNotMatch(error.hint ?? '', /did you mean/);
      assert.equal(error.hint, `did you mean ${suggestion}?`);
      assert.doesNotThrow(() => parseReference(suggestion));
    });
  }

  it('64 hexadecimal characters alone are refused with the way to write a digest', () => {
    const error = refusal(hex);
    assert.match(error.message, /^invalid repository name \(0123.*: a name cannot be 64 hexadecimal characters$/);
    assert.match(error.hint ?? '', new RegExp(`@sha256:${hex}$`));
  });

  it('an unknown digest algorithm is answered with those that are known', () => {
    assert.match(refusal(`a@md5:${'0'.repeat(32)}`).hint ?? '', /sha256, sha384, sha512, blake3/);
  });

  it('control and bidirectional characters are escaped in the message', () => {
    for (const text of ['a\u001b[2Jb', 'a\u009b2Jb', 'a\u202eb', 'x.com\u0007/a', 'a:\u001b']) {
      assert.doesNotMatch(refusal(text).message, /[\p{Cc}\p{Cf}]/u);
    }
  });

  it('passwords and query strings of a pasted URL are in neither message nor hint', () => {
    for (const text of [
      'https://me:secret@example.com/app',
      'https://me:secret@example.com',
      'me:secret@example.com/app',
      'https://me:pa/secret@example.com/app',
      'https://me:12/secret@example.com:5000/app',
      'https://me:pa/secret@example.com/app@sha256:0123456789abcdef0123456789abcdef',
      'https://me:12/a?secret@example.com/app',
      'https://me:12/secret?a@example.com/app',
      'https://me:12/secret#a@example.com/app',
      'https://example.com/app?mail=a@b&sig=secret',
      'me:pa/secret@example.com/app',
      'me:secret/a@example.com/app',
      'me:12/secret@example.com/app',
      'example.com/app?token=secret',
      'example.com/app:1?token=secret',
      'x.com?token=secret/app',
      'https://example.com/app?token=secret',
    ]) {
      const error = refusal(text);
      assert.doesNotMatch(`${error.message} ${error.hint}`, /secret/, text);
    }
  });

  it('every suggestion parses, whatever was typed', () => {
    const pieces = [
      'ubuntu',
      'Foo',
      '/',
      ':',
      '@',
      '//',
      'https://',
      ' ',
      'a_b.c',
      '::1',
      ':99999',
      hex,
      digest,
      '?',
      '-',
      '[',
      ']',
      '.',
    ];
    let state = 42;
    const next = (): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state;
    };
    let suggestions = 0;
    for (let i = 0; i < 5000; i++) {
      const text = Array.from({ length: 1 + (next() % 5) }, () => pieces[(next() >> 8) % pieces.length]).join('');
      try {
        parseReference(text);
      } catch (error) {
        assert.ok(error instanceof OciError, text);
        const meant = /^did you mean (.*)\?$/.exec(error.hint ?? '')?.[1];
        if (meant === undefined) continue;
        suggestions += 1;
        assert.doesNotThrow(() => parseReference(meant), `${text} -> ${meant}`);
      }
    }
    assert.ok(suggestions > 300, `${suggestions} suggestions`);
  });
});

describe('hostile references', () => {
  const size = 100_000;
  const fill = (piece: string): string => piece.repeat(Math.ceil(size / piece.length));
  const hostile = [
    fill('a'),
    fill('A'),
    fill('-'),
    fill('_'),
    fill('a-'),
    fill('a.'),
    fill('a.b'),
    fill('a/'),
    fill('/'),
    fill(':'),
    fill('@'),
    fill('?'),
    fill('['),
    fill('::1'),
    `a${fill('-')}!`,
    `${fill('a_')}!`,
    `${fill('a__b/')}!`,
    `${fill('f')}/x`,
    `${fill(':')}/x`,
    `${fill(':')}g/x`,
    `${fill('a:')}x/x`,
    `[${fill(':')}]/x`,
    `[${fill('1:')}]/x`,
    `x.${fill('a-')}/x`,
    `x.${fill('-')}a/x`,
    `a:${fill('9')}/x`,
    `a:${fill('t')}`,
    `a@sha256:${fill('f')}`,
    `a@${fill('a+')}:`,
    `a@${fill('a')}`,
    fill('https://'),
    fill(' '),
    ` ${fill('x ')}`,
    fill('\u0000'),
    fill('é'),
  ];
  it('of 100 KB are answered in milliseconds, with a short message', () => {
    for (const text of hostile) {
      for (const read of [parseReference, parseRepositoryName, parseTag]) {
        const tookMs = processorMs(() => {
          try {
            read(text);
          } catch (error) {
            assert.ok(error instanceof OciError, String(error));
            assert.ok(error.message.length < 2000, `${error.message.length} characters for ${text.slice(0, 20)}`);
          }
        });
        assert.ok(tookMs < 500, `${tookMs} ms for ${read.name} of ${JSON.stringify(text.slice(0, 20))}`);
      }
    }
  });
});
