import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import { type Access, type Authorize, formatScope } from '../../../src/server/auth/access.ts';
import { ask, codeOf, latest, makeManifest, putBlob, repo, startServer } from '../client.ts';

const other = parseRepositoryName('team/other');
const digest = `sha256:${'0'.repeat(64)}`;

/** Allows `me` the listed actions, requires credentials of all others, and records the scopes it was asked for. */
function guard(...allowed: readonly string[]): { authorize: Authorize; asked: string[] } {
  const asked: string[] = [];
  const may = ({ type, name, actions }: Access): boolean =>
    actions.every((action) => allowed.includes(`${type}:${name}:${action}`));
  const authorize: Authorize = async ({ headers, access }) => {
    const scope = formatScope(access);
    asked.push(scope ?? '');
    if (headers.authorization === 'me') {
      return { outcome: access.every(may) ? 'grant' : 'deny', user: 'me' };
    }
    const parameters = { realm: 'http://tokens.test/token', service: 'test', ...(scope !== undefined && { scope }) };
    return { outcome: 'challenge', challenges: [{ scheme: 'bearer', parameters }] };
  };
  return { authorize, asked };
}

const me = { headers: { authorization: 'me' } };

describe('a server with access rules', () => {
  it('asks for the right access on every route', async (t) => {
    const { authorize, asked } = guard();
    const server = await startServer(t, { authorize });
    const needs: readonly (readonly [string, string, string])[] = [
      ['GET', '/v2/', ''],
      ['GET', '/v2/_catalog', 'registry:catalog:*'],
      ['GET', '/v1/search?q=a', 'registry:catalog:*'],
      ['GET', '/v2/team/app/tags/list', 'repository:team/app:pull'],
      ['HEAD', '/v2/team/app/manifests/latest', 'repository:team/app:pull'],
      ['GET', `/v2/team/app/blobs/${digest}`, 'repository:team/app:pull'],
      ['GET', `/v2/team/app/referrers/${digest}`, 'repository:team/app:pull'],
      ['PUT', '/v2/team/app/manifests/latest', 'repository:team/app:pull,push'],
      ['POST', '/v2/team/app/blobs/uploads/', 'repository:team/app:pull,push'],
      ['GET', '/v2/team/app/blobs/uploads/x', 'repository:team/app:pull,push'],
      ['PATCH', '/v2/team/app/blobs/uploads/x', 'repository:team/app:pull,push'],
      ['PUT', '/v2/team/app/blobs/uploads/x', 'repository:team/app:pull,push'],
      ['DELETE', '/v2/team/app/blobs/uploads/x', 'repository:team/app:pull,push'],
      ['DELETE', '/v2/team/app/manifests/latest', 'repository:team/app:delete'],
      ['DELETE', `/v2/team/app/blobs/${digest}`, 'repository:team/app:delete'],
    ];
    for (const [method, path, scope] of needs) {
      const answer = await ask(server, method, path);
      assert.deepEqual([answer.status, asked.pop()], [401, scope], `${method} ${path}`);
      const realm = 'Bearer realm="http://tokens.test/token",service="test"';
      assert.equal(answer.headers['www-authenticate'], scope === '' ? realm : `${realm},scope="${scope}"`);
      if (method !== 'HEAD') assert.equal(codeOf(answer), 'UNAUTHORIZED');
    }
  });

  it('gives the same answer for forbidden and for missing repositories', async (t) => {
    const { authorize } = guard('repository:team/mine:pull');
    const server = await startServer(t, { authorize });
    await server.registry.pushManifest(repo, await makeManifest(server.registry), { tags: [latest] });
    for (const asked of [me, {}]) {
      const answers = await Promise.all(
        [repo, 'team/nothing'].flatMap((name) =>
          ['tags/list', 'manifests/latest', `blobs/${digest}`].map((rest) =>
            ask(server, 'GET', `/v2/${name}/${rest}`, asked),
          ),
        ),
      );
      const seen = answers.map(({ status, body, headers }) => {
        const { date: _, 'x-request-id': _id, 'www-authenticate': challenge, ...rest } = headers;
        return JSON.stringify([status, body.toString(), rest, challenge?.replace(/scope=.*/, '')]);
      });
      assert.equal(new Set(seen).size, 1, seen.join('\n'));
      assert.equal(answers[0]?.status, asked === me ? 403 : 401);
    }
    assert.equal((await ask(server, 'GET', '/v2/team/mine/tags/list', me)).status, 404);
  });

  it('mounts a blob only if its source may be pulled', async (t) => {
    const rights = ['repository:team/app:pull', 'repository:team/app:push'];
    const [closed, open] = [guard(...rights), guard(...rights, 'repository:team/other:pull')];
    for (const [{ authorize, asked }, status] of [
      [closed, 202],
      [open, 201],
    ] as const) {
      const server = await startServer(t, { authorize });
      const blob = await putBlob(server.registry, Buffer.from('secret'), other);
      const mount = `/v2/${repo}/blobs/uploads/?mount=${blob.digest}`;
      assert.equal((await ask(server, 'POST', `${mount}&from=${other}`, me)).status, status);
      // Without a source, the blob could come from any repository.
      assert.equal((await ask(server, 'POST', mount, me)).status, 202);
      const both = 'repository:team/app:pull,push repository:team/other:pull';
      assert.equal(asked[0], both);
      const nobody = await ask(server, 'POST', `${mount}&from=${other}`);
      assert.equal(nobody.status, 401);
      assert.ok(nobody.headers['www-authenticate']?.includes(`scope="${both}"`));
      assert.equal(
        (await ask(server, 'POST', `/v2/team/x/blobs/uploads/?mount=${blob.digest}&from=${other}`, me)).status,
        403,
      );
    }
  });

  it('grants no access if the decision fails, and logs the reason', async (t) => {
    const server = await startServer(t, { authorize: () => Promise.reject(new Error('secret: no such file')) });
    const answer = await ask(server, 'GET', '/v2/', me);
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body.toString(), /secret/);
    assert.match(String(server.log[0]?.error), /no such file/);
  });

  it('logs the user, and no credential', async (t) => {
    const { authorize } = guard('registry:catalog:*');
    const server = await startServer(t, { authorize });
    const headers = { authorization: 'me', 'user-agent': 'docker/27.3.1 go/go1.22 (linux)' };
    await ask(server, 'GET', '/v2/_catalog?token=secret', { headers });
    const [entry] = server.log;
    assert.deepEqual([entry?.user, entry?.userAgent, entry?.path], ['me', headers['user-agent'], '/v2/_catalog']);
    assert.equal(entry?.query, undefined);
  });
});
