import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { parseReference, parseTag } from '../../../src/model/reference/reference.ts';
import { base64, writeConfig } from '../../commands/login/stored-credentials.ts';
import { digestOf, open } from '../../service/opened.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { ada } from '../../support/login-servers.ts';
import { needsKeychain, startKeyring } from '../../support/logins/keyrings.ts';
import { startTokenIssuer, type TokenIssuer } from '../../support/logins/token-issuer.ts';
import { type DockerRegistry, needs, startDockerRegistry } from '../../support/programs.ts';
import { type Scope, sandbox, temporaryDirectory } from '../../support/sandbox.ts';

/** How a registry authenticates. */
type Kind = 'Basic' | 'token by GET' | 'token by OAuth2';

interface Parts {
  readonly passwords: DockerRegistry;
  readonly tokens: DockerRegistry;
  readonly issuer: TokenIssuer;
}

/** Arguments and variables that make a command use credentials from this source. */
interface Use {
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

type Put = (t: TestContext, host: string, secret: { user: string; secret: string; identity: boolean }) => Promise<Use>;

/** An entry of config.json or auth.json. */
function entryOf({ user, secret, identity }: Parameters<Put>[2]): object {
  return identity ? { auth: base64(`${user}:`), identitytoken: secret } : { auth: base64(`${user}:${secret}`) };
}

const sources: Readonly<Record<string, Put>> = {
  async file(t, host, login) {
    await writeConfig(t, { auths: { [host]: entryOf(login) } });
    return {};
  },
  async helper(t, host, { user, secret, identity }) {
    const { home, env } = await sandbox(t);
    await writeConfig(t, { credHelpers: { [host]: 'test' } });
    const answer = JSON.stringify({ ServerURL: host, Username: identity ? '<token>' : user, Secret: secret });
    const file = join(home, 'bin', 'docker-credential-test');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `#!/bin/sh\ncat > /dev/null\ncat <<'END'\n${answer}\nEND\n`);
    await chmod(file, 0o755);
    return { env: { PATH: `${dirname(file)}:${env['PATH']}` } };
  },
  async keychain(t, host, { user, secret, identity }) {
    const env = await startKeyring(t);
    const how = identity ? ['--identity-token-stdin'] : ['-u', user, '--password-stdin'];
    const words = ['login', '--no-verify', '--store', 'keychain', ...how, host];
    const login = await ocictl(t, words, { input: secret, env });
    assert.equal(login.exitCode, 0, login.stderr);
    return { env };
  },
  env: async (_t, host, login) => ({
    env: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [host]: entryOf(login) } }) },
  }),
  async 'auth.json'(t, host, login) {
    const file = join((await sandbox(t)).env['XDG_RUNTIME_DIR'] ?? '', 'containers', 'auth.json');
    await mkdir(dirname(file), { recursive: true });
    // The entry that `podman login host/team` writes.
    await writeFile(file, JSON.stringify({ auths: { [`${host}/team`]: entryOf(login) } }));
    return {};
  },
  static: async (_t, _host, { user, secret }) => ({ words: ['--creds', `${user}:${secret}`] }),
};

const kinds: readonly Kind[] = ['Basic', 'token by GET', 'token by OAuth2'];

describe('credentials', () => {
  let parts: Parts;
  const ends: (() => unknown)[] = [];

  after(async () => {
    for (const end of ends) await end();
  });

  before(async () => {
    if (!needs({ skip: () => {} }, 'docker-registry', 'htpasswd')) return;
    const scope = { after: (end: () => unknown) => void ends.push(end) } as Scope;
    const issuer = await startTokenIssuer(scope);
    const passwords = await startDockerRegistry(scope, { htpasswd: ada });
    parts = { issuer, passwords, tokens: await startDockerRegistry(scope, { tokens: issuer }) };
  });

  for (const [source, put] of Object.entries(sources)) {
    for (const kind of kinds) {
      // On the command line, a secret is always a password.
      if (source === 'static' && kind === 'token by OAuth2') continue;
      it(`from ${source} push and pull where a registry wants ${kind}`, async (t) => {
        if (!needs(t, 'docker-registry', 'htpasswd') || (source === 'keychain' && !needsKeychain(t))) return;
        const { passwords, tokens, issuer } = parts;
        const registry = kind === 'Basic' ? passwords : tokens;
        const identity = kind === 'token by OAuth2';
        const secret = identity ? issuer.identityToken : ada.password;
        const { words = [], env = {} } = await put(t, registry.host, { user: ada.username, secret, identity });
        const layout = await temporaryDirectory(t);
        const image = await buildImage({ layers: [{ files: { name: `${source} ${kind}` } }] });
        await writeLayout(layout, '1', image);
        const name = `${registry.host}/team/app:${source.replace('.', '-')}`;
        const asked = issuer.server.lines.length;

        const inStore = ['copy', '-q', `oci:${layout}:1`, `store:${name}`];
        assert.equal((await ocictl(t, inStore)).exitCode, 0);
        const nobody = await ocictl(t, ['push', '-q', '--anonymous', name], { env });
        assert.equal(nobody.exitCode, 4, nobody.stderr);
        const pushed = await ocictl(t, ['push', '-q', ...words, name], { env });
        assert.equal(pushed.exitCode, 0, pushed.stderr);
        await ocictl(t, ['rmi', name]);
        const pulled = await ocictl(t, ['pull', '-q', ...words, name], { env });
        assert.deepEqual([pulled.exitCode, pulled.stdout], [0, `${name}\n`], pulled.stderr);

        const exchanges = new Set(issuer.server.lines.slice(asked));
        const expected = {
          Basic: [],
          'token by GET': ['GET /token'],
          'token by OAuth2': ['GET /token', 'POST /token'],
        };
        assert.deepEqual([...exchanges], expected[kind]);
      });
    }
  }

  it('from a program push and pull where a registry wants token by OAuth2', async (t) => {
    if (!needs(t, 'docker-registry')) return;
    const { tokens, issuer } = parts;
    const identity = { kind: 'identity-token', token: issuer.identityToken, source: 'the test' } as const;
    const { service } = await open(t, { identity });
    const reference = parseReference(`${tokens.host}/team/app`);
    const image = await buildImage({ layers: [{ files: { name: 'program' } }] });
    await pushImage(await service.open(reference, 'push'), reference.path, parseTag('latest'), image);
    const pulled = await digestOf(await service.open(reference, 'pull'), reference.path);
    assert.equal(pulled, image.descriptor.digest);
  });
});
