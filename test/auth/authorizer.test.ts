import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type Authorizer, createAuthorizer } from '../../src/auth/authorizer.ts';
import { expiry } from '../../src/auth/token-server.ts';
import type { Credential } from '../../src/credentials/credential.ts';
import type { Challenge } from '../../src/model/challenge.ts';
import { type ErrorCode, OciError } from '../../src/model/errors.ts';
import { createTransport } from '../../src/transport/transport.ts';
import { parseChallenges } from '../../src/wire/challenges.ts';
import { type Answer, type FakeServer, json, startFakeServer } from '../support/fake-server.ts';
import { atEnd } from '../support/sandbox.ts';

const password: Credential = { kind: 'password', username: 'ann', password: 's3cret', source: '/home/a/config.json' };
const identity: Credential = { kind: 'identity-token', token: 'refresh', source: 'helper pass' };
const pull = ['repository:a/b:pull'];

interface Setup {
  readonly tokens: FakeServer;
  readonly authorizer: Authorizer;
  readonly bearer: readonly Challenge[];
  readonly lookups: () => number;
  nowMs: number;
}

async function setup(t: TestContext, credential: Credential | undefined, answer: Answer): Promise<Setup> {
  const tokens = await startFakeServer(t, answer);
  const base = new URL('http://127.0.0.1:1/');
  const transport = createTransport({ base, retry: { wait: async () => {} } });
  atEnd(t, () => transport.close());
  let lookups = 0;
  const state: Setup = {
    tokens,
    bearer: parseChallenges(`Bearer realm="${tokens.url}token?kept=1",service="the service"`),
    lookups: () => lookups,
    nowMs: Date.parse('2026-01-01T00:00:00Z'),
    authorizer: createAuthorizer({
      transport,
      registry: 'registry.example',
      nowMs: () => state.nowMs,
      credentials: async () => {
        lookups += 1;
        return credential;
      },
    }),
  };
  return state;
}

const numbered: Answer = ({ nth }, response) => json(response, 200, { token: `t${nth}`, expires_in: 300 });

function challenged(authorizer: Authorizer, challenges: readonly Challenge[], scopes = pull, authorization?: string) {
  return authorizer.challenged({ challenges, scopes, authorization });
}

function fails(code: ErrorCode, text: RegExp, hint?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof OciError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    if (hint) assert.match(error.hint ?? '', hint);
    assert.doesNotMatch(`${error.message} ${error.hint}`, /s3cret|refresh/);
    return true;
  };
}

describe('an authorizer', () => {
  it('says nothing, and looks nothing up, before it is asked', async (t) => {
    const { authorizer, lookups } = await setup(t, password, numbered);
    assert.equal(await authorizer.authorize(pull), undefined);
    assert.equal(lookups(), 0);
  });

  it('gets an anonymous token, with service and scopes', async (t) => {
    const { authorizer, bearer, tokens } = await setup(t, undefined, numbered);
    assert.equal(await challenged(authorizer, bearer, ['repository:a:pull', 'repository:b:pull']), 'Bearer t0');
    const [asked] = tokens.requests;
    assert.equal(asked?.headers.authorization, undefined);
    assert.equal(asked?.query.get('service'), 'the service');
    assert.deepEqual(asked?.query.getAll('scope'), ['repository:a:pull', 'repository:b:pull']);
    assert.equal(asked?.query.get('kept'), '1');
    assert.equal(asked?.query.get('account'), null);
  });

  it('shows user and password to the token server', async (t) => {
    const { authorizer, bearer, tokens, lookups } = await setup(t, password, numbered);
    await challenged(authorizer, bearer);
    await challenged(authorizer, bearer, ['repository:c:pull']);
    const [asked] = tokens.requests;
    assert.equal(asked?.headers.authorization, `Basic ${Buffer.from('ann:s3cret').toString('base64')}`);
    assert.equal(asked?.query.get('account'), 'ann');
    assert.equal(lookups(), 1);
  });

  it('adds the scopes that the challenge names', async (t) => {
    const { authorizer, bearer, tokens } = await setup(t, undefined, numbered);
    const [first] = bearer;
    const named = [
      { scheme: 'bearer', parameters: { ...first?.parameters, scope: 'repository:a/b:pull repository:x:pull' } },
    ];
    await challenged(authorizer, named);
    assert.deepEqual(tokens.requests[0]?.query.getAll('scope'), ['repository:a/b:pull', 'repository:x:pull']);
  });

  it('uses a token again for what it serves, and fetches another before it is asked for more', async (t) => {
    const { authorizer, bearer, tokens } = await setup(t, undefined, numbered);
    await challenged(authorizer, bearer, ['repository:a:pull,push']);
    assert.equal(await authorizer.authorize(['repository:a:pull']), 'Bearer t0');
    assert.equal(await authorizer.authorize(['repository:b:pull']), 'Bearer t1');
    assert.equal(await authorizer.authorize(['repository:b:pull']), 'Bearer t1');
    assert.equal(tokens.requests.length, 2);
  });

  it('shares one exchange between all who wait for the same token', async (t) => {
    const slow: Answer = async (request, response, incoming) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return numbered(request, response, incoming);
    };
    const { authorizer, bearer, tokens } = await setup(t, undefined, slow);
    const stop = new AbortController();
    const reason = new Error('not me');
    const leaving = authorizer.challenged({
      challenges: bearer,
      scopes: pull,
      authorization: undefined,
      signal: stop.signal,
    });
    const waiting = [1, 2, 3].map(() => challenged(authorizer, bearer));
    setTimeout(() => stop.abort(reason), 10);
    await assert.rejects(leaving, (error) => error === reason);
    assert.deepEqual(await Promise.all(waiting), ['Bearer t0', 'Bearer t0', 'Bearer t0']);
    assert.equal(tokens.requests.length, 1);
  });

  it('fetches anew shortly before a token ends, and after it was refused', async (t) => {
    const state = await setup(t, undefined, numbered);
    const { authorizer, bearer } = state;
    await challenged(authorizer, bearer);
    state.nowMs += 269_000;
    assert.equal(await authorizer.authorize(pull), 'Bearer t0');
    state.nowMs += 2000;
    assert.equal(await authorizer.authorize(pull), 'Bearer t1');
    assert.equal(await challenged(authorizer, bearer, pull, 'Bearer t1'), 'Bearer t2');
    // Somebody else was refused with the old one and comes late: the new one serves.
    assert.equal(await challenged(authorizer, bearer, pull, 'Bearer t1'), 'Bearer t2');
  });

  it('takes the token where Bearer and Basic are offered', async (t) => {
    const { authorizer, bearer } = await setup(t, password, numbered);
    const both = [{ scheme: 'basic', parameters: { realm: 'r' } }, ...bearer];
    assert.equal(await challenged(authorizer, both), 'Bearer t0');
  });

  it('prefers access_token, and accepts a token without a lifetime', async (t) => {
    const { authorizer, bearer } = await setup(t, undefined, (_, response) =>
      json(response, 200, { token: 'old', access_token: 'new' }),
    );
    assert.equal(await challenged(authorizer, bearer), 'Bearer new');
  });
});

describe('Basic', () => {
  const basic = [{ scheme: 'basic', parameters: { realm: 'r' } }];

  it('sends user and password from the first challenge on', async (t) => {
    const { authorizer } = await setup(t, password, numbered);
    const header = await challenged(authorizer, basic);
    assert.equal(header, `Basic ${Buffer.from('ann:s3cret').toString('base64')}`);
    assert.equal(await authorizer.authorize(['anything']), header);
  });

  it('names where refused credentials were found, and does not try again', async (t) => {
    const { authorizer } = await setup(t, password, numbered);
    const header = await challenged(authorizer, basic);
    const again = challenged(authorizer, basic, pull, header);
    await assert.rejects(
      again,
      fails('UNAUTHORIZED', /refused the credentials from \/home\/a\/config\.json/, /ocictl login registry\.example/),
    );
  });

  it('needs a password', async (t) => {
    for (const credential of [undefined, identity]) {
      const { authorizer } = await setup(t, credential, numbered);
      await assert.rejects(
        challenged(authorizer, basic),
        fails('UNAUTHORIZED', /authentication required/, /ocictl login/),
      );
    }
  });

  it('is all there is besides Bearer', async (t) => {
    const { authorizer } = await setup(t, password, numbered);
    const other = [{ scheme: 'negotiate', parameters: {} }];
    await assert.rejects(challenged(authorizer, other), fails('UNAUTHORIZED', /asks for negotiate/));
  });
});

describe('tokens that are stored', () => {
  it('go to the registry as they are, when they are for it', async (t) => {
    const { authorizer, bearer, tokens } = await setup(
      t,
      { kind: 'registry-token', token: 'asis', source: 's' },
      numbered,
    );
    assert.equal(await challenged(authorizer, bearer), 'Bearer asis');
    await assert.rejects(challenged(authorizer, bearer, pull, 'Bearer asis'), fails('UNAUTHORIZED', /from s$/));
    assert.equal(tokens.requests.length, 0);
  });

  it('are exchanged over OAuth2, when they are identity tokens', async (t) => {
    const { authorizer, bearer, tokens } = await setup(t, identity, numbered);
    assert.equal(await challenged(authorizer, bearer, ['repository:a:pull', 'repository:b:pull']), 'Bearer t0');
    const [asked] = tokens.requests;
    assert.equal(asked?.method, 'POST');
    const form = new URLSearchParams(asked?.body.toString());
    assert.equal(form.get('grant_type'), 'refresh_token');
    assert.equal(form.get('refresh_token'), 'refresh');
    assert.equal(form.get('service'), 'the service');
    assert.equal(form.get('scope'), 'repository:a:pull repository:b:pull');
    assert.ok(form.get('client_id'));
  });

  for (const status of [400, 401, 404, 405]) {
    it(`give way to what everybody gets after a ${status}`, async (t) => {
      const { authorizer, bearer, tokens } = await setup(t, identity, (request, response, incoming) =>
        request.method === 'POST' ? json(response, status, {}) : numbered(request, response, incoming),
      );
      assert.equal(await challenged(authorizer, bearer), 'Bearer t0');
      assert.equal(tokens.requests[1]?.headers.authorization, undefined);
    });
  }

  it('are named when they are refused, and nobody is let in without', async (t) => {
    const { authorizer, bearer } = await setup(t, identity, (_, response) => json(response, 401, {}));
    await assert.rejects(challenged(authorizer, bearer), fails('UNAUTHORIZED', /credentials from helper pass/));
  });
});

describe('a token server that misbehaves', () => {
  for (const [what, answer, code, text] of [
    ['a web page', (_, r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<html>'), 'PROTOCOL', /a web page/],
    ['no JSON', (_, r) => r.end('token'), 'PROTOCOL', /did not answer with JSON/],
    ['no token', (_, r) => json(r, 200, { expires_in: 5 }), 'PROTOCOL', /without a token/],
    ['a token that ends the header', (_, r) => json(r, 200, { token: 'a\r\nb: c' }), 'PROTOCOL', /characters/],
    ['2 MiB', (_, r) => json(r, 200, { token: 'x'.repeat(2 ** 21) }), 'PROTOCOL', /far too much/],
    ['an endless body', endless, 'TOO_LARGE', /longer than/],
    ['a 500', (_, r) => json(r, 500, {}), 'UNAVAILABLE', /token for registry\.example: 500/],
    ['a 403', (_, r) => json(r, 403, { details: 'no plan' }), 'DENIED', /no plan/],
    ['a long wait', (_, r) => r.writeHead(429, { 'retry-after': '900' }).end(), 'TOOMANYREQUESTS', /15 minutes/],
  ] as readonly (readonly [string, Answer, ErrorCode, RegExp])[]) {
    it(`by ${what} is named`, async (t) => {
      const { authorizer, bearer } = await setup(t, undefined, answer);
      await assert.rejects(challenged(authorizer, bearer), fails(code, text));
    });
  }

  it('by refusing a password makes the source of it known', async (t) => {
    const { authorizer, bearer } = await setup(t, password, (_, r) => json(r, 401, { details: 'incorrect username' }));
    const text = /registry\.example refused the credentials from \/home\/a\/config\.json: incorrect username/;
    await assert.rejects(challenged(authorizer, bearer), fails('UNAUTHORIZED', text, /ocictl login registry\.example/));
  });

  it('by being down is a failure of the network, and the next request tries again', async (t) => {
    const { authorizer, bearer, tokens } = await setup(t, undefined, numbered);
    tokens.close();
    await assert.rejects(challenged(authorizer, bearer), fails('NETWORK', /connection refused/));
    await assert.rejects(authorizer.authorize(pull), fails('NETWORK', /connection refused/));
  });

  it('by a redirect gets no password elsewhere', async (t) => {
    const other = await startFakeServer(t, numbered);
    const { authorizer, bearer } = await setup(t, password, (_, response) =>
      response.writeHead(307, { location: `${other.url}token` }).end(),
    );
    assert.equal(await challenged(authorizer, bearer), 'Bearer t0');
    assert.equal(other.requests[0]?.headers.authorization, undefined);
  });

  function endless(_: unknown, response: Parameters<Answer>[1]): void {
    const timer = setInterval(() => response.write(Buffer.alloc(200_000, 0x20)), 1);
    response.on('close', () => clearInterval(timer));
  }
});

describe('the life of a token', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  for (const [what, document, seconds] of [
    ['what it says', { expires_in: 300 }, 270],
    ['at least a minute', { expires_in: 1 }, 45],
    ['a minute where it says nothing', {}, 45],
    ['a minute for nonsense', { expires_in: 'soon', issued_at: 'yesterday' }, 45],
    ['counted from when it was issued', { expires_in: 300, issued_at: '2025-12-31T23:58:20Z' }, 170],
    ['not counted from the future', { expires_in: 300, issued_at: '2026-01-01T05:00:00Z' }, 270],
    ['not counted from long ago', { expires_in: 300, issued_at: '2001-01-01T00:00:00Z' }, 270],
  ] as const) {
    it(`is ${what}`, () => assert.equal((expiry(document, now) - now) / 1000, seconds));
  }
});
