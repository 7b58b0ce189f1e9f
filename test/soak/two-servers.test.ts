import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestBytes } from '../../src/model/digest.ts';
import { madeBytes } from '../storage/stores.ts';
import { spawnServe } from '../support/command.ts';
import { type Built, blobsIn, buildImage } from '../support/images.ts';
import { freePort } from '../support/network/ports.ts';
import { startBalancer } from '../support/programs/nginx.ts';
import { type S3Gateway, startVersitygw } from '../support/programs/versitygw.ts';

const clients = 8;
const count = 100;
const killEachMs = 5000;
const types = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };

interface Server {
  readonly url: string;
  kill(): Promise<void>;
}

/** Starts `serve` on the bucket. What it keeps in memory ends with it. */
async function startServer(t: TestContext, gateway: S3Gateway, port: number): Promise<Server> {
  const root = `s3://${gateway.bucket}/images?endpoint=${gateway.url}&region=${gateway.region}&path-style=true`;
  const { child, result, url } = await spawnServe(t, ['--root', root, '--addr', `127.0.0.1:${port}`], {
    env: gateway.env,
  });
  return {
    url,
    async kill() {
      child.kill('SIGKILL');
      await result;
    },
  };
}

describe('two servers of one bucket', () => {
  it('go on with uploads whose every chunk goes to the other', async (t) => {
    const gateway = await startVersitygw(t);
    const ports = [await freePort(), await freePort()];
    const servers = await Promise.all(ports.map((port) => startServer(t, gateway, port)));
    const urlOf = (nth: number): string => servers[nth % 2]?.url ?? '';
    for (const chunkBytes of [100_000, 3_000_000, 9_000_000]) {
      const bytes = madeBytes(`chunks of ${chunkBytes}`, Math.min(40, 10) * chunkBytes + 17);
      let nth = 0;
      const opened = await fetch(`${urlOf(nth++)}/v2/app/blobs/uploads/`, { method: 'POST' });
      let path = opened.headers.get('location') ?? '';
      for (let start = 0; start < bytes.length; start += chunkBytes) {
        const body = bytes.subarray(start, start + chunkBytes);
        const headers = {
          'content-range': `${start}-${start + body.length - 1}`,
          'content-type': 'application/octet-stream',
        };
        const wrong = await fetch(urlOf(nth) + path, {
          method: 'PATCH',
          body,
          headers: { ...headers, 'content-range': `${start + 1}-${start + body.length}` },
        });
        assert.equal(wrong.status, 416);
        const status = await fetch(urlOf(nth) + path);
        assert.equal(status.headers.get('range'), start === 0 ? '0-0' : `0-${start - 1}`);
        const answer = await fetch(urlOf(nth++) + path, { method: 'PATCH', body, headers });
        assert.equal(answer.status, 202, await answer.text());
        path = answer.headers.get('location') ?? '';
      }
      const digest = await digestBytes(bytes);
      const closed = await fetch(`${urlOf(nth++)}${path}?digest=${digest}`, { method: 'PUT' });
      assert.equal(closed.status, 201, await closed.text());
      assert.equal((await fetch(urlOf(nth++) + path)).status, 404);
      const stored = new Uint8Array(await (await fetch(`${urlOf(nth)}/v2/app/blobs/${digest}`)).arrayBuffer());
      assert.equal(await digestBytes(stored), digest);
    }
  });

  it(`lose nothing of ${count} images that ${clients} clients push while one of them is killed again and again`, async (t) => {
    const gateway = await startVersitygw(t);
    const ports = [await freePort(), await freePort()];
    const servers = await Promise.all(ports.map((port) => startServer(t, gateway, port)));
    const { host } = await startBalancer(
      t,
      ports.map((port) => `127.0.0.1:${port}`),
    );
    const url = `http://${host}`;
    const images = await Promise.all(Array.from({ length: count }, (_, nth) => imageOf(nth)));
    const acknowledged = new Set<number>();
    let [done, kills, repeated] = [false, 0, 0];
    const killing = (async () => {
      for (let nth = 0; !done; nth = 1 - nth) {
        await sleep(killEachMs);
        await servers[nth]?.kill();
        kills += 1;
        servers[nth] = await startServer(t, gateway, ports[nth] ?? 0);
      }
    })();
    let next = 0;
    const push = async (): Promise<void> => {
      while (next < count) {
        const nth = next++;
        while (!(await pushOnce(url, nth, images[nth] as Built).catch(() => false))) repeated += 1;
        acknowledged.add(nth);
      }
    };
    await Promise.all(Array.from({ length: clients }, push));
    done = true;
    await killing;
    t.diagnostic(`${kills} kills, ${repeated} pushes were repeated`);
    assert.equal(acknowledged.size, count);
    assert.ok(kills > 0);
    for (const { url: own } of servers) for (const [nth, image] of images.entries()) await assertThere(own, nth, image);
  });
});

async function imageOf(nth: number): Promise<Built> {
  const large = nth % 10 === 0 ? 12_000_000 : 1_500_000;
  return await buildImage({
    layers: [
      { files: { base: 'base' } },
      { files: { app: madeBytes(`image ${nth}`, large) }, compression: 'none' },
      { files: { small: `${nth}` } },
    ],
  });
}

/** As docker does: each blob in a session with one PATCH, an empty PUT to close it, then the manifest. @returns Whether all was acknowledged. */
async function pushOnce(url: string, nth: number, image: Built): Promise<boolean> {
  const repo = `team/app-${nth % 7}`;
  for (const { descriptor, source } of blobsIn(image)) {
    const blob = `${url}/v2/${repo}/blobs/${descriptor.digest}`;
    if ((await fetch(blob, { method: 'HEAD' })).status === 200) continue;
    const chunks: Uint8Array[] = [];
    for await (const chunk of await source.open(0)) chunks.push(Uint8Array.from(chunk));
    const opened = await fetch(`${url}/v2/${repo}/blobs/uploads/`, { method: 'POST' });
    await opened.arrayBuffer();
    if (opened.status !== 202) return false;
    const body = Buffer.concat(chunks);
    const patched = await fetch(new URL(opened.headers.get('location') ?? '', url), { method: 'PATCH', body });
    await patched.arrayBuffer();
    if (patched.status !== 202) return false;
    const place = new URL(patched.headers.get('location') ?? '', url);
    place.searchParams.set('digest', descriptor.digest);
    const closed = await fetch(place, { method: 'PUT' });
    await closed.arrayBuffer();
    if (closed.status !== 201) return false;
  }
  const body = Buffer.from(image.manifest.bytes);
  const put = await fetch(`${url}/v2/${repo}/manifests/v${nth}`, { method: 'PUT', body, headers: types });
  await put.arrayBuffer();
  return put.status === 201;
}

async function assertThere(url: string, nth: number, image: Built): Promise<void> {
  const repo = `team/app-${nth % 7}`;
  const answer = await fetch(`${url}/v2/${repo}/manifests/v${nth}`, { headers: { accept: '*/*' } });
  assert.equal(answer.status, 200, `v${nth}`);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), Buffer.from(image.manifest.bytes));
  for (const { descriptor } of blobsIn(image)) {
    const blob = await fetch(`${url}/v2/${repo}/blobs/${descriptor.digest}`);
    assert.equal(await digestBytes(new Uint8Array(await blob.arrayBuffer())), descriptor.digest);
  }
}
