import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadBaseSettings } from '../../src/config/base-settings.ts';
import { configError, world } from './world.ts';

const own = '.config/ocictl/config.yaml';

describe('the order of places', () => {
  it('is flags, environment, config.yaml, daemon.json: lists add up, of single values the first counts', async (t) => {
    const { load, write } = await world(t);
    await write(own, 'registry-mirrors: [https://own]\nmax-concurrent-downloads: 7\nroot: /own\nplatform: linux/arm');
    const daemon = await write(
      'daemon.json',
      '{"registry-mirrors":["https://daemon"],"max-concurrent-downloads":8,"max-concurrent-uploads":9}',
    );
    const env = {
      OCICTL_DAEMON_JSON: daemon,
      OCICTL_REGISTRY_MIRRORS: 'https://variable, https://own,',
      OCICTL_INSECURE_REGISTRIES: '10.0.0.0/8,plain:5000',
    };
    const settings = await load({ env, flags: { registryMirrors: ['https://flag'] } });
    assert.deepEqual(
      settings.registryMirrors.map(({ value, origin }) => `${value} ${origin.kind}`),
      ['https://flag/ flag', 'https://variable/ environment', 'https://own/ environment', 'https://daemon/ file'],
    );
    assert.deepEqual(settings.insecureRegistries[1]?.origin, {
      kind: 'environment',
      name: 'OCICTL_INSECURE_REGISTRIES',
    });
    assert.equal(settings.maxConcurrentDownloads.value, 7);
    assert.equal(settings.maxConcurrentUploads.value, 9);
    assert.equal(settings.storeRoot?.value, '/own');
    const both = { ...env, OCICTL_ROOT: '/variable', DOCKER_DEFAULT_PLATFORM: 'linux/amd64' };
    assert.equal((await load({ env: both })).storeRoot?.value, '/variable');
    assert.equal((await load({ env: both })).defaultPlatform?.value.architecture, 'amd64');
    await assert.rejects(
      load({ env: { OCICTL_REGISTRY_MIRRORS: 'm.example' } }),
      configError(/^OCICTL_REGISTRY_MIRRORS: invalid mirror/),
    );
  });

  it('puts rules of config.yaml before those of other programs', async (t) => {
    const { load, write } = await world(t);
    await write(own, 'registries:\n- prefix: h.io\n  mirrors: [own]');
    await write(
      'etc/containers/registries.conf',
      '[[registry]]\nlocation="h.io"\n[[registry]]\nlocation="h.io/longer"',
    );
    const { registryRules } = await load();
    assert.deepEqual(
      registryRules.map(({ prefix, mirrors }) => [prefix, mirrors.length]),
      [
        ['h.io/longer', 0],
        ['h.io', 1],
      ],
    );
  });
});

describe('proxies', () => {
  it('are those of the environment, upper case first, then of config.yaml, then of daemon.json', async (t) => {
    const { load, write } = await world(t);
    await write(own, 'proxies: { https-proxy: own, no-proxy: own }');
    const daemon = await write(
      'daemon.json',
      '{"proxies": {"http-proxy": "daemon", "https-proxy": "daemon", "no-proxy": ""}}',
    );
    const show = async (env: NodeJS.ProcessEnv) => {
      const { http, https, all, noProxy } = (await load({ env: { OCICTL_DAEMON_JSON: daemon, ...env } })).proxy;
      return [http, https, all, noProxy].map((each) => each && `${each.value} ${each.origin.kind}`);
    };
    assert.deepEqual(await show({}), ['daemon file', 'own file', undefined, 'own file']);
    assert.deepEqual(await show({ http_proxy: 'low', HTTP_PROXY: 'up', all_proxy: 'all', NO_PROXY: '' }), [
      'up environment',
      'own file',
      'all environment',
      'own file',
    ]);
  });

  it('of config.json are for containers', async (t) => {
    const { load, write } = await world(t);
    await write('.docker/config.json', '{"proxies": {"default": {"httpProxy": "http://p"}}}');
    assert.equal((await load()).proxy.http, undefined);
  });
});

describe('settings of the store alone', () => {
  it('read neither rules nor credentials', async (t) => {
    const { write, home } = await world(t);
    await write(own, 'root: /own');
    await write('etc/containers/registries.conf', 'not toml');
    await write('.docker/config.json', 'not json');
    const settings = await loadBaseSettings({
      env: {},
      platform: 'linux',
      homedir: home,
      etc: join(home, 'etc'),
      uid: 1000,
    });
    assert.equal(settings.storeRoot?.value, '/own');
    assert.deepEqual(
      settings.files.map(({ purpose }) => purpose),
      ['config.yaml', 'daemon.json', 'daemon.json'],
    );
  });
});
