import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { validateIndexName } from '../../src/config/docker/index-name.ts';
import { parseCidr } from '../../src/config/documents/cidr.ts';
import { type HostRule, parseHostRules } from '../../src/config/host-rules.ts';
import type { Origin } from '../../src/config/origin.ts';
import { isOciError } from '../../src/model/errors.ts';

const origin: Origin = { kind: 'file', name: '/etc/docker/daemon.json', line: 3 };

function parse(...values: readonly string[]): {
  readonly rules: readonly HostRule[];
  readonly warnings: readonly string[];
} {
  const warnings: string[] = [];
  const entries = values.map((value) => ({ value, origin }));
  return { rules: parseHostRules(entries, 'insecure-registries', (text) => warnings.push(text)), warnings };
}

function written(rule: HostRule | undefined): string | undefined {
  return rule?.kind === 'network' ? `network ${rule.network.text}` : rule && `host ${rule.key}`;
}

describe('an entry of insecure-registries', () => {
  const accepted = [
    ['example.com', 'host example.com'],
    ['example.com:5000', 'host example.com:5000'],
    ['localhost', 'host localhost'],
    ['MyHost:5000', 'host MyHost:5000'],
    ['127.0.0.1:5000', 'host 127.0.0.1:5000'],
    ['10.1.2.3', 'host 10.1.2.3'],
    ['10.1.2.3/8', 'network 10.0.0.0/8'],
    ['10.0.0.0/8', 'network 10.0.0.0/8'],
    ['192.168.1.130/25', 'network 192.168.1.128/25'],
    ['0.0.0.0/0', 'network 0.0.0.0/0'],
    ['10.1.2.3/32', 'network 10.1.2.3/32'],
    ['2001:db8::1/64', 'network 2001:db8::/64'],
    ['2001:DB8:ffff:ffff::/33', 'network 2001:db8:8000::/33'],
    ['::/0', 'network ::/0'],
    ['[2001:db8::1]:80', 'host [2001:db8::1]:80'],
    ['2001:db8::1', 'host [2001:db8::1]'],
    ['::1', 'host [::1]'],
    ['[::1]', 'host [::1]'],
    ['host:0', 'host host:0'],
    ['host:65535', 'host host:65535'],
    ['index.docker.io', 'host docker.io'],
  ] as const;
  for (const [text, expected] of accepted) {
    it(`${text} is ${expected}`, () => {
      const { rules, warnings } = parse(text);
      assert.deepEqual(rules.map(written), [expected]);
      assert.deepEqual(rules[0]?.origin, origin);
      assert.deepEqual(warnings, []);
    });
  }

  for (const [text, expected] of [
    ['http://host', 'host host'],
    ['https://host:5000', 'host host:5000'],
    ['HTTPS://host', 'host host'],
    ['hTTp://10.0.0.0/8', 'network 10.0.0.0/8'],
  ] as const) {
    it(`${text} is ${expected}, with a warning`, () => {
      const { rules, warnings } = parse(text);
      assert.deepEqual(rules.map(written), [expected]);
      assert.equal(warnings.length, 1);
      assert.ok(warnings[0]?.startsWith('/etc/docker/daemon.json:3: '));
    });
  }

  it('appears in messages without control characters', () => {
    const [entry, told] = ['http://a\u009b31m\u202e', /a\\u\{9b\}31m\\u\{202e\}/];
    const warnings: string[] = [];
    const all = [{ value: entry, origin }];
    assert.throws(() => parseHostRules(all, 'insecure-registries', (text) => warnings.push(text)), told);
    assert.match(warnings.join(), told);
  });

  const refused = [
    '',
    ' host',
    'host ',
    'https://host/',
    'http://host/path',
    'http://',
    'ftp://host',
    'host:65536',
    'host:',
    '127.0.0.1:',
    'host:abc',
    'host:-1',
    'a_b.com',
    '*.example.com',
    '[fe80::/64]',
    '[fe80::]/64',
    '10.0.0.0/33',
    '2001:db8::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0/8',
    '010.0.0.0/8',
    'fe80::1%eth0',
    '[::zz]',
    '[1:2]',
    '-host',
    'host-',
    'a..b',
    '.host',
    'host/path',
  ];
  for (const text of refused) {
    it(`${JSON.stringify(text)} is refused, naming the file`, () => {
      assert.throws(
        () => parse(text),
        (error) => {
          assert.ok(isOciError(error, 'CONFIG_INVALID'));
          assert.ok(
            error.message.startsWith(`/etc/docker/daemon.json:3: invalid insecure-registries entry "${text}": `),
          );
          return true;
        },
      );
    });
  }

  it('does not show a password in the error', () => {
    const silent = (error: unknown) => error instanceof Error && !error.message.includes('hunter2');
    assert.throws(() => parse('ada:hunter2@host'), silent);
    assert.throws(() => parse('ftp://ada:hunter2@host'), silent);
  });

  it('counts once, however it is written', () => {
    assert.deepEqual(parse('10.1.1.1/8', '10.2.2.2/8', 'http://a', 'a', 'b').rules.map(written), [
      'network 10.0.0.0/8',
      'host a',
      'host b',
    ]);
  });
});

describe('a network', () => {
  const vectors = [
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['127.0.0.0/8', '::ffff:127.0.0.1', true],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['0.0.0.0/0', '::1', false],
    ['::1/128', '::1', true],
    ['::1/128', '::2', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['10.0.0.0/8', 'not an address', false],
  ] as const;
  for (const [network, address, expected] of vectors) {
    it(`${network} ${expected ? 'holds' : 'does not hold'} ${address}`, () => {
      assert.equal(parseCidr(network)?.contains(address), expected);
    });
  }
});

describe('the name of a registry', () => {
  for (const [name, expected] of [
    ['index.docker.io', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['example.com:5000', 'example.com:5000'],
    ['a-b', 'a-b'],
  ] as const) {
    it(`${name} is ${expected}`, () => assert.equal(validateIndexName(name), expected));
  }
  for (const name of ['-example.com', 'example.com-', '-']) {
    it(`${name} is refused`, () => {
      assert.throws(
        () => validateIndexName(name),
        (error) => isOciError(error, 'CONFIG_INVALID') && error.message.includes('cannot begin or end with a hyphen'),
      );
    });
  }
});
