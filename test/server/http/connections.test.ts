import assert from 'node:assert/strict';
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { holderOf, plainAddress } from '../../../src/server/http/addresses.ts';
import type { RunningServer } from '../../../src/server/options.ts';
import { ask, pause, startServer } from '../client.ts';

/** Silent connections from an address of this machine. */
async function silent(t: TestContext, server: RunningServer, count: number, localAddress: string): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () =>
    connect({ port: server.port, host: server.host, localAddress }).on('error', () => {}),
  );
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(
    sockets.map((socket) => new Promise((resolve) => socket.on('connect', resolve).on('close', resolve))),
  );
  return sockets;
}

const patient = { headersTimeoutMs: 600_000, idleTimeoutMs: 600_000, maxConnections: 20 };

describe('connections that say nothing', () => {
  it('do not block new clients: the one that is silent longest is closed', async (t) => {
    const server = await startServer(t, patient);
    const sockets = await silent(t, server, 60, '127.0.0.1');
    for (let i = 0; i < 5; i += 1) assert.equal((await ask(server, 'GET', '/v2/')).status, 200);
    while (sockets.filter(({ destroyed }) => destroyed).length < 41) await pause(5);
    assert.ok(sockets.slice(0, 40).every(({ destroyed }) => destroyed));
  });

  it('keep their places while others come and go, and those that were answered last keep theirs longest', async (t) => {
    const server = await startServer(t, { ...patient, maxConnections: 3 });
    const agents = [1, 2].map(() => new http.Agent({ keepAlive: true, maxSockets: 1 }));
    t.after(() => agents.map((agent) => agent.destroy()));
    const lost: number[] = [];
    const seen = new Set<Socket>();
    const askOn = (nth: number): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const { host, port } = server;
        const request = http.get({ host, port, path: '/v2/', agent: agents[nth] }, (response) =>
          response.resume().on('end', resolve),
        );
        request.on('error', reject).on('socket', (socket) => {
          if (!seen.has(socket)) socket.on('close', () => lost.push(nth));
          seen.add(socket);
        });
      });
    await askOn(0);
    await askOn(1);
    for (let i = 0; i < 10; i += 1) assert.equal((await ask(server, 'GET', '/v2/')).status, 200);
    assert.deepEqual(lost, []);
    await askOn(0);
    await silent(t, server, 2, '127.0.0.1');
    while (lost.length === 0) await pause(5);
    assert.deepEqual(lost, [1]);
  });

  it('cost their own address its places, and neither who works nor who has few', async (t) => {
    if (process.platform !== 'linux') return t.skip('needs several loopback addresses');
    const server = await startServer(t, patient);
    const [kept] = await silent(t, server, 1, '127.0.0.3');
    const options = { host: server.host, port: server.port, method: 'PUT', path: '/v2/a/manifests/1' };
    const headers = { expect: '100-continue' };
    const upload = http.request({ ...options, headers, localAddress: '127.0.0.2', agent: false });
    const awaited = new Promise((resolve) => upload.on('continue', resolve));
    const answered = new Promise<number | undefined>((resolve, reject) => {
      upload.on('response', (response) => resolve(response.resume().statusCode)).on('error', reject);
    });
    upload.write('{');
    await awaited;
    const sockets = await silent(t, server, 60, '127.0.0.2');
    while (sockets.filter(({ destroyed }) => destroyed).length < 42) await pause(5);
    assert.equal(kept?.destroyed, false);
    upload.end('}');
    assert.equal(await answered, 400);
  });
});

describe('the holder of an address', () => {
  it('is the address, or the network that one machine has in IPv6', () => {
    assert.equal(plainAddress('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(holderOf('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(holderOf('192.0.2.1'), '192.0.2.1');
    assert.equal(holderOf('2001:db8::1'), holderOf('2001:0db8:0:0:ffff::2'));
    assert.notEqual(holderOf('2001:db8::1'), holderOf('2001:db8:0:1::1'));
    assert.equal(holderOf('fe80::1%eth0'), 'fe80:0:0:0::');
    assert.equal(holderOf('::1'), '0:0:0:0::');
    assert.equal(holderOf(''), '');
  });
});
