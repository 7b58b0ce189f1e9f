import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hashSync } from 'bcryptjs';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { ada, basic } from '../../support/login-servers.ts';
import { ask, codeOf } from '../client.ts';
import { accessOf, get, password, post, rule, start } from './issuer.ts';

describe('an issuer of tokens', () => {
  it('grants the part of the requested access that the rules allow', async (t) => {
    const { server } = await start(t);
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ['', []],
      ['scope=repository:team/app:pull,push', ['repository:team/app:pull,push']],
      ['scope=repository:team/app:push', ['repository:team/app:push']],
      ['scope=repository:team/app:*', ['repository:team/app:pull,push']],
      ['scope=repository:team/app:pull,push,delete,admin', ['repository:team/app:pull,push']],
      ['scope=repository:shared/x:pull,push', ['repository:shared/x:pull']],
      ['scope=repository:others/x:pull', []],
      ['scope=registry:catalog:*', ['registry:catalog:*']],
      ['scope=registry:catalog:search', ['registry:catalog:search']],
      ['scope=registry:catalog:search,*', ['registry:catalog:*,search']],
      ['scope=registry:catalog:pull&scope=registry:other:*&scope=plugin:team/app:pull', []],
      [
        'scope=repository:team/a:pull&scope=repository:team/b:push&scope=repository:team/a:push',
        ['repository:team/a:pull,push', 'repository:team/b:push'],
      ],
      [
        'scope=repository:team/a:pull%20repository:public/b:pull',
        ['repository:team/a:pull', 'repository:public/b:pull'],
      ],
      ['scope=repository:team/../others/x:pull&scope=repository:team/APP:pull&scope=repository:team/:pull', []],
      ['scope=repository&scope=:::&scope=repository::pull&scope=repository:team/app:', []],
      ['scope=__proto__:team/app:pull&scope=constructor:x:*', []],
    ];
    for (const [query, granted] of cases) {
      assert.deepEqual(accessOf(await get(server, query)), granted, query);
      const scopes = new URLSearchParams(query).getAll('scope').join(' ');
      const form = await post(server, { ...password, scope: scopes });
      assert.deepEqual(accessOf(form), granted, query);
      assert.equal(form.json()['scope'], granted.join(' '));
    }
    assert.deepEqual(accessOf(await get(server, 'scope=repository:public/x:pull,push', '')), [
      'repository:public/x:pull',
    ]);
    assert.deepEqual(accessOf(await get(server, 'scope=repository:shared/x:pull', '')), []);
    const eve = { username: 'eve', password: 'evil' };
    assert.deepEqual(accessOf(await get(server, 'scope=registry:catalog:*&scope=repository:team/app:pull', eve)), []);
    assert.deepEqual(accessOf(await get(server, 'scope=registry:catalog:*', '')), []);
    const many = Array.from({ length: 25 }, (_, i) => `scope=repository:team/a${i}:pull`).join('&');
    assert.equal((await get(server, many)).status, 400);
  });

  it('lets those search who may list, with the scope that Docker asks for, and nothing else', async (t) => {
    const { server, set } = await start(t);
    const tokenFor = async (scope: string): Promise<string> =>
      String((await get(server, `scope=${scope}`)).json()['token']);
    const statusOf = async (path: string, token: string): Promise<number> =>
      (await ask(server, 'GET', path, { headers: token === '' ? {} : { authorization: `Bearer ${token}` } })).status;
    const toSearch = await tokenFor('registry:catalog:search');
    assert.equal(await statusOf('/v1/search?q=app', toSearch), 200);
    assert.equal(await statusOf('/v2/_catalog', toSearch), 401);
    const toList = await tokenFor('registry:catalog:*');
    assert.equal(await statusOf('/v1/search?q=app', toList), 200);
    assert.equal(await statusOf('/v1/search?q=app', ''), 401);
    set({ rules: [{ ...rule('anybody', 'public/*', 'pull'), catalog: true }] });
    assert.equal(await statusOf('/v1/search?q=app', ''), 200);
    for (const path of ['/v2/', '/v2/_catalog', '/v2/public/x/tags/list']) {
      assert.equal(await statusOf(path, ''), 401, path);
    }
    set({ rules: [rule('users', 'team/**', 'pull')] });
    assert.equal(await statusOf('/v1/search?q=app', toSearch), 401);
  });

  it('writes the claims that registries check into a token', async (t) => {
    const { server } = await start(t);
    const answer = await get(server, 'service=there&client_id=docker');
    assert.match(String(answer.headers['cache-control']), /no-store/);
    const { token, access_token: same, expires_in: life, issued_at: issuedAt, refresh_token: refresh } = answer.json();
    assert.deepEqual([same, life, refresh], [token, 300, undefined]);
    const { iss, aud, sub, exp, iat, nbf, jti } = decodeJwt(String(token));
    assert.deepEqual([iss, aud, sub], ['us', 'there', 'ada']);
    assert.deepEqual([exp, nbf, Date.parse(String(issuedAt)) / 1000], [Number(iat) + 300, iat, iat]);
    assert.ok(jti);
    const { alg, kid, x5c } = decodeProtectedHeader(String(token));
    assert.equal(alg, 'ES256');
    assert.match(String(kid), /^(?:[A-Z2-7]{4}:){11}[A-Z2-7]{4}$/);
    assert.equal(x5c?.length, 1);
    // The longest possible names: the token must still fit into what a registry reads.
    const names = Array.from({ length: 24 }, (_, i) => `team/${'a'.repeat(240)}${i}`);
    const long = await post(server, {
      ...password,
      scope: names.map((name) => `repository:${name}:pull,push`).join(' '),
    });
    assert.equal(accessOf(long).length, 24);
    const authorization = `Bearer ${String(long.json()['access_token'])}`;
    assert.equal((await ask(server, 'GET', `/v2/${names[23]}/tags/list`, { headers: { authorization } })).status, 404);
  });

  it('gives nothing for a wrong password, and says no more of it than of an unknown user', async (t) => {
    const { server } = await start(t);
    const wrong = [
      basic({ ...ada, password: 'wrong' }),
      basic({ ...ada, username: 'nobody' }),
      basic({ ...ada, username: '' }),
      basic({ ...ada, password: `${ada.password}\0` }),
      'Basic !',
      'Bearer x',
    ];
    const told = new Set<string>();
    for (const authorization of wrong) {
      const answer = await get(server, 'scope=repository:public/x:pull', authorization);
      assert.deepEqual([answer.status, codeOf(answer)], [401, 'UNAUTHORIZED'], authorization);
      assert.equal(answer.headers['www-authenticate'], 'Basic realm="ocictl"');
      told.add(answer.body.toString());
    }
    assert.equal(told.size, 1);
    for (const form of [
      { ...password, password: 'wrong' },
      { ...password, username: 'nobody' },
      { ...password, password: `${ada.password}\0` },
    ]) {
      const answer = await post(server, form);
      assert.deepEqual([answer.status, answer.json()['error']], [400, 'invalid_grant']);
      told.add(answer.body.toString());
    }
    assert.equal(told.size, 2);
    for (const { error } of server.log) assert.doesNotMatch(String(error), /wrong|horse/);
  });

  it('refuses a malformed form, an unknown service, and other methods', async (t) => {
    const { server } = await start(t);
    const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    for (const answer of [
      await ask(server, 'POST', '/token'),
      await ask(server, 'POST', '/token', { body: new URLSearchParams(password).toString() }),
      await ask(server, 'POST', '/token', { ...form, body: '{}' }),
      await post(server, { ...password, grant_type: 'authorization_code' }),
      await post(server, { grant_type: 'password', username: 'ada' }),
      await post(server, { grant_type: 'refresh_token' }),
      await post(server, { ...password, service: 'elsewhere' }),
    ]) {
      assert.deepEqual([answer.status, answer.json()['error']], [400, 'invalid_request']);
    }
    assert.equal((await get(server, 'service=elsewhere')).status, 400);
    assert.equal((await ask(server, 'POST', '/token', { ...form, body: 'x'.repeat(70_000) })).status, 413);
    assert.equal((await ask(server, 'DELETE', '/token')).status, 405);
    const page = { ...form.headers, origin: 'https://evil.test' };
    assert.equal((await ask(server, 'POST', '/token', { headers: page, body: 'grant_type=password' })).status, 403);
  });

  it('refuses clients without a password if no rule is for anonymous ones', async (t) => {
    const { server, set } = await start(t);
    set({ rules: [rule('users', 'x', 'pull')] });
    assert.equal((await get(server, '', '')).status, 401);
  });

  it('ends a right in its own registry at once, though the token lasts', async (t) => {
    const { server, accounts, set } = await start(t);
    const token = String((await get(server, 'service=here&scope=repository:team/app:pull')).json()['token']);
    const tags = async (): Promise<number> =>
      (await ask(server, 'GET', '/v2/team/app/tags/list', { headers: { authorization: `Bearer ${token}` } })).status;
    assert.equal(await tags(), 404);
    set({ rules: [rule('users', 'shared/*', 'pull')] });
    assert.equal(await tags(), 401);
    set({ rules: [rule('users', 'team/*', 'pull')] });
    assert.equal(await tags(), 404);
    accounts.delete('ada');
    assert.equal(await tags(), 401);
  });

  it('limits how many passwords it compares at once, for all clients together', async (t) => {
    const { server, accounts } = await start(t);
    accounts.set('ada', hashSync(ada.password, 8));
    const answers = await Promise.all(
      Array.from({ length: 120 }, (_, i) =>
        i % 2 === 0
          ? get(server, '', basic({ ...ada, password: `guess ${i}` }))
          : post(server, { ...password, username: 'nobody', password: `guess ${i}` }),
      ),
    );
    const statuses = new Set(answers.map(({ status }) => status));
    assert.ok(statuses.has(429) && !statuses.has(200) && !statuses.has(500), [...statuses].join());
    assert.ok(answers.find(({ status }) => status === 429)?.headers['retry-after']);
  });
});
