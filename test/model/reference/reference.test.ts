import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, isOciError, type OciError } from '../../../src/model/errors.ts';
import {
  familiarName,
  familiarReference,
  formatReference,
  isDigestReference,
  manifestReference,
  parseReference,
  parseRepositoryName,
  parseTag,
  tryParseRepositoryName,
  tryParseTag,
  withDefaultTag,
} from '../../../src/model/reference/reference.ts';

const hex = '0123456789abcdef'.repeat(4);
const digest = `sha256:${'f'.repeat(64)}`;

function refusal(read: () => unknown, code: ErrorCode): OciError {
  try {
    read();
  } catch (error) {
    assert.ok(isOciError(error, code), `expected ${code}, got ${String(error)}`);
    return error;
  }
  throw new assert.AssertionError({ message: 'it was accepted' });
}

describe('a reference that Docker accepts', () => {
  const vectors: readonly (readonly [text: string, domain: string, path: string, tag?: string, digest?: string])[] = [
    ['ubuntu', 'docker.io', 'library/ubuntu'],
    ['docker.io/ubuntu', 'docker.io', 'library/ubuntu'],
    ['index.docker.io/ubuntu', 'docker.io', 'library/ubuntu'],
    ['index.docker.io/user/app', 'docker.io', 'user/app'],
    ['docker.io/library/foo/bar', 'docker.io', 'library/foo/bar'],
    ['docker.io', 'docker.io', 'library/docker.io'],
    ['docker.io:443/ubuntu', 'docker.io:443', 'ubuntu'],
    ['DOCKER.IO/ubuntu', 'DOCKER.IO', 'ubuntu'],
    ['localhost', 'docker.io', 'library/localhost'],
    ['localhost:5000', 'docker.io', 'library/localhost', '5000'],
    ['localhost/foo', 'localhost', 'foo'],
    ['localhost:5000/foo', 'localhost:5000', 'foo'],
    ['example.com', 'docker.io', 'library/example.com'],
    ['example.com:5000', 'docker.io', 'library/example.com', '5000'],
    ['myhost/foo', 'docker.io', 'myhost/foo'],
    ['MyHost/foo', 'MyHost', 'foo'],
    ['foo:5000/bar:5000', 'foo:5000', 'bar', '5000'],
    ['1.2/3', '1.2', '3'],
    ['[::1]:5000/foo:t', '[::1]:5000', 'foo', 't'],
    ['[2001:DB8::1]/foo', '[2001:DB8::1]', 'foo'],
    ['xn--n3h.com/foo', 'xn--n3h.com', 'foo'],
    ['a__b/c', 'docker.io', 'a__b/c'],
    ['a---b', 'docker.io', 'library/a---b'],
    ['a.b', 'docker.io', 'library/a.b'],
    ['ubuntu:_x', 'docker.io', 'library/ubuntu', '_x'],
    ['ubuntu:A.b-c_D', 'docker.io', 'library/ubuntu', 'A.b-c_D'],
    [`ubuntu:${'t'.repeat(128)}`, 'docker.io', 'library/ubuntu', 't'.repeat(128)],
    [`ubuntu@${digest}`, 'docker.io', 'library/ubuntu', '', digest],
    [`ubuntu:tag@${digest}`, 'docker.io', 'library/ubuntu', 'tag', digest],
    [`ubuntu@sha384:${'a'.repeat(96)}`, 'docker.io', 'library/ubuntu', '', `sha384:${'a'.repeat(96)}`],
    [`ubuntu@sha512:${'a'.repeat(128)}`, 'docker.io', 'library/ubuntu', '', `sha512:${'a'.repeat(128)}`],
    [`${hex}:latest`, 'docker.io', `library/${hex}`, 'latest'],
    [`foo/${hex}`, 'docker.io', `foo/${hex}`],
    [`x/${'a'.repeat(253)}`, 'docker.io', `x/${'a'.repeat(253)}`],
    [`example.com/${'a'.repeat(255)}`, 'example.com', 'a'.repeat(255)],
    ['example.com:0/foo', 'example.com:0', 'foo'],
    ['example.com:65535/foo', 'example.com:65535', 'foo'],
    ['scratch', 'docker.io', 'library/scratch'],
  ];
  for (const [text, domain, path, tag, atDigest] of vectors) {
    it(`${text.slice(0, 60)} is ${path.slice(0, 40)} on ${domain}`, () => {
      const expected = { domain, path, ...(tag && { tag }), ...(atDigest && { digest: atDigest }) };
      assert.deepEqual(parseReference(text), expected);
    });
    it(`${text.slice(0, 60)} survives being printed, in full and in short`, () => {
      const reference = parseReference(text);
      assert.deepEqual(parseReference(formatReference(reference)), reference);
      assert.deepEqual(parseReference(familiarReference(reference)), reference);
    });
  }
});

describe('the forms of a reference', () => {
  it('the short form leaves out docker.io and library', () => {
    assert.equal(familiarReference(parseReference('docker.io/library/alpine:3')), 'alpine:3');
    assert.equal(familiarReference(parseReference('docker.io/user/app')), 'user/app');
    assert.equal(familiarReference(parseReference('docker.io/library/foo/bar')), 'library/foo/bar');
    assert.equal(familiarReference(parseReference('ghcr.io/org/app:1')), 'ghcr.io/org/app:1');
    assert.equal(familiarName(parseReference(`alpine:3@${digest}`)), 'alpine');
  });

  it('the short form stays long where it would lead to another place', () => {
    for (const text of ['docker.io/localhost/foo', 'docker.io/example.com/foo', `docker.io/library/${hex}`]) {
      const reference = parseReference(text);
      assert.equal(familiarName(reference), text);
      assert.deepEqual(parseReference(familiarReference(reference)), reference);
    }
  });

  it('without tag and digest the tag is latest', () => {
    assert.equal(formatReference(withDefaultTag(parseReference('alpine'))), 'docker.io/library/alpine:latest');
    assert.equal(formatReference(withDefaultTag(parseReference('alpine:3'))), 'docker.io/library/alpine:3');
    const byDigest = parseReference(`alpine@${digest}`);
    assert.equal(withDefaultTag(byDigest), byDigest);
  });

  it('a manifest is asked for by digest, then by tag, then by latest', () => {
    assert.equal(manifestReference(parseReference(`alpine:3@${digest}`)), digest);
    assert.equal(manifestReference(parseReference('alpine:3')), '3');
    assert.equal(manifestReference(parseReference('alpine')), 'latest');
    assert.equal(isDigestReference(manifestReference(parseReference(`alpine@${digest}`))), true);
    assert.equal(isDigestReference(manifestReference(parseReference('alpine'))), false);
  });
});

describe('repository names and tags of a registry', () => {
  it('names keep to the grammar of the distribution spec', () => {
    for (const name of [
      'a',
      'a/b',
      'a__b',
      'a-b--c',
      '0/1',
      'library/alpine',
      'a'.repeat(255),
      'v2/tags/list/x',
      hex,
    ]) {
      assert.equal(parseRepositoryName(name), name);
      assert.equal(tryParseRepositoryName(name), name);
    }
  });

  it('other names are refused', () => {
    for (const name of [
      '',
      'A',
      '/a',
      'a/',
      'a//b',
      '..',
      'a/../b',
      'a b',
      'a:b',
      'a___b',
      '-a',
      'a\n',
      'é',
      'a'.repeat(256),
    ]) {
      refusal(() => parseRepositoryName(name), 'NAME_INVALID');
      assert.equal(tryParseRepositoryName(name), undefined);
    }
    assert.match(refusal(() => parseRepositoryName('Foo'), 'NAME_INVALID').message, /lowercase/);
    assert.match(refusal(() => parseRepositoryName('a'.repeat(256)), 'NAME_INVALID').message, /256 characters/);
    assert.equal(tryParseRepositoryName(null), undefined);
  });

  it('tags are 1 to 128 word characters, dots and hyphens', () => {
    for (const tag of ['a', '_', 'V1.0-rc_1', 'x'.repeat(128)]) assert.equal(parseTag(tag), tag);
    for (const tag of ['', '.a', '-a', 'a/b', 'a:b', 'a\n', 'ä', 'x'.repeat(129)]) {
      refusal(() => parseTag(tag), 'TAG_INVALID');
      assert.equal(tryParseTag(tag), undefined);
    }
    assert.equal(tryParseTag(7), undefined);
  });
});
