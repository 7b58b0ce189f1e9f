import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError } from '../../src/model/errors.ts';
import { parseReference, parseRepositoryName } from '../../src/model/reference/reference.ts';
import { startServe } from '../support/registries.ts';
import { alpine, digestOf, open, withImage } from './opened.ts';

describe('the configuration that the service reports', () => {
  it('of a repository: its index, whether it is official, secure and mirrored', async (t) => {
    const { service } = await open(t, {
      daemon: { 'registry-mirrors': ['https://m'], 'insecure-registries': ['plain.example.com'] },
      resolve: async (name) => (name === 'localhost' ? ['127.0.0.1'] : ['192.0.2.1']),
    });
    const info = async (text: string) => service.resolveRepository(parseReference(text));
    const hub = { name: 'docker.io', mirrors: ['https://m/'], secure: true, official: true };
    assert.deepEqual(await info('alpine:3'), {
      name: { domain: 'docker.io', path: parseRepositoryName('library/alpine') },
      index: hub,
      official: true,
      class: '',
    });
    assert.deepEqual(await info('bitnami/redis'), {
      name: { domain: 'docker.io', path: parseRepositoryName('bitnami/redis') },
      index: hub,
      official: false,
      class: '',
    });
    const index = async (text: string) => (await info(text)).index;
    assert.deepEqual(await index('example.com/a'), { name: 'example.com', mirrors: [], secure: true, official: false });
    assert.equal((await index('plain.example.com/a')).secure, false);
    assert.equal((await index('localhost:5000/a')).secure, false);
    assert.equal(await service.isInsecureRegistry('localhost:5000'), true);
    assert.equal(await service.isInsecureRegistry('docker.io'), false);
  });

  it('of its configuration, in the form of Docker’s API', async (t) => {
    const { service } = await open(t, {
      daemon: {
        'registry-mirrors': ['https://m'],
        'insecure-registries': ['plain:5000', '10.1.0.0/8'],
        'allow-nondistributable-artifacts': ['a.example.com', '192.168.0.0/16'],
      },
    });
    assert.deepEqual(service.serviceConfig(), {
      mirrors: ['https://m/'],
      insecureRegistryCIDRs: ['10.0.0.0/8', '127.0.0.0/8', '::1/128'],
      indexConfigs: {
        'plain:5000': { name: 'plain:5000', mirrors: [], secure: false, official: false },
        'docker.io': { name: 'docker.io', mirrors: ['https://m/'], secure: true, official: true },
      },
      allowNondistributableArtifactsCIDRs: ['192.168.0.0/16'],
      allowNondistributableArtifactsHostnames: ['a.example.com'],
    });
  });

  it('comes with each warning of the settings once', async (t) => {
    const { warnings } = await open(t, { daemon: { 'insecure-registries': ['http://plain'] } });
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /http:\/\/plain should not contain/);
  });
});

describe('replacing the configuration', () => {
  it('applies from the commit on, but not to open registries', async (t) => {
    const [before, after] = [await withImage('before'), await withImage('after')];
    const [old, young] = [await startServe(t, { registry: before }), await startServe(t, { registry: after })];
    const { service } = await open(t, { daemon: { 'registry-mirrors': [old.url] } });
    const opened = await service.open(alpine, 'pull');
    const commit = service.replaceConfig({ mirrors: [young.url], insecureRegistries: ['plain'] });
    assert.deepEqual(service.serviceConfig().mirrors, [`${old.url}/`]);
    commit();
    assert.deepEqual(service.serviceConfig().mirrors, [`${young.url}/`]);
    assert.equal(await service.isInsecureRegistry('plain'), true);
    assert.equal(await digestOf(opened), await digestOf(before));
    assert.equal(await digestOf(await service.open(alpine, 'pull')), await digestOf(after));
  });

  it('is refused whole when a part is wrong', async (t) => {
    const { service } = await open(t, { daemon: { 'registry-mirrors': ['https://m'] } });
    for (const options of [{ mirrors: ['m.example'] }, { mirrors: ['https://n'], insecureRegistries: ['host:'] }]) {
      assert.throws(
        () => service.replaceConfig(options),
        (error) => isOciError(error, 'CONFIG_INVALID'),
      );
    }
    assert.deepEqual(service.serviceConfig().mirrors, ['https://m/']);
  });
});
