import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createChallengeCache, lasting } from '../../src/auth/challenge-cache.ts';
import { createTokenCache, identityOf, type TokenKey } from '../../src/auth/token-cache.ts';
import type { Token } from '../../src/auth/token-server.ts';
import type { Credential } from '../../src/credentials/credential.ts';

const key: TokenKey = {
  realm: 'https://auth.example/token',
  service: 'registry.example',
  identity: 'anonymous',
  scopes: ['repository:a:pull,push'],
};

function token(value: string, expiresAtMs = 1000): Token {
  return { value, expiresAtMs };
}

describe('a cache of tokens', () => {
  it('gives a token for what it allows, and for no more', async () => {
    const cache = createTokenCache({ nowMs: () => 0 });
    await cache.set(key, token('t'));
    assert.equal((await cache.get({ ...key, scopes: ['repository:a:pull'] }))?.value, 't');
    assert.equal(await cache.get({ ...key, scopes: ['repository:a:delete'] }), undefined);
    assert.equal(await cache.get({ ...key, scopes: ['repository:b:pull'] }), undefined);
  });

  it('gives it to who asks the same server as the same identity for the same service', async () => {
    const cache = createTokenCache({ nowMs: () => 0 });
    await cache.set(key, token('t'));
    for (const other of [
      { realm: 'https://else.example/token' },
      { service: undefined },
      { service: 'else.example' },
      { identity: 'ann' },
    ]) {
      assert.equal(await cache.get({ ...key, ...other }), undefined, JSON.stringify(other));
    }
  });

  it('drops what has expired, what was refused, and the oldest when there are too many', async () => {
    let nowMs = 0;
    const cache = createTokenCache({ nowMs: () => nowMs, maxTokens: 2 });
    const named = (name: string): TokenKey => ({ ...key, identity: name });
    const held = async (): Promise<readonly (string | undefined)[]> =>
      Promise.all(['a', 'b', 'c'].map(async (name) => (await cache.get(named(name)))?.value));
    for (const name of ['a', 'b', 'c']) await cache.set(named(name), token(name, name === 'c' ? 10 : 20));
    assert.deepEqual(await held(), [undefined, 'b', 'c']);
    nowMs = 10;
    assert.deepEqual(await held(), [undefined, 'b', undefined]);
    await cache.forget('b');
    assert.deepEqual(await held(), [undefined, undefined, undefined]);
  });
});

describe('the identity of a credential', () => {
  const password: Credential = { kind: 'password', username: 'ann', password: 's3cret', source: 'a file' };

  it('is the same wherever it was found, and another for another secret', async () => {
    assert.equal(await identityOf(password), await identityOf({ ...password, source: 'elsewhere' }));
    assert.notEqual(await identityOf(password), await identityOf({ ...password, password: 'other' }));
    assert.notEqual(await identityOf(undefined), await identityOf(password));
  });

  it('does not show it', async () => {
    assert.match(await identityOf(password), /^[0-9a-f]{64}$/);
  });
});

describe('a cache of challenges', () => {
  it('keeps the latest of each endpoint, and forgets the oldest of very many', async () => {
    const cache = createChallengeCache();
    const challenge = (realm: string) => [{ scheme: 'basic', parameters: { realm } }];
    for (let i = 0; i < 1001; i += 1) await cache.set(`https://${i}.example/`, challenge('first'));
    await cache.set('https://1000.example/', challenge('second'));
    assert.equal(await cache.get('https://0.example/'), undefined);
    assert.deepEqual(await cache.get('https://1000.example/'), challenge('second'));
  });

  it('keeps of a challenge what does not belong to one request', () => {
    const parameters = { realm: 'r', service: 's', scope: 'repository:a:pull', error: 'insufficient_scope' };
    assert.deepEqual(lasting({ scheme: 'bearer', parameters }), {
      scheme: 'bearer',
      parameters: { realm: 'r', service: 's' },
    });
  });
});
