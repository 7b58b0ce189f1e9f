import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createAuthorizer } from '../../src/auth/authorizer.ts';
import type { Authorizer } from '../../src/auth/contract.ts';
import type { Credential } from '../../src/credentials/credential.ts';
import { isOciError } from '../../src/model/errors.ts';
import { createTransport } from '../../src/transport/transport.ts';
import { parseChallenges } from '../../src/wire/challenges.ts';
import { json, startFakeServer } from '../support/fake-server.ts';
import { basic } from '../support/login-servers.ts';
import { atEnd } from '../support/sandbox.ts';

const scopes = ['repository:a:pull'];
const account = (secret: string) => ({ username: 'AWS', password: secret });

/** A credential helper whose password the test changes. */
function setup(t: TestContext) {
  const state = { password: 'first', lookups: [] as (boolean | undefined)[] };
  const transport = createTransport({ base: new URL('http://127.0.0.1:1/') });
  atEnd(t, () => transport.close());
  const authorizer: Authorizer = createAuthorizer({
    transport,
    credentials: async (opts): Promise<Credential> => {
      state.lookups.push(opts?.fresh);
      return { kind: 'password', ...account(state.password), source: 'a helper' };
    },
  });
  return { state, authorizer };
}

describe('a password that is refused after it was taken', () => {
  const challenges = parseChallenges('Basic realm="x"');

  it('is looked up anew, and replaced where it has changed', async (t) => {
    const { state, authorizer } = setup(t);
    const first = await authorizer.challenged({ challenges, scopes, authorization: undefined });
    state.password = 'second';
    const next = await authorizer.challenged({ challenges, scopes, authorization: first });
    assert.deepEqual([first, next], [basic(account('first')), basic(account('second'))]);
    assert.equal(await authorizer.authorize(scopes), next);
    assert.deepEqual(state.lookups, [undefined, true]);
  });

  it('is an error where it has not', async (t) => {
    const { state, authorizer } = setup(t);
    const first = await authorizer.challenged({ challenges, scopes, authorization: undefined });
    await assert.rejects(
      authorizer.challenged({ challenges, scopes, authorization: first }),
      (error) => isOciError(error, 'UNAUTHORIZED') && /credentials from a helper/.test(error.message),
    );
    assert.equal(state.lookups.length, 2);
  });

  it('is replaced at a token server too, but not when it was never taken', async (t) => {
    const { state, authorizer } = setup(t);
    const tokens = await startFakeServer(t, ({ headers, nth }, response) => {
      if (headers.authorization === basic(account(state.password))) json(response, 200, { token: `t${nth}` });
      else json(response, 401, {});
    });
    const bearer = parseChallenges(`Bearer realm="${tokens.url}token"`);
    assert.equal(await authorizer.challenged({ challenges: bearer, scopes, authorization: undefined }), 'Bearer t0');
    state.password = 'second';
    const refused = { challenges: bearer, scopes, authorization: 'Bearer t0' };
    assert.equal(await authorizer.challenged(refused), 'Bearer t2');
    assert.deepEqual(state.lookups, [undefined, true]);

    const { state: other, authorizer: never } = setup(t);
    await assert.rejects(never.challenged({ challenges: bearer, scopes, authorization: undefined }));
    assert.equal(other.lookups.length, 1);
  });
});
