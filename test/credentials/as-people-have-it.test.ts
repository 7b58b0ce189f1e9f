import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDockerConfig } from '../../src/config/docker/docker-config.ts';
import { openConfigFileStore } from '../../src/credentials/config-file.ts';
import type { Credential } from '../../src/credentials/credential.ts';
import { createCredentialLookup } from '../../src/credentials/lookup.ts';
import { makeTemporaryConfig } from '../../src/credentials/temporary-config.ts';
import { isOciError } from '../../src/model/errors.ts';
import { atEnd } from '../support/sandbox.ts';
import { base64, type Scratch, scratch } from './scratch.ts';

const ada: Credential = { kind: 'password', username: 'ada', password: 'secret', source: 'test' };
const auth = (user: string) => ({ auth: base64(`${user}:x`) });
const answering = (user: string): string => `echo '{"Username":"${user}","Secret":"s"}'`;

async function lookup(place: Scratch, config: object) {
  const text = JSON.stringify(config);
  await place.write(text);
  const dockerConfig = parseDockerConfig(text, place.configFile);
  const store = createCredentialLookup({ dockerConfig, env: place.env, warn: () => {} });
  const user = async (name: string): Promise<string | undefined> => {
    const found = await store.get(name);
    return found?.kind === 'password' ? found.username : found?.kind;
  };
  return { store, user, dockerConfig };
}

describe('a broken entry of one registry', () => {
  it('does not affect other registries, and fails with its line for its own', async (t) => {
    const place = await scratch(t);
    const { store, user } = await lookup(place, {
      auths: { good: auth('ada'), text: 'x', number: { auth: 5 }, nothing: null },
      credHelpers: { helper: 7 },
    });
    assert.equal(await user('good'), 'ada');
    assert.equal(await user('nothing'), undefined);
    for (const [name, message] of [
      ['text', /config\.json:1: the credentials of text cannot be read: it must be an object$/],
      ['number', /the credentials of number cannot be read: its "auth" must be a string$/],
      ['helper', /config\.json:1: "credHelpers\.helper" must be a string$/],
    ] as const) {
      await assert.rejects(store.get(name), (error) => {
        assert.ok(isOciError(error, 'CONFIG_INVALID'));
        assert.match(error.message, message);
        return true;
      });
    }
  });
});

describe('keys in another case', () => {
  it('are changed where they are, and no login is lost', async (t) => {
    const { write, read, configFile } = await scratch(t);
    await write(JSON.stringify({ Auths: { a: { Auth: base64('old:x'), email: 'e' }, b: auth('bob') }, PsFormat: 'x' }));
    const store = openConfigFileStore(configFile);
    await store.store('a', ada);
    assert.deepEqual(JSON.parse(await read()), {
      auths: { a: { email: 'e', auth: base64('ada:secret') }, b: auth('bob') },
      PsFormat: 'x',
    });
    assert.ok(await store.erase('b'));
    assert.deepEqual(Object.keys(JSON.parse(await read()).auths), ['a']);
  });

  it('bring no other credential into the private configuration of a command', async (t) => {
    const place = await scratch(t);
    const { dockerConfig } = await lookup(place, { AUTHS: { other: auth('bob') }, CredsStore: 'pass', psFormat: 'x' });
    const env = { ...place.env, XDG_RUNTIME_DIR: place.directory };
    const made = await makeTemporaryConfig('a', ada, { dockerConfig, env });
    atEnd(t, () => made.end());
    const store = openConfigFileStore(`${made.directory}/config.json`);
    assert.equal(await store.get('other'), undefined);
    const { readFile } = await import('node:fs/promises');
    assert.deepEqual(JSON.parse(await readFile(`${made.directory}/config.json`, 'utf8')), {
      psFormat: 'x',
      auths: { a: { auth: base64('ada:secret') } },
    });
  });
});

describe('a helper for all names below one', () => {
  it('comes after exact keys and before credsStore; the longest counts, and ports count as written', async (t) => {
    const place = await scratch(t);
    for (const name of ['exact', 'short', 'long', 'port', 'all']) await place.helper(name, answering(name));
    const { user } = await lookup(place, {
      credHelpers: {
        '*.example.com': 'short',
        '*.eu.example.com': 'long',
        '*.example.com:5000': 'port',
        'r.eu.example.com': 'exact',
        'file.eu.example.com': '',
      },
      credsStore: 'all',
      auths: { 'file.eu.example.com': auth('file') },
    });
    for (const [name, expected] of [
      ['r.eu.example.com', 'exact'],
      ['s.eu.example.com', 'long'],
      ['a.b.example.com', 'short'],
      ['a.b.example.com/team/app', 'short'],
      ['a.example.com:443', 'short'],
      ['a.example.com:5000', 'port'],
      ['file.eu.example.com', 'file'],
      ['example.com', 'all'],
      ['evilexample.com', 'all'],
    ] as const) {
      assert.equal(await user(name), expected, name);
    }
  });
});

describe('a host with and without the port 443', () => {
  it('is one registry, and the literal key comes first', async (t) => {
    const place = await scratch(t);
    const { user } = await lookup(place, {
      auths: {
        'https://both/v1/': auth('url'),
        both: auth('bare'),
        'both:443': auth('port'),
        bare: auth('bare'),
        'port:443': auth('port'),
        '[::1]:443': auth('six'),
        'port:443/team': auth('team'),
      },
    });
    for (const [name, expected] of [
      ['both', 'bare'],
      ['both:443', 'port'],
      ['bare:443', 'bare'],
      ['port', 'port'],
      ['port/team/app', 'team'],
      ['[::1]', 'six'],
      ['port:80', undefined],
      ['bare:4430', undefined],
      ['docker.io:443', undefined],
    ] as const) {
      assert.equal(await user(name), expected, name);
    }
  });

  it('has a helper asked for the other spelling only where something says that it has it', async (t) => {
    const place = await scratch(t);
    await place.helper(
      'one',
      `case "$input" in port:443) ${answering('port')};; *) echo 'credentials not found in native keychain'; exit 1;; esac`,
    );
    const { user } = await lookup(place, { credsStore: 'one', auths: { 'port:443': {} } });
    assert.equal(await user('port'), 'port');
    assert.equal(await user('other'), undefined);
    assert.deepEqual(await place.calls('one'), ['get port', 'get port:443', 'get other']);
  });

  it('is logged out of under both', async (t) => {
    const place = await scratch(t);
    const { store, user } = await lookup(place, { auths: { 'port:443': auth('port') } });
    assert.ok(await store.erase('port'));
    assert.equal(await user('port:443'), undefined);
  });
});
