import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { type FakeServer, startFakeServer } from '../../support/fake-server.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { ada, basic, startPasswordRegistry, startTokenRegistry } from '../../support/login-servers.ts';
import type { RunResult } from '../../support/process.ts';
import { makeCertificates, needs } from '../../support/programs.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import { adaAuth, base64, logIn, readConfig, writeConfig } from './stored-credentials.ts';

/** Every form in which ada's secrets could appear. */
const secret = new RegExp(
  [ada.password, adaAuth, 'identity-1', 'for-ada', 'header-secret']
    .map((text) => text.replace(/[+/=]/g, '\\$&'))
    .join('|'),
);

function assertSilent({ stdout, stderr }: RunResult): void {
  assert.doesNotMatch(stdout, secret);
  assert.doesNotMatch(stderr, secret);
}

/** Files below the home of the test that hold a secret, with their modes. */
async function filesWithSecrets(t: TestContext): Promise<Readonly<Record<string, string>>> {
  const { home } = await sandbox(t);
  const found: Record<string, string> = {};
  for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !secret.test(await readFile(path, 'latin1'))) continue;
    const shown = path.slice(home.length + 1).replace(/[0-9a-f]{64}$/, 'HMAC');
    found[shown] = ((await stat(path)).mode & 0o777).toString(8);
  }
  return found;
}

describe('no secret', () => {
  it('is in -vv, in JSON, in an error, or in a file that others can read', async (t) => {
    const { registry, tokens } = await startTokenRegistry(t);
    await writeConfig(t, { HttpHeaders: { 'X-Meta': 'header-secret' } });
    await chmod(join((await sandbox(t)).dockerConfig, 'config.json'), 0o600);
    const name = `${registry.host}/team/app:1`;
    assertSilent(await logIn(t, registry.host));
    for (const words of [
      ['pull', '-vv', name],
      ['pull', '--json', name],
      ['digest', '-vv', '--json', name],
      ['tags', '-vv', `${registry.host}/team/app`],
      ['doctor', '--json', name],
      ['whoami', '--json'],
      ['login', '-vv', registry.host],
    ]) {
      assertSilent(await ocictl(t, words));
    }
    const folder = join('run', 'ocictl', 'tokens', registry.host.replace(':', '_'));
    assert.deepEqual(await filesWithSecrets(t), { '.docker/config.json': '600', [join(folder, 'HMAC')]: '600' });
    assert.ok(registry.requests.every(({ headers }) => headers['x-meta'] === 'header-secret'));
    assert.ok(tokens.requests.length > 3);
    assert.ok(tokens.requests.every(({ headers }) => headers['x-meta'] === undefined));
    assertSilent(await ocictl(t, ['logout', '-vv', registry.host]));
    await writeConfig(t, {});
    assert.deepEqual(await filesWithSecrets(t), {});
  });

  it('is among the arguments of a helper, or in its error', async (t) => {
    const registry = await startPasswordRegistry(t);
    const { home, env } = await sandbox(t);
    await writeConfig(t, { credsStore: 'test' });
    await mkdir(join(home, 'bin'));
    const file = join(home, 'bin', 'docker-credential-test');
    const script = `#!/bin/sh\necho "$0 $*" >> '${home}/words'\ncat\nexit 1\n`;
    await writeFile(file, script, { mode: 0o755 });
    const login = await logIn(t, registry.host, { env: { PATH: `${home}/bin:${env['PATH']}` } });
    assert.equal(login.exitCode, 2);
    assertSilent(login);
    assert.match(await readFile(join(home, 'words'), 'utf8'), /store\n$/);
    assert.doesNotMatch(await readFile(join(home, 'words'), 'utf8'), secret);
  });
});

describe('no credential, cookie or header of config.json', () => {
  const shown = (server: FakeServer): readonly unknown[] =>
    server.requests
      .flatMap(({ headers }) => [headers.authorization, headers.cookie, headers['x-meta']])
      .filter(Boolean);

  it('reaches another origin: a redirect, an upload', async (t) => {
    const elsewhere = await startFakeServer(t, (_, response) => response.writeHead(404).end());
    const registry = await startFakeServer(t, ({ headers, method, path }, response) => {
      if (headers.authorization !== basic(ada)) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"', 'set-cookie': 'a=hunter2' }).end();
      } else if (method === 'POST') response.writeHead(202, { location: `${elsewhere.url}upload` }).end();
      else response.writeHead(307, { location: `${elsewhere.url}${path.slice(1)}` }).end();
    });
    const headers = { 'X-Meta': 'header-secret' };
    await writeConfig(t, { auths: { [registry.host]: { auth: adaAuth } }, HttpHeaders: headers });
    const served = await startServe(t);
    const image = await buildImage({ layers: [{ files: { name: 'app' } }] });
    await pushImage(served.registry, parseRepositoryName('app'), parseTag('1'), image);
    await ocictl(t, ['pull', '-q', `${registry.host}/app:1`]);
    await ocictl(t, ['copy', '-q', `${served.host}/app:1`, `${registry.host}/app:1`]);
    assert.ok(elsewhere.requests.length >= 2, elsewhere.lines.join());
    assert.deepEqual(shown(elsewhere), []);
    assert.ok(registry.requests.every((request) => request.headers.cookie === undefined));
  });

  it('goes to a token server but the password, and that only with the realm’s scheme as safe as the registry’s', async (t) => {
    if (!needs(t, 'openssl')) return;
    const { authority, certificate, key } = await makeCertificates(t);
    const tls = { cert: await readFile(certificate), key: await readFile(key) };
    const tokens = await startFakeServer(t, (_, response) => response.writeHead(200).end('{"token":"t"}'));
    const registry = await startFakeServer(
      t,
      (_, response) => response.writeHead(401, { 'www-authenticate': `Bearer realm="${tokens.url}token"` }).end(),
      { tls },
    );
    const directory = join((await sandbox(t)).certsDir, registry.host);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'ca.crt'), await readFile(authority));
    await writeConfig(t, { auths: { [registry.host]: { auth: adaAuth } } });
    const { exitCode, stderr } = await ocictl(t, ['pull', `${registry.host}/app:1`]);
    assert.equal(exitCode, 5);
    assert.match(stderr, /names a token server in plain http/);
    assert.deepEqual(tokens.requests, []);
  });
});

describe('ten logins at once', () => {
  it('are ten entries in one config.json, and its other keys are untouched', async (t) => {
    const registries = await Promise.all(Array.from({ length: 10 }, () => startPasswordRegistry(t)));
    await writeConfig(t, {
      HttpHeaders: { 'X-Meta': '1' },
      unknown: [1, { a: 2 }],
      auths: { other: { auth: base64('a:b') } },
    });
    const logins = await Promise.all(registries.map(({ host }) => logIn(t, host)));
    assert.deepEqual(
      logins.map(({ exitCode }) => exitCode),
      new Array(10).fill(0),
    );
    const { auths, ...rest } = await readConfig(t);
    assert.deepEqual(rest, { HttpHeaders: { 'X-Meta': '1' }, unknown: [1, { a: 2 }] });
    assert.deepEqual(Object.keys(auths ?? {}).sort(), ['other', ...registries.map(({ host }) => host)].sort());
    assert.deepEqual(await readdir((await sandbox(t)).dockerConfig), ['config.json']);
  });
});
