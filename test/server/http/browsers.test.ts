import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OciError } from '../../../src/model/errors.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { ask, codeOf, latest, raw, repo, startServer } from '../client.ts';

const uploads = `/v2/${repo}/blobs/uploads/`;

describe('a server on a loopback address', () => {
  it('answers to no name but its own, whatever leads to it (DNS rebinding)', async (t) => {
    const server = await startServer(t, { allowedHosts: ['Registry.test'] });
    const own = [
      'localhost',
      'a.localhost:1',
      `127.0.0.1:${server.port}`,
      '127.9.9.9',
      '[::1]:5000',
      'registry.test:5',
    ];
    for (const host of own) assert.equal((await ask(server, 'GET', '/v2/', { headers: { host } })).status, 200, host);
    for (const host of ['evil.example', 'localhost.evil.example:80', '192.0.2.1', '0.0.0.0', '[::]', 'a@127.0.0.1']) {
      for (const method of ['GET', 'PUT']) {
        const answer = await ask(server, method, `/v2/${repo}/manifests/latest`, { headers: { host } });
        assert.equal(answer.status, 421, host);
        assert.equal(codeOf(answer), 'DENIED');
      }
    }
    assert.match(await raw(server, 'GET /v2/ HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 421 /);
  });

  it('answers to every name when others may reach it too', async (t) => {
    const server = await startServer(t, { host: '0.0.0.0' });
    assert.equal((await ask(server, 'GET', '/v2/', { headers: { host: 'registry.example' } })).status, 200);
  });
});

describe('a web page', () => {
  it('of another origin changes nothing (CSRF)', async (t) => {
    const server = await startServer(t, { allowedHosts: ['registry.test'] });
    const host = 'registry.test:5000';
    const foreign = [
      { origin: 'http://evil.example' },
      { origin: 'http://registry.test:5001' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'http://registry.test:5000', 'sec-fetch-site': 'cross-site' },
    ];
    for (const sent of foreign) {
      const answer = await ask(server, 'POST', uploads, { headers: { host, ...sent }, body: 'evil' });
      assert.equal(answer.status, 403, JSON.stringify(sent));
      assert.equal(codeOf(answer), 'DENIED');
      assert.equal((await ask(server, 'GET', '/v2/', { headers: { host, ...sent } })).status, 200);
    }
    const own = { host, origin: 'http://registry.test:5000', 'sec-fetch-site': 'same-origin' };
    assert.equal((await ask(server, 'POST', uploads, { headers: own })).status, 202);
  });
});

describe("damaged content in the registry's storage", () => {
  it('is a server error, and the answer names no paths', async (t) => {
    for (const code of [
      'DIGEST_MISMATCH',
      'SIZE_MISMATCH',
      'TOO_LARGE',
      'MANIFEST_INVALID',
      'STORAGE_DAMAGED',
    ] as const) {
      const fail = () => Promise.reject(new OciError(code, 'secret: /var/lib/store'));
      const server = await startServer(t, { registry: { ...memoryRegistry(), getManifest: fail } });
      const answer = await ask(server, 'GET', `/v2/${repo}/manifests/${latest}`);
      assert.equal(answer.status, 500, code);
      assert.doesNotMatch(answer.body.toString(), /secret/);
    }
  });
});
