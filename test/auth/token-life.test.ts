import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAuthorizer } from '../../src/auth/authorizer.ts';
import { expiry } from '../../src/auth/token-server.ts';
import { isOciError } from '../../src/model/errors.ts';
import { createTransport } from '../../src/transport/transport.ts';
import { parseChallenges } from '../../src/wire/challenges.ts';
import { json, startFakeServer } from '../support/fake-server.ts';
import { atEnd } from '../support/sandbox.ts';

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

describe('tokens of a minute', () => {
  it('serve a copy of many minutes with few exchanges', async (t) => {
    const state = { nowMs: Date.parse('2026-01-01T00:00:00Z') };
    const tokens = await startFakeServer(t, ({ nth }, response) =>
      json(response, 200, { token: `t${nth}`, expires_in: 60 }),
    );
    const transport = createTransport({ base: new URL('http://127.0.0.1:1/') });
    atEnd(t, () => transport.close());
    const authorizer = createAuthorizer({ transport, credentials: async () => undefined, nowMs: () => state.nowMs });
    const scopes = ['repository:a:pull'];
    const challenges = parseChallenges(`Bearer realm="${tokens.url}token"`);
    await authorizer.challenged({ challenges, scopes, authorization: undefined });
    for (let second = 0; second < 900; second++) {
      state.nowMs += 1000;
      await Promise.all([authorizer.authorize(scopes), authorizer.authorize(scopes)]);
    }
    assert.ok(tokens.requests.length <= 900 / 45 + 1, `${tokens.requests.length} exchanges in a quarter of an hour`);
    assert.ok(tokens.requests.length >= 900 / 60);
  });
});

describe('a token server that is silent', () => {
  it('is named when the wait is over', async (t) => {
    const tokens = await startFakeServer(t, () => {});
    const retry = { attempts: 1 };
    const base = new URL('http://127.0.0.1:1/');
    const transport = createTransport({ base, retry, limits: { headersTimeoutMs: 300 } });
    atEnd(t, () => transport.close());
    const authorizer = createAuthorizer({ transport, credentials: async () => undefined });
    const challenges = parseChallenges(`Bearer realm="${tokens.url}token"`);
    await assert.rejects(
      authorizer.challenged({ challenges, scopes: ['repository:a:pull'], authorization: undefined }),
      (error) => isOciError(error, 'TIMEOUT') && error.message.includes(tokens.host),
    );
  });
});
