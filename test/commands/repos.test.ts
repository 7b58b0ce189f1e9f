import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { insteadOfCatalog } from '../../src/commands/repos/no-catalog.ts';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { ocictl } from '../support/command.ts';
import { json, startFakeServer } from '../support/fake-server.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { buildIndex } from '../support/images.ts';
import { ada } from '../support/login-servers.ts';
import { askedScopes, startTokenServe } from '../support/logins/token-serve.ts';
import { startServe } from '../support/registries.ts';
import type { Scope } from '../support/sandbox.ts';

// Of an index without entries there is nothing else to push.
const { manifest } = await buildIndex([]);

async function fill(registry: Registry, names: readonly string[]): Promise<void> {
  for (const name of names) await registry.pushManifest(parseRepositoryName(name), manifest, { tags: [parseTag('1')] });
}

/** A registry of these repositories, behind a proxy that counts. */
async function startNamed(t: Scope, names: readonly string[]) {
  const { url, registry } = await startServe(t);
  await fill(registry, names);
  return startFaultProxy(t, url);
}

describe('ocictl repos', () => {
  const few = ['app', 'team', 'team/app', 'team/app/ui', 'teams/app'];

  it('lists every repository, all pages', async (t) => {
    const names = Array.from({ length: 1100 }, (_, at) => `app${String(at).padStart(4, '0')}`);
    const proxy = await startNamed(t, names);
    const { exitCode, stdout, stderr } = await ocictl(t, ['repos', proxy.host]);
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.deepEqual(stdout.trimEnd().split('\n'), names);
    assert.equal(proxy.count(/\/_catalog/), 2);
    assert.equal(proxy.count(), 2);
    const first = await ocictl(t, ['catalog', '--limit', '3', `${proxy.host}/`]);
    assert.equal(first.stdout, 'app0000\napp0001\napp0002\n', 'catalog is another word for it');
    assert.match(proxy.requests.at(-1)?.path ?? '', /[?&]n=3(?:&|$)/);
  });

  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [['@/team'], ['team', 'team/app', 'team/app/ui']],
    [['@/team/app/'], ['team/app', 'team/app/ui']],
    [
      ['@', '--filter', '*/app'],
      ['team/app', 'teams/app'],
    ],
    [
      ['@', '--filter', '**/ui,app'],
      ['app', 'team/app/ui'],
    ],
    [['@/team', '--filter', '**app**', '--limit', '1'], ['team/app']],
    [['@/none'], []],
  ];
  for (const [words, wanted] of cases) {
    it(`lists those of ${words.join(' ')}`, async (t) => {
      const { host } = await startNamed(t, few);
      const given = words.map((word) => word.replace('@', host));
      const { exitCode, stdout, stderr } = await ocictl(t, ['repos', ...given]);
      assert.deepEqual([exitCode, stdout, stderr], [0, wanted.map((name) => `${name}\n`).join(''), '']);
      const document = await ocictl(t, ['repos', '--json', ...given]);
      assert.deepEqual(JSON.parse(document.stdout), { registry: host, repositories: wanted });
    });
  }

  it('asks for a token of the catalog', async (t) => {
    const { host, registry, issuer } = await startTokenServe(t);
    await fill(registry, ['app']);
    const given = await ocictl(t, ['repos', '--creds', `${ada.username}:${ada.password}`, host]);
    assert.deepEqual([given.exitCode, given.stdout], [0, 'app\n'], given.stderr);
    assert.deepEqual(askedScopes(issuer), ['registry:catalog:*']);
    const anonymous = await ocictl(t, ['repos', host]);
    assert.deepEqual([anonymous.exitCode, anonymous.stdout], [4, '']);
    assert.match(anonymous.stderr, new RegExp(`hint: .*ocictl login ${host}.*ocictl tags ${host}/NAME`));
  });

  for (const [status, exit] of [
    [401, 4],
    [403, 4],
    [404, 1],
    [405, 1],
  ] as const) {
    it(`has a hint if the registry answers ${status}`, async (t) => {
      const { host } = await startFakeServer(t, ({ path }, response) => {
        if (path === '/v2/') return json(response, 200, {});
        json(response, status, {});
      });
      const { exitCode, stdout, stderr } = await ocictl(t, ['repos', host]);
      assert.deepEqual([exitCode, stdout], [exit, '']);
      assert.match(stderr, new RegExp(`hint: .*ocictl tags ${host}/NAME`));
    });
  }

  it('knows how the large registries list repositories', () => {
    const hosts = {
      'docker.io': /ocictl search TERM/,
      'ghcr.io': /gh api/,
      'public.ecr.aws': /aws ecr-public/,
      '123456789012.dkr.ecr.eu-west-1.amazonaws.com': /aws ecr describe/,
      'team.azurecr.io': /az acr/,
      'europe-docker.pkg.dev': /gcloud/,
    };
    for (const [host, wanted] of Object.entries(hosts))
      assert.match(insteadOfCatalog(host, { mayLogIn: true }), wanted);
  });

  it('refuses an invalid host', async (t) => {
    for (const word of ['https://registry.example.com', 'a b', '', 'user@registry.example.com']) {
      const { exitCode, stderr } = await ocictl(t, ['repos', word]);
      assert.equal(exitCode, 2, word);
      assert.match(stderr, /^error: invalid (?:host|server)/, word);
    }
  });
});
