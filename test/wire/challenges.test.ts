import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Challenge } from '../../src/model/challenge.ts';
import { formatChallenge, parseChallenges } from '../../src/wire/challenges.ts';

const bearer = (parameters: Record<string, string>): Challenge => ({ scheme: 'bearer', parameters });

describe('reading WWW-Authenticate', () => {
  const realm = 'https://auth.example.com/token';
  const cases: readonly (readonly [
    what: string,
    header: string | readonly string[] | undefined,
    expected: Challenge[],
  ])[] = [
    ['no header is no challenge', undefined, []],
    ['an empty one neither', '', []],
    [
      'Docker Hub',
      `Bearer realm="${realm}",service="registry.docker.io",scope="repository:library/alpine:pull,push"`,
      [bearer({ realm, service: 'registry.docker.io', scope: 'repository:library/alpine:pull,push' })],
    ],
    ['schemes and keys in any case', `BEARER Realm="${realm}", SERVICE="S"`, [bearer({ realm, service: 'S' })]],
    [
      'several in one line',
      `Basic realm="a b", Bearer realm="${realm}",service="s", Digest nonce="x"`,
      [
        { scheme: 'basic', parameters: { realm: 'a b' } },
        bearer({ realm, service: 's' }),
        { scheme: 'digest', parameters: { nonce: 'x' } },
      ],
    ],
    [
      'several lines',
      [`Bearer realm="${realm}"`, 'Basic realm="r"'],
      [bearer({ realm }), { scheme: 'basic', parameters: { realm: 'r' } }],
    ],
    ['a scheme alone', 'Negotiate', [{ scheme: 'negotiate', parameters: {} }]],
    [
      'token68 before another challenge',
      `Negotiate abc==, Bearer realm="${realm}"`,
      [{ scheme: 'negotiate', parameters: {} }, bearer({ realm })],
    ],
    [
      'schemes alone before another',
      `NTLM, Negotiate, Bearer realm="${realm}"`,
      [{ scheme: 'ntlm', parameters: {} }, { scheme: 'negotiate', parameters: {} }, bearer({ realm })],
    ],
    [
      'quotes and backslashes escaped',
      String.raw`Basic realm="a \"b\" \\ \c, Bearer x=y"`,
      [{ scheme: 'basic', parameters: { realm: String.raw`a "b" \ c, Bearer x=y` } }],
    ],
    ['an unquoted URL', `Bearer realm=${realm}?a=b,service=s`, [bearer({ realm: `${realm}?a=b`, service: 's' })]],
    ['spaces around = and ,', `Bearer  realm = "${realm}" , service\t=\ts`, [bearer({ realm, service: 's' })]],
    ['parameters without commas', `Bearer realm="${realm}" service="s"`, [bearer({ realm, service: 's' })]],
    ['empty list elements', `,, Bearer ,realm="${realm}",,service="s",`, [bearer({ realm, service: 's' })]],
    ['an empty value', 'Bearer realm="",service="s"', [bearer({ realm: '', service: 's' })]],
    ['the first of a doubled key', 'Bearer realm="a",realm="b"', [bearer({ realm: 'a' })]],
    [
      'an error beside the realm',
      `Bearer realm="${realm}",error="insufficient_scope"`,
      [bearer({ realm, error: 'insufficient_scope' })],
    ],
    [
      'a quote that never closes ends its line',
      [`Bearer realm="${realm}",service="s`, 'Basic realm="r"'],
      [bearer({ realm, service: '' }), { scheme: 'basic', parameters: { realm: 'r' } }],
    ],
    ['a parameter without a scheme is nothing', `realm="${realm}"`, []],
    ['nonsense is nothing', '"":;@{}', []],
  ];
  for (const [what, header, expected] of cases) {
    it(what, () => assert.deepEqual(parseChallenges(header), expected));
  }

  it('a key named __proto__ changes no prototype', () => {
    const [challenge] = parseChallenges('Bearer __proto__="x",realm="r"');
    assert.ok(challenge);
    assert.equal(Object.getPrototypeOf(challenge.parameters), Object.prototype);
    assert.equal(challenge.parameters['realm'], 'r');
  });
});

describe('writing a challenge', () => {
  it('is parsed back to the same value', () => {
    for (const challenge of [
      bearer({ realm: 'https://a/b?c=d', service: 'a "b" \\ c', scope: 'repository:a:pull,push' }),
      { scheme: 'basic', parameters: {} },
      { scheme: 'basic', parameters: { realm: '' } },
    ]) {
      assert.deepEqual(parseChallenges(formatChallenge(challenge)), [challenge]);
    }
    assert.equal(formatChallenge({ scheme: 'basic', parameters: { realm: 'r' } }), 'Basic realm="r"');
  });
});
