import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { writeConfig } from '../../commands/login/stored-credentials.ts';
import { ocictl } from '../../support/command.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { ada } from '../../support/login-servers.ts';
import { keepNoTokens } from '../../support/logins/issuing.ts';
import { startTokenIssuer, type TokenIssuer, type TokenIssuerOptions } from '../../support/logins/token-issuer.ts';
import { needs, startDockerRegistry } from '../../support/programs.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

interface Setup {
  readonly issuer: TokenIssuer;
  readonly proxy: FaultProxy;
  /** An image with a layer of 4 MiB, in a layout. */
  readonly layout: string;
  readonly layer: { readonly digest: string; readonly size: number };
  /** Answers the next matching request as if its token had expired. */
  expire(path: RegExp, method?: string): void;
}

const size = 4 * 1024 * 1024;

/** A docker-registry that requires tokens, behind a proxy, with ada logged in. Commands keep no tokens unless `keep` is set. */
async function setup(
  t: TestContext,
  { keep = false, ...options }: TokenIssuerOptions & { readonly keep?: boolean } = {},
): Promise<Setup> {
  if (!keep) await keepNoTokens(t);

  const issuer = await startTokenIssuer(t, options);
  const registry = await startDockerRegistry(t, { tokens: issuer });
  const proxy = await startFaultProxy(t, registry.url);
  const auth = Buffer.from(`${ada.username}:${ada.password}`).toString('base64');
  await writeConfig(t, { auths: { [proxy.host]: { auth } } });
  const layout = `oci:${await temporaryDirectory(t)}`;
  const image = await buildImage({ layers: [{ files: { data: randomBytes(size) } }] });
  await writeLayout(layout.slice('oci:'.length), '1', image);
  const headers = { 'www-authenticate': `${issuer.challenge},error="invalid_token"` };
  return {
    issuer,
    proxy,
    layout: `${layout}:1`,
    layer: { digest: image.layers[0]?.descriptor.digest ?? '', size: image.layers[0]?.descriptor.size ?? 0 },
    expire: (path, method) => proxy.fail({ path, status: 401, headers, times: 1, ...(method && { method }) }),
  };
}

describe('a loop of a hundred commands', () => {
  it('asks for one token, each command being a process of its own', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { issuer, proxy, layout } = await setup(t, { keep: true });
    const name = `${proxy.host}/team/app:1`;
    assert.equal((await ocictl(t, ['copy', '-q', layout, name])).exitCode, 0);
    assert.equal((await ocictl(t, ['doctor', '--forget', proxy.host])).exitCode, 0);
    const asked = issuer.server.requests.length;
    for (let count = 0; count < 100; count += 1) {
      const { exitCode, stderr } = await ocictl(t, ['digest', name], { ownProcess: true });
      assert.deepEqual([exitCode, stderr], [0, '']);
    }
    assert.equal(issuer.server.requests.length - asked, 1);
  });
});

describe('a token that expires in the middle of a transfer', () => {
  it('is replaced, and a cut download goes on from where it stood', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { issuer, proxy, layout, layer, expire } = await setup(t);
    const path = new RegExp(`/blobs/${layer.digest}`);
    const name = `${proxy.host}/team/app:1`;
    assert.equal((await ocictl(t, ['copy', '-q', layout, name])).exitCode, 0);
    proxy.fail({ path, method: 'GET', cutAfterBytes: layer.size / 2, times: 1 });
    const asked = issuer.server.lines.length;
    const before = proxy.requests.length;
    expire(path, 'GET');
    const { exitCode, stdout, stderr } = await ocictl(t, ['pull', '-q', name]);
    assert.deepEqual([exitCode, stdout], [0, `${name}\n`], stderr);
    const blobs = proxy.requests.slice(before).filter((request) => path.test(request.path));
    const seen = blobs.map(({ status, headers: { range } }) => [status, range !== undefined]);
    assert.deepEqual(seen, [
      [200, false],
      [401, true],
      [206, true],
    ]);
    assert.equal(issuer.server.lines.length - asked, 2);
    const sent = blobs.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
    assert.ok(sent < layer.size * 1.1, `${sent} bytes for a layer of ${layer.size}`);
  });

  for (const method of ['POST', 'PATCH', 'PUT']) {
    it(`is replaced when an upload's ${method} is refused`, async (t) => {
      if (!needs(t, 'docker-registry')) return;
      const { issuer, proxy, layout, expire } = await setup(t);
      expire(method === 'PUT' ? /\/manifests\// : /\/blobs\/uploads\//, method);
      const name = `${proxy.host}/team/app:1`;
      const pushed = await ocictl(t, ['copy', '-q', layout, name]);
      assert.equal(pushed.exitCode, 0, pushed.stderr);
      assert.equal((await ocictl(t, ['pull', '-q', name])).exitCode, 0);
      assert.ok(issuer.server.lines.length >= 2);
    });
  }
});

describe('a token for a mount', () => {
  it('is for both repositories, and nothing is sent twice', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { issuer, proxy, layout, layer } = await setup(t);
    await ocictl(t, ['copy', '-q', layout, `${proxy.host}/team/app:1`]);
    const received = proxy.requests.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
    const { exitCode, stderr } = await ocictl(t, [
      'copy',
      '-q',
      `${proxy.host}/team/app:1`,
      `${proxy.host}/other/app:1`,
    ]);
    assert.equal(exitCode, 0, stderr);
    const scopes = issuer.server.requests.map(({ query }) => query.getAll('scope').sort().join(' '));
    assert.ok(scopes.includes('repository:other/app:pull,push repository:team/app:pull'), scopes.join('\n'));
    const more = proxy.requests.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0) - received;
    assert.ok(more < layer.size / 10, `${more} bytes were sent`);
  });
});

describe('a token that is refused at once', () => {
  it('is a denial, after one exchange', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    // The token comes from an issuer that the registry does not trust, with an unknown key.
    const stranger = await startTokenIssuer(t);
    const trusted = await startTokenIssuer(t);
    const registry = await startDockerRegistry(t, { tokens: { ...trusted, realm: stranger.realm } });
    const { exitCode, stderr } = await ocictl(t, ['pull', '-q', `${registry.host}/team/app:1`]);
    assert.equal(exitCode, 4);
    assert.match(stderr, /pull access denied/);
    assert.deepEqual(stranger.server.lines, ['GET /token']);
  });

  it('by what it may do is one too: an account may lack a right', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { issuer, proxy, layout } = await setup(t, { anybody: ['pull'] });
    const name = `${proxy.host}/team/app:1`;
    const nobody = await ocictl(t, ['copy', '-q', '--anonymous', layout, name]);
    assert.equal(nobody.exitCode, 4);
    assert.match(nobody.stderr, /push access denied/);
    assert.equal((await ocictl(t, ['copy', '-q', layout, name])).exitCode, 0);
    assert.equal((await ocictl(t, ['pull', '-q', '--anonymous', name])).exitCode, 0);
    assert.equal(issuer.server.requests.at(-1)?.headers.authorization, undefined);
  });
});

describe('the list of repositories', () => {
  it('is asked for with a token for the catalog', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { issuer, proxy, layout } = await setup(t);
    await ocictl(t, ['copy', '-q', layout, `${proxy.host}/team/app:1`]);
    const { stdout, stderr } = await ocictl(t, ['search', '--format', '{{.Name}}', `${proxy.host}/app`]);
    assert.equal(stdout, 'team/app\n', stderr);
    assert.deepEqual(issuer.server.requests.at(-1)?.query.getAll('scope'), ['registry:catalog:*']);
  });
});
