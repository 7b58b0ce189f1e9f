import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { temporarySigningKey } from '../../../src/certs/signing-key.ts';
import { RefreshTokens } from '../../../src/server/auth/refresh-tokens.ts';
import type { Answer } from '../client.ts';
import { accessOf, get, password, post, start } from './issuer.ts';

describe('a refresh token', () => {
  it('goes to who asks for one, and counts for that user, service and time', async (t) => {
    const { server, accounts, set } = await start(t);
    const offline = await get(server, 'service=here&offline_token=true');
    const token = String(offline.json()['refresh_token']);
    const refresh = (more: Readonly<Record<string, string>> = {}): Promise<Answer> =>
      post(server, { grant_type: 'refresh_token', refresh_token: token, ...more });
    const scope = 'repository:team/app:push';
    const answer = await refresh({ scope, service: 'here' });
    assert.deepEqual(accessOf(answer), [scope]);
    assert.equal(answer.json()['refresh_token'], token);
    assert.equal((await post(server, { ...password, access_type: 'offline' })).json()['refresh_token'] !== token, true);
    assert.equal((await post(server, password)).json()['refresh_token'], undefined);
    assert.equal((await get(server, 'offline_token=true', '')).json()['refresh_token'], undefined);

    const [head = '', content = '', signature = ''] = token.split('.');
    const forged = JSON.parse(Buffer.from(content, 'base64url').toString());
    const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const eve = String(
      (await get(server, 'offline_token=true', { username: 'eve', password: 'evil' })).json()['refresh_token'],
    );
    for (const [what, bad] of Object.entries({
      'another user': `${head}.${encode(['eve', ...forged.slice(1)])}.${signature}`,
      'another service': `${head}.${encode([forged[0], 'there', ...forged.slice(2)])}.${signature}`,
      'the signature of another': `${head}.${content}.${eve.split('.')[2]}`,
      'no signature': `${head}.${content}.`,
      'half a signature': `${head}.${content}.${signature.slice(0, 20)}`,
      'an unknown user': `${head}.${encode(['nobody', ...forged.slice(1)])}.${signature}`,
      'a part too many': `${token}.x`,
      'another head': `x.${content}.${signature}`,
      'no content': `${head}..${signature}`,
      'other content': `${head}.${encode({ user: 'ada' })}.${signature}`,
      'an access token': String(offline.json()['token']),
      'far too much': `${head}.${'A'.repeat(10_000)}.${signature}`,
      nothing: '',
    })) {
      const refused = await refresh({ refresh_token: bad });
      assert.deepEqual([refused.status, refused.json()['error']], [400, 'invalid_grant'], what);
    }
    assert.equal((await refresh({ service: 'there' })).status, 400);
    set({ refreshExpiresMs: 0 });
    assert.equal((await refresh()).status, 400);
    set({ refreshExpiresMs: 3_600_000 });
    assert.equal((await refresh()).status, 200);
    const hash = accounts.get('ada') ?? '';
    accounts.set('ada', hashSync('another', 4));
    assert.equal((await refresh()).status, 400);
    accounts.set('ada', hash);
    assert.equal((await refresh()).status, 200);
    accounts.delete('ada');
    assert.equal((await refresh()).status, 400);
  });

  it("is signed with a secret derived from the issuer's key", () => {
    const [mine, other] = [temporarySigningKey(), temporarySigningKey()];
    const accounts = new Map([['ada', 'hash']]);
    const at = { nowMs: 1_000_000, lifeMs: 1000 };
    const token = new RefreshTokens(mine.privateKey).make('ada', 'here', 'hash', at.nowMs);
    assert.equal(new RefreshTokens(mine.privateKey).verify(token, 'here', accounts, at), 'ada');
    assert.equal(new RefreshTokens(other.privateKey).verify(token, 'here', accounts, at), undefined);
    const late = { ...at, nowMs: at.nowMs + 1000 };
    assert.equal(new RefreshTokens(mine.privateKey).verify(token, 'here', accounts, late), undefined);
  });
});
