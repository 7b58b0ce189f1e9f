import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RepositoryName } from '../../../src/model/reference/reference.ts';
import { chosen, firstOf, goesTo, read, refuses } from './reading.ts';

const text = `
version: 1
creds:
  - registry: localhost:5000
    tls: disabled
  - registry: registry-1.docker.io
    user: john
    pass: "secret"
defaults:
  parallel: 2
  interval: 60m
  referrers: true
sync:
  - source: busybox:latest
    target: localhost:5000/library/busybox
    type: image
  - source: ghcr.io/team/app
    target: localhost:5000/mirror/app
    type: repository
    platforms: [linux/amd64, linux/arm64]
    referrers: false
    digestTags: true
    tags:
      semverRange: [">=1.0.0 <2.0.0", ">=4"]
      deny: [".*-rc.*"]
    tagSets:
      - allow: ["v2.*", latest]
  - source: registry.example.com
    target: localhost:5000/all
    type: registry
    repos:
      allow: ["team/.*"]
      deny: ["team/old-.*"]
`;

const entry = (more: string): string =>
  `version: 1\nsync:\n  - source: a.io/b\n    target: c.io/d\n    type: repository\n${more}`;

describe('a file of regsync', () => {
  it('gives images, repositories and registries, and their targets', () => {
    const { sources } = read(text);
    const [image, repository, registry] = sources;
    assert.ok(image && repository && registry);
    assert.deepEqual(
      [image.host, image.repositories, image.tags[0]?.names],
      ['docker.io', 'library/busybox', ['latest']],
    );
    assert.deepEqual(goesTo(image, 'library/busybox', 'latest'), ['localhost:5000/library/busybox:latest']);
    assert.deepEqual([repository.host, repository.repositories], ['ghcr.io', 'team/app']);
    assert.deepEqual(goesTo(repository, 'team/app', '1.1'), ['localhost:5000/mirror/app:1.1']);
    assert.deepEqual(goesTo(registry, 'team/x', '1.1'), ['localhost:5000/all/team/x:1.1']);
    assert.ok(typeof registry.repositories === 'function');
    const names = ['team/x', 'team/old-y', 'other/team/x'] as RepositoryName[];
    assert.deepEqual(registry.repositories(names), ['team/x']);
  });

  it('chooses tags as regsync does: ranges with suffixes, then whole names, of any set', () => {
    const [, repository] = read(text).sources;
    assert.ok(repository);
    const all = '0.9 1.0.0 1.2-alpine 1.5-rc1 2.0.0 4.1 v2.7 xv2.7 latest';
    assert.equal(chosen(repository, all), '1.0.0 1.2-alpine 4.1 v2.7 latest');
    assert.equal(chosen(firstOf(entry('')), all), all);
  });

  it('takes platforms, referrers and digest tags from the entry, or from the defaults', () => {
    const { sources } = read(text);
    assert.deepEqual(
      sources.map(({ platforms, referrers, digestTags }) => [platforms.length, referrers, digestTags]),
      [
        [0, true, false],
        [2, false, true],
        [0, true, false],
      ],
    );
  });

  it('gives the access to registries', () => {
    assert.deepEqual(
      [...read(text).access],
      [
        ['localhost:5000', { insecure: true }],
        ['docker.io', { creds: 'john:secret' }],
      ],
    );
  });

  it('writes to a layout', () => {
    const source = firstOf('version: 1\nsync:\n  - {source: a.io/b, target: "ocidir://dir", type: repository}');
    assert.deepEqual(goesTo(source, 'b', '3'), ['oci:dir:3']);
  });

  it('does not mind keys that say when regsync runs', () => {
    firstOf(entry('    interval: 60m\n    schedule: "0 1 * * *"\n    fastCheck: true\n    backup: ""\n    hooks: {}'));
  });

  const faults: Readonly<Record<string, readonly [text: string, message: RegExp]>> = {
    'an unknown key': [entry('    tagz: {}'), /^mirror\.yaml:6:5: unknown key "tagz"/],
    'another version': ['version: 2\nsync: []', /^mirror\.yaml:1:10: "version" must be 1/],
    'no type': ['version: 1\nsync:\n  - {source: a, target: b}', /^mirror\.yaml:3:5: an entry needs a type/],
    'another type': ['version: 1\nsync:\n  - {source: a, target: b, type: x}', /^mirror\.yaml:3:34: .*must be one of/],
    'no target': [
      'version: 1\nsync:\n  - {source: a, type: image}',
      /^mirror\.yaml:3:5: "sync\.0\.target" must be there/,
    ],
    'an image as a repository': [
      'version: 1\nsync:\n  - {source: "a:1", target: b, type: repository}',
      /^mirror\.yaml:3:14: "a:1" names an image/,
    ],
    'nothing to do': ['version: 1\nsync: []', /^mirror\.yaml:2:7: there is nothing to synchronise/],
    'a backup': [entry('    backup: "old-{{.Ref.Tag}}"'), /^mirror\.yaml:6: templates of regsync are not evaluated/],
    'a plain backup': [entry('    backup: old'), /^mirror\.yaml:6:13: "backup" cannot be honoured/],
    hooks: [entry('    hooks: {pre: {type: webhook, params: [x]}}'), /^mirror\.yaml:6:12: "hooks" cannot be honoured/],
    'a rate limit': [
      'version: 1\ndefaults: {ratelimit: {min: 100}}\nsync: []',
      /^mirror\.yaml:2:23: "ratelimit" cannot/,
    ],
    'filtered referrers': [
      entry('    referrerFilters: [{artifactType: x}]'),
      /^mirror\.yaml:6:22: "referrerFilters" cannot be honoured/,
    ],
    'a template': [
      'version: 1\ncreds:\n  - registry: a.io\n    user: x\n    pass: \'{{env "P"}}\'\nsync: []',
      /^mirror\.yaml:5: templates of regsync are not evaluated/,
    ],
    'a user without a password': [
      `creds:\n  - {registry: a.io, user: x}\n${entry('')}`,
      /^mirror\.yaml:2:5: credentials need both user and pass/,
    ],
    'the platform of this machine': [entry('    platform: local'), /^mirror\.yaml:6:15: .*in full/],
    'an expression of Go alone': [
      entry('    tags: {allow: ["\\\\z"]}'),
      /^mirror\.yaml:6:20: .*not a regular expression/,
    ],
    'a range that is none': [entry('    tags: {semverRange: [new]}'), /^mirror\.yaml:6:26: .*not a range of versions/],
  };
  for (const [what, [faulty, message]] of Object.entries(faults)) {
    it(`is refused with its line for ${what}`, () => refuses(faulty, message));
  }

  it('is refused beside a destination', () => {
    refuses(text, /^mirror\.yaml says where every image goes/, { destination: 'r.example', code: 'USAGE' });
  });
});
