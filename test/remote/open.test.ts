import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type ChallengeCache, createChallengeCache } from '../../src/auth/challenge-cache.ts';
import { createTokenCache, type TokenCache } from '../../src/auth/token-cache.ts';
import type { Credential } from '../../src/credentials/credential.ts';
import { createStaticStore } from '../../src/credentials/static.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { type OpenRemoteOptions, openRemote } from '../../src/remote/open.ts';
import { all, failsWith } from '../contract/contract.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { ada, basic, startPasswordRegistry, startTokenRegistry } from '../support/login-servers.ts';
import { startServe } from '../support/registries.ts';
import { atEnd } from '../support/sandbox.ts';

const repo = parseRepositoryName('team/app');
const password: Credential = { kind: 'password', ...ada, source: 'the test' };

function open(t: TestContext, options: OpenRemoteOptions): Registry {
  const registry = openRemote(options);
  atEnd(t, () => registry.close());
  return registry;
}

async function listTags(registry: Registry): Promise<void> {
  await all(registry.tags(repo));
}

describe('a registry that is opened at an address', () => {
  it('is read and written', async (t) => {
    const served = await startServe(t);
    const registry = open(t, { url: served.url });
    assert.equal(registry.name, served.host);
    const image = await buildImage({ layers: [] });
    await pushImage(registry, repo, parseTag('1'), image);
    assert.deepEqual(await all(served.registry.tags(repo)), ['1']);
  });

  it('may lie below a path', async (t) => {
    const { registry: server } = await startTokenRegistry(t);
    await open(t, { url: `${server.url}hub`, credentials: { get: async () => undefined } }).ping();
    assert.deepEqual(server.lines, ['GET /hub/v2/']);
  });

  it('is over when it is closed', async (t) => {
    const { url } = await startServe(t);
    const registry = openRemote({ url });
    await registry[Symbol.asyncDispose]();
    await assert.rejects(registry.ping(), failsWith('NETWORK'));
  });

  it('takes no address that holds a secret, and repeats none', () => {
    for (const url of [
      'https://ann:s3cret@host/',
      'https://host/?token=s3cret',
      'ftp://host/',
      's3cret',
      'https://h#x',
    ]) {
      assert.throws(
        () => openRemote({ url }),
        (error) => failsWith('USAGE')(error) && !String(error).includes('s3cret'),
        url,
      );
    }
  });
});

describe('who asks', () => {
  it('is what the provider says about the name of the registry', async (t) => {
    const server = await startPasswordRegistry(t);
    const credentials = createStaticStore({ 'registry.test': password });
    await listTags(open(t, { url: server.url, name: 'registry.test', credentials }));
    assert.equal(server.requests.at(-1)?.headers.authorization, basic(ada));
    await assert.rejects(listTags(open(t, { url: server.url, credentials })), failsWith('UNAUTHORIZED'));
  });

  it('is nobody, and no token server is asked, where requests go directly', async (t) => {
    const { registry: server, tokens } = await startTokenRegistry(t);
    const asked: string[] = [];
    const credentials = { get: async (host: string) => void asked.push(host) };
    const registry = open(t, { url: server.url, direct: true, credentials });
    assert.equal((await registry.ping()).authorized, false);
    await assert.rejects(listTags(registry), failsWith('UNAUTHORIZED'));
    assert.deepEqual([tokens.requests.length, asked.length], [0, 0]);
    assert.equal(
      server.requests.every(({ headers }) => headers.authorization === undefined),
      true,
    );
  });

  it('names itself to the token server as it was told, by POST where that is wanted', async (t) => {
    const { registry: server, tokens } = await startTokenRegistry(t);
    const credentials = { get: async () => password };
    await listTags(open(t, { url: server.url, credentials, tokens: { clientId: 'mine', offlineToken: true } }));
    const [got] = tokens.requests;
    assert.deepEqual([got?.query.get('client_id'), got?.query.get('offline_token')], ['mine', 'true']);
    const forced = open(t, { url: server.url, credentials, tokens: { forceOAuth2: true } });
    // This server accepts only identity tokens over OAuth2, so the password is then sent with GET.
    await listTags(forced);
    assert.deepEqual(tokens.lines.slice(-2), ['POST /token', 'GET /token']);
    const form = new URLSearchParams(tokens.requests.at(-2)?.body.toString());
    assert.deepEqual([form.get('grant_type'), form.get('username')], ['password', ada.username]);
    assert.equal(form.get('access_type'), null);
  });
});

describe('caches that were brought along', () => {
  it('let the first request of the next client carry a token', async (t) => {
    const { registry: server, tokens } = await startTokenRegistry(t);
    const caches = { tokenCache: createTokenCache(), challengeCache: createChallengeCache() };
    const options = { url: server.url, credentials: { get: async () => password }, ...caches };
    await listTags(open(t, options));
    assert.equal(server.requests.length, 2);
    await listTags(open(t, options));
    assert.equal(server.requests.length, 3);
    assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer for-ada');
    assert.equal(tokens.requests.length, 1);
  });

  it('give nobody a token that another credential has earned', async (t) => {
    const { registry: server } = await startTokenRegistry(t);
    const shared = { url: server.url, tokenCache: createTokenCache(), challengeCache: createChallengeCache() };
    await listTags(open(t, { ...shared, credentials: { get: async () => password } }));
    const wrong = { ...password, password: 'wrong' };
    await assert.rejects(listTags(open(t, { ...shared, credentials: { get: async () => wrong } })));
    await listTags(open(t, shared));
    assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer for-anybody');
  });

  it('never stand in the way', async (t) => {
    const { registry: server } = await startTokenRegistry(t);
    const broken = async (): Promise<never> => {
      throw new Error('the cache is down');
    };
    const tokenCache: TokenCache = { get: broken, set: broken, forget: broken };
    const challengeCache: ChallengeCache = { get: broken, set: broken };
    await listTags(open(t, { url: server.url, tokenCache, challengeCache }));
    assert.equal(server.requests.at(-1)?.headers.authorization, 'Bearer for-anybody');
  });

  it('are not believed when they are out of date', async (t) => {
    const { registry: server, tokens } = await startTokenRegistry(t);
    const forgotten: string[] = [];
    const stale = { value: 'stale', expiresAtMs: Date.now() + 60_000 };
    const tokenCache: TokenCache = {
      get: async () => (forgotten.includes('stale') ? undefined : stale),
      set: async () => {},
      forget: async (value) => void forgotten.push(value),
    };
    const challengeCache = createChallengeCache();
    const gone = { scheme: 'bearer', parameters: { realm: 'no url' } };
    await challengeCache.set(server.url, [gone]);
    await listTags(open(t, { url: server.url, tokenCache: createTokenCache(), challengeCache }));
    assert.notDeepEqual(await challengeCache.get(server.url), [gone]);
    await listTags(open(t, { url: server.url, tokenCache, challengeCache }));
    assert.deepEqual(forgotten, ['stale']);
    assert.equal(tokens.requests.length, 2);
    const expired = { ...stale, expiresAtMs: Date.now() - 1 };
    const late: TokenCache = { ...tokenCache, get: async () => expired };
    await listTags(open(t, { url: server.url, tokenCache: late }));
    assert.deepEqual([forgotten.length, tokens.requests.length], [1, 3]);
  });
});
