import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseYamlDocument } from '../../../src/config/documents/yaml-document.ts';
import { parseTrustPolicy } from '../../../src/config/ocictl/trust-policy.ts';
import { describeTrustRule, type TrustRules } from '../../../src/config/trust-rules.ts';
import { parseReference } from '../../../src/model/reference/reference.ts';

function parse(text: string): TrustRules {
  const document = parseYamlDocument(text, 'policy.yaml');
  return parseTrustPolicy({ document, file: 'policy.yaml', resolve: (path) => `/etc/${path}` });
}

const withRules = (...patterns: readonly string[]): TrustRules =>
  parse(`default: reject\nregistries:\n${patterns.map((pattern) => `  "${pattern}": accept\n`).join('')}`);

const scopeFor = (rules: TrustRules, name: string): string =>
  rules.ruleFor({ kind: '', reference: parseReference(name) }).scope;

describe('a policy of the own format', () => {
  it('has all fields that a rule may have', () => {
    const { rules } = parse(`
default: accept
registries:
  "registry.example.com/team/**":
    signed-by: [{ key: team.pub }, { identity: "ci@example.com", issuer: "https://issuer.example.com" }, { trust-store: certs/ }]
    at-least: 2
    attested: [slsaprovenance, { type: custom, fields: { a.b: x, n: 1 } }]
    signed: index
    reference: exact
places:
  oci: reject
`);
    assert.deepEqual(
      rules.map((rule) => describeTrustRule(rule).value),
      [
        'registry.example.com/team/**: signed by 2 of key /etc/team.pub, ci@example.com of https://issuer.example.com, ' +
          'certificates in /etc/certs/, attested: slsaprovenance, custom with a.b=x and n=1, signed: index, reference: exact',
        'oci: reject',
        'default: accept',
      ],
    );
    assert.deepEqual([rules[0]?.origin.line, rules[0]?.origin.column], [4, 3]);
  });

  const invalid: Readonly<Record<string, readonly [text: string, message: RegExp, hint?: RegExp]>> = {
    'no default': ['registries: {}', /"default" must be accept or reject/],
    'another default': ['default: allow', /policy\.yaml:1:10: "default" must be one of accept, reject/],
    'an unknown key': ['default: reject\nregistrys: {}', /policy\.yaml:2:1: unknown key "registrys"/, /registries\?/],
    'an unknown key in a rule': [
      'default: reject\nregistries:\n  a.io/x:\n    signed_by: []',
      /policy\.yaml:4:5: unknown key "signed_by"/,
      /signed-by\?/,
    ],
    'an unknown key of one who signs': [
      'default: reject\nregistries:\n  a.io/x:\n    signed-by: [{ keys: x }]',
      /policy\.yaml:4:19: unknown key "keys"/,
      /key\?/,
    ],
    'an unknown kind of places': ['default: reject\nplaces: { ocy: reject }', /2:11: unknown key "ocy"/, /oci\?/],
    'a rule without a signer': ['default: reject\nregistries: { a.io/x: { signed: index } }', /needs "signed-by"/],
    'a rule of another word': [
      'default: reject\nregistries: { a.io/x: allow }',
      /"allow" is neither accept nor reject/,
    ],
    'a rule that is a number': ['default: reject\nregistries: { a.io/x: 1 }', /"registries.a.io\/x" must be an object/],
    'a signer of two kinds': [
      'default: reject\nregistries: { a.io/x: { signed-by: [{ key: a, trust-store: b }] } }',
      /one who signs is \{ key \}, \{ identity, issuer \} or \{ trust-store \}/,
    ],
    'an identity without an issuer': [
      'default: reject\nregistries: { a.io/x: { signed-by: [{ identity: a }] } }',
      /both are needed/,
    ],
    'a key that is a list': [
      'default: reject\nregistries: { a.io/x: { signed-by: [{ key: [] }] } }',
      /must be a string/,
    ],
    'more signatures than signers': [
      'default: reject\nregistries: { a.io/x: { signed-by: [{ key: a }], at-least: 2 } }',
      /at least 2 must sign, and 1 is named/,
    ],
    'no signature, and no attestation': [
      'default: reject\nregistries: { a.io/x: { signed-by: [{ key: a }], at-least: 0 } }',
      /"registries.a.io\/x.at-least" must be a whole number of at least 1/,
    ],
    'an attestation without a type': [
      'default: reject\nregistries: { a.io/x: { signed-by: [{ key: a }], attested: [{ fields: {} }] } }',
      /the type of an attestation/,
    ],
    'an unknown key of an attestation': [
      'default: reject\nregistries: { a.io/x: { signed-by: [{ key: a }], attested: [{ type: a, field: {} }] } }',
      /unknown key "field"/,
      /fields\?/,
    ],
    'a field that is a list': [
      'default: reject\nregistries: { a.io/x: { signed-by: [{ key: a }], attested: { type: a, fields: { b: [] } } } }',
      /the field "b" must be a text/,
    ],
    'another part': [
      'default: reject\nregistries: { a.io/x: { signed-by: [{ key: a }], signed: all } }',
      /must be one of index-or-/,
    ],
    'a pattern twice': [
      'default: reject\nregistries: { docker.io/alpine: accept, index.docker.io/library/alpine: reject }',
      /docker.io\/library\/alpine has a rule already, in line 2/,
    ],
    'a name of Docker Hub without it': [
      'default: reject\nregistries: { team/app: accept }',
      /begins with no registry/,
      /docker.io\/team\/app/,
    ],
    'a pattern for everything': ['default: reject\nregistries: { "**": accept }', /covers all registries/, /default/],
    'a tag': ['default: reject\nregistries: { "a.io/x:1": accept }', /names a tag or digest/],
    'a strange pattern': ['default: reject\nregistries: { "a.io/x**y": accept }', /is no pattern/],
    'a strange host': ['default: reject\nregistries: { "a.*.io/x": accept }', /names no registry/],
    'YAML that is broken': ['default: [', /policy\.yaml:1:\d+: not valid YAML/],
  };
  for (const [what, [text, message, hint]] of Object.entries(invalid)) {
    it(`is refused with ${what}, where that stands`, () => {
      assert.throws(
        () => parse(text),
        (error: { message: string; hint?: string; code: string }) => {
          assert.equal(error.code, 'CONFIG_INVALID');
          assert.match(error.message, message);
          if (hint) assert.match(error.hint ?? '', hint);
          return true;
        },
      );
    });
  }
});

describe('the rule for an image', () => {
  const table: readonly (readonly [patterns: readonly string[], name: string, scope: string])[] = [
    [['a.io'], 'a.io/x', 'a.io'],
    [['a.io'], 'a.io/x/y/z', 'a.io'],
    [['a.io'], 'b.a.io/x', 'default'],
    [['a.io'], 'a.io:5000/x', 'default'],
    [['a.io:5000/**'], 'a.io:5000/x', 'a.io:5000/**'],
    [['A.io/x'], 'a.io/x', 'A.io/x'],
    [['localhost:5000'], 'localhost:5000/x', 'localhost:5000'],
    [['[::1]:5000/x'], '[::1]:5000/x', '[::1]:5000/x'],
    [['a.io/team/**'], 'a.io/team', 'default'],
    [['a.io/team/**'], 'a.io/team/x/y', 'a.io/team/**'],
    [['a.io/team/**'], 'a.io/teams/x', 'default'],
    [['a.io/team/*'], 'a.io/team/x/y', 'default'],
    [['a.io/team/*'], 'a.io/team/x', 'a.io/team/*'],
    [['a.io/team/app-*'], 'a.io/team/app-1', 'a.io/team/app-*'],
    [['a.io/*/app'], 'a.io/team/app', 'a.io/*/app'],
    [['a.io/team'], 'a.io/team/x', 'default'],
    [['*.a.io/**'], 'b.a.io/x', '*.a.io/**'],
    [['*.a.io/**'], 'a.io/x', 'default'],
    [['*.a.io/**'], 'ba.io/x', 'default'],
    // The longest counts, in whatever order they stand.
    [['a.io', 'a.io/team/**', 'a.io/team/x'], 'a.io/team/x', 'a.io/team/x'],
    [['a.io/team/x', 'a.io/team/**', 'a.io'], 'a.io/team/y', 'a.io/team/**'],
    [['a.io/**', 'a.io/team/**'], 'a.io/team/y', 'a.io/team/**'],
    [['a.io/*/app', 'a.io/team/*'], 'a.io/team/app', 'a.io/team/*'],
    [['a.io/x/*', 'a.io/*/x'], 'a.io/x/x', 'a.io/x/*'],
    [['*.a.io/team/**', 'b.a.io/**'], 'b.a.io/team/x', '*.a.io/team/**'],
    [
      ['a.io/very-long-name-of-a-team/**', 'a.io/*/x'],
      'a.io/very-long-name-of-a-team/x',
      'a.io/very-long-name-of-a-team/**',
    ],
    // Docker Hub has several names.
    [['docker.io/alpine'], 'alpine', 'docker.io/alpine'],
    [['index.docker.io/library/alpine'], 'docker.io/alpine', 'index.docker.io/library/alpine'],
    [['docker.io/*'], 'alpine', 'docker.io/*'],
    [['docker.io/**'], 'team/app', 'docker.io/**'],
    [['docker.io'], 'team/app', 'docker.io'],
    [['docker.io/library/*'], 'team/app', 'default'],
  ];
  for (const [patterns, name, scope] of table) {
    it(`of ${name}, among ${patterns.join(' and ')}, is ${scope}`, () =>
      assert.equal(scopeFor(withRules(...patterns), name), scope));
  }

  it('goes by the kind of other places, and by the name of what is in the store', () => {
    const rules = parse('default: reject\nregistries: { a.io: accept }\nplaces: { oci: accept }');
    const scope = (kind: string, name?: string): string =>
      rules.ruleFor({ kind, path: '/x', reference: name === undefined ? undefined : parseReference(name) }).scope;
    assert.deepEqual(
      [
        scope('oci'),
        scope('dir'),
        scope('store', 'a.io/x'),
        scope('store', 'b.io/x'),
        scope('docker-daemon', 'a.io/x'),
      ],
      ['oci', 'default', 'a.io', 'default', 'default'],
    );
  });
});
