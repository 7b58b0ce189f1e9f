import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl, spawnOcictl, spawnServe } from '../../support/command.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { buildImage } from '../../support/images.ts';
import { randomLayer } from '../../support/layer.ts';
import { writeLayout } from '../../support/layout.ts';
import { startRelay } from '../../support/network/relay.ts';
import { startNginx } from '../../support/programs/nginx.ts';
import { makeCertificates, needs, startDockerRegistry } from '../../support/programs.ts';
import { sandbox } from '../../support/sandbox.ts';

const mib = 1024 * 1024;
const layerBytes = 32 * mib;
const cutAt = 24 * mib;

async function withLayout(t: TestContext): Promise<string> {
  const { home } = await sandbox(t);
  const directory = join(home, 'image');
  await writeLayout(directory, '1', await buildImage({ layers: [await randomLayer(layerBytes, 'unfinished')] }));
  return `oci:${directory}:1`;
}

/** A relay that lets through so many bytes of clients, and then holds what comes until all its connections have ended. */
async function holding(t: TestContext, target: string) {
  let [sentBytes, limit] = [0, cutAt];
  const clients: Socket[] = [];
  let reached = (): void => {};
  const isReached = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const { host } = await startRelay(t, target, (client: Socket) => {
    clients.push(client);
    client.on('data', (chunk: Buffer) => {
      sentBytes += chunk.length;
      if (sentBytes < limit) return;
      client.unpipe();
      client.pause();
      reached();
    });
  });
  return {
    host,
    isReached,
    /** Cuts what is held, counts from nothing, and holds no more. */
    release() {
      for (const client of clients) client.destroy();
      [sentBytes, limit] = [0, Number.POSITIVE_INFINITY];
    },
    sentBytes: () => sentBytes,
  };
}

/** Kills a push within its layer, and pushes again. @returns The bytes that were sent then. */
async function pushAgain(t: TestContext, target: string): Promise<number> {
  const image = await withLayout(t);
  const relay = await holding(t, target);
  const words = ['copy', '-q', image, `${relay.host}/team/app:1`];
  const killed = await spawnOcictl(t, words);
  await relay.isReached;
  killed.child.kill('SIGKILL');
  await killed.result;
  relay.release();
  const { exitCode, stderr } = await ocictl(t, words);
  assert.equal(exitCode, 0, stderr);
  return relay.sentBytes();
}

describe('a push that is killed within a layer', () => {
  it('is gone on with by the next one, where the registry kept what it had', async (t) => {
    const { home } = await sandbox(t);
    const served = await spawnServe(t, ['--root', join(home, 'served')]);
    const sentBytes = await pushAgain(t, served.host);
    assert.ok(sentBytes < layerBytes - cutAt + 8 * mib, `${sentBytes} bytes were sent again`);
    const pulled = await ocictl(t, ['pull', '-q', `${served.host}/team/app:1`]);
    assert.equal(pulled.exitCode, 0, pulled.stderr);
  });

  it('is gone on with by the next one at distribution 3', async (t) => {
    if (!needs(t, 'registry')) return;
    const registry = await startDockerRegistry(t, { distribution: 3 });
    const sentBytes = await pushAgain(t, registry.host);
    assert.ok(sentBytes < layerBytes - cutAt + 8 * mib, `${sentBytes} bytes were sent again`);
  });

  it('starts anew where the registry forgets such sessions', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const registry = await startDockerRegistry(t);
    assert.ok((await pushAgain(t, registry.host)) > layerBytes);
  });
});

describe('a registry behind nginx that takes bodies of 8 MB', () => {
  it('gets a larger layer in chunks, and the next one in chunks from the start', async (t) => {
    if (!needs(t, 'docker-registry', 'openssl', 'nginx')) return;
    const image = await withLayout(t);
    const registry = await startDockerRegistry(t);
    const proxy = await startFaultProxy(t, registry.url);
    const certificates = await makeCertificates(t);
    const location = ['client_max_body_size 8m', 'proxy_request_buffering off'];
    const nginx = await startNginx(t, { before: proxy.url, certificates, open: true, location });
    const push = (name: string) => ocictl(t, ['copy', '-q', image, `${nginx.host}/${name}:1`]);
    const first = await push('one');
    assert.equal(first.exitCode, 0, first.stderr);
    const before = proxy.requests.length;
    const second = await push('two');
    assert.equal(second.exitCode, 0, second.stderr);
    const chunks = proxy.requests.slice(before).filter(({ method }) => method === 'PATCH');
    // The layer is a tar, a little larger than its one file.
    assert.equal(chunks.length, layerBytes / (8 * mib) + 1);
    const { stdout } = await ocictl(t, ['doctor', '--json', `${nginx.host}/one`]);
    assert.match(stdout, /takes bodies of up to 8388608 bytes/);
  });
});

describe('the journal of uploads', () => {
  it('is empty after a push', async (t) => {
    const { home, env } = await sandbox(t);
    const image = await withLayout(t);
    const served = await spawnServe(t, ['--root', join(home, 'served')]);
    const { exitCode, stderr } = await ocictl(t, ['copy', '-q', image, `${served.host}/team/app:1`]);
    assert.equal(exitCode, 0, stderr);
    const cache = join(env['XDG_CACHE_HOME'] ?? join(home, '.cache'), 'ocictl', 'uploads');
    assert.deepEqual(await readdir(cache), []);
  });
});
