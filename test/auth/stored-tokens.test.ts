import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, json } from '../support/fake-server.ts';

import { challenged, fails, identity, numbered, pull, setup } from './asked-tokens.ts';

describe('tokens that are stored', () => {
  it('go to the registry as they are, when they are for it', async (t) => {
    const { authorizer, bearer, tokens } = await setup(
      t,
      { kind: 'registry-token', token: 'asis', source: 's' },
      numbered,
    );
    assert.equal(await challenged(authorizer, bearer), 'Bearer asis');
    await assert.rejects(challenged(authorizer, bearer, pull, 'Bearer asis'), fails('UNAUTHORIZED', /from s$/));
    assert.equal(tokens.requests.length, 0);
  });

  it('are exchanged over OAuth2, when they are identity tokens', async (t) => {
    const { authorizer, bearer, tokens } = await setup(t, identity, numbered);
    assert.equal(await challenged(authorizer, bearer, ['repository:a:pull', 'repository:b:pull']), 'Bearer t0');
    const [asked] = tokens.requests;
    assert.equal(asked?.method, 'POST');
    const form = new URLSearchParams(asked?.body.toString());
    assert.equal(form.get('grant_type'), 'refresh_token');
    assert.equal(form.get('refresh_token'), 'refresh');
    assert.equal(form.get('service'), 'the service');
    assert.equal(form.get('scope'), 'repository:a:pull repository:b:pull');
    assert.ok(form.get('client_id'));
  });

  for (const status of [400, 401, 404, 405]) {
    const oauthLess: Answer = (request, response, incoming) =>
      request.method === 'POST' ? json(response, status, {}) : numbered(request, response, incoming);

    it(`are a password, too, where OAuth2 is answered with ${status} and their user is known`, async (t) => {
      const { authorizer, bearer, tokens } = await setup(t, { ...identity, username: 'ann' }, oauthLess);
      assert.equal(await challenged(authorizer, bearer), 'Bearer t0');
      const [, asked] = tokens.requests;
      assert.equal(asked?.headers.authorization, `Basic ${Buffer.from('ann:refresh').toString('base64')}`);
      assert.equal(asked?.query.get('account'), 'ann');
    });

    it(`do not give way to nobody after a ${status}: their source is named`, async (t) => {
      const { authorizer, bearer, tokens } = await setup(t, identity, oauthLess);
      await assert.rejects(
        challenged(authorizer, bearer),
        fails('UNAUTHORIZED', /refused the credentials from helper pass/, /--anonymous/),
      );
      assert.equal(tokens.requests.length, 1);
      assert.equal(authorizer.source, 'helper pass');
    });
  }

  it('give way to the next one that the server sends', async (t) => {
    const rotating: Answer = ({ nth, body }, response) => {
      const expected = nth === 0 ? 'refresh' : `refresh-${nth}`;
      const ok = new URLSearchParams(body.toString()).get('refresh_token') === expected;
      json(response, ok ? 200 : 400, { access_token: `t${nth}`, refresh_token: `refresh-${nth + 1}` });
    };
    const { authorizer, bearer } = await setup(t, identity, rotating);
    for (const nth of [0, 1, 2]) {
      assert.equal(await challenged(authorizer, bearer, [`repository:a${nth}:pull`]), `Bearer t${nth}`);
    }
  });

  it('are named when they are refused, and nobody is let in without', async (t) => {
    const { authorizer, bearer } = await setup(t, identity, (_, response) => json(response, 401, {}));
    await assert.rejects(challenged(authorizer, bearer), fails('UNAUTHORIZED', /credentials from helper pass/));
  });
});
