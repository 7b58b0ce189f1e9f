import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { environment } from '../../src/config/environment.ts';
import { parseHostRules } from '../../src/config/host-rules.ts';
import type { Origin } from '../../src/config/origin.ts';
import { readMirrors } from '../../src/config/settings.ts';
import type { APIEndpoint } from '../../src/endpoints/endpoint.ts';
import {
  type EndpointOptions,
  type EndpointSettings,
  lookupPullEndpoints,
  lookupPushEndpoints,
  matchInsecure,
} from '../../src/endpoints/lookup.ts';
import { isOciError } from '../../src/model/errors.ts';
import { issue } from '../certs/issue.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const origin: Origin = { kind: 'file', name: 'daemon.json', line: 1 };

interface Given {
  readonly mirrors?: readonly string[];
  readonly insecure?: readonly string[];
  readonly nondistributable?: readonly string[];
  readonly certsDir?: string;
  readonly dns?: Readonly<Record<string, readonly string[]>>;
}

function options(given: Given): EndpointOptions {
  const sourced = (values: readonly string[] = []) => values.map((value) => ({ value, origin }));
  const warn = (text: string) => assert.fail(text);
  const settings: EndpointSettings = {
    registryMirrors: readMirrors(sourced(given.mirrors)),
    insecureRegistries: parseHostRules(sourced(given.insecure), 'insecure-registries', warn),
    allowNondistributableArtifacts: parseHostRules(sourced(given.nondistributable), 'allow', warn),
    registryRules: [],
    certsDirs: sourced([given.certsDir ?? '/nonexistent']),
    environment: environment({ env: {}, platform: 'linux' }),
  };
  const resolve = async (name: string): Promise<readonly string[]> => {
    const addresses = given.dns?.[name];
    if (!addresses) throw new Error(`ENOTFOUND ${name}`);
    return addresses;
  };
  return { settings, warn, resolve };
}

function brief(endpoints: readonly APIEndpoint[]): readonly string[] {
  return endpoints.map(
    ({ url, mirror, official, tls }) =>
      `${url}${mirror ? ' mirror' : ''}${official ? ' official' : ''}${tls.verify === false ? ' unverified' : ''}`,
  );
}

describe('whether a host is insecure', () => {
  const dns = {
    localhost: ['127.0.0.1', '::1'],
    'app.localhost': ['127.0.0.1'],
    'stolen.localhost': ['127.0.0.1', '192.0.2.1'],
    'loopback.example.com': ['127.0.0.1', '::1'],
    'localhost.example.com': ['127.0.0.1'],
    'ten.example.com': ['10.20.30.40', '10.1.1.1'],
    'both.example.com': ['10.20.30.40', '2001:db8::5'],
    'half.example.com': ['10.20.30.40', '192.0.2.1'],
    'empty.example.com': [],
    'public.example.com': ['192.0.2.1'],
    'six.example.com': ['2001:db8::5'],
  };
  const insecure = ['10.1.2.3/8', '2001:db8::/32', 'example.com', 'plain.example.com:5000', '[2001:db9::1]:80'];
  const vectors = [
    ['localhost', '127.0.0.0/8'],
    ['localhost:5000', '127.0.0.0/8'],
    ['app.localhost:5000', '127.0.0.0/8'],
    ['stolen.localhost', undefined],
    ['loopback.example.com', undefined],
    ['localhost.example.com:5000', undefined],
    ['127.0.0.1:5000', '127.0.0.0/8'],
    ['127.255.255.254', '127.0.0.0/8'],
    ['[::1]:5000', '::1/128'],
    ['[::2]:5000', undefined],
    ['128.0.0.1', undefined],
    ['example.com', 'example.com'],
    ['example.com:5000', undefined],
    ['plain.example.com:5000', 'plain.example.com:5000'],
    ['plain.example.com', undefined],
    ['[2001:db9::1]:80', '[2001:db9::1]:80'],
    ['[2001:db9::1]', undefined],
    ['10.9.9.9:5000', '10.0.0.0/8'],
    ['ten.example.com', '10.0.0.0/8'],
    ['ten.example.com:443', '10.0.0.0/8'],
    ['both.example.com', '10.0.0.0/8'],
    ['half.example.com', undefined],
    ['empty.example.com', undefined],
    ['six.example.com:443', '2001:db8::/32'],
    ['public.example.com', undefined],
    ['unresolvable.example.com', undefined],
    ['docker.io', undefined],
  ] as const;
  for (const [host, rule] of vectors) {
    it(`${host}: ${rule === undefined ? 'no' : `yes, because of ${rule}`}`, async () => {
      assert.equal((await matchInsecure(host, options({ insecure, dns })))?.rule, rule);
    });
  }

  it('tells the addresses that matched, and where the rule was set', async () => {
    assert.deepEqual(await matchInsecure('ten.example.com:443', options({ insecure, dns })), {
      rule: '10.0.0.0/8',
      origin,
      addresses: ['10.20.30.40', '10.1.1.1'],
    });
  });

  it('is so for a name at loopback where the user sets that network', async () => {
    const given = options({ insecure: ['127.0.0.0/8'], dns: { 'loopback.example.com': ['127.0.0.1'] } });
    assert.deepEqual((await matchInsecure('loopback.example.com', given))?.origin, origin);
  });

  it('is never so for Docker Hub, whatever is set', async () => {
    const all = options({ insecure: ['docker.io', '0.0.0.0/0', '::/0'], dns: { 'docker.io': ['127.0.0.1'] } });
    assert.equal(await matchInsecure('docker.io', all), undefined);
  });

  it('resolves localhost by the system', async () => {
    const { settings } = options({});
    assert.ok(await matchInsecure('localhost:5000', { settings }));
  });
});

describe('the endpoints of Docker Hub', () => {
  const hub = 'https://registry-1.docker.io/ official';

  it('are its mirrors in order and then itself', async () => {
    const given = options({ mirrors: ['https://b.example.com', 'http://a.example.com:5000/proxy'] });
    const endpoints = await lookupPullEndpoints('docker.io', given);
    assert.deepEqual(brief(endpoints), [
      'https://b.example.com/ mirror',
      'http://a.example.com:5000/proxy/ mirror',
      hub,
    ]);
    assert.deepEqual(
      endpoints.map(({ credentialHost }) => credentialHost),
      ['b.example.com', 'a.example.com:5000', 'docker.io'],
    );
    assert.ok(endpoints.every(({ trimHostname }) => trimHostname));
  });

  it('have no mirrors for a push', async () => {
    const given = options({ mirrors: ['https://b.example.com'] });
    assert.deepEqual(brief(await lookupPushEndpoints('docker.io', given)), [hub]);
  });

  it('trust a mirror by the rules of its own host', async () => {
    const given = options({
      mirrors: ['https://plain.example.com:443', 'https://other.example.com'],
      insecure: ['plain.example.com:443'],
    });
    assert.deepEqual(brief(await lookupPullEndpoints('docker.io', given)), [
      'https://plain.example.com/ mirror unverified',
      'https://other.example.com/ mirror',
      hub,
    ]);
  });

  it('are not those of docker.io with a port', async () => {
    const given = options({ mirrors: ['https://b.example.com'] });
    assert.deepEqual(brief(await lookupPullEndpoints('docker.io:443', given)), ['https://docker.io/']);
  });

  it('can be replaced, for a registry that plays Docker Hub', async () => {
    const given = { ...options({}), defaultRegistry: 'http://127.0.0.1:5000' };
    assert.deepEqual(brief(await lookupPullEndpoints('docker.io', given)), ['http://127.0.0.1:5000/ official']);
  });
});

describe('the endpoints of any other host', () => {
  it('are https alone where it is secure, and have no mirrors', async () => {
    const given = options({ mirrors: ['https://b.example.com'] });
    assert.deepEqual(brief(await lookupPullEndpoints('example.com:5000', given)), ['https://example.com:5000/']);
    assert.deepEqual(brief(await lookupPushEndpoints('example.com:5000', given)), ['https://example.com:5000/']);
  });

  it('are https without verification and then plain http where it is insecure', async () => {
    const given = options({ insecure: ['example.com:5000'] });
    const expected = ['https://example.com:5000/ unverified', 'http://example.com:5000/'];
    assert.deepEqual(brief(await lookupPullEndpoints('example.com:5000', given)), expected);
    assert.deepEqual(brief(await lookupPushEndpoints('example.com:5000', given)), expected);
  });

  it('are both for loopback', async () => {
    assert.deepEqual(brief(await lookupPullEndpoints('[::1]:5000', options({}))), [
      'https://[::1]:5000/ unverified',
      'http://[::1]:5000/',
    ]);
  });

  it('allow foreign layers only where that is set', async () => {
    const given = options({
      nondistributable: ['example.com:5000', '10.0.0.0/8'],
      dns: { 'ten.example.com': ['10.1.1.1'] },
    });
    const allowed = async (host: string) =>
      (await lookupPushEndpoints(host, given)).map((endpoint) => endpoint.allowNondistributableArtifacts);
    assert.deepEqual(await allowed('example.com:5000'), [true]);
    assert.deepEqual(await allowed('ten.example.com'), [true]);
    assert.deepEqual(await allowed('example.com'), [false]);
    assert.deepEqual(await allowed('docker.io'), [false]);
  });

  it('carry the certificates of certs.d, unless the host is insecure', async (t) => {
    const certsDir = await temporaryDirectory(t);
    const { cert } = issue('CA');
    for (const host of [
      'example.com:5000',
      'plain.example.com',
      'mirror.example.com',
      'docker.io',
      'half.example.com',
    ]) {
      await mkdir(join(certsDir, host));
      await writeFile(join(certsDir, host, host.startsWith('half') ? 'x.key' : 'ca.crt'), cert);
    }
    const given = options({
      certsDir,
      mirrors: ['https://mirror.example.com'],
      insecure: ['plain.example.com'],
    });
    const trusting = async (host: string) =>
      (await lookupPullEndpoints(host, given)).map(({ tls }) => tls.ca?.at(-1)?.trim() === cert.trim());
    assert.deepEqual(await trusting('example.com:5000'), [true]);
    assert.deepEqual(await trusting('example.com'), [false]);
    assert.deepEqual(await trusting('plain.example.com'), [false, false]);
    assert.deepEqual(await trusting('docker.io'), [true, true]);
    await assert.rejects(trusting('half.example.com'), (error) => isOciError(error, 'CONFIG_INVALID'));
  });

  it('carry our own certificate where the host is insecure too, but not into plain http', async (t) => {
    const certsDir = await temporaryDirectory(t);
    const { cert, key } = issue('client');
    const directory = join(certsDir, '127.0.0.1:5000');
    await mkdir(directory);
    await writeFile(join(directory, 'client.cert'), cert);
    await writeFile(join(directory, 'client.key'), key);
    const found = await lookupPullEndpoints('127.0.0.1:5000', options({ certsDir }));
    assert.deepEqual(
      found.map(({ url, tls }) => [url.protocol, tls]),
      [
        ['https:', { verify: false, cert, key, directory }],
        ['http:', {}],
      ],
    );
  });
});
