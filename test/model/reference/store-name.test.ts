import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  fromStoreName,
  parseReference,
  parseRepositoryName,
  toStoreName,
} from '../../../src/model/reference/reference.ts';

describe('the store name of a repository', () => {
  const vectors: readonly (readonly [text: string, name: string, comesBackAs?: string])[] = [
    ['alpine', 'docker.io/library/alpine'],
    ['user/app', 'docker.io/user/app'],
    ['localhost/foo', 'localhost/foo'],
    ['localhost:5000/foo', 'localhost_5000/foo'],
    ['example.com:0080/foo', 'example.com_0080/foo'],
    ['Example.COM/foo', 'example.com/foo', 'example.com'],
    ['MyHost/foo', 'myhost/foo', 'MYHOST'],
    ['MyHost:80/foo', 'myhost_80/foo', 'myhost:80'],
    ['LocalHost/foo', 'localhost/foo', 'localhost'],
    ['DOCKER.IO/ubuntu', 'docker.io/ubuntu', 'DOCKER.IO'],
    ['Index.Docker.IO/ubuntu', 'index.docker.io/ubuntu', 'INDEX.DOCKER.IO'],
    ['[::1]/foo', 'ipv6_0_0_0_0_0_0_0_1/foo'],
    ['[::1]:5000/foo', 'ipv6_0_0_0_0_0_0_0_1_5000/foo'],
    ['[2001:DB8:0:0:1::]/foo', 'ipv6_2001_db8_0_0_1_0_0_0/foo', '[2001:db8:0:0:1::]'],
    ['[0001:0020:0300:4000:5:6:7:8]/foo', 'ipv6_1_20_300_4000_5_6_7_8/foo', '[1:20:300:4000:5:6:7:8]'],
    ['[0:0:0:0:0:0:0:0]/foo', 'ipv6_0_0_0_0_0_0_0_0/foo', '[::]'],
  ];
  for (const [text, name, comesBackAs] of vectors) {
    it(`${text} is ${name}, and back`, () => {
      const { domain, path } = parseReference(text);
      assert.equal(toStoreName({ domain, path }), name);
      assert.deepEqual(fromStoreName(name), { domain: comesBackAs ?? domain, path });
    });
  }

  it('is refused unless toStoreName could have made it', () => {
    for (const name of [
      '',
      'alpine',
      '/alpine',
      'docker.io/',
      'docker.io',
      '123/foo',
      'Example.com/foo',
      'example.com/Foo',
      'example.com:80/foo',
      'example.com_/foo',
      'example.com_99999/foo',
      'example.com_80_80/foo',
      '_80/foo',
      'ipv6_1_2_3/foo',
      'ipv6_01_2_3_4_5_6_7_8/foo',
      'ipv6_1_2_3_4_5_6_7_G/foo',
      'ipv6_1_2_3_4_5_6_7_8_99999/foo',
      'ipv6_1_2_3_4_5_6_7_8_1_2/foo',
      'ipv6_1_2_3_4_5_6_7_8_/foo',
      '../foo',
      'a/../b',
      '-a/foo',
      `docker.io/${'a'.repeat(256)}`,
      'docker.io/a//b',
      '[::1]/foo',
      'ipv6_A_2_3_4_5_6_7_8/foo',
    ]) {
      assert.equal(fromStoreName(name), undefined, name);
    }
  });

  it('may be longer than a repository name, but keeps to its grammar part by part', () => {
    const name = toStoreName(parseReference(`example.com:5000/${'a'.repeat(255)}`));
    assert.ok(name.length > 255);
    assert.equal(fromStoreName(name)?.domain, 'example.com:5000');
    for (const part of name.split('/')) parseRepositoryName(part);
  });

  it('is one-to-one: over thousands of places, each comes back and no two share a name', () => {
    const hosts = [
      'docker.io',
      'DOCKER.IO',
      'a',
      'A',
      'Ab',
      'localhost',
      'a.b',
      'A.b',
      'a--b.c',
      'x9',
      'ipv6',
      'IPV6',
      'ipv6.x',
      '[::]',
      '[1::]',
      '[::1:0:0:1]',
      '[AB::c]',
      '[1:2:3:4:5:6:7:8]',
      '10.0.0.1',
      'xn--n3h.com',
    ];
    const ports = ['', ':0', ':1', ':80', ':080', ':65535'];
    const paths = [
      'a',
      'a/b',
      'library/a',
      'library/a/b',
      'a__b/c',
      'a-b.c_d',
      'v2/tags/list/x',
      '1_2_3',
      'manifests/b',
      'a_80/b',
      'f'.repeat(64),
    ];
    const seen = new Map<string, string>();
    for (const host of hosts) {
      for (const port of ports) {
        for (const path of paths) {
          const place = parseReference(`${host}${port}/${path}`);
          const name = toStoreName(place);
          const canonical = `${place.domain.toLowerCase()}/${place.path}`;
          assert.equal(seen.get(name) ?? canonical, canonical, name);
          seen.set(name, canonical);
          for (const part of name.split('/')) parseRepositoryName(part);
          const back = fromStoreName(name);
          assert.ok(back, name);
          assert.equal(toStoreName(back), name);
          const read = parseReference(`${back.domain}/${back.path}:t`);
          assert.deepEqual({ domain: read.domain, path: read.path }, back);
        }
      }
    }
    assert.ok(seen.size > 900, `${seen.size}`);
  });
});
