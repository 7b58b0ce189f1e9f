import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { isOciError } from '../../../src/model/errors.ts';
import { NetworkGuard } from '../../../src/transport/guard/network-guard.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { fails, get, open } from '../open.ts';

interface Given extends Partial<Omit<ConstructorParameters<typeof NetworkGuard>[0], 'base'>> {
  /** Addresses at which the registry was reached. */
  readonly met?: readonly string[];
}

const names: Readonly<Record<string, readonly string[]>> = {
  'outside.example': ['198.51.100.7'],
  'inside.example': ['10.0.0.1'],
  'rebound.example': ['10.0.0.1'],
  localhost: ['127.0.0.1'],
  'both.example': ['10.0.0.1', '198.51.100.7', '::1'],
};

const resolve = async (name: string): Promise<readonly LookupAddress[]> => {
  const found = names[name];
  if (!found) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  return found.map((address) => ({ address, family: isIP(address) }));
};

/** The addresses that may be connected to; throws if there are none. */
async function visit(registry: string, target: string, { met = [], ...given }: Given = {}): Promise<readonly string[]> {
  const base = new URL(registry);
  const guard = new NetworkGuard({ base, resolve, ...given });
  for (const address of met) guard.met(base, address);
  const url = new URL(target);
  const visited = guard.visit(url);
  if (!visited) return ['anything'];
  await visited.admit();
  if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) return ['literal'];
  const lookup = promisify<string, object, readonly LookupAddress[]>(
    visited.lookup as (
      name: string,
      options: object,
      done: (error: Error | null, all: readonly LookupAddress[]) => void,
    ) => void,
  );
  return (await lookup(url.hostname, { all: true })).map(({ address }) => address);
}

const refused = (error: unknown): boolean => {
  assert.ok(isOciError(error, 'PROTOCOL'), String(error));
  assert.match(error.message, / leads to .*, inside this network \(.+\): refused$/);
  assert.match(error.hint ?? '', /allow-private: \['/);
  return true;
};

describe('a registry outside', () => {
  for (const target of [
    ...['https://169.254.169.254/latest', 'https://127.0.0.1/token', 'https://localhost/token', 'https://[::1]/token'],
    ...['https://[::ffff:10.0.0.1]/token', 'https://2130706433/token', 'https://[fe80::1]/', 'https://inside.example/'],
    'https://[64:ff9b::7f00:1]/',
  ]) {
    it(`may not lead to ${target}, however it is known to be outside`, async () => {
      await assert.rejects(visit('https://8.8.8.8/', target), refused);
      await assert.rejects(visit('https://[2001:4860:4860::8888]/', target), refused);
      await assert.rejects(visit('https://outside.example/', target), refused);
      await assert.rejects(visit('https://unknown.example/', target), refused);
      await assert.rejects(visit('https://rebound.example/', target, { met: ['8.8.8.8'] }), refused);
    });
  }

  it('may lead to what is outside, and of a name to what is there', async () => {
    assert.deepEqual(await visit('https://8.8.8.8/', 'https://1.1.1.1/'), ['literal']);
    assert.deepEqual(await visit('https://8.8.8.8/', 'https://outside.example/'), ['198.51.100.7']);
    assert.deepEqual(await visit('https://8.8.8.8/', 'https://both.example/'), ['198.51.100.7']);
  });

  it('may not have its name resolve to something inside as well, to count as inside', async () => {
    await assert.rejects(visit('https://both.example/', 'https://10.0.0.1/'), refused);
    await assert.rejects(
      visit('https://evil.example/', 'https://10.0.0.1/', { met: ['10.0.0.9', '8.8.8.8'] }),
      refused,
    );
  });

  it('may not lead to another port of its own name, where that is inside by now', async () => {
    await assert.rejects(
      visit('https://inside.example/', 'https://inside.example:8443/', { met: ['8.8.8.8'] }),
      refused,
    );
  });

  it('is told of the name and the address that it leads to', async () => {
    await assert.rejects(visit('https://8.8.8.8/', 'https://inside.example:8443/'), (error) => {
      assert.ok(isOciError(error));
      assert.match(
        error.message,
        /^8\.8\.8\.8 leads to inside\.example:8443 at 10\.0\.0\.1, inside this network \(a private network\)/,
      );
      assert.match(error.hint ?? '', /allow-private: \['inside\.example:8443'\]/);
      return true;
    });
  });

  it('may lead where the settings allow it, by host, by host and port, by network', async () => {
    const allowed = (entry: string, target: string) => visit('https://8.8.8.8/', target, { allowPrivate: [entry] });
    assert.deepEqual(await allowed('inside.example', 'https://inside.example:8443/'), ['anything']);
    assert.deepEqual(await allowed('INSIDE.example:443', 'https://inside.example/'), ['anything']);
    assert.deepEqual(await allowed('[::1]', 'https://[::1]:5000/'), ['anything']);
    assert.deepEqual(await allowed('10.0.0.0/24', 'https://inside.example/'), ['10.0.0.1']);
    assert.deepEqual(await allowed('10.0.0.0/24', 'https://10.0.0.7/'), ['literal']);
    await assert.rejects(allowed('inside.example:443', 'https://inside.example:8443/'), refused);
    await assert.rejects(allowed('10.0.1.0/24', 'https://inside.example/'), refused);
    await assert.rejects(allowed('example', 'https://inside.example/'), refused);
  });

  it('may not lead to an address inside through a proxy either, where names are the proxy’s to judge', async (t) => {
    const proxy = await startFakeServer(t, ({ path }, response) =>
      response.writeHead(307, { location: path === '/name' ? 'http://inside.example/x' : 'http://10.0.0.1/x' }).end(),
    );
    const setting = { value: proxy.url, origin: { kind: 'environment', name: 'HTTP_PROXY' } } as const;
    const transport = open(t, 'http://8.8.8.8/', { proxy: { http: setting } });
    await assert.rejects(get(transport, 'address'), fails('PROTOCOL', /8\.8\.8\.8 leads to 10\.0\.0\.1, inside/));
    assert.equal(proxy.requests.length, 1);
    await assert.rejects(get(transport, 'name'), fails('PROTOCOL', /leads to 10\.0\.0\.1/));
    assert.deepEqual(proxy.requests.at(-1)?.headers.host, 'inside.example');
  });
});

describe('a registry inside', () => {
  it('may lead anywhere, however it is known to be inside', async () => {
    for (const target of ['https://10.0.0.1/', 'https://localhost/', 'https://[fd00::1]/', 'https://inside.example/']) {
      for (const registry of [
        'https://10.1.1.1/',
        'http://registry:5000/',
        'https://localhost/',
        'https://inside.example/',
      ])
        assert.equal((await visit(registry, target)).length, 1);
      assert.equal((await visit('https://outside.example/', target, { met: ['127.0.0.1'] })).length, 1);
      assert.equal((await visit('https://x.example/', target, { addresses: ['10.0.0.3'] })).length, 1);
    }
  });

  it('is what it is connected to as, whatever its own name resolves to next', async (t) => {
    const elsewhere = await startFakeServer(t, (_, response) => response.end('fine'));
    const server = await startFakeServer(t, (_, response) =>
      response.writeHead(307, { location: elsewhere.url }).end(),
    );
    const response = await get(open(t, server.url));
    assert.equal(Buffer.from(await response.body.bytes(100)).toString(), 'fine');
  });
});
