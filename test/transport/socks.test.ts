import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProxySettings } from '../../src/config/docker/service-keys.ts';
import type { Sourced } from '../../src/config/origin.ts';
import { isOciError, OciError } from '../../src/model/errors.ts';
import { decideProxy } from '../../src/transport/proxy/proxy.ts';
import { issue } from '../certs/issue.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { startTestProxy } from '../support/network/proxies.ts';
import { startTestSocks } from '../support/network/socks.ts';
import { get, open } from './open.ts';

const authority = issue('An authority');
const certificate = issue('registry.example', { by: authority, dnsNames: ['registry.example', 'localhost'] });
const tls = { ca: [authority.cert] };

const of = (name: string, value: string): Sourced<string> => ({ value, origin: { kind: 'environment', name } });

function through(value: string): { readonly proxy: ProxySettings } {
  return { proxy: { all: of('ALL_PROXY', value), noProxy: of('NO_PROXY', '<-loopback>') } };
}

describe('a registry behind a SOCKS proxy', () => {
  for (const scheme of ['socks5', 'socks5h', 'SOCKS5']) {
    it(`is asked through ${scheme}://, over TLS and in plain http, by its name`, async (t) => {
      const secure = await startFakeServer(t, (_, response) => response.end('secure'), { tls: certificate });
      const plain = await startFakeServer(t, ({ body }, response) => response.end(`plain ${body.length}`));
      for (const [url, server, expected] of [
        ['https://registry.example/', secure, 'secure'],
        ['http://registry.example:81/', plain, 'plain 0'],
      ] as const) {
        const socks = await startTestSocks(t, { user: 'ada:correct horse', to: server.host });
        const transport = open(t, url, { tls, ...through(`${scheme}://ada:correct%20horse@${socks.host}`) });
        for (const path of ['one', 'two']) {
          const response = await get(transport, path);
          assert.equal(Buffer.from(await response.body.bytes(1000)).toString(), expected);
        }
        assert.deepEqual(socks.asked, [url.startsWith('https') ? 'registry.example:443' : 'registry.example:81']);
        assert.doesNotMatch(JSON.stringify(server.requests), /correct|proxy-authorization/);
      }
    });
  }

  it('is asked for by the address that was judged, where it is insecure by its network', async (t) => {
    const server = await startFakeServer(t, (_, response) => response.end('ok'));
    const socks = await startTestSocks(t, { to: server.host });
    const base = 'http://registry.example:81/';
    for (const [address, expected] of [
      ['192.0.2.1', '192.0.2.1:81'],
      ['2001:db8::1', `20010db8${'0'.repeat(23)}1:81`],
    ] as const) {
      const transport = open(t, base, { addresses: [address], ...through(`socks5://${socks.host}`) });
      await (await get(transport, 'v2/')).body.discard();
      assert.equal(socks.asked.at(-1), expected);
    }
  });

  it('is told of in errors that name the proxy, its variable and what to do, and no password', async (t) => {
    const http = await startTestProxy(t);
    for (const [options, user, text, hint] of [
      [{ reply: 2 }, '', /refuses to connect \(connection not allowed by its rules\)$/, /NO_PROXY/],
      [{ reply: 4 }, '', /cannot reach it \(host unreachable\)$/, /what the proxy can reach/],
      [{ reply: 5 }, '', /cannot reach it \(connection refused\)$/, /what the proxy can reach/],
      [{ reply: 1 }, '', /cannot reach it \(failure\)$/, /what the proxy can reach/],
      [{ user: 'ada:right' }, '', /wants a user and a password/, /ALL_PROXY, as in socks5:\/\/user:password@127/],
      [{ user: 'ada:right' }, 'ada:wrong@', /refuses the user or the password/, /ALL_PROXY/],
      [
        { says: 'HTTP/1.1 400 Bad Request\r\n\r\n' },
        '',
        /does not speak SOCKS 5$/,
        /check scheme and port in ALL_PROXY/,
      ],
      [{ says: '' }, '', /cannot be used: the connection was cut/, /ALL_PROXY/],
    ] as const) {
      const socks = await startTestSocks(t, options);
      const url = 'https://registry.example/';
      const transport = open(t, url, { ...through(`socks5://${user}${socks.host}`), retry: { attempts: 1 } });
      await assert.rejects(get(transport), (error) => {
        assert.ok(isOciError(error, 'NETWORK'), String(error));
        assert.ok(error.message.startsWith(`registry.example: the proxy ${socks.host} (ALL_PROXY) `), error.message);
        assert.match(error.message, text);
        assert.match(error.hint ?? '', hint);
        assert.equal(error.status, undefined);
        assert.doesNotMatch(JSON.stringify([error, error.cause]) + error.message + error.hint, /wrong/);
        return true;
      });
    }
    const misnamed = open(t, 'https://registry.example/', {
      ...through(`socks5://${http.host}`),
      retry: { attempts: 1 },
    });
    await assert.rejects(get(misnamed), OciError);
  });
});

describe('the address of a SOCKS proxy', () => {
  const decided = (value: string) => {
    const decision = decideProxy(new URL('https://r.example/'), { https: of('HTTPS_PROXY', value) });
    assert.equal(decision.kind, 'proxy');
    return [decision.proxy.url.href, decision.proxy.user?.name, decision.proxy.authorization];
  };

  it('has the port 1080 where none is named', () => {
    assert.deepEqual(decided('socks5h://proxy.lan'), ['socks5://proxy.lan:1080', undefined, undefined]);
    assert.deepEqual(decided('socks5://ada@[::1]:9'), ['socks5://[::1]:9', 'ada', undefined]);
  });

  it('is refused without a host, or with more than SOCKS can carry', () => {
    assert.throws(() => decided('socks5://'), /^OciError: HTTPS_PROXY is not the address of a proxy$/);
    assert.throws(() => decided(`socks5://${'a'.repeat(256)}:b@proxy`), /HTTPS_PROXY has a user .* too long/);
  });
});
