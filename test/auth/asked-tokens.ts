import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { createAuthorizer } from '../../src/auth/authorizer.ts';
import type { Authorizer } from '../../src/auth/contract.ts';
import type { Credential } from '../../src/credentials/credential.ts';
import type { Challenge } from '../../src/model/challenge.ts';
import { type ErrorCode, OciError } from '../../src/model/errors.ts';
import { createTransport } from '../../src/transport/transport.ts';
import { parseChallenges } from '../../src/wire/challenges.ts';
import { type Answer, type FakeServer, json, startFakeServer } from '../support/fake-server.ts';
import { atEnd } from '../support/sandbox.ts';

export const password: Credential = {
  kind: 'password',
  username: 'ann',
  password: 's3cret',
  source: '/home/a/config.json',
};
export const identity = { kind: 'identity-token', token: 'refresh', source: 'helper pass' } as const;
export const pull = ['repository:a/b:pull'];

export interface Setup {
  readonly tokens: FakeServer;
  readonly authorizer: Authorizer;
  readonly bearer: readonly Challenge[];
  readonly lookups: () => number;
  nowMs: number;
}

export async function setup(t: TestContext, credential: Credential | undefined, answer: Answer): Promise<Setup> {
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

export const numbered: Answer = ({ nth }, response) => json(response, 200, { token: `t${nth}`, expires_in: 300 });

export function challenged(
  authorizer: Authorizer,
  challenges: readonly Challenge[],
  scopes = pull,
  authorization?: string,
) {
  return authorizer.challenged({ challenges, scopes, authorization });
}

export function fails(code: ErrorCode, text: RegExp, hint?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof OciError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    if (hint) assert.match(error.hint ?? '', hint);
    assert.doesNotMatch(`${error.message} ${error.hint}`, /s3cret|refresh/);
    return true;
  };
}
