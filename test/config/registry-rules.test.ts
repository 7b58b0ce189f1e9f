import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  matchRegistryRule,
  orderRegistryRules,
  plainSource,
  type RegistryRule,
  repositoryAt,
} from '../../src/config/registry-rules.ts';
import { configError } from './world.ts';

const origin = { kind: 'file', name: 'rules', line: 1 } as const;
const rule = (prefix: string, more: Partial<RegistryRule> = {}): RegistryRule => ({
  prefix,
  origin,
  blocked: false,
  mirrors: [],
  ...more,
});

describe('the rule for a repository', () => {
  const rules = orderRegistryRules(
    [
      '_default',
      '*.example.com',
      '*.eu.example.com',
      'example.com',
      'example.com/foo',
      'example.com/foo/bar',
      'example.com:5000',
      'a.example.com',
      'docker.io/library',
      '[::1]:5000',
    ].map((prefix) => rule(prefix)),
  );
  const rows = [
    ['example.com', 'app', 'example.com'],
    ['example.com', 'foo', 'example.com/foo'],
    ['example.com', 'foo/x', 'example.com/foo'],
    ['example.com', 'foobar', 'example.com'],
    ['example.com', 'foo/bar', 'example.com/foo/bar'],
    ['example.com', 'foo/bar/x', 'example.com/foo/bar'],
    ['example.com', 'foo/barx', 'example.com/foo'],
    ['example.com:5000', 'foo', 'example.com:5000'],
    ['example.com:5001', 'foo', '_default'],
    ['Example.COM', 'foo', 'example.com/foo'],
    ['a.example.com', 'x', 'a.example.com'],
    ['b.example.com', 'x', '*.example.com'],
    ['b.c.example.com:8443', 'x', '*.example.com'],
    ['b.eu.example.com', 'x', '*.eu.example.com'],
    ['eu.example.com', 'x', '*.example.com'],
    ['badexample.com', 'x', '_default'],
    ['docker.io', 'library/alpine', 'docker.io/library'],
    ['docker.io', 'bitnami/redis', '_default'],
    ['[::1]:5000', 'x', '[::1]:5000'],
  ] as const;
  for (const [domain, path, prefix] of rows) {
    it(`${domain}/${path} falls under ${prefix}`, () => {
      assert.equal(matchRegistryRule(rules, domain, path)?.prefix, prefix);
    });
  }

  it('is one without a port for every port, where it blocks', () => {
    const blocking = orderRegistryRules([
      rule('example.com/foo', { blocked: true }),
      rule('example.com:5001/foo'),
      rule('*.com'),
      rule('example.org'),
    ]);
    assert.equal(matchRegistryRule(blocking, 'example.com:5000', 'foo/x')?.prefix, 'example.com/foo');
    assert.equal(matchRegistryRule(blocking, 'example.com:5001', 'foo/x')?.prefix, 'example.com:5001/foo');
    assert.equal(matchRegistryRule(blocking, 'example.com:5000', 'bar')?.prefix, '*.com');
    assert.equal(matchRegistryRule(blocking, 'example.org:5000', 'x'), undefined);
  });

  it('is one that blocks, however its host is written', () => {
    const blocked = (prefix: string, domain: string, path = 'foo/x'): boolean =>
      matchRegistryRule(orderRegistryRules([rule(prefix, { blocked: true })]), domain, path)?.blocked === true;
    for (const [prefix, domain] of [
      ['docker.io', 'registry-1.docker.io'],
      ['registry-1.docker.io/foo', 'docker.io'],
      ['docker.io/foo', 'Registry-1.Docker.io:443'],
      ['example.com:5000', 'example.com:05000'],
      ['example.com:443', 'example.com'],
      ['127.0.0.1:5000', '127.1:5000'],
      ['127.0.0.1', '0x7f.1:5000'],
      ['[::1]:5000/foo', '[0:0:0:0:0:0:0:1]:5000'],
    ] as const) {
      assert.ok(blocked(prefix, domain), `${domain} is ${prefix}`);
    }
    for (const [prefix, domain] of [
      ['docker.io', 'notdocker.io'],
      ['docker.io/foo/y', 'registry-1.docker.io'],
      ['example.com:5000', 'example.com'],
      ['127.0.0.1:5000', '127.1:5001'],
    ] as const) {
      assert.ok(!blocked(prefix, domain), `${domain} is not ${prefix}`);
    }
  });

  it('is one that blocks, whatever files that cannot block say of single hosts', () => {
    const hosts = ['example.com:5000', 'a.example.org', 'good.example.org'].map((prefix) =>
      rule(prefix, { hostOnly: true }),
    );
    const blocks = ['example.com', '*.example.org'].map((prefix) => rule(prefix, { blocked: true }));
    const both = orderRegistryRules([...blocks, rule('good.example.org/free'), ...hosts]);
    assert.equal(matchRegistryRule(both, 'example.com:5000', 'x')?.prefix, 'example.com');
    assert.equal(matchRegistryRule(both, 'a.example.org', 'x')?.prefix, '*.example.org');
    assert.equal(matchRegistryRule(both, 'good.example.org', 'x')?.prefix, '*.example.org');
    assert.equal(matchRegistryRule(both, 'good.example.org', 'free/x')?.prefix, 'good.example.org/free');
    assert.equal(matchRegistryRule(orderRegistryRules(hosts), 'a.example.org', 'x')?.prefix, 'a.example.org');
  });

  it('is undefined if no prefix matches', () => {
    assert.equal(matchRegistryRule([rule('example.com')], 'example.org', 'x'), undefined);
  });

  it('is the first of several with one prefix', () => {
    const [first, second] = [rule('h'), rule('H', { blocked: true })];
    assert.deepEqual(orderRegistryRules([first, second]), [first]);
  });
});

describe('the name of a repository at a source', () => {
  const rows = [
    ['example.com/foo', undefined, 'foo/app', 'foo/app'],
    ['example.com/foo', 'bar', 'foo/app', 'bar/app'],
    ['example.com/foo', 'bar', 'foo', 'bar'],
    ['example.com/foo', '', 'foo/app', 'app'],
    ['example.com', 'hub', 'library/alpine', 'hub/library/alpine'],
    ['*.example.com', 'hub/eu', 'app', 'hub/eu/app'],
  ] as const;
  for (const [prefix, repositoryPrefix, path, expected] of rows) {
    it(`${path} under ${prefix} is ${expected} where ${repositoryPrefix ?? 'nothing'} takes its place`, () => {
      const source = { ...plainSource, origin, ...(repositoryPrefix !== undefined && { repositoryPrefix }) };
      assert.equal(repositoryAt(rule(prefix), source, path), expected);
    });
  }

  it('must leave something', () => {
    const source = { ...plainSource, origin, repositoryPrefix: '' };
    assert.throws(() => repositoryAt(rule('example.com/foo'), source, 'foo'), configError(/^rules:1: no name is left/));
  });
});
