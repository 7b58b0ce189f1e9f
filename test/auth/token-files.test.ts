import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createTokenCache, type TokenCache, type TokenKey } from '../../src/auth/token-cache.ts';
import { eraseTokens, TokenFiles } from '../../src/auth/token-files.ts';
import type { Credential } from '../../src/credentials/credential.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const password: Credential = { kind: 'password', username: 'ann', password: 's3cret', source: 'a file' };
const startMs = Date.parse('2026-01-01T00:00:00Z');
const host = 'registry.example:5000';

interface Place {
  readonly directory: string;
  readonly folder: string;
  readonly notes: readonly string[];
  /** The cache of another process. */
  cache(nowMs?: number, of?: string): TokenCache;
}

async function place(t: TestContext, mode = 0o700): Promise<Place> {
  const directory = join(await temporaryDirectory(t), 'run');
  await mkdir(directory, { mode });
  const notes: string[] = [];
  const note = (text: string): void => void notes.push(text);
  return {
    directory,
    folder: join(directory, 'ocictl', 'tokens', 'registry.example_5000'),
    notes,
    cache: (nowMs = startMs, of = host) =>
      new TokenFiles({ directory, note, nowMs: () => nowMs }).of(of, createTokenCache({ nowMs: () => nowMs })),
  };
}

async function keyFor(cache: TokenCache, more: Partial<TokenKey> = {}, of = password): Promise<TokenKey> {
  const identity = (await cache.identify?.(of)) ?? '';
  return { realm: 'https://auth.example/token', service: 's', scopes: ['repository:a:pull'], identity, ...more };
}

async function keep(cache: TokenCache, value: string, more: Partial<TokenKey> = {}, lifeMs = 300_000): Promise<void> {
  await cache.set(await keyFor(cache, more), { value, expiresAtMs: startMs + lifeMs, identityToken: 'refresh' });
}

async function got(cache: TokenCache, more: Partial<TokenKey> = {}, of = password): Promise<string | undefined> {
  return (await cache.get(await keyFor(cache, more, of)))?.value;
}

describe('a kept token', () => {
  it('is given to another process of the same user, for the same login and scopes at the same server', async (t) => {
    const { cache } = await place(t);
    await keep(cache(), 'token');
    const later = cache();
    assert.deepEqual(await later.get(await keyFor(later)), {
      value: 'token',
      expiresAtMs: startMs + 300_000,
    });
    assert.equal(await got(cache(), {}, { ...password, source: 'elsewhere' }), 'token');
    for (const more of [
      { realm: 'https://else.example/token' },
      { service: 'z' },
      { service: undefined },
      { scopes: ['repository:a:push'] },
    ]) {
      assert.equal(await got(cache(), more), undefined, JSON.stringify(more));
    }
    assert.equal(await got(cache(), {}, { ...password, password: 'other' }), undefined);
    assert.equal(await got(cache(startMs, 'other.example')), undefined);
  });

  it('ends with its lifetime, and is not believed when the clock was set back', async (t) => {
    const { cache } = await place(t);
    await keep(cache(), 'token');
    assert.equal(await got(cache(startMs + 299_999)), 'token');
    assert.equal(await got(cache(startMs + 300_000)), undefined);
    assert.equal(await got(cache(startMs - 1)), undefined);
  });

  it('is a file of this user alone, whose name tells nothing, and holds no refresh token', async (t) => {
    const { cache, directory, folder } = await place(t);
    await keep(cache(), 'token');
    const [name = '', ...others] = await readdir(folder);
    assert.match(name, /^[0-9a-f]{64}$/);
    assert.deepEqual(others, []);
    assert.doesNotMatch(await readFile(join(folder, name), 'utf8'), /refresh|ann|s3cret|repository|auth\.example/);
    const modes = [folder, join(directory, 'ocictl'), join(directory, 'ocictl', 'tokens'), join(folder, name)];
    const found = await Promise.all(modes.map(async (path) => ((await stat(path)).mode & 0o777).toString(8)));
    assert.deepEqual(found, ['700', '700', '700', '600']);
    assert.equal((await stat(join(directory, 'ocictl', 'token-key'))).mode & 0o777, 0o600);
  });

  it('is forgotten in all processes when a registry refuses it', async (t) => {
    const { cache } = await place(t);
    await keep(cache(), 'token');
    const later = cache();
    assert.equal(await got(later), 'token');
    await later.forget('token');
    assert.deepEqual([await got(later), await got(cache())], [undefined, undefined]);
  });

  it('goes with its host, or with all, and others stay', async (t) => {
    const { cache, directory } = await place(t);
    await keep(cache(), 'one');
    await keep(cache(startMs, 'docker.io'), 'hub');
    assert.equal(eraseTokens(directory, host), true);
    assert.equal(eraseTokens(directory, host), false);
    assert.deepEqual([await got(cache()), await got(cache(startMs, 'docker.io'))], [undefined, 'hub']);
    assert.equal(eraseTokens(directory, undefined), true);
    assert.equal(await got(cache(startMs, 'docker.io')), undefined);
  });

  it('makes room for itself: what has ended is removed, and what was left unfinished', async (t) => {
    const { cache, folder } = await place(t);
    await keep(cache(), 'short', { scopes: ['x'] }, 60_000);
    await keep(cache(), 'long');
    await writeFile(join(folder, '.1-2-3.draft'), '', { mode: 0o600 });
    await utimes(join(folder, '.1-2-3.draft'), startMs / 1000, startMs / 1000);
    await keep(cache(startMs + 2 * 60 * 60 * 1000), 'new', { scopes: ['y'] }, 3 * 60 * 60 * 1000);
    assert.equal((await readdir(folder)).length, 1);
  });

  it('is never outside its folder, whatever the host is called', async (t) => {
    const { cache, directory } = await place(t);
    for (const name of ['..', '.', '../..', '/etc', '[::1]:5000']) await keep(cache(startMs, name), 'token');
    assert.deepEqual(
      (await readdir(join(directory, 'ocictl', 'tokens'))).sort(),
      ['_1_5000', '_', '__..', '_etc'].sort(),
    );
    assert.deepEqual((await readdir(join(directory, 'ocictl'))).sort(), ['token-key', 'tokens']);
  });

  it('is whole or absent, also where several processes write and read it', async (t) => {
    const { cache } = await place(t);
    await keep(cache(), 'first');
    const values = Array.from({ length: 20 }, (_, at) => `${at}-${'x'.repeat(20_000)}`);
    const caches = values.map(() => cache());
    const seen = await Promise.all(
      values.map(async (value, at) => {
        await keep(caches[at] as TokenCache, value);
        return got(cache());
      }),
    );
    assert.ok(seen.every((value) => value !== undefined && values.includes(value)));
  });
});

describe('tokens', () => {
  it('are in memory alone where the directory is not private, with one note', async (t) => {
    for (const mode of [0o750, 0o701, 0o777]) {
      const { cache, directory, notes } = await place(t);
      await chmod(directory, mode);
      const one = cache();
      await keep(one, 'token');
      assert.equal(await got(one), 'token');
      assert.equal(await got(cache()), undefined);
      assert.deepEqual(await readdir(directory), []);
      assert.equal(notes.length, 2, 'one of each process');
      assert.match(notes[0] ?? '', /^tokens are not kept in .*run is open to other users$/);
    }
  });

  it('are in memory alone where a link or a file is in the way, or the directory is missing', async (t) => {
    const linked = await place(t);
    const elsewhere = await temporaryDirectory(t);
    await symlink(elsewhere, join(linked.directory, 'ocictl'));
    const filed = await place(t);
    await writeFile(join(filed.directory, 'ocictl'), '');
    const missing = await place(t);
    await rm(missing.directory, { recursive: true });
    for (const { cache } of [linked, filed, missing]) {
      const one = cache();
      await keep(one, 'token');
      assert.equal(await got(one), 'token');
      assert.equal(await got(cache()), undefined);
    }
    assert.deepEqual(await readdir(elsewhere), []);
    const { directory } = await place(t);
    const link = `${directory}-link`;
    await symlink(directory, link);
    await keep(new TokenFiles({ directory: link, nowMs: () => startMs }).of(host, createTokenCache()), 'token');
    assert.deepEqual(await readdir(directory), []);
  });

  it('are asked for anew where a file, or the key, is damaged', async (t) => {
    const { cache, directory, folder } = await place(t);
    await keep(cache(), 'token');
    const [name = ''] = await readdir(folder);
    const file = join(folder, name);
    const good = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    for (const text of [
      '',
      '{',
      'null',
      '[]',
      JSON.stringify({ ...good, format: 2 }),
      JSON.stringify({ ...good, value: 'two words' }),
      JSON.stringify({ ...good, value: 'a\r\nx: y' }),
      JSON.stringify({ ...good, value: '' }),
      JSON.stringify({ ...good, value: 1 }),
      JSON.stringify({ ...good, expiresAtMs: '9' }),
      JSON.stringify({ ...good, sinceMs: null }),
    ]) {
      await writeFile(file, text);
      assert.equal(await got(cache()), undefined, text);
    }
    await keep(cache(), 'again');
    assert.equal(await got(cache()), 'again');
    for (const key of ['', 'short', 'x'.repeat(33)]) {
      await writeFile(join(directory, 'ocictl', 'token-key'), key);
      await keep(cache(), 'new');
      assert.equal(await got(cache()), 'new', key);
    }
  });
});
