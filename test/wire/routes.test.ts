import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDigest } from '../../src/model/digest.ts';
import { type ErrorCode, isOciError } from '../../src/model/errors.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { parseRoute, type Route, routePath } from '../../src/wire/routes.ts';

const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
const awkward = [
  'a',
  'library/alpine',
  'a/manifests/b',
  'a/blobs/b',
  'blobs/uploads',
  'blobs',
  'manifests',
  'tags',
  'tags/list',
  'uploads',
  'referrers',
  'list',
  'v2',
  'v2/v2',
  'v2/tags/list/x',
  'a/tags/list',
  'a/blobs/uploads',
  'a/blobs/uploads/b',
  'a/manifests/latest',
  'a/referrers/x',
  'x/tags',
  'x/manifests',
  'catalog',
  'a'.repeat(255),
].map(parseRepositoryName);

describe('every route', () => {
  for (const repo of awkward) {
    it(`of the repository ${repo.slice(0, 40)} is read as it was written`, () => {
      const routes: readonly Route[] = [
        { name: 'base' },
        { name: 'catalog' },
        ...['latest', 'list', 'manifests', 'uploads', '_x'].map(
          (tag): Route => ({ name: 'manifest', repo, reference: parseTag(tag) }),
        ),
        { name: 'manifest', repo, reference: digest },
        { name: 'tags', repo },
        { name: 'blob', repo, digest },
        { name: 'uploads', repo },
        ...['uploads', 'list', 'latest', '0b9f-1', 'a/b ?#%é', '..'].map((id): Route => ({ name: 'upload', repo, id })),
        { name: 'referrers', repo, digest },
      ];
      for (const route of routes) assert.deepEqual(parseRoute(routePath(route)), route, routePath(route));
    });
  }
});

describe('reading a path', () => {
  it('takes the forms that clients use', () => {
    assert.deepEqual(parseRoute('/v2'), { name: 'base' });
    assert.deepEqual(parseRoute('/v2/a/blobs/uploads'), { name: 'uploads', repo: 'a' });
    assert.deepEqual(parseRoute(`/v2/a/blobs/${digest.replace(':', '%3A')}`), { name: 'blob', repo: 'a', digest });
    assert.deepEqual(parseRoute(`/v2/a/manifests/${digest.replace(':', '%3a')}`), {
      name: 'manifest',
      repo: 'a',
      reference: digest,
    });
  });

  it('knows no other paths', () => {
    for (const path of [
      '',
      '/',
      '/v1/',
      '/v2/a',
      '/v2/a/',
      '/v2/a/tags',
      '/v2/a/tags/list/',
      '/v2/a/manifests/',
      '/v2/manifests/latest',
      '/v2//manifests',
      '/v2/_catalog/',
      'v2/',
      '/v2/tags/list',
      '/v2/a/blobs/',
      '/V2/',
    ]) {
      assert.equal(parseRoute(path), undefined, path);
    }
  });

  const refusals: readonly (readonly [path: string, code: ErrorCode])[] = [
    ['/v2/A/manifests/x', 'NAME_INVALID'],
    ['/v2/../manifests/x', 'NAME_INVALID'],
    ['/v2/%2e%2e/x/manifests/x', 'NAME_INVALID'],
    ['/v2//a/manifests/x', 'NAME_INVALID'],
    ['/v2/a%00/manifests/x', 'NAME_INVALID'],
    ['/v2/a%zz/tags/list', 'NAME_INVALID'],
    ['/v2/a%252fb/tags/list', 'NAME_INVALID'],
    [`/v2/${'a'.repeat(256)}/tags/list`, 'NAME_INVALID'],
    ['/v2/_catalog/tags/list', 'NAME_INVALID'],
    ['/v2/a/manifests/.x', 'TAG_INVALID'],
    ['/v2/a/manifests/x%2Fy', 'TAG_INVALID'],
    ['/v2/a/manifests/%0a', 'TAG_INVALID'],
    [`/v2/a/manifests/${'t'.repeat(129)}`, 'TAG_INVALID'],
    ['/v2/a/manifests/sha256:bad', 'DIGEST_INVALID'],
    ['/v2/a/manifests/md5%3Aab', 'DIGEST_INVALID'],
    ['/v2/a/blobs/latest', 'DIGEST_INVALID'],
    ['/v2/a/blobs/sha256:..%2f..', 'DIGEST_INVALID'],
    ['/v2/a/referrers/x', 'DIGEST_INVALID'],
  ];
  for (const [path, code] of refusals) {
    it(`${path.slice(0, 50)} is refused as ${code}`, () => {
      assert.throws(
        () => parseRoute(path),
        (error) => isOciError(error, code),
      );
    });
  }
});
