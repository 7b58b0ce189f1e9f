import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { corsPolicy } from '../../../src/server/operating/cors.ts';
import { ask, repo, type Served, startServer } from '../client.ts';

const ui = 'https://ui.test:8443';
const uploads = `/v2/${repo}/blobs/uploads/`;

function preflight(server: Served, origin: string, method: string, path: string) {
  return ask(server, 'OPTIONS', path, { headers: { origin, 'access-control-request-method': method } });
}

describe('a web page of a named origin', () => {
  it('may ask beforehand without a login, read answers, send logins and push', async (t) => {
    const server = await startServer(t, {
      corsOrigins: [ui],
      authorize: async ({ headers }) => ({ outcome: headers.authorization === undefined ? 'deny' : 'grant' }),
    });
    const asked = await preflight(server, ui, 'DELETE', `/v2/${repo}/manifests/latest`);
    assert.equal(asked.status, 204);
    assert.equal(asked.headers['access-control-allow-origin'], ui);
    assert.equal(asked.headers['access-control-allow-credentials'], 'true');
    assert.equal(asked.headers['access-control-allow-methods'], 'GET, HEAD, PUT, DELETE');
    assert.match(String(asked.headers['access-control-allow-headers']), /Authorization/);
    const headers = { origin: ui, 'sec-fetch-site': 'cross-site', authorization: 'Bearer x' };
    const pushed = await ask(server, 'POST', uploads, { headers });
    assert.equal(pushed.status, 202);
    assert.equal(pushed.headers['access-control-allow-origin'], ui);
    assert.match(String(pushed.headers['access-control-expose-headers']), /Docker-Content-Digest/);
    const refused = await ask(server, 'GET', '/v2/', { headers: { origin: ui } });
    assert.deepEqual([refused.status, refused.headers['access-control-allow-origin']], [403, ui]);
  });

  it('is told from others by every cache', async (t) => {
    const server = await startServer(t, { corsOrigins: [ui] });
    const { headers } = await ask(server, 'GET', '/v2/');
    assert.deepEqual([headers.vary, headers['access-control-allow-origin']], ['Origin', undefined]);
  });
});

describe('a web page of another origin', () => {
  it('gets nothing where others are named', async (t) => {
    const server = await startServer(t, { corsOrigins: [ui] });
    for (const origin of ['https://evil.test', 'https://ui.test', 'http://ui.test:8443', 'null']) {
      const asked = await preflight(server, origin, 'GET', '/v2/');
      assert.deepEqual([asked.status, asked.headers['access-control-allow-origin']], [405, undefined], origin);
      assert.equal((await ask(server, 'POST', uploads, { headers: { origin } })).status, 403, origin);
    }
  });

  it('may read, and no more, where all may', async (t) => {
    const server = await startServer(t, { corsOrigins: ['*'] });
    const origin = 'https://any.test';
    const asked = await preflight(server, origin, 'GET', `/v2/${repo}/manifests/latest`);
    assert.deepEqual(
      [asked.headers['access-control-allow-origin'], asked.headers['access-control-allow-methods']],
      ['*', 'GET, HEAD'],
    );
    const { headers } = await ask(server, 'GET', '/v2/', { headers: { origin } });
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['access-control-allow-credentials'], undefined);
    assert.equal((await ask(server, 'POST', uploads, { headers: { origin } })).status, 403);
  });

  it('gets no answer to a question beforehand where none is named', async (t) => {
    const asked = await preflight(await startServer(t), ui, 'GET', '/v2/');
    assert.deepEqual([asked.status, asked.headers.vary], [405, undefined]);
  });
});

describe('the name of an origin', () => {
  it('is a scheme and a host', () => {
    for (const word of [
      'https://ui.test/',
      'ui.test',
      'null',
      'ftp://a',
      'https://a/b',
      'https://u:p@a',
      '',
      '**',
      'http://*',
      'https://*.test',
    ]) {
      assert.throws(() => corsPolicy([word]), /invalid origin/, word);
    }
    assert.ok(corsPolicy(['https://UI.test', 'http://localhost:8080', '*'])?.isNamed('https://ui.test'));
  });
});
