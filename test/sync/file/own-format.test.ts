import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError } from '../../../src/model/errors.ts';
import type { RepositoryName } from '../../../src/model/reference/reference.ts';
import { chosen, firstOf, goesTo, read, refuses } from './reading.ts';

const source = (more: string): string => `to: r.example/{{.Path}}\nsources:\n  - from: quay.io/team/app\n${more}`;

describe("a sync file of ocictl's own", () => {
  it('names repositories as references do', () => {
    const { sources } = read(`
      to: r.example/{{.Path}}
      sources:
        - from: [alpine, quay.io/team/app, 'localhost:5000/a/b:3']
        - from: ghcr.io/x/y@sha256:${'a'.repeat(64)}
    `);
    assert.deepEqual(
      sources.map(({ host, repositories }) => [host, repositories]),
      [
        ['docker.io', 'library/alpine'],
        ['quay.io', 'team/app'],
        ['localhost:5000', 'a/b'],
        ['ghcr.io', 'x/y'],
      ],
    );
    assert.deepEqual(
      sources.map(({ tags }) => tags.flatMap(({ names }) => names)),
      [[], [], ['3'], [`sha256:${'a'.repeat(64)}`]],
    );
  });

  it('chooses repositories by patterns', () => {
    const { host, repositories } = firstOf("to: r.example/{{.Path}}\nsources: [{from: 'quay.io/team/**'}]");
    assert.equal(host, 'quay.io');
    assert.ok(typeof repositories === 'function');
    const names = ['team/a', 'team/a/b', 'teams/a', 'team'] as RepositoryName[];
    assert.deepEqual(repositories(names), ['team/a', 'team/a/b']);
  });

  it('chooses tags by name, pattern, expression, range and age, and leaves some out', () => {
    const all = '1.0 1.1 1.2 1.10 1.10-rc1 2.0 2.1-alpine edge latest';
    const cases: readonly (readonly [tags: string, chosen: string])[] = [
      ['latest', 'latest'],
      ["[latest, '1.*']", 'latest 1.0 1.1 1.2 1.10 1.10-rc1'],
      ["'*-alpine'", '2.1-alpine'],
      ['{ regex: "^[0-9.]+$" }', '1.0 1.1 1.2 1.10 2.0'],
      ['{ semver: ">=1.1, <2" }', '1.1 1.2 1.10'],
      ['{ semver: ">=1.1, <2", newest: 1 }', '1.10'],
      ['{ newest: 2 }', '2.0 2.1-alpine'],
      ["{ match: '1.*', except: ['*-rc*', '1.0'] }", '1.1 1.2 1.10'],
      ["[{ match: ['edge', 'late*'] }, { semver: '2.x' }]", '2.0 edge latest'],
    ];
    for (const [tags, wanted] of cases) assert.equal(chosen(firstOf(source(`    tags: ${tags}`)), all), wanted, tags);
    assert.equal(chosen(firstOf(source('')), all), all);
  });

  it('says where images go by a template of the name, for all sources or one, once or several times', () => {
    const { sources } = read(`
      to: r.example/mirror/{{.Host}}/{{.Path}}:{{.Tag}}
      sources:
        - from: alpine
        - from: localhost:5000/team/app
        - from: localhost:5000/team/app
          to: ['r.example/{{.Name}}', 'oci:dir:{{.Registry}}/{{.Path}}', 'store:{{.Name}}:{{.Tag}}-x', 'oci:dir']
    `);
    assert.deepEqual(
      sources.map((each) => goesTo(each, String(each.repositories), '3.20')),
      [
        ['r.example/mirror/docker.io/library/alpine:3.20'],
        ['r.example/mirror/localhost_5000/team/app:3.20'],
        [
          'r.example/app:3.20',
          'oci:dir:localhost:5000/team/app:3.20',
          'store:docker.io/library/app:3.20-x',
          'oci:dir:3.20',
        ],
      ],
    );
  });

  it('takes a destination for what has no place: a prefix, or a template', () => {
    const text = 'sources: [{from: alpine}]';
    const cases: readonly (readonly [destination: string, goes: string])[] = [
      ['r.example/mirror/', 'r.example/mirror/docker.io/library/alpine:1'],
      ['r.example:5000', 'r.example:5000/docker.io/library/alpine:1'],
      ['oci:dir', 'oci:dir:docker.io/library/alpine:1'],
      ['oci:dir:base', 'oci:dir:base/docker.io/library/alpine:1'],
      ['r.example/{{.Name}}:{{.Tag}}-{{len .Path}}', 'r.example/alpine:1-14'],
    ];
    for (const [destination, goes] of cases) {
      assert.deepEqual(goesTo(firstOf(text, destination), 'library/alpine'), [goes]);
    }
  });

  it('has platforms, referrers and signature tags for all sources, and others for one', () => {
    const { sources } = read(`
      to: r.example/{{.Path}}
      platforms: [linux/amd64, linux/arm64]
      referrers: true
      digest-tags: true
      sources:
        - from: alpine
        - from: busybox
          platforms: all
          referrers: false
          digest-tags: false
    `);
    assert.deepEqual(
      sources.map(({ platforms, referrers, digestTags }) => [platforms.length, referrers, digestTags]),
      [
        [2, true, true],
        [0, false, false],
      ],
    );
  });

  const faults: Readonly<Record<string, readonly [text: string, message: RegExp]>> = {
    'an empty file': ['', /^mirror\.yaml: the file has no sources/],
    'a list': ['- a', /^mirror\.yaml: the file has no sources/],
    'an unknown key': ['sorces: []', /^mirror\.yaml:1:1: unknown key "sorces"/],
    'an unknown key of a source': [source('    tag: x'), /^mirror\.yaml:4:5: unknown key "tag"/],
    'an unknown key of a rule': [source('    tags: {semvar: x}'), /^mirror\.yaml:4:12: unknown key "semvar"/],
    'an unknown key of a rule in a list': [source('    tags: [{semvar: x}]'), /^mirror\.yaml:4:13: unknown key/],
    'no sources': ['to: a/{{.Path}}\nsources: []', /^mirror\.yaml:2:10: there are no sources/],
    'a source without a repository': [
      'to: a/{{.Path}}\nsources: [{tags: a}]',
      /^mirror\.yaml:2:11: a source needs "from"/,
    ],
    'a source without a place': ['sources: [{from: alpine}]', /^mirror\.yaml:1:11: nothing says where/],
    'a repository that is none': [source("  - from: 'Alpine'"), /^mirror\.yaml:4:11: .*must be lowercase/],
    'a layout as a source': [source('  - from: oci:dir'), /^mirror\.yaml:4:11: "oci:dir" is not a repository/],
    'a pattern of registries': [source("  - from: '*.io/a'"), /^mirror\.yaml:4:11: "\*\.io\/a" is not a pattern/],
    'a tag, and rules': [source('  - from: alpine:3\n    tags: x'), /^mirror\.yaml:4:11: "alpine:3" names one image/],
    'tags that YAML reads as numbers': [source('    tags: [3.20]'), /^mirror\.yaml:4:11: YAML reads 3\.2 as a number/],
    'no tags': [source('    tags: []'), /^mirror\.yaml:4:11: "tags" chooses nothing/],
    'a rule that says nothing': [source('    tags: [{}]'), /^mirror\.yaml:4:12: this rule chooses nothing/],
    'a pattern that does not end': [source("    tags: '[0-9'"), /^mirror\.yaml:4:11: "\[0-9" is not a pattern/],
    'an expression that is none': [source("    tags: {regex: '('}"), /^mirror\.yaml:4:19: "\(" is not a regular/],
    'a range that is none': [source('    tags: {semver: new}'), /^mirror\.yaml:4:20: "new" is not a range/],
    'none of the newest': [source('    tags: {newest: 0}'), /^mirror\.yaml:4:20: .*whole number of at least 1/],
    'a platform that is none': [source('    platforms: [a/b/c/d]'), /^mirror\.yaml:4:17: /],
    'no platforms': [source('    platforms: []'), /^mirror\.yaml:4:16: .*not empty/],
    'all platforms and some': [source('    platforms: [all, linux/amd64]'), /^mirror\.yaml:4:16: /],
    'a flag that is none': [source('    referrers: maybe'), /^mirror\.yaml:4:16: .*true or false/],
    'a template with a mistake': [
      "to: 'a/{{.Pth}}'\nsources: [{from: a}]",
      /^mirror\.yaml:1:5: .*there is no field \.Pth/,
    ],
  };
  for (const [what, [text, message]] of Object.entries(faults)) {
    it(`is refused with line and column for ${what}`, () => refuses(text, message));
  }

  it('is refused beside a destination that nothing needs', () => {
    refuses(source(''), /^mirror\.yaml says where every image goes/, { destination: 'r.example', code: 'USAGE' });
  });

  it('refuses names that a template makes and that are none', () => {
    const name = (to: string): void => void goesTo(firstOf(`to: '${to}'\nsources: [{from: alpine}]`), 'library/alpine');
    for (const [to, message] of [
      ['docker-daemon:{{.Name}}', /^mirror\.yaml:1:5: .*keeps no digests/],
      ['dir:{{.Name}}', /^mirror\.yaml:1:5: .*takes one image, without its tag/],
      ['r.example/A/{{.Path}}', /^mirror\.yaml:1:5: .*must be lowercase/],
      ['{{if eq .Tag "2"}}x{{end}}', /^mirror\.yaml:1:5: .*which is not a name/],
      [`r.example/{{.Path}}@sha256:${'a'.repeat(64)}`, /^mirror\.yaml:1:5: .*has a digest/],
    ] as const) {
      assert.throws(
        () => name(to),
        (error) => isOciError(error, 'CONFIG_INVALID') && message.test(error.message),
      );
    }
  });
});
