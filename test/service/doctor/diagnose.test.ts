import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createMux } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadSettings } from '../../../src/config/settings.ts';
import { parseReference, withDefaultTag } from '../../../src/model/reference/reference.ts';
import type { Check } from '../../../src/service/doctor/check.ts';
import { examineMachine } from '../../../src/service/doctor/machine.ts';
import { issue } from '../../certs/issue.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { ada, basic } from '../../support/login-servers.ts';
import { atEnd, type Scope, sandbox } from '../../support/sandbox.ts';
import { open } from '../opened.ts';

const manifest = {
  'content-type': 'application/vnd.oci.image.manifest.v1+json',
  'docker-content-digest': `sha256:${'0'.repeat(64)}`,
};

interface Both {
  readonly host: string;
  readonly plain: readonly IncomingHttpHeaders[];
  readonly secure: readonly IncomingHttpHeaders[];
}

/** A registry that answers on one port with and without TLS, and requires a password. */
async function startBoth(t: Scope): Promise<Both> {
  const [plain, secure]: [IncomingHttpHeaders[], IncomingHttpHeaders[]] = [[], []];
  const into =
    (seen: IncomingHttpHeaders[]): RequestListener =>
    ({ headers }, response) => {
      seen.push(headers);
      response.writeHead(headers.authorization ? 404 : 401, { 'www-authenticate': 'Basic realm="test"' }).end();
    };
  const http = createServer(into(plain));
  const https = createTlsServer(issue('127.0.0.1'), into(secure));
  const mux = createMux((socket) => {
    socket.on('error', () => {});
    socket.once('readable', () => {
      const first: Buffer | null = socket.read(1);
      if (first === null) return void socket.destroy();
      socket.unshift(first);
      // A TLS handshake record begins with this byte.
      (first[0] === 22 ? https : http).emit('connection', socket);
    });
  });
  await new Promise<void>((resolve) => mux.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => {
    for (const server of [http, https]) server.closeAllConnections();
    mux.close();
  });
  return { host: `127.0.0.1:${(mux.address() as AddressInfo).port}`, plain, secure };
}

describe('a diagnosis', () => {
  it('asks nothing in plain http of a registry that has answered over TLS, as a pull would not', async (t) => {
    const { host, plain, secure } = await startBoth(t);
    const { service } = await open(t, {
      config: { auths: { [host]: { auth: basic(ada).replace('Basic ', '') } } },
    });
    const checks: Check[] = [];
    for await (const check of service.diagnose(withDefaultTag(parseReference(`${host}/app`)))) checks.push(check);
    assert.ok(secure.some(({ authorization }) => authorization === basic(ada)));
    assert.deepEqual(plain, []);
    const [left] = checks.filter(({ endpoint, topic }) => endpoint === `http://${host}` && topic === 'endpoint');
    assert.deepEqual([left?.status, left?.text], ['note', 'not asked: the registry has answered over TLS']);
  });

  it('shows the credentials of this run, not the stored ones', async (t) => {
    const { host, secure } = await startBoth(t);
    const config = { auths: { [host]: { auth: basic(ada).replace('Basic ', '') } } };
    const eve = { kind: 'password', username: 'eve', password: 'eve-secret', source: 'the command line' } as const;
    const said = async (identity: typeof eve | 'anonymous'): Promise<string> => {
      const { service } = await open(t, { config, identity });
      const checks: Check[] = [];
      for await (const check of service.diagnose(withDefaultTag(parseReference(`${host}/app`)))) checks.push(check);
      assert.doesNotMatch(JSON.stringify(checks), /secret/);
      return checks.find(({ topic }) => topic === 'credentials')?.text ?? '';
    };
    assert.match(await said('anonymous'), /^none for .*; asked anonymously$/);
    assert.equal(await said(eve), 'eve, by password, from the command line');
    assert.ok(!secure.some(({ authorization }) => authorization === basic(ada)));
  });

  it('reports a registry that asks for no login and shows content to logins alone', async (t) => {
    const server = await startFakeServer(t, ({ path, headers }, response) => {
      if (path === '/v2/') response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' });
      else if (headers.authorization !== basic(ada)) response.writeHead(404);
      else response.writeHead(200, { ...manifest, 'content-length': 2 });
      response.end();
    });
    const config = { auths: { [server.host]: { auth: basic(ada).replace('Basic ', '') } } };
    const { service } = await open(t, { config });
    const checks: Check[] = [];
    for await (const check of service.diagnose(withDefaultTag(parseReference(`${server.host}/app`))))
      checks.push(check);
    const told = checks.filter(({ topic }) => topic === 'credentials' || topic === 'image');
    assert.deepEqual(
      told.map(({ status }) => status),
      ['ok', 'note', 'ok'],
    );
    assert.match(told[1]?.text ?? '', /anonymous requests with 403 or 404/);
  });

  it('shows nothing of a password that somebody wrote into the address of a login', async (t) => {
    const { env, dockerConfig } = await sandbox(t);
    const auths = { 'https://ada:secret@r.example/v1/?key=secret': {}, 'https://index.docker.io/v1/': {} };
    await writeFile(join(dockerConfig, 'config.json'), JSON.stringify({ auths }));
    const checks: Check[] = [];
    for await (const check of examineMachine(await loadSettings({ env }))) checks.push(check);
    assert.doesNotMatch(JSON.stringify(checks), /secret/);
    const [logins] = checks.filter(({ topic }) => topic === 'credentials');
    assert.match(logins?.text ?? '', /: logins for https:\/\/r\.example\/v1\/, https:\/\/index\.docker\.io\/v1\/$/);
  });
});
