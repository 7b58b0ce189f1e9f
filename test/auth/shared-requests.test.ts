import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createAuthorizer } from '../../src/auth/authorizer.ts';
import type { Authorizer } from '../../src/auth/contract.ts';
import { createTokenCache } from '../../src/auth/token-cache.ts';
import { createTransport } from '../../src/transport/transport.ts';
import { parseChallenges } from '../../src/wire/challenges.ts';
import { type Answer, json, startFakeServer } from '../support/fake-server.ts';
import { atEnd } from '../support/sandbox.ts';
import { challenged, fails, numbered, password, pull } from './asked-tokens.ts';

describe('several registries of one run that share a cache of tokens', () => {
  it('ask once for the same token that they want at the same time', async (t) => {
    const { tokens, ask, open } = await start(t, numbered);
    const [one, other] = [open(), open()];
    assert.deepEqual(await Promise.all([ask(one), ask(other)]), ['Bearer t0', 'Bearer t0']);
    assert.equal(tokens.requests.length, 1);
    assert.equal(await ask(one, ['repository:other/app:pull']), 'Bearer t1');
  });

  it('all meet a refusal, for which the server is asked once', async (t) => {
    const { tokens, ask, open } = await start(t, (_, response) => json(response, 401, {}));
    const asked = await Promise.allSettled([ask(open()), ask(open()), ask(open())]);
    for (const one of asked) {
      assert.ok(one.status === 'rejected' && fails('UNAUTHORIZED', /refused the credentials/)(one.reason));
    }
    assert.equal(tokens.requests.length, 1);
  });

  it('do not meet what only concerns the connections of one of them', async (t) => {
    const { tokens, ask, open } = await start(t, numbered);
    const closed = open();
    await closed.transport.close();
    const [failed, asked] = await Promise.allSettled([ask(closed), ask(open())]);
    assert.deepEqual([failed.status, asked.status], ['rejected', 'fulfilled']);
    assert.equal(tokens.requests.length, 1);
  });
});

async function start(t: TestContext, answer: Answer) {
  const tokens = await startFakeServer(t, answer);
  const tokenCache = createTokenCache();
  const bearer = parseChallenges(`Bearer realm="${tokens.url}token",service="the service"`);
  const open = () => {
    const transport = createTransport({ base: new URL('http://127.0.0.1:1/'), retry: { wait: async () => {} } });
    atEnd(t, () => transport.close());
    const credentials = async () => password;
    return {
      transport,
      authorizer: createAuthorizer({ transport, registry: 'registry.example', credentials, tokenCache }),
    };
  };
  const ask = ({ authorizer }: { readonly authorizer: Authorizer }, scopes = pull) =>
    challenged(authorizer, bearer, scopes);
  return { tokens, open, ask };
}
