import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { Agent, request as startRequest } from 'node:https';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { spawnOcictl } from '../../support/command.ts';
import { freePort } from '../../support/network/ports.ts';
import type { Running } from '../../support/process.ts';
import { startNginx } from '../../support/programs/nginx.ts';
import { makeCertificates, needs } from '../../support/programs.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Asked {
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Uint8Array;
}

type Ask = (method: string, path: string, asked?: Asked) => Promise<Answer>;

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

function client(t: TestContext, host: string, ca: Buffer): Ask {
  const agent = new Agent({ keepAlive: true, ca });
  t.after(() => agent.destroy());
  const [hostname = '', port = ''] = host.split(':');
  return (method, path, { headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': body.length };
      const options = { agent, hostname, port, method, path, headers: { ...headers, ...length } };
      const request = startRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      request.on('error', reject);
      request.end(body);
    });
}

const mediaType = 'application/vnd.oci.image.manifest.v1+json';

/** Pushes an image in the requests of docker, each of which nginx may send to another process, and pulls it. */
async function pushAndPull(ask: Ask, name: string): Promise<void> {
  const expect = (status: number, what: string, answer: Answer): Answer => {
    assert.equal(answer.status, status, `${what}: ${answer.status} ${answer.body.toString().slice(0, 300)}`);
    return answer;
  };
  const blob = randomBytes(200_000);
  const digest = sha256(blob);
  const begun = expect(202, 'POST', await ask('POST', `/v2/${name}/blobs/uploads/`));
  const sent = await ask('PATCH', String(begun.headers.location), { body: blob });
  const location = String(expect(202, 'PATCH', sent).headers.location);
  const place = `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`;
  expect(201, 'PUT of the blob', await ask('PUT', place, { body: new Uint8Array(0) }));
  const config = { mediaType: 'application/octet-stream', digest, size: blob.length };
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [] }));
  const headers = { 'content-type': mediaType };
  expect(201, 'PUT', await ask('PUT', `/v2/${name}/manifests/1`, { headers, body: manifest }));
  for (let i = 0; i < 5; i += 1) {
    const found = expect(200, 'GET', await ask('GET', `/v2/${name}/manifests/1`));
    assert.equal(sha256(found.body), sha256(manifest));
    assert.equal(sha256(expect(200, 'GET of a blob', await ask('GET', `/v2/${name}/blobs/${digest}`)).body), digest);
  }
}

describe('two ocictl serve behind nginx', () => {
  it('lose no request while each is stopped by SIGTERM and started again', async (t) => {
    if (!needs(t, 'nginx', 'openssl')) return;
    const root = join(await temporaryDirectory(t), 'images');
    const ports = [await freePort(), await freePort()];
    const run = async (port: number | undefined): Promise<Running> => {
      const words = [
        'serve',
        '--root',
        root,
        '--addr',
        `127.0.0.1:${port}`,
        '--shared',
        '--drain',
        '60s',
        '--trust-proxy',
        '127.0.0.1',
      ];
      const running = await spawnOcictl(t, words, { timeoutMs: 300_000 });
      await running.waitFor(/on http/);
      return running;
    };
    const processes = [await run(ports[0]), await run(ports[1])];
    const certificates = await makeCertificates(t);
    const { host } = await startNginx(t, {
      before: 'http://registries',
      upstream: ports.map((port) => `127.0.0.1:${port} max_fails=0`),
      certificates,
      open: true,
      headers: ['Host $http_host', 'X-Forwarded-Proto https', 'X-Forwarded-For $remote_addr', 'Connection ""'],
      location: ['proxy_http_version 1.1', 'proxy_request_buffering off'],
    });
    const ask = client(t, host, await readFile(certificates.authority));
    let restarted = false;
    let images = 0;
    const work = Array.from({ length: 4 }, async (_, worker) => {
      for (let round = 0; !restarted; round += 1) {
        await pushAndPull(ask, `team/app-${worker}-${round}`);
        images += 1;
      }
    });
    const restarts = async (): Promise<void> => {
      for (const at of [0, 1, 0, 1]) {
        const before = images;
        while (images < before + 4) await new Promise((resolve) => setTimeout(resolve, 20));
        const process = processes[at];
        process?.child.kill('SIGTERM');
        const { exitCode, stderr } = (await process?.result) ?? {};
        assert.equal(exitCode, 0, stderr);
        assert.doesNotMatch(String(stderr), /(?:was|were) cut/);
        processes[at] = await run(ports[at]);
      }
    };
    // Whoever fails first ends the test.
    await Promise.race([Promise.all(work), restarts()]);
    restarted = true;
    await Promise.all(work);
    assert.ok(images >= 16, `${images} images`);
  });
});
