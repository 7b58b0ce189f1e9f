import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { HttpResponse } from '../../src/transport/http.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { issue } from '../certs/issue.ts';
import { type Answer, type FakeServer, startFakeServer } from '../support/fake-server.ts';
import { startRelay } from '../support/network/relay.ts';
import { fails, get, open, waits } from './open.ts';

const authority = issue('An authority');
const leaf = issue('localhost', { by: authority, dnsNames: ['localhost'] });
const tls = { ca: [authority.cert] };
const hello: Answer = (_, response) => response.end('hello');

async function start(t: TestContext, intent: 'pull' | 'push', answer = hello): Promise<[FakeServer, Transport]> {
  const server = await startFakeServer(t, answer, { tls: leaf });
  return [server, open(t, server.url, { tls, intent })];
}

const text = async ({ body }: HttpResponse): Promise<string> => Buffer.from(await body.bytes(1000)).toString();

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!condition()) {
    assert.ok(Date.now() < end, 'it does not come');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

for (const intent of ['pull', 'push'] as const) {
  describe(`connections that are opened before a ${intent} needs them`, () => {
    const ask = (transport: Transport): Promise<HttpResponse> =>
      intent === 'pull'
        ? get(transport)
        : get(transport, 'x', { method: 'POST', body: Buffer.from('x'), idempotent: true });

    it('carry the requests that follow', async (t) => {
      const [server, transport] = await start(t, intent);
      transport.open(3);
      transport.open(3);
      await until(() => server.connections === 3);
      assert.deepEqual(server.lines, []);
      const answers = await Promise.all([1, 2, 3].map(async () => text(await ask(transport))));
      assert.deepEqual(answers, ['hello', 'hello', 'hello']);
      // undici counts a connection as free some turns after the response has ended.
      await new Promise((resolve) => setTimeout(resolve, 50));
      transport.open();
      await text(await ask(transport));
      assert.equal(server.connections, 3);
    });

    it('cost nothing where they fail, or the server closes them unused', async (t) => {
      const sockets: Socket[] = [];
      const server = await startFakeServer(t, hello, { tls: leaf });
      const relay = await startRelay(t, server.host.replace('localhost', '127.0.0.1'), (socket) =>
        sockets.push(socket),
      );
      const transport = open(t, `https://${relay.host.replace('127.0.0.1', 'localhost')}/`, { tls, intent });
      transport.open(2);
      await until(() => server.connections === 2);
      for (const socket of sockets) socket.destroy();
      const before = waits.length;
      assert.equal(await text(await ask(transport)), 'hello');
      transport.open(3);
      await until(() => server.connections >= 4);
      for (const socket of sockets) socket.end();
      assert.equal(await text(await ask(transport)), 'hello');
      // A write is repeated at once after one closed connection, a read after any number.
      if (intent === 'pull') assert.equal(waits.length, before);
    });

    it('are fewer where the server takes only two, and everything is answered', async (t) => {
      const server = await startFakeServer(t, hello, { tls: leaf });
      let now = 0;
      const relay = await startRelay(t, server.host.replace('localhost', '127.0.0.1'), (socket) => {
        now += 1;
        socket.on('close', () => {
          now -= 1;
        });
        if (now > 2) socket.resetAndDestroy();
      });
      const transport = open(t, `https://${relay.host.replace('127.0.0.1', 'localhost')}/`, { tls, intent });
      transport.open(4);
      await text(await ask(transport));
      const answers = [];
      for (const _ of [1, 2, 3, 4]) answers.push(await text(await ask(transport)));
      assert.deepEqual(answers, Array(4).fill('hello'));
    });

    it('are left after bytes that nobody asked for: none of them is the next answer', async (t) => {
      const server = await startFakeServer(t, hello);
      const clients: Socket[] = [];
      const relay = await startRelay(t, server.host, (socket) => {
        clients.push(socket);
        if (clients.length > 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong');
      });
      // Without it, they would be left to their age.
      const transport = open(t, `http://${relay.host}/`, { intent, limits: { keepAliveMs: 3_600_000 } });
      assert.equal(await text(await ask(transport)), 'hello');
      transport.open(2);
      await until(() => clients.length > 1 && clients.slice(1).every(({ closed }) => closed));
      clients.length = 0;
      assert.deepEqual(await Promise.all([text(await ask(transport)), text(await ask(transport))]), ['hello', 'hello']);
    });

    it('leave errors to the request', async (t) => {
      const [server, transport] = await start(t, intent);
      server.close();
      transport.open(2);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await assert.rejects(ask(transport), fails('NETWORK', /connection refused/));
      const trusting = open(t, (await startFakeServer(t, hello, { tls: leaf })).url, { intent });
      trusting.open(2);
      await assert.rejects(ask(trusting), fails('TLS', /unknown authority/));
    });

    it('are not opened where it is unclear what speaks there, nor after the end', async (t) => {
      const plain = await startFakeServer(t, hello);
      const insecure = await startFakeServer(t, hello, { tls: leaf });
      const [server, ended] = await start(t, intent);
      await ended.close();
      const transports = [
        open(t, plain.url, { intent }),
        open(t, insecure.url, { tls: { verify: false }, intent }),
        ended,
      ] as const;
      for (const transport of transports) transport.open(2);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.deepEqual([plain.connections, insecure.connections, server.connections], [0, 0, 0]);
    });
  });
}
