import assert from 'node:assert/strict';
import { type IncomingMessage, request } from 'node:http';
import { describe, it } from 'node:test';
import { parseRepositoryName } from '../../../src/model/reference/reference.ts';
import { serveMetrics } from '../../../src/server/metrics/listener.ts';
import { createMetrics } from '../../../src/server/metrics/metrics.ts';
import { measured } from '../../../src/storage/drivers/measured.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { ask, latest, makeManifest, repo, startServer } from '../client.ts';

/** The lines of a family, without comments. */
function linesOf(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#'));
}

function get(port: number, host: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, path: '/metrics', headers: { host } }, (response) => resolve(response.resume()));
    asked.on('error', reject).end();
  });
}

describe('metrics', () => {
  it('count requests under the names of distribution', async (t) => {
    const metrics = createMetrics();
    const server = await startServer(t, { observe: metrics.requests });
    const manifest = await makeManifest(server.registry);
    await server.registry.pushManifest(repo, manifest, { tags: [latest] });
    for (let i = 0; i < 3; i += 1) await ask(server, 'GET', `/v2/${repo}/manifests/latest`);
    await ask(server, 'GET', '/v2/none/tags/list');
    await ask(server, 'POST', `/v2/${repo}/blobs/uploads/`);
    const text = metrics.render();
    assert.deepEqual(linesOf(text, 'registry_http_requests_total'), [
      'registry_http_requests_total{code="200",handler="manifest",method="get"} 3',
      'registry_http_requests_total{code="404",handler="tags",method="get"} 1',
      'registry_http_requests_total{code="202",handler="blob_upload",method="post"} 1',
    ]);
    const own = '{handler="manifest"}';
    assert.ok(text.includes(`registry_http_response_size_bytes_sum${own} ${manifest.bytes.length * 3}\n`));
    assert.ok(text.includes(`registry_http_in_flight_requests${own} 0\n`));
    const seconds = linesOf(text, 'registry_http_request_duration_seconds_bucket{handler="manifest",method="get"');
    assert.equal(seconds.length, 14);
    assert.match(seconds.at(-1) ?? '', /le="\+Inf"} 3$/);
    assert.match(text, /^process_resident_memory_bytes \d+$/m);
    assert.match(text, /^process_cpu_seconds_total [\d.]+$/m);
  });

  it('have no more series, whatever clients send', async (t) => {
    const metrics = createMetrics();
    const server = await startServer(t, { observe: metrics.requests });
    for (const path of ['/a', '/b', '/v2/x/y', '/v2/x/tags/list', '/v2/z/tags/list']) {
      for (const method of ['GET', 'LOCK', 'MOVE', 'SEARCH']) await ask(server, method, path);
    }
    assert.deepEqual(
      linesOf(metrics.render(), 'registry_http_requests_total').map((line) => line.replace(/.*\{|\}.*/g, '')),
      [
        'code="404",handler="other",method="get"',
        'code="404",handler="other",method="other"',
        'code="404",handler="tags",method="get"',
        'code="405",handler="tags",method="other"',
      ],
    );
  });

  it('measure the calls of a driver', async () => {
    const metrics = createMetrics();
    const driver = measured(createMemoryDriver(), metrics.storage('inmemory'));
    const registry = createStorage({ driver });
    const manifest = await makeManifest(registry);
    await registry.pushManifest(repo, manifest, { tags: [latest] });
    await registry.getManifest(repo, latest);
    const counts = linesOf(metrics.render(), 'registry_storage_action_seconds_count');
    const actions = counts.map((line) => /action="(\w+)",driver="inmemory"} [1-9]/.exec(line)?.[1]);
    for (const action of ['GetContent', 'PutContent', 'Stat']) assert.ok(actions.includes(action), action);
    await assert.rejects(registry.getManifest(parseRepositoryName('none'), latest));
  });

  it('are read from a listener of their own', async (t) => {
    const metrics = createMetrics();
    const listener = await serveMetrics(metrics, { host: '127.0.0.1', port: 0, allowedHosts: ['proxy.test'] });
    t.after(() => listener.stop());
    const answer = await fetch(listener.url);
    assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(
      await answer.text(),
      /^# HELP registry_http_requests_total .*\n# TYPE registry_http_requests_total counter$/m,
    );
    assert.equal((await fetch(new URL('/', listener.url))).status, 404);
    assert.equal((await fetch(listener.url, { method: 'POST' })).status, 405);
    const port = Number(new URL(listener.url).port);
    for (const [host, status] of [
      ['localhost:1', 200],
      ['[::1]', 200],
      ['proxy.test', 200],
      ['evil.test', 421],
      ['127.0.0.1.evil.test', 421],
    ] as const) {
      assert.equal((await get(port, host)).statusCode, status, `Host: ${host}`);
    }
    await assert.rejects(serveMetrics(metrics, { host: '127.0.0.1', port }), /another program/);
  });
});
