import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPolicyJson, parsePolicyJson } from '../../../src/config/containers/policy-json.ts';
import { parseYamlDocument } from '../../../src/config/documents/yaml-document.ts';
import type { TrustRules } from '../../../src/config/trust-rules.ts';
import { parseReference } from '../../../src/model/reference/reference.ts';

const key = Buffer.from('a key').toString('base64');

function parse(policy: object): TrustRules {
  const document = parseYamlDocument(JSON.stringify(policy, undefined, 2), 'policy.json');
  assert.ok(isPolicyJson(document));
  return parsePolicyJson({ document, file: 'policy.json', resolve: (path) => path });
}

const accept = [{ type: 'insecureAcceptAnything' }];
const reject = [{ type: 'reject' }];

function nameOf(signedIdentity: object | undefined): unknown {
  const { says } = parse({ default: [{ type: 'sigstoreSigned', keyPath: '/team.pub', signedIdentity }] })
    .rules[0] as TrustRules['rules'][number];
  return typeof says === 'string' ? says : says[0]?.name;
}

describe('a policy.json', () => {
  it('says of each scope what it takes', () => {
    const signed = [
      { type: 'sigstoreSigned', keyPath: '/team.pub' },
      { type: 'sigstoreSigned', keyDatas: [key, key] },
    ];
    const { rules } = parse({ default: reject, transports: { docker: { 'a.io': accept, 'a.io/x': signed } } });
    assert.deepEqual(
      rules.map(({ scope, says }) => [
        scope,
        typeof says === 'string' ? says : says.map(({ signedBy }) => signedBy.length),
      ]),
      [
        ['docker a.io', 'accept'],
        ['docker a.io/x', [1, 2]],
        ['default', 'reject'],
      ],
    );
    assert.equal(parse({ default: [...accept, ...reject] }).rules[0]?.says, 'reject');
    assert.deepEqual(Object.keys(parse({ default: [...accept, ...signed] }).rules[0]?.says ?? {}), ['0', '1']);
  });

  it('reads all forms of signedIdentity', () => {
    assert.deepEqual(
      [
        undefined,
        { type: 'matchExact' },
        { type: 'matchRepoDigestOrExact' },
        { type: 'matchRepository' },
        { type: 'exactReference', dockerReference: 'index.docker.io/alpine:3' },
        { type: 'exactRepository', dockerRepository: 'a.io/x' },
        { type: 'remapIdentity', prefix: 'mirror.io', signedPrefix: 'a.io' },
      ].map(nameOf),
      [
        { kind: 'tag-exact' },
        { kind: 'exact' },
        { kind: 'tag-exact' },
        { kind: 'repository' },
        { kind: 'exactly', name: 'docker.io/library/alpine:3' },
        { kind: 'in-repository', repository: 'a.io/x' },
        { kind: 'remapped', prefix: 'mirror.io', signedPrefix: 'a.io' },
      ],
    );
  });

  const scopes: readonly (readonly [scopes: readonly string[], name: string, found: string])[] = [
    [['a.io', 'a.io/x', 'a.io/x/y', 'a.io/x/y:1', ''], 'a.io/x/y:1', 'docker a.io/x/y:1'],
    [['a.io', 'a.io/x', 'a.io/x/y', 'a.io/x/y:1', ''], 'a.io/x/y:2', 'docker a.io/x/y'],
    [['a.io', 'a.io/x', '*.io', ''], 'a.io/x/y:2', 'docker a.io/x'],
    [['a.io', '*.io', ''], 'a.io/z', 'docker a.io'],
    [['*.io', '*.a.io', ''], 'b.a.io/z', 'docker *.a.io'],
    [['*.io', ''], 'b.a.io/z', 'docker *.io'],
    [['*.io'], 'b.a.io:5000/z', 'docker *.io'],
    [['a.io/xy', ''], 'a.io/xyz', 'docker ""'],
    [['a.io'], 'b.io/x', 'default'],
    [['docker.io/library/alpine'], 'alpine:3', 'docker docker.io/library/alpine'],
  ];
  for (const [given, name, found] of scopes) {
    it(`has for ${name}, among ${given.map((scope) => scope || '""').join(' ')}, the rule ${found}`, () => {
      const docker = Object.fromEntries(given.map((scope) => [scope, accept]));
      const { ruleFor } = parse({ default: reject, transports: { docker } });
      assert.equal(ruleFor({ kind: '', reference: parseReference(name) }).scope, found);
    });
  }

  it('has scopes of paths for layouts and directories, and none for other places', () => {
    const transports = { oci: { '/images': accept, '/images/bad': reject }, 'docker-archive': { '': accept } };
    const { ruleFor } = parse({ default: reject, transports });
    const scope = (kind: string, path?: string): string => ruleFor({ kind, path }).scope;
    assert.deepEqual(
      [
        scope('oci', '/images/good/app'),
        scope('oci', '/images/bad'),
        scope('oci', '/imagesx'),
        scope('docker-archive', '/images/x.tar'),
        scope('oci-archive', '/images/x.tar'),
        ruleFor({ kind: 'store', path: undefined, reference: parseReference('a.io/x') }).scope,
      ],
      ['oci /images', 'oci /images/bad', 'default', 'docker-archive ""', 'default', 'default'],
    );
  });

  const invalid: Readonly<Record<string, readonly [policy: object, message: RegExp]>> = {
    'signatures of GPG': [
      { default: [{ type: 'signedBy', keyType: 'GPGKeys', keyPath: '/x' }] },
      /policy\.json:3:5: signedBy asks for signatures of GPG, which ocictl does not verify/,
    ],
    'no default': [{ transports: {} }, /"default" must be there/],
    'an empty list': [{ default: [] }, /"default" must have a requirement/],
    'an unknown requirement': [{ default: [{ type: 'signed' }] }, /"signed" is no requirement/],
    'an unknown key': [{ default: [{ type: 'reject', keypath: 'x' }] }, /policy\.json:5:7: unknown key "keypath"/],
    'an unknown key at its top': [{ default: reject, transport: {} }, /unknown key "transport"/],
    'a certificate': [
      { default: [{ type: 'sigstoreSigned', fulcio: { caPath: '/x', oidcIssuer: 'x', subjectEmail: 'y' } }] },
      /"fulcio" is not read by ocictl/,
    ],
    'a log': [{ default: [{ type: 'sigstoreSigned', keyPath: 'x', rekorPublicKeyPath: 'y' }] }, /"rekorPublicKeyPath"/],
    'two keys': [{ default: [{ type: 'sigstoreSigned', keyPath: 'x', keyData: key }] }, /needs one of keyPath/],
    'no key': [{ default: [{ type: 'sigstoreSigned' }] }, /needs one of keyPath/],
    'keys without one': [{ default: [{ type: 'sigstoreSigned', keyPaths: [] }] }, /names no key/],
    'a key that is not base64': [{ default: [{ type: 'sigstoreSigned', keyData: 'a b' }] }, /the key is not base64/],
    'an unknown identity': [
      { default: [{ type: 'sigstoreSigned', keyPath: 'x', signedIdentity: { type: 'matchSome' } }] },
      /must be one of matchExact/,
    ],
    'an identity without its field': [
      { default: [{ type: 'sigstoreSigned', keyPath: 'x', signedIdentity: { type: 'exactReference' } }] },
      /dockerReference" must be there/,
    ],
  };
  for (const [what, [policy, message]] of Object.entries(invalid)) {
    it(`is refused with ${what}`, () => assert.throws(() => parse(policy), { code: 'CONFIG_INVALID', message }));
  }
});
