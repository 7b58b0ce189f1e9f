import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startFaultProxy } from './fault-proxy.ts';

async function proxied(t: TestContext) {
  // Another fault proxy, which answers by itself, plays the registry.
  const origin = await startFaultProxy(t, 'http://127.0.0.1:9');
  const proxy = await startFaultProxy(t, origin.url);
  const body = new Uint8Array(10_000).fill(65);
  origin.fail({ status: 200, body, headers: { 'content-length': String(body.length) } });
  return proxy;
}

const bodyOf = async (url: string): Promise<Uint8Array> => new Uint8Array(await (await fetch(url)).arrayBuffer());

describe('the fault proxy', () => {
  it('passes on what is asked and answered, and counts it', async (t) => {
    const proxy = await proxied(t);
    const response = await fetch(`${proxy.url}/v2/a?b=c`, { method: 'POST', body: 'hello' });
    assert.equal((await response.arrayBuffer()).byteLength, 10_000);
    assert.deepEqual(
      proxy.requests.map(({ method, path, status, sentBytes, receivedBytes }) => [
        method,
        path,
        status,
        sentBytes,
        receivedBytes,
      ]),
      [['POST', '/v2/a?b=c', 200, 10_000, 5]],
    );
    assert.equal(proxy.sentBytes(/nothing/), 0);
  });

  it('answers for the registry as often as told', async (t) => {
    const proxy = await proxied(t);
    proxy.fail({ status: 503, times: 2, path: /blobs/ });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await fetch(`${proxy.url}/blobs/1`)).status);
    assert.deepEqual(statuses, [503, 503, 200]);
  });

  it('cuts a body, and a connection before the headers', async (t) => {
    const proxy = await proxied(t);
    proxy.fail({ cutAfterBytes: 4000, times: 1 });
    await assert.rejects(bodyOf(proxy.url));
    assert.equal(proxy.sentBytes(), 4000);
    proxy.fail({ cutAfterBytes: 0, times: 1 });
    await assert.rejects(fetch(proxy.url));
    assert.equal((await bodyOf(proxy.url)).length, 10_000);
  });

  it('loses an answer to what was done', async (t) => {
    const origin = await startFaultProxy(t, 'http://127.0.0.1:9');
    origin.fail({ status: 200, body: 'done' });
    const proxy = await startFaultProxy(t, origin.url);
    proxy.fail({ losesAnswer: true, times: 1 });
    await assert.rejects(fetch(proxy.url, { method: 'PUT', body: 'hello' }));
    assert.deepEqual([origin.count(), Buffer.from(await bodyOf(proxy.url)).toString()], [1, 'done']);
  });

  it('ends a body early as if it were whole', async (t) => {
    const proxy = await proxied(t);
    proxy.fail({ endAfterBytes: 4000 });
    assert.equal((await bodyOf(proxy.url)).length, 4000);
  });

  it('flips a byte', async (t) => {
    const proxy = await proxied(t);
    proxy.fail({ flipByteAt: 5000 });
    const body = await bodyOf(proxy.url);
    assert.equal(
      body.findIndex((byte) => byte !== 65),
      5000,
    );
    assert.equal(body.filter((byte) => byte !== 65).length, 1);
  });

  it('stalls until the client gives up', async (t) => {
    const proxy = await proxied(t);
    proxy.fail({ stallAfterBytes: 100 });
    const response = await fetch(proxy.url);
    const reading = response.arrayBuffer();
    const stalled = Symbol('stalled');
    const waited = new Promise((resolve) => setTimeout(resolve, 300, stalled));
    assert.equal(await Promise.race([reading, waited]), stalled);
    await proxy.close();
    await assert.rejects(reading);
  });

  it('slows down', async (t) => {
    const proxy = await proxied(t);
    proxy.fail({ bytesPerSecond: 50_000 });
    const startedMs = performance.now();
    await bodyOf(proxy.url);
    assert.ok(performance.now() - startedMs > 150);
  });
});
