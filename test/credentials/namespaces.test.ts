import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseDockerConfig } from '../../src/config/docker/docker-config.ts';
import { environment } from '../../src/config/environment.ts';
import { containersAuthFiles } from '../../src/config/paths.ts';
import { createAuthConfigStore, resolveAuthConfig } from '../../src/credentials/auth-config.ts';
import { createCredentialLookup } from '../../src/credentials/lookup.ts';
import { enclosingNames, keyMatches, shownKey } from '../../src/credentials/registry-key.ts';
import type { CredentialStore } from '../../src/credentials/store.ts';
import { base64, type Scratch, scratch } from './scratch.ts';

const login = (user: string) => ({ auth: base64(`${user}:x`) });

async function user(store: CredentialStore, name: string): Promise<string | undefined> {
  const found = await store.get(name);
  return found?.kind === 'password' ? found.username : found?.kind;
}

async function lookup(place: Scratch, config: object, env: NodeJS.ProcessEnv = {}) {
  const warnings: string[] = [];
  await place.write(JSON.stringify(config));
  const where = environment({ env: { ...place.env, ...env }, homedir: place.directory, platform: 'linux', uid: 1000 });
  const store = createCredentialLookup({
    dockerConfig: parseDockerConfig(JSON.stringify(config), place.configFile),
    authFiles: containersAuthFiles(where),
    env: where.env,
    warn: (text) => warnings.push(text),
  });
  return { store, warnings };
}

describe('credentials of a namespace', () => {
  const auths = { host: login('all'), 'host/team': login('team'), 'host/team/app': login('app') };

  for (const [name, expected] of [
    ['host', 'all'],
    ['host/other/app', 'all'],
    ['host/teams/app', 'all'],
    ['host/team', 'team'],
    ['host/team/other', 'team'],
    ['host/team/app', 'app'],
    ['host/team/app/deep', 'app'],
    ['host:5000/team/app', undefined],
    ['other/team/app', undefined],
  ] as const) {
    it(`for ${name} are ${expected ? `those of ${expected}` : 'none'}`, async (t) => {
      const { store } = await lookup(await scratch(t), { auths });
      assert.equal(await user(store, name), expected);
    });
  }

  it('are shown to nothing beside or above it', async (t) => {
    const { store } = await lookup(await scratch(t), { auths: { 'host/team': login('team') } });
    assert.equal(await user(store, 'host'), undefined);
    assert.equal(await user(store, 'host/app'), undefined);
  });

  it('of Docker Hub count under each of its names', async (t) => {
    for (const key of ['docker.io/team', 'index.docker.io/team/', 'registry-1.docker.io/team']) {
      const { store } = await lookup(await scratch(t), { auths: { [key]: login('team') } });
      assert.equal(await user(store, 'docker.io/team/app'), 'team', key);
      assert.equal(await user(store, 'docker.io/library/alpine'), undefined);
    }
  });

  it('are not used for the path of an API', () => {
    for (const key of ['host/v1/', 'host/v2', 'https://host/v2/', 'http://host/team'])
      assert.ok(keyMatches(key, 'host'));
    assert.deepEqual(enclosingNames('host/a/b'), ['host/a/b', 'host/a', 'host']);
    assert.equal(shownKey('https://index.docker.io/v1/'), 'docker.io');
  });

  it('are kept under their own key, in the file, and erased alone', async (t) => {
    const place = await scratch(t);
    const { store } = await lookup(place, { auths: { host: login('all') } });
    await store.store('host/team', { kind: 'password', username: 'team', password: 'x', source: '' });
    assert.deepEqual(JSON.parse(await place.read()).auths, { host: login('all'), 'host/team': login('team') });
    assert.equal(await user(store, 'host/team/app'), 'team');
    assert.equal(await store.erase('host/team'), true);
    assert.deepEqual(JSON.parse(await place.read()).auths, { host: login('all') });
  });

  it('with a helper leave an empty entry, and the helper is asked for no other namespace', async (t) => {
    const place = await scratch(t);
    await place.helper(
      'one',
      `case "$1 $input" in 'get host/team') echo '{"Username":"team","Secret":"x"}';;
      'get '*) echo 'credentials not found in native keychain'; exit 1;; esac`,
    );
    const { store } = await lookup(place, { credsStore: 'one' });
    await store.store('host/team', { kind: 'password', username: 'team', password: 'x', source: '' });
    assert.deepEqual(JSON.parse(await place.read()).auths, { 'host/team': {} });
    assert.equal(await user(store, 'host/team/app'), 'team');
    assert.equal(await user(store, 'host/other/app'), undefined);
    const asked = (await place.calls('one')).filter((line) => line.startsWith('get'));
    assert.deepEqual(asked, ['get host/team', 'get host']);
  });

  it('may have a helper of their own', async (t) => {
    const place = await scratch(t);
    await place.helper('one', `echo '{"Username":"team","Secret":"x"}'`);
    const config = { auths: { host: login('all') }, credHelpers: { 'host/team': 'one' } };
    const { store } = await lookup(place, config);
    assert.equal(await user(store, 'host/team/app'), 'team');
    assert.equal(await user(store, 'host/other'), 'all');
  });
});

describe('auth.json of podman and skopeo', () => {
  async function place(t: TestContext) {
    const own = await scratch(t);
    const [run, config] = [join(own.directory, 'run'), join(own.directory, 'cfg')];
    const write = async (file: string, text: string): Promise<void> => {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    };
    const env = { XDG_RUNTIME_DIR: run, XDG_CONFIG_HOME: config };
    return { own, write, env, run: join(run, 'containers/auth.json'), config: join(config, 'containers/auth.json') };
  }

  it('counts after config.json, the one of this session first', async (t) => {
    const { own, write, env, run, config } = await place(t);
    const auths = { a: login('config.json') };
    await write(run, JSON.stringify({ auths: { a: login('run'), b: login('run'), 'c/team': login('run') } }));
    await write(config, JSON.stringify({ auths: { b: login('config'), c: login('config') } }));
    const { store } = await lookup(own, { auths }, env);
    const names = ['a', 'b', 'c', 'c/team/app', 'd'];
    const found = await Promise.all(names.map((name) => user(store, name)));
    assert.deepEqual(found, ['config.json', 'run', 'config', 'run', undefined]);
    assert.equal((await store.get('b'))?.source, `${run}:1`);
  });

  it('is the file that REGISTRY_AUTH_FILE names, and no other then', async (t) => {
    const { own, write, env, run } = await place(t);
    await write(run, JSON.stringify({ auths: { a: login('run'), b: login('run') } }));
    const named = join(own.directory, 'named.json');
    await write(named, JSON.stringify({ auths: { a: login('named') } }));
    const { store } = await lookup(own, {}, { ...env, REGISTRY_AUTH_FILE: named });
    assert.equal(await user(store, 'a'), 'named');
    assert.equal(await user(store, 'b'), undefined);
  });

  it('is not read for a registry with a configured helper', async (t) => {
    const { own, write, env, run } = await place(t);
    await own.helper('none', "echo 'credentials not found in native keychain'; exit 1");
    await write(run, JSON.stringify({ auths: { a: login('run') } }));
    const { store } = await lookup(own, { credsStore: 'none' }, env);
    assert.equal(await user(store, 'a'), undefined);
  });

  it('names helpers too', async (t) => {
    const { own, write, env, run } = await place(t);
    await own.helper('one', `echo '{"Username":"helped","Secret":"x"}'`);
    await write(run, JSON.stringify({ credHelpers: { a: 'one' } }));
    const { store } = await lookup(own, {}, env);
    assert.equal(await user(store, 'a/team/app'), 'helped');
    assert.deepEqual(await own.calls('one'), ['get a']);
  });

  it('is passed over with one warning where it is broken, and never written', async (t) => {
    const { own, write, env, run, config } = await place(t);
    await write(run, '{"auths": {');
    await write(config, JSON.stringify({ auths: { a: login('config') } }));
    const { store, warnings } = await lookup(own, {}, env);
    assert.equal(await user(store, 'a'), 'config');
    assert.equal(await user(store, 'b'), undefined);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /containers\/auth\.json:1.*; skipped$/);
    await store.store('b', { kind: 'password', username: 'ada', password: 'x', source: '' });
    assert.deepEqual(JSON.parse(await own.read()).auths, { b: login('ada') });
  });

  it('is listed after the entries of config.json', async (t) => {
    const { own, write, env, run } = await place(t);
    await write(run, JSON.stringify({ auths: { a: login('run'), b: login('run'), c: {} } }));
    const { store } = await lookup(own, { auths: { a: login('config.json') } }, env);
    const listed = [];
    for await (const { host, username } of store.list()) listed.push(`${host} ${username}`);
    assert.deepEqual(listed, ['a config.json', 'b run']);
  });
});

describe('the counterparts of Docker’s Go functions', () => {
  it('resolve the credentials of a registry among several', () => {
    const ada = { username: 'ada', password: 'x' };
    for (const key of ['https://index.docker.io/v1/', 'docker.io', 'index.docker.io']) {
      assert.deepEqual(resolveAuthConfig({ [key]: ada }, { name: 'docker.io' }), ada);
    }
    assert.deepEqual(resolveAuthConfig({ 'https://example.com/v1/': ada }, 'example.com'), ada);
    assert.deepEqual(resolveAuthConfig({ 'example.com:5000': ada }, 'example.com'), {});
    const exact = { username: 'exact' };
    assert.deepEqual(resolveAuthConfig({ 'http://example.com': ada, 'example.com': exact }, 'example.com'), exact);
  });

  it('make a store of one of them, which no other host is shown', async () => {
    const store = createAuthConfigStore('example.com', { identityToken: 'i', username: 'ada' });
    const source = 'the program';
    assert.deepEqual(await store.get('example.com/team/app'), {
      kind: 'identity-token',
      token: 'i',
      username: 'ada',
      source,
    });
    assert.equal(await store.get('docker.io'), undefined);
    assert.equal(await createAuthConfigStore('example.com', {}).get('example.com'), undefined);
  });
});
