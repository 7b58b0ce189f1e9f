import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { ProxySettings } from '../../src/config/docker/service-keys.ts';
import type { Sourced } from '../../src/config/origin.ts';
import { OciError } from '../../src/model/errors.ts';
import { traceLines } from '../../src/service/trace.ts';
import type { RequestTrace } from '../../src/transport/request-trace.ts';
import { issue } from '../certs/issue.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { deadAddress } from '../support/network/ports.ts';
import { startTestProxy } from '../support/network/proxies.ts';
import { fails, get, open } from './open.ts';

const authority = issue('An authority');
const localhost = issue('localhost', { by: authority, dnsNames: ['localhost'] });
const secret = `Basic ${Buffer.from('ada:correct horse').toString('base64')}`;

/** A proxy for everything, even loopback. */
function through(value: string): { readonly proxy: ProxySettings } {
  const of = (name: string, text: string): Sourced<string> => ({ value: text, origin: { kind: 'environment', name } });
  return { proxy: { all: of('ALL_PROXY', value), noProxy: of('NO_PROXY', '<-loopback>') } };
}

const withUser = (url: string): string => url.replace('://', '://ada:correct%20horse@');

async function text(response: Awaited<ReturnType<typeof get>>): Promise<string> {
  return Buffer.from(await response.body.bytes(1000)).toString();
}

describe('a registry behind a proxy', () => {
  it('in plain http is asked by the proxy, which alone gets the password', async (t) => {
    const server = await startFakeServer(t, (_, response) => response.end('ok'));
    const proxy = await startTestProxy(t, { authorization: secret });
    const transport = open(t, server.url, through(withUser(proxy.url)));
    assert.equal(await text(await get(transport, 'v2/?a=b')), 'ok');
    assert.equal(await text(await get(transport, 'x', { authorization: 'Bearer mine' })), 'ok');
    assert.deepEqual(
      proxy.asked.map(({ line }) => line),
      [`GET ${server.url}v2/?a=b`, `GET ${server.url}x`],
    );
    assert.equal(server.requests[0]?.headers.host, server.host);
    assert.equal(server.requests[1]?.headers.authorization, 'Bearer mine');
    assert.doesNotMatch(JSON.stringify(server.requests), /proxy-authorization/);
  });

  it('is told of with the proxy, and without its password', async (t) => {
    const server = await startFakeServer(t, (_, response) => response.end('ok'));
    const proxy = await startTestProxy(t, { authorization: secret });
    const told: RequestTrace[] = [];
    await get(open(t, server.url, { ...through(withUser(proxy.url)), trace: (event) => told.push(event) }), 'v2/');
    await get(open(t, server.url, { trace: (event) => told.push(event) }), 'v2/');
    const lines = told.map((event) => {
      const own: string[] = [];
      traceLines((line) => own.push(line), { headers: true })({ ...event, durationMs: 1 });
      return own;
    });
    const line = `GET ${server.url}v2/ → 200 in 1 ms`;
    assert.deepEqual(
      lines.map(([first]) => first),
      [`${line} (through ${new URL(proxy.url).host})`, line],
    );
    assert.doesNotMatch(lines.flat().join(), /correct|proxy-authorization/i);
  });

  it('over TLS is asked through a tunnel, in which our own trust, certificate and server name hold', async (t) => {
    const client = issue('a client', { by: authority });
    const seen: string[] = [];
    const server = await startFakeServer(
      t,
      (_, response, incoming) => {
        const socket = incoming.socket as TLSSocket & { servername?: string };
        seen.push(`${socket.servername} ${(socket.getPeerCertificate().subject as { CN?: string }).CN}`);
        response.end('ok');
      },
      { tls: { ...localhost, ca: authority.cert, requestCert: true, rejectUnauthorized: true } },
    );
    const proxy = await startTestProxy(t, { authorization: secret });
    const tls = { ca: [authority.cert], cert: client.cert, key: client.key };
    const transport = open(t, server.url, { tls, ...through(withUser(proxy.url)) });
    const response = await get(transport, 'v2/', { authorization: 'Bearer mine' });
    assert.equal(await text(response), 'ok');
    assert.deepEqual(seen, ['localhost a client']);
    assert.deepEqual(
      proxy.asked.map(({ line }) => line),
      [`CONNECT ${server.host}`],
    );
    assert.doesNotMatch(JSON.stringify(proxy.asked), /Bearer/);
    assert.doesNotMatch(JSON.stringify(server.requests), /proxy-authorization/);
    const distrusting = open(t, server.url, through(withUser(proxy.url)));
    await assert.rejects(get(distrusting), fails('TLS', /^localhost:\d+: its certificate is signed by an unknown/));
  });

  it('is asked through a proxy that speaks TLS, if its certificate is good', async (t) => {
    const server = await startFakeServer(t, (_, response) => response.end('ok'), { tls: localhost });
    const plain = await startFakeServer(t, (_, response) => response.end('ok'));
    const proxy = await startTestProxy(t, { tls: localhost });
    const roots = [authority.cert];
    const tls = { systemRoots: async () => roots };
    for (const { url } of [server, plain]) {
      assert.equal(await text(await get(open(t, url, { tls, ...through(proxy.url) }))), 'ok');
    }
    const asked = proxy.asked.length;
    // The registry's TLS settings are for the registry alone, not for its proxy.
    const lax = open(t, server.url, { tls: { verify: false, ca: roots }, ...through(proxy.url) });
    await assert.rejects(
      get(lax),
      fails('TLS', /the proxy localhost:\d+ \(ALL_PROXY\) cannot be used: its certificate/),
    );
    assert.equal(proxy.asked.length, asked);
  });

  it('goes directly where NO_PROXY says so, also after a redirect', async (t) => {
    const storage = await startFakeServer(t, (_, response) => response.end('ok'));
    const server = await startFakeServer(t, (_, response) => response.writeHead(307, { location: storage.url }).end());
    const proxy = await startTestProxy(t);
    const settings = through(proxy.url).proxy;
    const noProxy = {
      value: `<-loopback>,${storage.host}`,
      origin: { kind: 'environment', name: 'no_proxy' },
    } as const;
    const transport = open(t, server.url, { proxy: { ...settings, noProxy } });
    assert.equal(await text(await get(transport)), 'ok');
    assert.deepEqual(
      proxy.asked.map(({ line }) => line),
      [`GET ${server.url}x`],
    );
  });
});

describe('a proxy that does not do', () => {
  const secure = 'https://registry.example/';
  const plain = 'http://registry.example/';
  const tried = async (t: Parameters<typeof open>[0], url: string, proxy: string): Promise<OciError> => {
    const failure = await get(open(t, url, { ...through(proxy), retry: { attempts: 2, wait: async () => {} } })).then(
      () => assert.fail('it was answered'),
      (error: unknown) => error,
    );
    assert.ok(failure instanceof OciError);
    assert.doesNotMatch(JSON.stringify(failure) + failure.message + failure.hint, /correct|Basic/);
    return failure;
  };

  it('cannot be reached: it is named, and not the registry', async (t) => {
    const dead = await deadAddress();
    for (const url of [secure, plain]) {
      const error = await tried(t, url, withUser(`http://${dead}`));
      assert.equal(error.code, 'NETWORK');
      assert.ok(error.message.startsWith(`registry.example: the proxy ${dead} (ALL_PROXY) cannot be used: `));
      assert.match(error.message, /connection refused$/);
      assert.match(error.hint ?? '', /ALL_PROXY.*NO_PROXY/);
    }
  });

  it('wants a password, or another: the hint says where it goes', async (t) => {
    const proxy = await startTestProxy(t, { authorization: 'Basic other' });
    for (const url of [secure, plain]) {
      const error = await tried(t, url, proxy.url);
      assert.match(error.message, /wants a user and a password \(407 Proxy Authentication Required\)/);
      assert.match(error.hint ?? '', /ALL_PROXY, as in http:\/\/user:password@127\.0\.0\.1:/);
      assert.match((await tried(t, url, withUser(proxy.url))).message, /refuses the user or the password \(407/);
    }
    assert.equal(proxy.asked.length, 4, 'a refusal is final');
  });

  for (const [status, words] of [
    [403, /refuses to connect \(403 Forbidden\)/],
    [503, /cannot reach it \(503 Service Unavailable\)/],
  ] as const) {
    it(`answers ${status}: ${words.source}`, async (t) => {
      const proxy = await startTestProxy(t, { status });
      const error = await tried(t, secure, proxy.url);
      assert.equal(error.code, 'NETWORK');
      assert.match(error.message, words);
    });
  }

  it('is no proxy at all', async (t) => {
    const { createServer } = await import('node:net');
    const server = createServer((socket) => socket.on('error', () => {}).end('220 mail.example\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = server.address() as { port: number };
    const error = await tried(t, secure, `http://127.0.0.1:${port}`);
    assert.match(error.message, /the proxy 127\.0\.0\.1:\d+ \(ALL_PROXY\) cannot be used/);
  });
});
