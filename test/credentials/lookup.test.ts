import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDockerAuthConfig, parseDockerConfig } from '../../src/config/docker/docker-config.ts';
import { createCredentialLookup } from '../../src/credentials/lookup.ts';
import { createStaticStore } from '../../src/credentials/static.ts';
import type { CredentialStore } from '../../src/credentials/store.ts';
import { isOciError } from '../../src/model/errors.ts';
import { base64, type Scratch, scratch } from './scratch.ts';

const answering = (user: string): string => `echo '{"Username":"${user}","Secret":"s"}'`;

async function lookup(place: Scratch, config: object, env?: object, helperTimeoutMs?: number) {
  const warnings: string[] = [];
  await place.write(JSON.stringify(config));
  const store = createCredentialLookup({
    dockerConfig: parseDockerConfig(JSON.stringify(config), place.configFile),
    dockerAuthConfig: env && parseDockerAuthConfig(JSON.stringify(env)),
    env: place.env,
    warn: (text) => warnings.push(text),
    helperTimeoutMs,
  });
  return { store, warnings };
}

async function user(store: CredentialStore, host: string): Promise<string | undefined> {
  const found = await store.get(host);
  return found?.kind === 'password' ? found.username : found?.kind;
}

describe('looking for credentials', () => {
  it('goes from DOCKER_AUTH_CONFIG to credHelpers to credsStore', async (t) => {
    const place = await scratch(t);
    await place.helper('one', answering('from-credHelpers'));
    await place.helper('all', answering('from-credsStore'));
    const { store, warnings } = await lookup(
      place,
      {
        auths: {
          a: { auth: base64('from-file:x') },
          b: { auth: base64('from-file:x') },
          c: { auth: base64('from-file:x') },
        },
        credHelpers: { a: 'one', b: 'one' },
        credsStore: 'all',
      },
      { auths: { a: { auth: base64('from-env:x') } } },
    );
    assert.equal(await user(store, 'a'), 'from-env');
    assert.equal(await user(store, 'b'), 'from-credHelpers');
    assert.equal(await user(store, 'c'), 'from-credsStore');
    assert.deepEqual(warnings, []);
  });

  it('ends in the file where no helper is set', async (t) => {
    const place = await scratch(t);
    await place.helper('one', answering('from-credHelpers'));
    const { store } = await lookup(place, {
      auths: { c: { auth: base64('from-file:x') } },
      credHelpers: { a: 'one' },
    });
    assert.equal(await user(store, 'c'), 'from-file');
    assert.equal(await user(store, 'unknown'), undefined);
  });

  it('finds the helper of Docker Hub under each of its names', async (t) => {
    for (const key of ['docker.io', 'index.docker.io', 'https://index.docker.io/v1/']) {
      const place = await scratch(t);
      await place.helper('one', answering('hub'));
      const { store } = await lookup(place, { credHelpers: { [key]: 'one' } });
      assert.equal(await user(store, 'docker.io'), 'hub', key);
      assert.equal(await user(store, 'mirror.example.com'), undefined);
    }
  });

  it('believes a helper: an entry that it lacks is not read from the file', async (t) => {
    const place = await scratch(t);
    await place.helper('none', "echo 'credentials not found in native keychain'; exit 1");
    const { store, warnings } = await lookup(place, {
      auths: { a: { auth: base64('from-file:x') }, b: { auth: base64('from-file:x') } },
      credHelpers: { b: '' },
      credsStore: 'none',
    });
    assert.equal(await user(store, 'a'), undefined);
    assert.equal(await user(store, 'b'), 'from-file', 'an empty name keeps a registry in the file');
    assert.deepEqual(warnings, []);
  });

  it('goes on anonymously without a helper that is missing, with one warning', async (t) => {
    const place = await scratch(t);
    const { store, warnings } = await lookup(place, { credsStore: 'missing' });
    assert.deepEqual(await Promise.all([user(store, 'a'), user(store, 'b'), user(store, 'a')]), [
      undefined,
      undefined,
      undefined,
    ]);
    await user(store, 'c');
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? '',
      /docker-credential-missing is not on PATH; continuing without credentials: install/,
    );
  });

  it('goes on anonymously without a helper that hangs, and does not ask it again', async (t) => {
    const place = await scratch(t);
    await place.helper('slow', 'exec sleep 60');
    const { store, warnings } = await lookup(place, { credsStore: 'slow' }, undefined, 300);
    assert.equal(await user(store, 'a'), undefined);
    assert.equal(await user(store, 'b'), undefined);
    assert.deepEqual(await place.calls('slow'), ['get a']);
    assert.equal(warnings.length, 1);
  });

  it('goes on anonymously with a helper whose name leads elsewhere', async (t) => {
    const place = await scratch(t);
    const { store, warnings } = await lookup(place, { credHelpers: { a: '../../bin/evil' } });
    assert.equal(await user(store, 'a'), undefined);
    assert.match(warnings.join(), /cannot be the name of a credential helper/);
  });
});

describe('keeping credentials', () => {
  const ada = { kind: 'password', username: 'ada', password: 'secret', source: '' } as const;

  it('goes to the registry’s helper, or to the file if there is no helper', async (t) => {
    const place = await scratch(t);
    await place.helper('one', '');
    const { store } = await lookup(place, { credHelpers: { a: 'one' } });
    await store.store('a', ada);
    await store.store('b', ada);
    assert.deepEqual(await place.calls('one'), ['store {"ServerURL":"a","Username":"ada","Secret":"secret"}']);
    const written = JSON.parse(await place.read());
    assert.deepEqual(written, { credHelpers: { a: 'one' }, auths: { b: { auth: base64('ada:secret') } } });
  });

  it('removes the entry of the file once the helper has stored it', async (t) => {
    const place = await scratch(t);
    await place.helper('one', '');
    const other = { auth: base64('b:x') };
    const { store } = await lookup(place, { auths: { a: { auth: base64('old:x') }, b: other }, credsStore: 'one' });
    await store.store('a', ada);
    assert.deepEqual(JSON.parse(await place.read()).auths, { b: other });
  });

  it('fails loudly when the helper does not work', async (t) => {
    const place = await scratch(t);
    const { store } = await lookup(place, { credsStore: 'missing' });
    await assert.rejects(store.store('a', ada), (error) => isOciError(error, 'CONFIG_INVALID'));
    assert.deepEqual(JSON.parse(await place.read()), { credsStore: 'missing' }, 'the file gets no password instead');
  });

  it('erases from the helper and from the file', async (t) => {
    const place = await scratch(t);
    await place.helper('one', answering('a'));
    const { store } = await lookup(place, { auths: { a: { auth: base64('old:x') } }, credsStore: 'one' });
    assert.equal(await store.erase('a'), true);
    assert.deepEqual(await place.calls('one'), ['get a', 'erase a']);
    assert.deepEqual(JSON.parse(await place.read()).auths, {});
  });

  it('lists every source once', async (t) => {
    const place = await scratch(t);
    await place.helper('one', `echo '{"b":"helper-b","a":"helper-a"}'`);
    const { store } = await lookup(
      place,
      { auths: { b: { auth: base64('file-b:x') }, c: { auth: base64('file-c:x') } }, credsStore: 'one' },
      { auths: { a: { auth: base64('env-a:x') } } },
    );
    const listed = [];
    for await (const { username } of store.list()) listed.push(username);
    assert.deepEqual(listed, ['env-a', 'helper-b', 'file-c']);
  });
});

describe('credentials given for one run', () => {
  it('serve their hosts and no others, and cannot be changed', async () => {
    const credential = { kind: 'password', username: 'ada', password: 'x', source: '--creds' } as const;
    const store = createStaticStore({ 'docker.io': credential, 'https://example.com': credential });
    assert.equal(await store.get('docker.io'), credential);
    assert.equal(await store.get('example.com'), credential);
    assert.equal(await store.get('example.com:5000'), undefined);
    await assert.rejects(store.store('example.com', credential), (error) => isOciError(error, 'UNSUPPORTED'));
    await assert.rejects(store.erase('example.com'), (error) => isOciError(error, 'UNSUPPORTED'));
  });
});
