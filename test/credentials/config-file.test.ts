import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openConfigFileStore } from '../../src/credentials/config-file.ts';
import type { Credential } from '../../src/credentials/credential.ts';
import { isOciError } from '../../src/model/errors.ts';
import { base64, scratch } from './scratch.ts';

const ada: Credential = { kind: 'password', username: 'ada', password: 'secret', source: 'test' };

function auths(entries: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    auths: Object.fromEntries(Object.entries(entries).map(([key, user]) => [key, { auth: base64(`${user}:x`) }])),
  });
}

describe('looking a registry up in config.json', () => {
  const vectors: readonly (readonly [string, Readonly<Record<string, string>>, string, string | undefined])[] = [
    ['the exact key', { 'example.com': 'a', 'other.com': 'b' }, 'example.com', 'a'],
    ['the exact key before a URL', { 'https://example.com/v1/': 'a', 'example.com': 'b' }, 'example.com', 'b'],
    ['a key that is an https URL', { 'https://example.com/v1/': 'a' }, 'example.com', 'a'],
    ['a key that is an http URL', { 'http://example.com': 'a' }, 'example.com', 'a'],
    ['host and port', { 'localhost:5000': 'a' }, 'localhost:5000', 'a'],
    ['nothing for another port', { 'example.com': 'a' }, 'example.com:5000', undefined],
    ['nothing for a suffix', { 'example.com': 'a' }, 'evil-example.com', undefined],
    ['nothing for a subdomain', { 'example.com': 'a' }, 'www.example.com', undefined],
    ["Docker Hub's key", { 'https://index.docker.io/v1/': 'a' }, 'docker.io', 'a'],
    ["Docker Hub's key before its aliases", { 'docker.io': 'b', 'https://index.docker.io/v1/': 'a' }, 'docker.io', 'a'],
    ['docker.io', { 'docker.io': 'a' }, 'docker.io', 'a'],
    ['docker.io', { 'index.docker.io': 'a' }, 'docker.io', 'a'],
    ['registry-1.docker.io', { 'https://registry-1.docker.io': 'a' }, 'docker.io', 'a'],
    ["Docker Hub's key by its address", { 'https://index.docker.io/v1/': 'a' }, 'registry-1.docker.io', 'a'],
    ['nothing of Docker Hub for a mirror', { 'https://index.docker.io/v1/': 'a' }, 'mirror.gcr.io', undefined],
  ];
  for (const [what, entries, host, expected] of vectors) {
    it(`finds ${what}`, async (t) => {
      const { write, configFile } = await scratch(t);
      await write(auths(entries));
      const found = await openConfigFileStore(configFile).get(host);
      assert.equal(found?.kind === 'password' ? found.username : undefined, expected);
      if (found) assert.equal(found.source, `${configFile}:1`);
    });
  }

  it('takes a registry token before an identity token before a password', async (t) => {
    const { write, configFile } = await scratch(t);
    const auth = base64('ada:secret');
    await write(
      JSON.stringify({
        auths: { a: { auth, identitytoken: 'i', registrytoken: 'r' }, b: { auth, identitytoken: 'i' }, c: {} },
      }),
    );
    const store = openConfigFileStore(configFile);
    const source = `${configFile}:1`;
    assert.deepEqual(await store.get('a'), { kind: 'registry-token', token: 'r', source });
    assert.deepEqual(await store.get('b'), { kind: 'identity-token', token: 'i', username: 'ada', source });
    assert.equal(await store.get('c'), undefined);
  });

  it('fails for the registry whose entry is broken, and for no other', async (t) => {
    const { write, configFile } = await scratch(t);
    await write(JSON.stringify({ auths: { bad: { auth: '!!!' }, good: { auth: base64('ada:x') } } }));
    const store = openConfigFileStore(configFile);
    assert.ok(await store.get('good'));
    assert.equal(await store.get('unknown'), undefined);
    await assert.rejects(
      store.get('bad'),
      (error) => isOciError(error, 'CONFIG_INVALID') && /config\.json:1: the credentials of bad/.test(error.message),
    );
  });
});

describe('changing config.json', () => {
  it('makes a new file of mode 0600 in a directory of mode 0700', async (t) => {
    const { directory } = await scratch(t);
    const file = join(directory, 'new', '.docker', 'config.json');
    await openConfigFileStore(file).store('example.com', ada);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await stat(join(directory, 'new', '.docker'))).mode & 0o777, 0o700);
    assert.equal(
      await readFile(file, 'utf8'),
      `{\n\t"auths": {\n\t\t"example.com": {\n\t\t\t"auth": "${base64('ada:secret')}"\n\t\t}\n\t}\n}\n`,
    );
    assert.deepEqual(await readdir(join(directory, 'new', '.docker')), ['config.json'], 'no lock and no draft stay');
  });

  it('keeps unknown keys, other entries and the mode', async (t) => {
    const { write, read, configFile } = await scratch(t);
    await write(
      JSON.stringify({
        psFormat: 'x',
        auths: { other: { auth: base64('b:c') }, 'example.com': { email: 'a@b', identitytoken: 'old' } },
        plugins: { nested: [1, { deep: true }] },
      }),
    );
    await chmod(configFile, 0o640);
    const store = openConfigFileStore(configFile);
    await store.store('example.com', ada);
    assert.deepEqual(JSON.parse(await read()), {
      psFormat: 'x',
      auths: { other: { auth: base64('b:c') }, 'example.com': { email: 'a@b', auth: base64('ada:secret') } },
      plugins: { nested: [1, { deep: true }] },
    });
    assert.equal((await stat(configFile)).mode & 0o777, 0o640);
    const found = await store.get('example.com');
    assert.equal(found?.kind === 'password' && found.password, 'secret');
  });

  it('writes through symbolic links, also to a file that is not there yet', async (t) => {
    const { directory } = await scratch(t);
    await mkdir(join(directory, 'dotfiles'));
    await symlink('dotfiles/docker.json', join(directory, 'link.json'));
    await symlink('link.json', join(directory, 'first.json'));
    const store = openConfigFileStore(join(directory, 'first.json'));
    await store.store('a', ada);
    await store.store('b', ada);
    assert.ok((await lstat(join(directory, 'first.json'))).isSymbolicLink());
    assert.ok((await lstat(join(directory, 'link.json'))).isSymbolicLink());
    const written = JSON.parse(await readFile(join(directory, 'dotfiles', 'docker.json'), 'utf8'));
    assert.deepEqual(Object.keys(written.auths), ['a', 'b']);
  });

  it('refuses links that lead in a circle', async (t) => {
    const { directory } = await scratch(t);
    await symlink('b.json', join(directory, 'a.json'));
    await symlink('a.json', join(directory, 'b.json'));
    await assert.rejects(
      openConfigFileStore(join(directory, 'a.json')).store('h', ada),
      (error) => isOciError(error, 'CONFIG_INVALID') && error.message.includes('leads nowhere'),
    );
  });

  for (const text of ['{"auths": {', '[]', 'null', '"x"']) {
    it(`never overwrites ${text}`, async (t) => {
      const { write, read, configFile } = await scratch(t);
      await write(text);
      const store = openConfigFileStore(configFile);
      const invalid = (error: unknown) => isOciError(error, 'CONFIG_INVALID') && error.message.startsWith(configFile);
      await assert.rejects(store.store('example.com', ada), invalid);
      await assert.rejects(store.erase('example.com'), invalid);
      assert.equal(await read(), text);
    });
  }

  it('keeps Docker Hub under its old key, and every kind of credential', async (t) => {
    const { read, configFile } = await scratch(t);
    const store = openConfigFileStore(configFile);
    await store.store('docker.io', ada);
    await store.store('a', { kind: 'identity-token', token: 'i', source: 'test' });
    await store.store('b', { kind: 'registry-token', token: 'r', source: 'test' });
    await store.store('c', { kind: 'identity-token', token: 'i', username: 'ada', source: 'test' });
    assert.deepEqual(JSON.parse(await read()).auths, {
      'https://index.docker.io/v1/': { auth: base64('ada:secret') },
      a: { identitytoken: 'i' },
      b: { registrytoken: 'r' },
      c: { auth: base64('ada:'), identitytoken: 'i' },
    });
    const listed = [];
    for await (const { host, username } of store.list()) listed.push([host, username]);
    assert.deepEqual(listed, [
      ['docker.io', 'ada'],
      ['a', undefined],
      ['b', undefined],
      ['c', 'ada'],
    ]);
  });

  it('erases every key of the host, and says whether there was one', async (t) => {
    const { write, read, configFile } = await scratch(t);
    await write(
      auths({ 'example.com': 'a', 'https://example.com/v1/': 'b', 'http://example.com': 'c', 'example.com:5000': 'd' }),
    );
    const store = openConfigFileStore(configFile);
    assert.equal(await store.erase('example.com'), true);
    assert.deepEqual(Object.keys(JSON.parse(await read()).auths), ['example.com:5000']);
    const before = (await stat(configFile)).mtimeMs;
    assert.equal(await store.erase('example.com'), false);
    assert.equal((await stat(configFile)).mtimeMs, before, 'nothing to erase, nothing written');
  });

  it('erases nothing, and makes nothing, where there is no file', async (t) => {
    const { directory } = await scratch(t);
    const file = join(directory, 'absent', 'config.json');
    assert.equal(await openConfigFileStore(file).erase('h'), false);
    await assert.rejects(stat(join(directory, 'absent')), { code: 'ENOENT' });
  });

  for (const [what, credential] of [
    ['an empty user name', { ...ada, username: '' }],
    ['a user name with a colon', { ...ada, username: 'a:b' }],
    ['a password with NUL', { ...ada, password: 'a\0' }],
  ] as const) {
    it(`refuses ${what}, which would come back as another credential`, async (t) => {
      const { configFile } = await scratch(t);
      await assert.rejects(openConfigFileStore(configFile).store('h', credential), (error) =>
        isOciError(error, 'USAGE'),
      );
    });
  }

  it('reports a disk that refuses', async (t) => {
    const { directory } = await scratch(t);
    await writeFile(join(directory, 'file'), '');
    await assert.rejects(openConfigFileStore(join(directory, 'file', 'config.json')).store('h', ada), (error) =>
      isOciError(error, 'STORAGE'),
    );
  });
});
