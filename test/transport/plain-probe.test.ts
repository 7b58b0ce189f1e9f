import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { createHostFacts } from '../../src/host-facts/host-facts.ts';
import { createDialler } from '../../src/transport/dial.ts';
import { answersInPlain } from '../../src/transport/plain-probe.ts';
import { issue } from '../certs/issue.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { atEnd } from '../support/sandbox.ts';
import { fails, get, open } from './open.ts';

async function listen(t: TestContext, behave: (socket: Socket) => unknown, tls?: TlsOptions): Promise<number> {
  const sockets = new Set<Socket>();
  const server = tls ? createTlsServer(tls, () => {}) : createServer(behave);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

function ask(port: number | string): Promise<boolean> {
  const connect = createDialler({ timeoutMs: 60_000 });
  return answersInPlain(connect, {
    protocol: 'https:',
    hostname: '127.0.0.1',
    host: `127.0.0.1:${port}`,
    port: `${port}`,
  });
}

async function trickle(socket: Socket, text: string): Promise<void> {
  for (const letter of text) {
    socket.write(letter);
    await turn();
  }
}

/** Waits for complete headers before it answers, as Go's server does. */
function answerToLine(socket: Socket): void {
  socket.on('data', (data) => {
    if (data.includes('\r\n\r\n')) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n400');
  });
}

describe('a server that is asked in TLS first', () => {
  it('answers in plain where it is an http server, however slowly it writes', async (t) => {
    const node = await startFakeServer(t, (_, response) => response.end());
    assert.equal(await ask(new URL(node.url).port), true);
    assert.deepEqual(node.requests, [], 'it took the question for no request');
    assert.equal(await ask(await listen(t, answerToLine)), true);
    // On a busy machine, the probe could time out before the answer is complete: its timer never fires here.
    t.mock.timers.enable({ apis: ['setTimeout'] });
    assert.equal(await ask(await listen(t, (socket) => trickle(socket, 'HTTP/1.0 400 Bad'))), true);
  });

  it('does not where it speaks TLS, whatever it thinks of the hello, and is not waited for', async (t) => {
    // The timers never fire: a probe that waited for one would not end.
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const certificate = issue('localhost');
    const kinds: readonly TlsOptions[] = [
      {},
      { minVersion: 'TLSv1.3' },
      { maxVersion: 'TLSv1.2' },
      { requestCert: true, rejectUnauthorized: true },
      { ciphers: 'DHE-RSA-AES256-GCM-SHA384' },
    ];
    for (const kind of kinds) {
      assert.equal(await ask(await listen(t, () => {}, { ...certificate, ...kind })), false, JSON.stringify(kind));
    }
  });

  const unclear: Readonly<Record<string, (socket: Socket) => unknown>> = {
    'is silent': () => {},
    'closes at once': (socket) => socket.end(),
    'resets the connection': (socket) => socket.once('data', () => socket.resetAndDestroy()),
    'hangs up at the hello': (socket) => socket.once('data', () => socket.destroy()),
    'speaks something else': (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
    'stops in the middle of the first word': (socket) => socket.write('HTTP'),
    'writes without end': (socket) => socket.write(Buffer.alloc(10_000_000, 0x15)),
    'answers in plain, but too late': (socket) => setTimeout(() => socket.write('HTTP/1.1 400\r\n\r\n'), 400).unref(),
  };

  for (const [what, behave] of Object.entries(unclear)) {
    it(`is asked in the usual way where it ${what}`, async (t) => {
      const startedMs = performance.now();
      assert.equal(await ask(await listen(t, behave)), false);
      assert.ok(performance.now() - startedMs < 50_000);
    });
  }

  it('is not asked by a run that knows that it speaks TLS, until it does not', async (t) => {
    const tls = issue('server', { addresses: ['127.0.0.1'] });
    const server = await startFakeServer(t, (_, response) => response.end(), { tls });
    const hostFacts = createHostFacts();
    const ask = (url = server.url) => get(open(t, url, { tls: { verify: false }, hostFacts }));
    await (await ask()).body.discard();
    assert.equal(server.connections, 2);
    await (await ask()).body.discard();
    assert.equal(server.connections, 3);
    server.close();
    const port = Number(new URL(server.url).port);
    const plain = await startFakeServer(t, (_, response) => response.end(), { port });
    await assert.rejects(ask(), fails('TLS'));
    assert.equal(hostFacts.of(new URL(server.url), { verified: false }).known.scheme, undefined);
    assert.deepEqual(plain.requests, []);
  });

  it('is asked once more by what is then loaded, and only until it has spoken TLS', async (t) => {
    const server = await startFakeServer(t, (_, response) => response.writeHead(200, { connection: 'close' }).end(), {
      tls: issue('localhost'),
    });
    const transport = open(t, server.url, { tls: { verify: false } });
    for (let count = 0; count < 3; count += 1) await (await get(transport)).body.discard();
    assert.equal(server.connections, 4);
  });

  it('is asked once by requests that begin together', async (t) => {
    let asked = 0;
    const port = await listen(t, (socket) => {
      asked += 1;
      answerToLine(socket);
    });
    const transport = open(t, `https://127.0.0.1:${port}/`, { tls: { verify: false } });
    const requests = Array.from({ length: 5 }, () => get(transport));
    for (const request of requests) await assert.rejects(request, fails('TLS', /answered in plain http/));
    assert.equal(asked, 1);
  });

  it('is not asked so where its certificate must be valid, nor is plain http taken for an answer there', async (t) => {
    let helloBytes = 0;
    const port = await listen(t, (socket) =>
      socket.once('data', (data) => {
        helloBytes = data.length;
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      }),
    );
    const transport = open(t, `https://127.0.0.1:${port}/`);
    await assert.rejects(get(transport), fails('TLS', /answered in plain http/));
    assert.ok(helloBytes > 100, 'the hello was Node’s own');
    const lax = open(t, `https://127.0.0.1:${port}/`, { tls: { verify: false } });
    await assert.rejects(get(lax), fails('TLS', /answered in plain http/));
    assert.equal(helloBytes, 64);
  });
});
