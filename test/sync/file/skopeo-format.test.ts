import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chosen, goesTo, read, refuses } from './reading.ts';

const digest = `sha256:${'a'.repeat(64)}`;
/** As in skopeo's manual, with what each of its keys may hold. */
const text = `
registry.example.com:
  images:
    busybox: []
    redis:
      - "1.0"
      - ${digest}
  images-by-tag-regex:
    nginx: ^1\\.13\\.[12]-alpine-perl$
  credentials:
    username: john
    password: this:is:a secret
  tls-verify: false
  cert-dir: /home/john/certs/registry.example.com
docker.io:
  images-by-semver:
    alpine: ">= 3.12.0, < 3.14"
`;

describe('a file of skopeo sync', () => {
  it('gives its repositories, tags and digests', () => {
    const { sources } = read(text, 'r.example/mirror');
    assert.deepEqual(
      sources.map(({ host, repositories }) => `${host}/${String(repositories)}`),
      [
        'registry.example.com/busybox',
        'registry.example.com/redis',
        'registry.example.com/nginx',
        'docker.io/library/alpine',
      ],
    );
    const [busybox, redis, nginx, alpine] = sources;
    assert.ok(busybox && redis && nginx && alpine);
    assert.deepEqual(busybox.tags, []);
    assert.deepEqual(redis.tags[0]?.names, ['1.0', digest]);
    assert.equal(chosen(nginx, '1.13.1-alpine-perl 1.13.3-alpine-perl x1.13.1-alpine-perl'), '1.13.1-alpine-perl');
    assert.equal(chosen(alpine, '3.11 3.12 3.13.1 3.14 3.13-rc1'), '3.12 3.13.1');
    assert.deepEqual(goesTo(redis, 'redis'), ['r.example/mirror/registry.example.com/redis:1']);
  });

  it('gives the access to its registries', () => {
    const { access } = read(text, 'r.example/mirror');
    assert.deepEqual(access.get('registry.example.com'), {
      creds: 'john:this:is:a secret',
      insecure: true,
      certsDir: '/home/john/certs',
    });
    assert.deepEqual(access.get('docker.io'), {});
  });

  it('needs a destination', () => {
    refuses(text, /^mirror\.yaml does not say where its images go/, { code: 'USAGE' });
  });

  const faults: Readonly<Record<string, readonly [text: string, message: RegExp]>> = {
    'an unknown key': ['r.io:\n  images: {}\n  sign-by: x', /^mirror\.yaml:3:3: unknown key "sign-by"/],
    'a directory of certificates that is not named as its registry': [
      'r.io:\n  images: {a: []}\n  cert-dir: /certs',
      /^mirror\.yaml:3:13: cert-dir must end with the name of its registry, r\.io/,
    ],
    'credentials without a password': [
      'r.io:\n  images: {a: []}\n  credentials: {username: x}',
      /^mirror\.yaml:3:16: credentials need a username and a password/,
    ],
    'tags that YAML reads as numbers': ['r.io:\n  images:\n    a: [3.20]', /^mirror\.yaml:3:8: YAML reads 3\.2/],
    'tags that are no list': ['r.io:\n  images:\n    a: x', /^mirror\.yaml:3:8: "a" needs a list of tags/],
    'a tag that is none': ['r.io:\n  images:\n    a: [a/b]', /^mirror\.yaml:3:8: invalid tag/],
    'a repository with a tag': ['r.io:\n  images:\n    a:1: []', /^mirror\.yaml:3:10: "a:1" is not a repository/],
    'an expression of Go alone': [
      'r.io:\n  images-by-tag-regex:\n    a: \\z',
      /^mirror\.yaml:3:8: .*not a regular expression that ocictl knows/,
    ],
    'a range of Go alone': ['r.io:\n  images-by-semver:\n    a: "!=1"', /^mirror\.yaml:3:8: .*not a range of versions/],
    'no images': ['r.io:\n  images: {}', /^mirror\.yaml:1: no registry has images/],
  };
  for (const [what, [faulty, message]] of Object.entries(faults)) {
    it(`is refused with line and column for ${what}`, () => refuses(faulty, message, { destination: 'r.example' }));
  }

  it('never shows a password in a message', () => {
    refuses('r.io:\n  images: {a: []}\n  credentials: {username: "", password: hush}', /^(?!.*hush)/, {
      destination: 'r.example',
    });
  });
});
