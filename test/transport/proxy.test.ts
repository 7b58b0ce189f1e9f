import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProxySettings } from '../../src/config/docker/service-keys.ts';
import type { Sourced } from '../../src/config/origin.ts';
import { isOciError } from '../../src/model/errors.ts';
import { decideProxy } from '../../src/transport/proxy/proxy.ts';

const variable = (name: string, value: string): Sourced<string> => ({ value, origin: { kind: 'environment', name } });

const proxies: ProxySettings = {
  http: variable('HTTP_PROXY', 'http://plain.proxy:3128'),
  https: variable('HTTPS_PROXY', 'http://tls.proxy:3128'),
};

function decided(url: string, settings: ProxySettings): string {
  const decision = decideProxy(new URL(url), settings);
  return decision.kind === 'direct' ? `direct: ${decision.because}` : decision.proxy.url.href;
}

describe('which proxy a URL is asked through', () => {
  const all = variable('ALL_PROXY', 'http://all.proxy:1080');
  const vectors: readonly (readonly [url: string, settings: ProxySettings, expected: string])[] = [
    ['https://r.example/', {}, 'direct: no proxy is set'],
    ['https://r.example/', proxies, 'http://tls.proxy:3128/'],
    ['http://r.example/', proxies, 'http://plain.proxy:3128/'],
    ['https://r.example/', { http: proxies.http }, 'direct: no proxy is set'],
    ['http://r.example/', { https: proxies.https }, 'direct: no proxy is set'],
    ['https://r.example/', { all }, 'http://all.proxy:1080/'],
    ['http://r.example/', { all, https: proxies.https }, 'http://all.proxy:1080/'],
    ['https://r.example/', { all, https: proxies.https }, 'http://tls.proxy:3128/'],
    ['https://r.example/', { https: variable('https_proxy', 'proxy:8080') }, 'http://proxy:8080/'],
    ['https://r.example/', { https: variable('https_proxy', 'HTTPS://Proxy.example') }, 'https://proxy.example/'],
    ['https://r.example/', { https: variable('HTTPS_PROXY', '') }, 'direct: no proxy is set'],
    ['https://localhost:5000/', proxies, 'direct: it is this machine'],
    ['https://app.localhost/', proxies, 'direct: it is this machine'],
    ['http://127.1.2.3:5000/', proxies, 'direct: it is this machine'],
    ['http://[::1]:5000/', proxies, 'direct: it is this machine'],
    ['http://localhost.example/', proxies, 'http://plain.proxy:3128/'],
    ['http://127.0.0.1/', { ...proxies, noProxy: variable('NO_PROXY', '<-loopback>') }, 'http://plain.proxy:3128/'],
    ['http://127.0.0.1/', { ...proxies, noProxy: variable('NO_PROXY', 'x,<-loopback>') }, 'http://plain.proxy:3128/'],
  ];
  for (const [url, settings, expected] of vectors) {
    const set = Object.values(settings).map((each) => `${each?.origin.name}=${each?.value}`);
    it(`${url} with ${set.join(' ') || 'nothing'}: ${expected}`, () => {
      assert.equal(decided(url, settings), expected);
    });
  }

  const exceptions: readonly (readonly [noProxy: string, direct: readonly string[], proxied: readonly string[]])[] = [
    ['*', ['https://r.example/', 'http://10.0.0.1/'], []],
    ['', [], ['https://r.example/']],
    ['r.example', ['https://r.example/', 'https://a.b.r.example:5000/'], ['https://xr.example/', 'https://example/']],
    ['R.Example.', ['https://r.example/', 'https://r.example./'], []],
    ['.r.example', ['https://a.r.example/'], ['https://r.example/', 'https://xr.example/']],
    ['*.r.example', ['https://a.r.example/'], ['https://r.example/']],
    ['bücher.example', ['https://xn--bcher-kva.example/'], []],
    ['r.example:5000', ['https://r.example:5000/', 'http://a.r.example:5000/'], ['https://r.example/']],
    ['r.example:443', ['https://r.example/'], ['http://r.example/', 'https://r.example:5000/']],
    ['r.example:80', ['http://r.example/'], ['https://r.example/']],
    ['10.1.2.3', ['https://10.1.2.3/', 'https://[::ffff:10.1.2.3]/'], ['https://10.1.2.4/', 'https://110.1.2.3/']],
    ['10.1.2.3:5000', ['https://10.1.2.3:5000/'], ['https://10.1.2.3/']],
    ['10.0.0.0/8', ['https://10.9.9.9:5000/'], ['https://11.0.0.1/', 'https://ten.example/']],
    ['2001:db8::1', ['https://[2001:db8::1]/', 'https://[2001:db8:0::1]:5000/'], ['https://[2001:db8::2]/']],
    ['[2001:db8::1]:5000', ['https://[2001:db8::1]:5000/'], ['https://[2001:db8::1]/']],
    ['2001:db8::/32', ['https://[2001:db8:1::9]/'], ['https://[2001:db9::1]/']],
    ['a.example, b.example c.example', ['https://a.example/', 'https://b.example/', 'https://c.example/'], []],
    [',,a.example,', ['https://a.example/'], ['https://r.example/']],
    ['., :, :5000, 10.0.0.0/99, [::1, http://r.example', [], ['https://r.example:5000/', 'https://10.0.0.1/']],
  ];
  for (const [noProxy, direct, through] of exceptions) {
    it(`goes directly where NO_PROXY=${noProxy} covers it, and only there`, () => {
      const settings = { ...proxies, noProxy: variable('NO_PROXY', noProxy) };
      for (const url of direct) assert.match(decided(url, settings), /^direct: NO_PROXY has "/, url);
      for (const url of through) assert.match(decided(url, settings), /^http:\/\/(?:tls|plain)\.proxy/, url);
    });
  }

  it('knows the user of a proxy, whose name and password may hold anything', () => {
    const of = (value: string) => {
      const decision = decideProxy(new URL('https://r.example/'), { https: variable('HTTPS_PROXY', value) });
      assert.equal(decision.kind, 'proxy');
      assert.doesNotMatch(decision.proxy.url.href, /@/);
      const { authorization = '' } = decision.proxy;
      return Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();
    };
    assert.equal(of('http://ada:correct%20h%40rse%3A@proxy:3128'), 'ada:correct h@rse:');
    assert.equal(of('http://ada@proxy:3128'), 'ada:');
    assert.equal(of('http://proxy:3128'), '');
  });

  for (const value of [
    'ftp://ada:secret@proxy',
    'socks4://ada:secret@proxy',
    'socks5://ada:secret%zz@proxy',
    'http://',
    'ada:secret@:99999',
    'http://ada:secret%zz@proxy',
    'http://ada:1/secret@proxy',
  ]) {
    it(`refuses ${value.replace('secret', '…')}, names the variable and repeats no password`, () => {
      assert.throws(
        () => decideProxy(new URL('https://r.example/'), { https: variable('HTTPS_PROXY', value) }),
        (error) =>
          isOciError(error, 'CONFIG_INVALID') &&
          error.message.startsWith('HTTPS_PROXY ') &&
          !`${error.message}${error.hint}`.includes('secret'),
      );
    });
  }
});
