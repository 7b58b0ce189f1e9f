import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LateChallenges } from '../../src/auth/late-challenges.ts';
import type { Credential } from '../../src/credentials/credential.ts';
import { parseTag } from '../../src/model/reference/reference.ts';
import { type Answer, type AskedRequest, json } from '../support/fake-server.ts';
import { connect, fails, fakeRegistry, repo } from './fake-registry.ts';

const ann: Credential = { kind: 'password', username: 'ann', password: 's3cret', source: 'the test' };
const basic = `Basic ${Buffer.from('ann:s3cret').toString('base64')}`;
const tag = parseTag('1');
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [],
});

/** Answers anonymous requests with a status and no challenge, except at `/v2/`. */
function hiding(status: number, challenge: string | undefined, lets: (request: AskedRequest) => boolean): Answer {
  return (request, response) => {
    if (request.path === '/token')
      return json(response, 401, { errors: [{ code: 'UNAUTHORIZED', message: 'expired' }] });
    if (request.path === '/v2/') {
      return void response.writeHead(challenge ? 401 : 200, challenge ? { 'www-authenticate': challenge } : {}).end();
    }
    if (!lets(request)) return json(response, status, { errors: [{ code: 'NAME_UNKNOWN', message: 'no such thing' }] });
    response.writeHead(200, { 'content-type': 'application/vnd.oci.image.index.v1+json' }).end(manifest);
  };
}

const known = ({ headers }: AskedRequest): boolean => headers.authorization === basic;

describe('a registry that hides from strangers and never asks who is there', () => {
  for (const status of [401, 403, 404]) {
    it(`is asked at /v2/ once, and again with the stored login, after a ${status}`, async (t) => {
      const { registry, server } = await fakeRegistry(t, hiding(status, 'Basic realm="x"', known), { credential: ann });
      await Promise.all([1, 2, 3].map(() => registry.getManifest(repo, tag)));
      await registry.getManifest(repo, tag);
      assert.equal(server.lines.filter((line) => line === 'GET /v2/').length, 1);
      assert.equal(server.requests.find(({ path }) => path === '/v2/')?.headers.authorization, undefined);
      assert.equal(server.requests.filter(({ headers }) => headers.authorization === basic).length, 4);
    });
  }

  it('is asked nothing more where no login is stored', async (t) => {
    const { registry, server } = await fakeRegistry(t, hiding(404, 'Basic realm="x"', known));
    await assert.rejects(registry.getManifest(repo, tag), fails('NAME_UNKNOWN'));
    assert.deepEqual(server.lines, ['GET /v2/team/app/manifests/1']);
  });

  it('gets no login that its /v2/ does not ask for, and is asked for that once by all who share it', async (t) => {
    const lateChallenges = new LateChallenges();
    const answer = hiding(404, undefined, () => false);
    const { registry, server } = await fakeRegistry(t, answer, { credential: ann, lateChallenges });
    const other = connect(t, server.url, { credential: ann, lateChallenges });
    for (const one of [registry, other, registry]) {
      await assert.rejects(one.getManifest(repo, tag), fails('NAME_UNKNOWN', /no such thing/));
    }
    assert.equal(server.lines.filter((line) => line === 'GET /v2/').length, 1);
    assert.ok(server.requests.every(({ headers }) => headers.authorization === undefined));
  });

  it('is shown the login at once by the next who shares what its /v2/ said', async (t) => {
    const lateChallenges = new LateChallenges();
    const answer = hiding(404, 'Basic realm="x"', known);
    const { registry, server } = await fakeRegistry(t, answer, { credential: ann, lateChallenges });
    await registry.getManifest(repo, tag);
    await connect(t, server.url, { credential: ann, lateChallenges }).getManifest(repo, tag);
    await assert.rejects(connect(t, server.url, { lateChallenges }).getManifest(repo, tag), fails('NAME_UNKNOWN'));
    const shown = server.requests.map(({ headers }) => headers.authorization);
    assert.deepEqual(shown, [undefined, undefined, basic, basic, undefined]);
  });

  it('says not found where the stored login is refused, and the hint says that it was', async (t) => {
    const { registry, server } = await fakeRegistry(
      t,
      (request, response, incoming) =>
        hiding(404, `Bearer realm="http://${request.headers.host}/token"`, () => false)(request, response, incoming),
      { credential: ann },
    );
    for (let times = 0; times < 2; times += 1) {
      await assert.rejects(registry.getManifest(repo, tag), fails('NAME_UNKNOWN', /no such/, /the test.*expired/));
    }
    assert.equal(server.requests.filter(({ path }) => path === '/token').length, 1);
  });

  it('says that the login is wrong where it refuses it in the end', async (t) => {
    const answer: Answer = (request, response, incoming) =>
      request.headers.authorization
        ? response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
        : hiding(404, 'Basic realm="x"', known)(request, response, incoming);
    const { registry } = await fakeRegistry(t, answer, { credential: ann });
    await assert.rejects(
      registry.getManifest(repo, tag),
      fails('UNAUTHORIZED', /refused the credentials from the test/),
    );
  });
});
