import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { detectScheme } from '../../src/endpoints/detect-scheme.ts';
import { issue } from '../certs/issue.ts';
import { failsWith } from '../contract/contract.ts';
import { type Answer, json, startFakeServer } from '../support/fake-server.ts';

const answer: Answer = (_, response) => json(response, 401, {});
const unknown = issue('localhost', { dnsNames: ['localhost'] });
const nobody = async (): Promise<readonly string[]> => assert.fail('the name was looked up');

describe('the scheme of a registry', () => {
  it('on this machine is the one it answers', async (t) => {
    const plain = await startFakeServer(t, answer);
    const secure = await startFakeServer(t, answer, { tls: unknown });
    assert.equal(await detectScheme(plain.host), 'http');
    assert.equal(await detectScheme(secure.host), 'https');
  });

  it('is https for everybody else, who is not even asked', async () => {
    assert.equal(await detectScheme('registry.invalid:5000', { resolve: nobody }), 'https');
  });

  it('is found for a host that is named insecure, at the address that its network holds', async (t) => {
    const plain = await startFakeServer(t, answer);
    const port = new URL(plain.url).port;
    const resolve = async (): Promise<readonly string[]> => ['127.0.0.1'];
    const insecureRegistries = ['127.0.0.0/8'];
    assert.equal(await detectScheme(`registry.invalid:${port}`, { insecureRegistries, resolve }), 'http');
    assert.equal(plain.lines.at(-1), 'GET /v2/');
  });

  it('is https where TLS answers, whatever it says', async (t) => {
    const failing = await startFakeServer(t, (_, response) => json(response, 500, {}), { tls: unknown });
    assert.equal(await detectScheme(failing.host), 'https');
    const demanding = await startFakeServer(t, answer, { tls: { ...unknown, requestCert: true } });
    await assert.rejects(detectScheme(demanding.host), failsWith('TLS', 'NETWORK'));
  });

  it('fails if no server answers, and when the signal has fired', async (t) => {
    const gone = await startFakeServer(t, answer);
    gone.close();
    await assert.rejects(detectScheme(gone.host), failsWith('NETWORK'));
    const reason = new Error('enough');
    const there = await startFakeServer(t, answer);
    await assert.rejects(detectScheme(there.host, { signal: AbortSignal.abort(reason) }), reason);
    assert.equal(there.requests.length, 0);
  });
});
