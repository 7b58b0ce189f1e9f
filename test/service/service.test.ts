import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isOciError } from '../../src/model/errors.ts';
import { parseReference, parseTag } from '../../src/model/reference/reference.ts';
import { endpointReport } from '../../src/registry/extensions.ts';
import { issue } from '../certs/issue.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { deadAddress } from '../support/network/ports.ts';
import { startServe } from '../support/registries.ts';
import { sandbox } from '../support/sandbox.ts';
import { alpine, digestOf, type Given, open, withImage } from './opened.ts';
import { startRecorder } from './recorder.ts';

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('credentials given for one run', () => {
  it('are sent to the registry, and to none of its mirrors', async (t) => {
    const [mirror, hub] = await Promise.all([1, 2].map(() => startRecorder(t, { authorization: basic('no:body') })));
    const identity = { kind: 'password', username: 'ada', password: 'x', source: 'the test' } as const;
    const { service } = await open(t, {
      identity,
      daemon: { 'registry-mirrors': [mirror?.url] },
      config: { auths: { 'https://index.docker.io/v1/': { auth: base64('stored:x') } } },
      defaultRegistry: hub?.url,
    });
    await assert.rejects(digestOf(await service.open(alpine, 'pull')));
    assert.ok(mirror && mirror.seen.length > 0);
    assert.ok(mirror.seen.every(({ headers }) => headers.authorization === undefined));
    assert.equal(hub?.seen.at(-1)?.headers.authorization, basic('ada:x'));
  });
});

describe('credentials of a namespace', () => {
  it('are shown for its repositories, and the registry’s own for all others', async (t) => {
    const asked = await startRecorder(t, { authorization: basic('nobody:knows') });
    const login = (user: string): object => ({ auth: base64(`${user}:x`) });
    const { service } = await open(t, {
      config: { auths: { [asked.host]: login('all'), [`${asked.host}/team`]: login('team') } },
    });
    for (const path of ['team/app', 'other/app']) {
      const registry = await service.open(parseReference(`${asked.host}/${path}`), 'pull');
      await assert.rejects(digestOf(registry), (error) => isOciError(error, 'DENIED'));
    }
    const shown = asked.seen.flatMap(({ headers }) => headers.authorization ?? []);
    assert.deepEqual(shown, [basic('team:x'), basic('all:x')]);
  });
});

describe('a registry that hides from strangers', () => {
  it('is asked once per run how to log in, for all identities', async (t) => {
    const server = await startFakeServer(t, ({ path, headers }, response) => {
      if (path === '/v2/') response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
      else response.writeHead(headers.authorization === basic('ann:x') ? 500 : 404).end();
    });
    const { service } = await open(t, { config: { auths: { [server.host]: { auth: base64('ann:x') } } } });
    for (const path of ['team/app', 'other/app']) {
      const reference = parseReference(`${server.host}/${path}`);
      const registry = await service.open(reference, 'pull');
      await assert.rejects(digestOf(registry, reference.path), (error) => isOciError(error, 'UNAVAILABLE'));
    }
    const shown = server.requests.map(
      ({ path, headers }) => `${path.slice(0, 8)} ${headers.authorization !== undefined}`,
    );
    assert.deepEqual(shown, ['/v2/team false', '/v2/ false', '/v2/team true', '/v2/othe true']);
  });
});

describe('pulling from Docker Hub through mirrors', () => {
  it('takes the image from the first mirror that works', async (t) => {
    const registry = await withImage('mirror');
    const mirror = await startServe(t, { registry });
    const dead = await deadAddress();
    const hub = await startRecorder(t, {});
    const { service, fallbacks } = await open(t, {
      daemon: { 'registry-mirrors': [`http://${dead}`, mirror.url] },
      defaultRegistry: hub.url,
    });
    const opened = await service.open(alpine, 'pull');
    assert.equal(await digestOf(opened), await digestOf(registry));
    assert.equal(opened.extension(endpointReport)?.servedBy(), mirror.host);
    assert.deepEqual(fallbacks, [`${dead} NETWORK ${mirror.host}`]);
    assert.deepEqual(hub.seen, []);
  });

  it('ends at Docker Hub when the mirrors fail', async (t) => {
    const registry = await withImage('hub');
    const hub = await startServe(t, { registry });
    const [broken, empty] = [await startRecorder(t, { status: 500 }), await startServe(t)];
    const { service, fallbacks } = await open(t, {
      daemon: { 'registry-mirrors': [broken.url, empty.url] },
      defaultRegistry: hub.url,
    });
    const opened = await service.open(alpine, 'pull');
    assert.equal(await digestOf(opened), await digestOf(registry));
    assert.equal(opened.extension(endpointReport)?.servedBy(), hub.host);
    assert.equal(fallbacks.length, 2);
  });

  it("shows a mirror neither Docker Hub's credentials nor the headers of config.json", async (t) => {
    const registry = await withImage('hub');
    const origin = await startServe(t, { registry });
    const ada = basic('ada:hub-secret');
    const hub = await startRecorder(t, { target: origin.url, authorization: ada });
    const asking = await startRecorder(t, { authorization: basic('nobody:knows') });
    const { service } = await open(t, {
      daemon: { 'registry-mirrors': [asking.url] },
      config: {
        auths: { 'https://index.docker.io/v1/': { auth: base64('ada:hub-secret') } },
        HttpHeaders: { 'X-Meta-Token': 'header-secret' },
      },
      defaultRegistry: hub.url,
    });
    assert.equal(await digestOf(await service.open(alpine, 'pull')), await digestOf(registry));
    assert.ok(asking.seen.length > 0);
    assert.doesNotMatch(JSON.stringify(asking.seen), /authorization|x-meta-token|secret/i);
    assert.equal(hub.seen.at(-1)?.headers.authorization, ada);
    assert.ok(hub.seen.every(({ headers }) => headers['x-meta-token'] === 'header-secret'));
  });

  it("gives a mirror the credentials of the mirror's own host", async (t) => {
    const registry = await withImage('mirror');
    const behind = await startServe(t, { registry });
    const mirror = await startRecorder(t, { target: behind.url, authorization: basic('eve:mirror-secret') });
    const { service } = await open(t, {
      daemon: { 'registry-mirrors': [mirror.url] },
      config: {
        auths: {
          'https://index.docker.io/v1/': { auth: base64('ada:hub-secret') },
          [mirror.host]: { auth: base64('eve:mirror-secret') },
        },
      },
      defaultRegistry: `http://${await deadAddress()}`,
    });
    assert.equal(await digestOf(await service.open(alpine, 'pull')), await digestOf(registry));
    assert.ok(mirror.seen.every(({ headers }) => headers.authorization !== basic('ada:hub-secret')));
  });

  it('pushes to Docker Hub itself and never to a mirror', async (t) => {
    const hub = await startServe(t);
    const mirror = await startRecorder(t, {});
    const { service } = await open(t, {
      daemon: { 'registry-mirrors': [mirror.url] },
      defaultRegistry: hub.url,
    });
    const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
    await pushImage(await service.open(alpine, 'push'), alpine.path, parseTag('latest'), image);
    assert.equal(await digestOf(hub.registry), image.descriptor.digest);
    assert.deepEqual(mirror.seen, []);
  });
});

describe('a registry on loopback', () => {
  it('is spoken to in plain http, with its credentials and the headers of config.json', async (t) => {
    const registry = await withImage('local');
    const behind = await startServe(t, { registry });
    const local = await startRecorder(t, { target: behind.url, authorization: basic('ada:local-secret') });
    const { service, warnings, fallbacks } = await open(t, {
      config: { auths: { [local.host]: { auth: base64('ada:local-secret') } }, HttpHeaders: { 'X-Meta': 'yes' } },
    });
    const opened = await service.open(parseReference(`${local.host}/library/alpine`), 'pull');
    assert.equal(await digestOf(opened), await digestOf(registry));
    assert.ok(
      local.seen.every(({ headers }) => headers['x-meta'] === 'yes' && headers['user-agent'] === 'ocictl/test'),
    );
    assert.equal(opened.extension(endpointReport)?.servedBy(), local.url);
    assert.deepEqual([warnings, fallbacks], [[], []], 'plain http is how loopback is set up, and nothing to tell of');
  });

  it('by the network of its address is connected to at that address, so that DNS cannot lead elsewhere afterwards', async (t) => {
    const registry = await withImage('local');
    const behind = await startServe(t, { registry, allowedHosts: ['registry.invalid'] });
    const { port } = new URL(behind.url);
    const lookups: string[] = [];
    const { service } = await open(t, {
      daemon: { 'insecure-registries': ['127.0.0.0/8'] },
      resolve: async (name) => {
        lookups.push(name);
        return ['127.0.0.1'];
      },
    });
    const opened = await service.open(parseReference(`registry.invalid:${port}/library/alpine`), 'pull');
    assert.equal(await digestOf(opened), await digestOf(registry), 'the system knows no such name');
    assert.deepEqual([...new Set(lookups)], ['registry.invalid']);
  });

  it('that is private is reported as such, with how to log in', async (t) => {
    const local = await startRecorder(t, { authorization: basic('ada:x') });
    const { service } = await open(t, {});
    const opened = await service.open(parseReference(`${local.host}/library/alpine`), 'pull');
    await assert.rejects(
      digestOf(opened),
      (error) => isOciError(error, 'UNAUTHORIZED') && error.hint?.includes(`ocictl login ${local.host}`) === true,
    );
  });

  it('is pulled from anonymously when the credential helper is missing, with one warning', async (t) => {
    const registry = await withImage('local');
    const behind = await startServe(t, { registry });
    const { service, warnings } = await open(t, {
      config: { credsStore: 'missing' },
      daemon: { 'registry-mirrors': [behind.url] },
    });
    assert.equal(await digestOf(await service.open(alpine, 'pull')), await digestOf(registry));
    assert.deepEqual(warnings, [], 'a registry that asks for nothing needs no helper');
    const asking = await startRecorder(t, { authorization: basic('ada:x') });
    const opened = await service.open(parseReference(`${asking.host}/library/alpine`), 'pull');
    await assert.rejects(digestOf(opened), (error) => isOciError(error, 'UNAUTHORIZED'));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /docker-credential-missing is not on PATH/);
  });

  it('that cannot be reached is an error that names it', async (t) => {
    const dead = await deadAddress();
    const { service } = await open(t, {});
    const opened = await service.open(parseReference(`${dead}/library/alpine`), 'pull');
    await assert.rejects(digestOf(opened), (error) => isOciError(error, 'NETWORK') && error.message.includes(dead));
  });
});

describe('a registry with TLS', () => {
  const authority = issue('Test CA');
  const certificate = issue('server', { by: authority, dnsNames: ['localhost'] });

  it('is believed with its authority in certs.d, and refused without', async (t) => {
    const registry = await withImage('tls');
    const behind = await startServe(t, { registry });
    const hub = await startRecorder(t, { target: behind.url, tls: certificate });
    const given: Given = { defaultRegistry: `https://localhost:${new URL(hub.url).port}` };
    const before = await open(t, given);
    await assert.rejects(digestOf(await before.service.open(alpine, 'pull')), (error) => isOciError(error, 'TLS'));
    assert.deepEqual(hub.seen, []);
    const { certsDir } = await sandbox(t);
    await mkdir(join(certsDir, 'docker.io'));
    await writeFile(join(certsDir, 'docker.io', 'ca.crt'), authority.cert);
    const after = await open(t, given);
    assert.equal(await digestOf(await after.service.open(alpine, 'pull')), await digestOf(registry));
  });

  it('needs no valid certificate on loopback', async (t) => {
    const registry = await withImage('tls');
    const behind = await startServe(t, { registry });
    const local = await startRecorder(t, { target: behind.url, tls: issue('somebody else') });
    const { service } = await open(t, {});
    const opened = await service.open(parseReference(`${local.host}/library/alpine`), 'pull');
    assert.equal(await digestOf(opened), await digestOf(registry));
    assert.equal(opened.extension(endpointReport)?.servedBy(), local.host);
  });

  it('is not spoken to in plain http after it has answered', async (t) => {
    const local = await startRecorder(t, { status: 500, tls: certificate });
    const lines: string[] = [];
    const { service } = await open(t, { trace: (line) => lines.push(line) });
    const opened = await service.open(parseReference(`${local.host}/library/alpine`), 'pull');
    await assert.rejects(digestOf(opened), (error) => isOciError(error) && error.status === 500);
    assert.ok(lines.some((line) => /^GET https:.* → 500 in \d+ ms$/.test(line)));
    assert.ok(!lines.some((line) => line.includes('http://')));
  });
});
