import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Origin } from '../../src/config/origin.ts';
import {
  orderRegistryRules,
  plainSource,
  type RegistryRule,
  type RegistrySource,
} from '../../src/config/registry-rules.ts';
import { isOciError } from '../../src/model/errors.ts';
import { parseReference, parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { endpointReport } from '../../src/registry/extensions.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { deadAddress } from '../support/network/ports.ts';
import { startServe } from '../support/registries.ts';
import { digestOf, type Given, open, withImage } from './opened.ts';
import { startRecorder } from './recorder.ts';

const origin: Origin = { kind: 'file', name: 'hosts.toml', line: 1 };
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
const latest = parseTag('latest');

function source(more: Partial<RegistrySource>): RegistrySource {
  return { ...plainSource, origin, ...more };
}

function mirrored(prefix: string, ...mirrors: readonly Partial<RegistrySource>[]): RegistryRule {
  return { prefix, origin, blocked: false, mirrors: mirrors.map((each) => source({ scheme: 'http', ...each })) };
}

const openWith = (t: Parameters<typeof open>[0], rule: RegistryRule, given: Given = {}) =>
  open(t, { ...given, adjust: (settings) => ({ ...settings, registryRules: orderRegistryRules([rule]) }) });

describe('a registry that a rule is about', () => {
  it('is served by a mirror under another name, which has credentials and headers of its own', async (t) => {
    const registry = await withImage('mirror');
    const behind = await startServe(t, { registry });
    const asked = basic('eve:mirror-secret');
    const mirror = await startRecorder(t, { target: behind.url, authorization: asked });
    const rule = mirrored('r.invalid/team', {
      host: mirror.host,
      repositoryPrefix: 'library',
      headers: { 'X-Key': 'k' },
    });
    const { service } = await openWith(t, rule, {
      config: {
        auths: {
          'r.invalid': { auth: Buffer.from('ada:secret').toString('base64') },
          [mirror.host]: { auth: Buffer.from('eve:mirror-secret').toString('base64') },
        },
        HttpHeaders: { 'X-Meta': 'secret' },
      },
    });
    const reference = parseReference('r.invalid/team/alpine');
    const opened = await service.open(reference, 'pull');
    assert.equal(await digestOf(opened, reference.path), await digestOf(registry));
    assert.equal(opened.extension(endpointReport)?.servedBy(), mirror.host);
    assert.ok(
      mirror.seen.every(({ path, headers }) => /^\/v2\/(?:library\/alpine\/|$)/.test(path) && headers['x-key'] === 'k'),
    );
    assert.doesNotMatch(
      JSON.stringify(mirror.seen.map(({ headers }) => ({ ...headers, authorization: '' }))),
      /secret/,
    );
    assert.equal(mirror.seen.at(-1)?.headers.authorization, asked);
  });

  it('is asked at the path of a mirror itself, with the name it stands in for', async (t) => {
    const registry = await withImage('mirror');
    const behind = await startServe(t, { registry });
    const mirror = await startRecorder(t, { target: behind.url });
    const rule = mirrored('r.invalid', {
      host: mirror.host,
      path: '/v2/library/',
      overridePath: true,
      namespaceQuery: true,
    });
    const { service } = await openWith(t, rule);
    const reference = parseReference('r.invalid/alpine');
    assert.equal(await digestOf(await service.open(reference, 'pull'), reference.path), await digestOf(registry));
    assert.deepEqual(
      [...new Set(mirror.seen.map(({ path }) => path))],
      ['/v2/library/alpine/manifests/latest?ns=r.invalid'],
    );
  });

  it('asks a mirror for digests alone if it may not resolve tags', async (t) => {
    const registry = await withImage('image');
    const [behind, server] = [await startServe(t, { registry }), await startServe(t, { registry })];
    const mirror = await startRecorder(t, { target: behind.url });
    const origin = await startRecorder(t, { target: server.url });
    const rule = {
      ...mirrored('r.invalid', { host: mirror.host, resolve: false }),
      server: source({ host: origin.host, scheme: 'http' }),
    };
    const { service } = await openWith(t, rule);
    const reference = parseReference('r.invalid/library/alpine');
    const opened = await service.open(reference, 'pull');
    const { digest } = await opened.statManifest(reference.path, latest);
    await opened.getManifest(reference.path, digest);
    assert.ok(origin.seen.every(({ path }) => path.includes('/latest')));
    assert.ok(mirror.seen.length > 0 && mirror.seen.every(({ path }) => path.includes('/sha256:')));
  });

  it('asks a mirror for tags, and for the blobs and manifests of such a tag', async (t) => {
    const registry = await withImage('image');
    const [behind, server] = [await startServe(t, { registry }), await startServe(t, { registry })];
    const mirror = await startRecorder(t, { target: behind.url });
    const rule = {
      ...mirrored('r.invalid', { host: mirror.host, references: 'tags' }),
      server: source({ host: server.host, scheme: 'http' }),
    };
    const { service } = await openWith(t, rule);
    const reference = parseReference('r.invalid/library/alpine');
    const { digest } = await (await service.open(reference, 'pull')).statManifest(reference.path, latest);
    const asked = mirror.seen.length;
    assert.ok(asked > 0);
    await (await service.open(reference, 'pull')).getManifest(reference.path, digest);
    assert.equal(mirror.seen.length, asked, 'a digest was asked for from the start');
    const again = await service.open(reference, 'pull');
    await again.statManifest(reference.path, latest);
    await again.getManifest(reference.path, digest);
    assert.match(mirror.seen.at(-1)?.path ?? '', /\/sha256:/);
  });

  it('is pushed to where the rule says, under the name it has there', async (t) => {
    const target = await startServe(t);
    const rule = {
      ...mirrored('r.invalid'),
      server: source({ host: target.host, scheme: 'http', repositoryPrefix: 'moved' }),
    };
    const { service } = await openWith(t, rule);
    const reference = parseReference('r.invalid/app');
    const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
    await pushImage(await service.open(reference, 'push'), reference.path, latest, image);
    assert.equal(await digestOf(target.registry, parseRepositoryName('moved/app')), image.descriptor.digest);
  });

  it('is known with its mirrors, and as insecure where the rule says so', async (t) => {
    const rule = { ...mirrored('r.invalid', { host: 'm:5000', path: '/p/' }), server: source({ insecure: true }) };
    const { service } = await openWith(t, rule, { resolve: async () => [] });
    const { index } = await service.resolveRepository(parseReference('r.invalid/app'));
    assert.deepEqual(index, { name: 'r.invalid', mirrors: ['http://m:5000/p/'], secure: false, official: false });
    assert.equal(await service.isInsecureRegistry('r.invalid'), true);
    assert.equal(await service.isInsecureRegistry('other.invalid'), false);
  });

  it('is not asked at all where the rule blocks it', async (t) => {
    const server = await startRecorder(t, {});
    const { service } = await openWith(t, { ...mirrored(server.host), blocked: true });
    for (const intent of ['pull', 'push'] as const) {
      await assert.rejects(
        service.open(parseReference(`${server.host}/app`), intent),
        (error) => isOciError(error, 'DENIED') && error.message.includes('hosts.toml:1'),
      );
    }
    assert.deepEqual(server.seen, []);
  });
});

describe('a mirror that may be pushed to', () => {
  const secrets = /Basic|Bearer|mirror-secret/;
  const headers = { 'X-Key': 'mirror-secret' };

  it('is shown no login of Docker Hub, wherever the rule says that Docker Hub is', async (t) => {
    const hub = await startRecorder(t, { authorization: basic('ada:secret') });
    const mirror = await startRecorder(t, { authorization: basic('ada:secret') });
    for (const server of [{ host: 'registry-1.docker.io', scheme: 'https' as const }, undefined]) {
      const rule = { ...mirrored('docker.io', { host: mirror.host }), ...(server && { server: source(server) }) };
      const { service } = await openWith(t, rule, { defaultRegistry: hub.url });
      const credential = { kind: 'password', username: 'ada', password: 'secret', source: 'test' } as const;
      await assert.rejects(service.auth('docker.io', credential));
      assert.deepEqual(mirror.seen, []);
    }
    assert.ok(hub.seen.some(({ headers }) => headers.authorization === basic('ada:secret')));
  });

  it('is asked for no token that is for the registry itself', async (t) => {
    const server = await startRecorder(t, { status: 200 });
    const mirror = await startRecorder(t, { status: 200 });
    const rule = {
      ...mirrored('r.invalid', { host: mirror.host }),
      server: source({ host: server.host, scheme: 'http' }),
    };
    const { service } = await openWith(t, rule);
    await assert.rejects(service.token(parseReference('r.invalid/app'), ['repository:app:pull']), (error) =>
      isOciError(error, 'UNSUPPORTED'),
    );
    assert.deepEqual(mirror.seen, []);
    assert.ok(server.seen.length > 0);
  });

  it('keeps its headers to itself when Docker Hub is searched', async (t) => {
    const [hub, mirror] = [await startRecorder(t, { status: 404 }), await startRecorder(t, {})];
    const rule = {
      ...mirrored('docker.io', { host: mirror.host, headers }),
      server: source({ host: 'registry-1.docker.io', scheme: 'https', headers }),
    };
    const { service } = await openWith(t, rule, {
      defaultSearchIndex: hub.url,
      config: { auths: { [mirror.host]: { auth: Buffer.from('eve:mirror-secret').toString('base64') } } },
    });
    await assert.rejects(service.search('nginx'));
    assert.ok(hub.seen.length > 0);
    assert.doesNotMatch(JSON.stringify(hub.seen), secrets);
  });
});

describe('a mirror that fails over a tag', () => {
  it("is asked last for the image's manifests, and reported once", async (t) => {
    const registry = await withImage('origin');
    const server = await startServe(t, { registry });
    const broken = await startRecorder(t, { status: 500 });
    const rule = {
      ...mirrored('r.invalid', { host: broken.host }),
      server: source({ host: server.host, scheme: 'http' }),
    };
    const { service, fallbacks } = await openWith(t, rule);
    const reference = parseReference('r.invalid/library/alpine');
    const opened = await service.open(reference, 'pull');
    const { digest } = await opened.statManifest(reference.path, latest);
    const asked = broken.seen.length;
    assert.ok(asked > 0);
    await opened.getManifest(reference.path, digest);
    assert.equal(broken.seen.length, asked);
    await opened.statManifest(reference.path, latest);
    assert.ok(broken.seen.length > asked, 'a tag may be there by now');
    assert.equal(fallbacks.length, 1);
  });
});

describe('an endpoint that could not be reached', () => {
  it('is left aside by registries that are opened later, and asked again where no other is left', async (t) => {
    const registry = await withImage('origin');
    const server = await startServe(t, { registry });
    const dead = await deadAddress();
    const rule = { ...mirrored('r.invalid', { host: dead }), server: source({ host: server.host, scheme: 'http' }) };
    const lines: string[] = [];
    const { service, fallbacks } = await openWith(t, rule, { trace: (line) => lines.push(line) });
    const reference = parseReference('r.invalid/library/alpine');
    for (const _ of [1, 2, 3]) await digestOf(await service.open(reference, 'pull'), reference.path);
    assert.equal(lines.filter((line) => line.includes(dead)).length, 1);
    assert.deepEqual(fallbacks, [`${dead} NETWORK ${server.host}`]);
    const alone = await service.open(parseReference(`${dead}/library/alpine`), 'pull');
    await assert.rejects(digestOf(alone), (error) => isOciError(error, 'NETWORK'));
    assert.ok(lines.filter((line) => line.includes(dead)).length > 1);
  });

  it('is asked again after a while', async (t) => {
    const registry = await withImage('mirror');
    const mirror = await startRecorder(t, { target: (await startServe(t, { registry })).url });
    const server = await startServe(t, { registry });
    const rule = {
      ...mirrored('r.invalid', { host: mirror.host }),
      server: source({ host: server.host, scheme: 'http' }),
    };
    const { service } = await openWith(t, rule);
    const reference = parseReference('r.invalid/library/alpine');
    const servedBy = async () => {
      const opened = await service.open(reference, 'pull');
      await digestOf(opened, reference.path);
      return opened.extension(endpointReport)?.servedBy();
    };
    mirror.hangUp(true);
    assert.equal(await servedBy(), server.host);
    mirror.hangUp(false);
    assert.equal(await servedBy(), server.host);
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 });
    assert.equal(await servedBy(), mirror.host);
  });
});
