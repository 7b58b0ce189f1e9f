import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { issue } from '../certs/issue.ts';
import { type Answer, startFakeServer } from '../support/fake-server.ts';
import { startTestProxy } from '../support/proxies.ts';
import { atEnd } from '../support/sandbox.ts';
import { fails, get, open } from './open.ts';

const authority = issue('An authority');
const localhost = issue('localhost', { by: authority, dnsNames: ['localhost', 'registry.invalid'] });
const ok: Answer = (_, response) => response.end('ok');

describe('the roots of the system', () => {
  it('are read only where the others do not know an authority, and once', async (t) => {
    const server = await startFakeServer(t, ok, { tls: localhost });
    let reads = 0;
    const systemRoots = async () => {
      reads += 1;
      return [authority.cert];
    };
    const knowing = open(t, server.url, { tls: { ca: [authority.cert], systemRoots } });
    assert.equal((await get(knowing)).status, 200);
    assert.equal(reads, 0);
    const asking = open(t, server.url, { tls: { systemRoots } });
    const answers = await Promise.all([1, 2, 3].map(() => get(asking)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(reads, 1);
  });

  it('are asked by a handshake that others have overtaken', async (t) => {
    let letSecondGo: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      letSecondGo = resolve;
    });
    let handshakes = 0;
    const SNICallback = (_name: string, go: (error: null) => void) => {
      handshakes += 1;
      if (handshakes === 2) void held.then(() => go(null));
      else go(null);
    };
    const server = await startFakeServer(t, ok, { tls: { ...localhost, SNICallback } });
    const transport = open(t, server.url, { tls: { systemRoots: async () => [authority.cert] } });
    const both = [get(transport), get(transport)];
    // By now the system's roots are known to be the right ones, and would be asked first.
    await Promise.race(both);
    letSecondGo();
    for (const { status } of await Promise.all(both)) assert.equal(status, 200);
  });

  it('do not excuse what else is wrong with a certificate', async (t) => {
    const notAfter = new Date(Date.now() - 3_600_000);
    const expired = issue('localhost', { by: authority, dnsNames: ['localhost'], notAfter });
    const elsewhere = issue('elsewhere', { by: authority, dnsNames: ['elsewhere.example'] });
    for (const [certificate, words] of [
      [expired, /has expired/],
      [elsewhere, /is for elsewhere\.example/],
    ] as const) {
      const server = await startFakeServer(t, ok, { tls: certificate });
      for (const tls of [{ ca: [authority.cert] }, { systemRoots: async () => [authority.cert] }]) {
        await assert.rejects(get(open(t, server.url, { tls })), fails('TLS', words));
      }
    }
  });

  it('are no way around: what none of them knows is refused, with the directory to put it into', async (t) => {
    const server = await startFakeServer(t, ok, { tls: localhost });
    const tls = { ca: [issue('Other').cert], systemRoots: async () => [issue('Third').cert], directory: '/etc/x/r:5' };
    await assert.rejects(get(open(t, server.url, { tls })), (error) => {
      assert.match((error as { hint: string }).hint, /into \/etc\/x\/r:5\/ca\.crt$/);
      return fails('TLS', /unknown authority/)(error);
    });
  });
});

describe('a connection that does not come about', () => {
  it('does not outlive its transport: not a handshake, and not a proxy that is silent', async (t) => {
    const sockets = new Set<Socket>();
    let arrived: () => void = () => {};
    const silent = createServer((socket) => {
      sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
      arrived();
    }).listen(0, '127.0.0.1');
    atEnd(t, () => silent.close());
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const all = { value: `http://127.0.0.1:${port}`, origin: { kind: 'environment', name: 'ALL_PROXY' } } as const;
    for (const [url, options] of [
      [`https://127.0.0.1:${port}/`, {}],
      ['https://registry.invalid/', { proxy: { all } }],
    ] as const) {
      const came = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      const transport = open(t, url, { ...options, limits: { connectTimeoutMs: 600_000 } });
      const asked = assert.rejects(get(transport));
      await came;
      await transport.close();
      await asked;
      for (const socket of sockets) await once(socket.resume(), 'close');
    }
  });
});

describe('a host that is bound to addresses', () => {
  it('is connected to there, whatever its name resolves to now', async (t) => {
    for (const tls of [undefined, localhost]) {
      const server = await startFakeServer(t, ok, { ...(tls && { tls }) });
      const { protocol, port } = new URL(server.url);
      const url = `${protocol}//registry.invalid:${port}/`;
      const more = { tls: { ca: [authority.cert] }, addresses: ['127.0.0.1'] };
      assert.equal((await get(open(t, url, more))).status, 200);
      assert.equal(server.requests[0]?.headers.host, `registry.invalid:${port}`);
    }
  });

  it('is asked for by that address of a proxy, and still told its name', async (t) => {
    const server = await startFakeServer(t, ok);
    const proxy = await startTestProxy(t);
    const { port } = new URL(server.url);
    const all = { value: proxy.url, origin: { kind: 'environment', name: 'ALL_PROXY' } } as const;
    const transport = open(t, `http://registry.invalid:${port}/`, {
      addresses: ['::1', '127.0.0.1'],
      proxy: { all },
    });
    assert.equal((await get(transport)).status, 200);
    assert.deepEqual(
      proxy.asked.map(({ line }) => line),
      [`CONNECT [::1]:${port}`, `CONNECT 127.0.0.1:${port}`],
    );
    assert.equal(server.requests[0]?.headers.host, `registry.invalid:${port}`);
  });

  it('alone: another host that it leads to is looked up as ever', async (t) => {
    const server = await startFakeServer(t, (_, response) =>
      response.writeHead(307, { location: 'http://other.invalid/' }).end(),
    );
    const { port } = new URL(server.url);
    const transport = open(t, `http://registry.invalid:${port}/`, { addresses: ['127.0.0.1'], retry: { attempts: 1 } });
    await assert.rejects(get(transport), fails('NETWORK', /^other\.invalid: /));
  });
});
