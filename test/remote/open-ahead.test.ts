import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createChallengeCache } from '../../src/auth/challenge-cache.ts';
import { parseRepositoryName } from '../../src/model/reference/reference.ts';
import { openRemote } from '../../src/remote/open.ts';
import { issue } from '../certs/issue.ts';
import { all } from '../contract/contract.ts';
import { type Answer, json, startFakeServer } from '../support/fake-server.ts';
import { atEnd } from '../support/sandbox.ts';

const authority = issue('An authority');
const leaf = issue('localhost', { by: authority, dnsNames: ['localhost'] });

describe('a remote whose challenge is known', () => {
  it('connects while the token is asked for', async (t) => {
    const tags: Answer = (_, response) => json(response, 200, { name: 'team/app', tags: ['v1'] });
    const registry = await startFakeServer(t, tags, { tls: leaf });
    // No token before there is a connection to the registry.
    const issuing: Answer = async (_, response) => {
      while (registry.connections === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      json(response, 200, { token: 'granted' });
    };
    const issuer = await startFakeServer(t, issuing, { tls: leaf });
    const challengeCache = createChallengeCache();
    await challengeCache.set(registry.url, [{ scheme: 'bearer', parameters: { realm: `${issuer.url}token` } }]);
    const remote = openRemote({ url: registry.url, tls: { ca: [authority.cert] }, challengeCache });
    atEnd(t, () => remote.close());
    assert.deepEqual(await all(remote.tags(parseRepositoryName('team/app'))), ['v1']);
    assert.equal(registry.requests[0]?.headers.authorization, 'Bearer granted');
    assert.equal(registry.connections, 1);
  });
});
