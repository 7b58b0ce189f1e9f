import assert from 'node:assert/strict';
import { createAuthorizer } from '../../src/auth/authorizer.ts';
import type { LateChallenges } from '../../src/auth/late-challenges.ts';
import type { Credential } from '../../src/credentials/credential.ts';
import { type ErrorCode, OciError } from '../../src/model/errors.ts';
import { parseRepositoryName } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import type { RemoteOptions } from '../../src/remote/options.ts';
import { createRemote } from '../../src/remote/remote.ts';
import { createTransport, type TransportOptions } from '../../src/transport/transport.ts';
import { type Answer, type FakeServer, startFakeServer } from '../support/fake-server.ts';
import { atEnd, type Scope } from '../support/sandbox.ts';

export const repo = parseRepositoryName('team/app');

export interface FakeRegistryOptions extends Partial<Omit<RemoteOptions, 'transport' | 'authorizer'>> {
  readonly limits?: TransportOptions['limits'];
  readonly headers?: TransportOptions['headers'];
  readonly attempts?: number;
  readonly credential?: Credential;
  readonly lateChallenges?: LateChallenges;
  readonly early?: boolean;
}

/** A client of a server that answers as the test says. Its waits take no time. */
export async function fakeRegistry(
  t: Scope,
  answer: Answer,
  options: FakeRegistryOptions = {},
): Promise<{ readonly registry: Registry; readonly server: FakeServer }> {
  const { limits, headers, attempts = 5, credential, lateChallenges, early = false, ...remote } = options;
  const server = await startFakeServer(t, answer, { early });
  return {
    server,
    registry: connect(t, server.url, { limits, headers, attempts, credential, lateChallenges, ...remote }),
  };
}

export function connect(
  t: Scope,
  url: string,
  options: { [K in keyof FakeRegistryOptions]?: FakeRegistryOptions[K] | undefined } = {},
): Registry {
  const { limits, headers, attempts = 5, credential, lateChallenges, ...remote } = options;
  const retry = { attempts, wait: async () => {} };
  const transport = createTransport({ base: new URL(url), retry, limits, headers });
  atEnd(t, () => transport.close());
  const authorizer = createAuthorizer({ transport, credentials: async () => credential, lateChallenges });
  const name = remote.name ?? new URL(url).host;
  return createRemote({ ...remote, name, transport, authorizer });
}

/** A matcher for `assert.rejects`. */
export function fails(code: ErrorCode, message = /./, hint?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof OciError, String((error as Error)?.stack ?? error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    if (hint) assert.match(error.hint ?? '', hint);
    return true;
  };
}
