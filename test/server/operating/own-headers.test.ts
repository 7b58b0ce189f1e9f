import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError } from '../../../src/model/errors.ts';
import { checkedHeaders } from '../../../src/server/operating/own-headers.ts';
import { ask, startServer } from '../client.ts';

describe('headers for all answers', () => {
  it('are part of every answer, and replace none of its own', async (t) => {
    const headers = { 'Strict-Transport-Security': 'max-age=9', 'cache-control': 'private' };
    const server = await startServer(t, { headers });
    for (const path of ['/v2/', '/v2/none/tags/list', '/elsewhere', '/']) {
      const answer = await ask(server, 'GET', path);
      assert.equal(answer.headers['strict-transport-security'], 'max-age=9', path);
      assert.equal(answer.headers['cache-control'], 'private', path);
    }
    assert.equal((await ask(server, 'GET', '/livez')).headers['cache-control'], 'no-store');
  });

  it('are refused where they belong to the connection, the body, the protocol or a protection', async (t) => {
    const names = [
      'Connection',
      'Transfer-Encoding',
      'content-length',
      'Content-Type',
      'Docker-Content-Digest',
      'OCI-Subject',
      'Location',
      'WWW-Authenticate',
      'Set-Cookie',
      'Content-Security-Policy',
      'X-Content-Type-Options',
      'Access-Control-Allow-Origin',
      'X-Request-Id',
      'a b',
      '',
    ];
    for (const name of names) {
      assert.throws(
        () => checkedHeaders({ [name]: 'x' }),
        (error) => isOciError(error, 'USAGE'),
        name,
      );
    }
    for (const value of ['', 'a\r\nb: c', 'ä', '\0']) {
      assert.throws(() => checkedHeaders({ a: value }), /invalid value/, JSON.stringify(value));
    }
    await assert.rejects(startServer(t, { headers: { connection: 'close' } }), /cannot be set/);
  });
});
