import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ErrorCode } from '../../src/model/errors.ts';
import { type Answer, json, startFakeServer } from '../support/fake-server.ts';

import { challenged, fails, identity, numbered, password, pull, setup } from './asked-tokens.ts';

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
    let answer = (): void => {};
    const answering = new Promise<void>((resolve) => (answer = resolve));
    const slow: Answer = async (request, response, incoming) => {
      await answering;
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
    answer();
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
    // A request that was refused with the old token asks late: it gets the new one.
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
    const many = Array.from({ length: 1000 }, (_, i) => ({ scheme: `scheme${i}`, parameters: {} }));
    const short = /asks for scheme0, scheme1, scheme2, scheme3, scheme4, which is not supported$/;
    await assert.rejects(challenged(authorizer, many), fails('UNAUTHORIZED', short));
    const lost = /registry\.example asks for a token and does not say where to get one$/;
    for (const parameters of [{}, { realm: '' }, { service: 's' }]) {
      const bearer = [{ scheme: 'bearer', parameters }];
      await assert.rejects(challenged(authorizer, bearer), fails('UNAUTHORIZED', lost, /has no realm/));
    }
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
