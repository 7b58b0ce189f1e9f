import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { clientOf } from '../../../src/server/http/forwarded.ts';
import { ask, startServer } from '../client.ts';

const isProxy = (address: string): boolean => address.startsWith('10.');

/** The client that is found for a request from an address with these headers. */
function told(headers: IncomingHttpHeaders, from = '10.0.0.1'): readonly (string | undefined)[] {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: from });
  const { remoteAddress, scheme, host } = clientOf({ socket, headers: { host: 'inner:5000', ...headers } }, isProxy);
  return [remoteAddress, scheme, host];
}

const names = (addresses: string, proto?: string, host?: string): IncomingHttpHeaders => ({
  'x-forwarded-for': addresses,
  ...(proto !== undefined && { 'x-forwarded-proto': proto }),
  ...(host !== undefined && { 'x-forwarded-host': host }),
});

describe('the headers of a proxy about a client', () => {
  it('counts from a trusted network alone', () => {
    const headers = { ...names('192.0.2.7', 'https', 'registry.test'), forwarded: 'for=192.0.2.8' };
    assert.deepEqual(told(headers), ['192.0.2.7', 'https', 'registry.test']);
    assert.deepEqual(told(headers, '::ffff:10.0.0.1'), ['192.0.2.7', 'https', 'registry.test']);
    assert.deepEqual(told(headers, '192.0.2.1'), ['192.0.2.1', 'http', 'inner:5000']);
    assert.deepEqual(told({}), ['10.0.0.1', 'http', 'inner:5000']);
  });

  it('count from the proxy on: entries that the client wrote before it do not', () => {
    assert.deepEqual(told(names('10.9.9.9, 192.0.2.7', 'https, http', 'evil.test, registry.test')), [
      '192.0.2.7',
      'http',
      'registry.test',
    ]);
    assert.deepEqual(told({ forwarded: 'for=10.9.9.9;proto=https, for=192.0.2.7;proto=http' }), [
      '192.0.2.7',
      'http',
      'inner:5000',
    ]);
  });

  it('is that of the first of several trusted ones', () => {
    assert.deepEqual(told(names('192.0.2.7, 10.0.0.2', 'https, http', 'registry.test, inner')), [
      '192.0.2.7',
      'https',
      'registry.test',
    ]);
    assert.deepEqual(told(names('192.0.2.7, 10.0.0.2', 'https')), ['192.0.2.7', 'https', 'inner:5000']);
    assert.deepEqual(told({ forwarded: 'for=192.0.2.7;proto=https;host=registry.test, for=10.0.0.2;proto=http' }), [
      '192.0.2.7',
      'https',
      'registry.test',
    ]);
    assert.deepEqual(told(names('10.0.0.3, 10.0.0.2')), ['10.0.0.3', 'http', 'inner:5000']);
  });

  it('has ports, brackets, quotes and another order', () => {
    assert.equal(told(names('192.0.2.7:1234'))[0], '192.0.2.7');
    assert.equal(told(names('[2001:db8::1]:1234'))[0], '2001:db8::1');
    assert.equal(told(names('2001:db8::1'))[0], '2001:db8::1');
    assert.deepEqual(told({ forwarded: 'Proto = HTTPS ; host="registry.test:8443";FOR="[2001:db8::1]:x1"' }), [
      '2001:db8::1',
      'https',
      'registry.test:8443',
    ]);
  });

  it('is left aside where it makes no sense', () => {
    for (const word of ['unknown', '_hidden', '', 'registry.test', '999.1.1.1', '"', '[', 'x'.repeat(30_000)]) {
      assert.equal(told(names(word))[0], '10.0.0.1', word);
      assert.equal(told({ forwarded: `for=${word}` })[0], '10.0.0.1', word);
    }
    assert.deepEqual(told(names('192.0.2.7', 'javascript', 'a b')), ['192.0.2.7', 'http', 'inner:5000']);
    for (const host of ['evil.test/path', 'user@evil.test', 'a:b', '"a', '', 'a\tb']) {
      assert.equal(told(names('192.0.2.7', 'https', host))[2], 'inner:5000', host);
    }
  });

  it('are passed to the log and to the registry for each request', async (t) => {
    const seen: unknown[] = [];
    const server = await startServer(t, {
      isProxy: (address) => address === '127.0.0.1',
      perRequest(registry, { remoteAddress, host }) {
        seen.push([remoteAddress, host]);
        return registry;
      },
    });
    await ask(server, 'GET', '/v2/_catalog', { headers: names('192.0.2.7', 'https', 'registry.test') });
    assert.deepEqual(seen, [['192.0.2.7', 'registry.test']]);
    assert.equal(server.log[0]?.remoteAddress, '192.0.2.7');
  });
});
