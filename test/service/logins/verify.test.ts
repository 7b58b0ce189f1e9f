import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Credential } from '../../../src/credentials/credential.ts';
import { isOciError, type OciError } from '../../../src/model/errors.ts';
import { parseLoginServer } from '../../../src/service/logins/server-name.ts';
import { issue } from '../../certs/issue.ts';
import { json, startFakeServer } from '../../support/fake-server.ts';
import { ada, basic, startPasswordRegistry, startTokenRegistry } from '../../support/login-servers.ts';
import { deadAddress } from '../../support/network/ports.ts';
import { startServe } from '../../support/registries.ts';
import { open } from '../opened.ts';
import { startRecorder } from '../recorder.ts';

const password = (text = ada.password): Credential => ({
  kind: 'password',
  username: ada.username,
  password: text,
  source: 'test',
});
const identity = (token: string): Credential => ({ kind: 'identity-token', token, source: 'test' });

async function refusal(promise: Promise<unknown>): Promise<OciError> {
  const error: unknown = await promise.catch((caught: unknown) => caught);
  return isOciError(error) ? error : assert.fail(`it did not fail: ${String(error)}`);
}

describe('checking a credential at a registry with a password file', () => {
  it('asks once anonymously and once with the password', async (t) => {
    const registry = await startPasswordRegistry(t);
    const { service } = await open(t, {});
    assert.deepEqual(await service.auth(registry.host, password()), { status: 'Login Succeeded', verified: true });
    const plain = registry.requests.map(({ method, path, headers }) => [method, path, headers.authorization]);
    assert.deepEqual(plain, [
      ['GET', '/v2/', undefined],
      ['GET', '/v2/', basic(ada)],
    ]);
  });

  it("fails with the registry's reason if the password is wrong", async (t) => {
    const registry = await startPasswordRegistry(t);
    const { service } = await open(t, {});
    const error = await refusal(service.auth(registry.host, password('wrong')));
    assert.equal(error.code, 'UNAUTHORIZED');
    const expected = `login attempt to http://${registry.host}/v2/ failed with status: 401 Unauthorized`;
    assert.equal(error.message, `${expected}: authentication required`);
    assert.doesNotMatch(JSON.stringify(error), /wrong/);
  });

  it('gives it no identity token', async (t) => {
    const registry = await startPasswordRegistry(t);
    const { service } = await open(t, {});
    assert.equal((await refusal(service.auth(registry.host, identity('secret')))).code, 'UNAUTHORIZED');
    assert.doesNotMatch(JSON.stringify(registry.requests), /secret/);
  });

  it('leaves out the reason if the registry gives none', async (t) => {
    const registry = await startFakeServer(t, (_request, response) => response.writeHead(403).end());
    const { service } = await open(t, {});
    const error = await refusal(service.auth(registry.host, password()));
    assert.equal(error.code, 'DENIED');
    assert.match(error.message, /failed with status: 403 Forbidden$/);
  });
});

describe('checking a credential at a registry with a token server', () => {
  it('asks the token server for an identity token too, and shows the registry the token alone', async (t) => {
    const { registry, tokens } = await startTokenRegistry(t);
    const { service } = await open(t, { config: { HttpHeaders: { 'X-Meta': 'for-the-registry' } } });
    assert.deepEqual(await service.auth(registry.host, password()), {
      status: 'Login Succeeded',
      verified: true,
      identityToken: 'identity-1',
    });
    const [asked] = tokens.requests;
    assert.deepEqual(Object.fromEntries(asked?.query ?? []), {
      service: 'registry.test',
      account: 'ada',
      offline_token: 'true',
      client_id: 'ocictl',
    });
    assert.equal(asked?.headers.authorization, basic(ada));
    assert.doesNotMatch(JSON.stringify(asked?.headers), /for-the-registry/);
    assert.deepEqual(
      registry.requests.map(({ headers }) => headers.authorization),
      [undefined, 'Bearer for-ada'],
    );
  });

  it('chooses the token among several challenges, in one line or in several', async (t) => {
    const { registry: inner, tokens } = await startTokenRegistry(t);
    const bearer = `bearer REALM="${tokens.url}token", service=registry.test`;
    for (const challenges of [
      ['Negotiate', 'Basic realm="a, \\"b\\""', bearer],
      [`Negotiate abc==, Basic realm="a, b", ${bearer}`],
      [`${bearer}, Digest realm="x", nonce=1`],
    ]) {
      const registry = await startFakeServer(t, ({ headers }, response) => {
        if (headers.authorization === 'Bearer for-ada') return json(response, 200, {});
        response.writeHead(401, { 'www-authenticate': challenges }).end();
      });
      const { service } = await open(t, {});
      assert.equal((await service.auth(registry.host, password())).verified, true, challenges.join(' | '));
    }
    assert.deepEqual(inner.requests, []);
  });

  it("fails with the token server's reason", async (t) => {
    const { registry } = await startTokenRegistry(t);
    const { service } = await open(t, {});
    const error = await refusal(service.auth(registry.host, password('wrong')));
    assert.equal(error.code, 'UNAUTHORIZED');
    assert.match(error.message, /\/v2\/ failed with status: 401 Unauthorized: incorrect username or password$/);
  });

  it('takes an identity token', async (t) => {
    const { registry, tokens } = await startTokenRegistry(t);
    const { service } = await open(t, {});
    assert.equal((await service.auth(registry.host, identity('identity-1'))).verified, true);
    assert.deepEqual(tokens.lines, ['POST /token']);
    assert.doesNotMatch(JSON.stringify(registry.requests), /identity-1/);
  });

  for (const status of [400, 401, 403, 404, 405]) {
    it(`takes a ${status} to an identity token for a refusal, and asks with no other credentials`, async (t) => {
      const tokens = await startFakeServer(t, (_request, response) => response.writeHead(status).end());
      const challenge = { 'www-authenticate': `Bearer realm="${tokens.url}token",service="registry.test"` };
      const registry = await startFakeServer(t, (_request, response) => response.writeHead(401, challenge).end());
      const { service } = await open(t, {});
      const error = await refusal(service.auth(registry.host, identity('gone')));
      assert.equal(error.code, status === 403 ? 'DENIED' : 'UNAUTHORIZED');
      assert.match(error.message, new RegExp(`failed with status: ${status} [A-Za-z ]+$`));
      assert.deepEqual(tokens.lines, ['POST /token']);
    });
  }

  it('does not take an anonymous token for a success of an expired identity token', async (t) => {
    const { registry, tokens } = await startTokenRegistry(t);
    const { service } = await open(t, {});
    const error = await refusal(service.auth(registry.host, identity('expired')));
    assert.equal(error.code, 'UNAUTHORIZED');
    assert.match(error.message, /the refresh token has expired$/);
    assert.deepEqual(tokens.lines, ['POST /token']);
  });

  it('fails where the token is refused by the registry itself', async (t) => {
    const tokens = await startFakeServer(t, (_request, response) => json(response, 200, { token: 'useless' }));
    const registry = await startFakeServer(t, (_request, response) =>
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${tokens.url}"` }).end(),
    );
    const { service } = await open(t, {});
    assert.equal((await refusal(service.auth(registry.host, password()))).code, 'UNAUTHORIZED');
    assert.equal(tokens.requests.length, 1);
    assert.equal(registry.requests.length, 2, 'no loop');
  });
});

describe('checking a credential', () => {
  it('succeeds without a check if the registry requires no login', async (t) => {
    const registry = await startServe(t);
    const { service } = await open(t, {});
    assert.deepEqual(await service.auth(registry.host, password()), { status: 'Login Succeeded', verified: false });
  });

  it('goes to Docker Hub and not to its mirror', async (t) => {
    const hub = await startPasswordRegistry(t);
    const mirror = await startRecorder(t, { authorization: 'never' });
    const given = { daemon: { 'registry-mirrors': [mirror.url] }, defaultRegistry: hub.url };
    const { service } = await open(t, given);
    for (const name of ['docker.io', 'https://index.docker.io/v1/', 'index.docker.io', 'registry-1.docker.io', '']) {
      assert.equal((await service.auth(name, password())).verified, true, name);
    }
    assert.deepEqual(mirror.seen, []);
  });

  it('never turns to plain http after a refusal over TLS', async (t) => {
    const registry = await startPasswordRegistry(t, ada, { tls: issue('somebody') });
    const { service } = await open(t, { daemon: { 'insecure-registries': [registry.host] } });
    const error = await refusal(service.auth(registry.host, password('wrong')));
    assert.match(error.message, new RegExp(`^login attempt to https://${registry.host}/v2/ failed`));
    assert.equal(registry.requests.length, 2);
    assert.equal(registry.connections, 2, 'whether it speaks TLS, and the handshake: nobody knocked in plain http');
  });

  it('nor when the connection is cut after an answer over TLS', async (t) => {
    const challenge = { 'www-authenticate': 'Basic realm="test"' };
    const registry = await startFakeServer(
      t,
      ({ nth }, response) => void (nth === 0 ? response.writeHead(401, challenge).end() : response.destroy()),
      { tls: issue('somebody') },
    );
    const lines: string[] = [];
    const daemon = { 'insecure-registries': [registry.host] };
    const { service } = await open(t, { daemon, trace: (line) => lines.push(line) });
    assert.equal((await refusal(service.auth(registry.host, password()))).code, 'NETWORK');
    assert.ok(lines.length > 1 && lines.every((line) => line.startsWith('GET https:')), lines.join());
  });

  it('turns to plain http where nothing speaks TLS and that is allowed', async (t) => {
    const registry = await startPasswordRegistry(t);
    const lines: string[] = [];
    const { service } = await open(t, { trace: (line) => lines.push(line) });
    await service.auth(registry.host, password());
    assert.match(lines[0] ?? '', /^GET https:/);
    assert.match(lines.at(-1) ?? '', /^GET http:.* → 200/);
  });

  it('does not send it on where a redirect leads', async (t) => {
    const elsewhere = await startRecorder(t, { authorization: basic(ada) });
    const registry = await startFakeServer(t, (_request, response) =>
      response.writeHead(307, { location: `${elsewhere.url}/v2/` }).end(),
    );
    const { service } = await open(t, {});
    assert.equal((await refusal(service.auth(registry.host, password()))).code, 'UNAUTHORIZED');
    assert.ok(elsewhere.seen.length > 0);
    assert.doesNotMatch(JSON.stringify([elsewhere.seen, registry.requests]), /authorization/);
  });

  it('reports a host that is no registry, one that fails and one that is not there', async (t) => {
    const { service } = await open(t, {});
    const answering = async (status: number): Promise<string> => {
      const server = await startFakeServer(t, (_request, response) => response.writeHead(status).end('<html>'));
      return (await refusal(service.auth(server.host, password()))).code;
    };
    assert.deepEqual(
      [await answering(404), await answering(503), await answering(429)],
      ['PROTOCOL', 'UNAVAILABLE', 'TOOMANYREQUESTS'],
    );
    assert.equal((await refusal(service.auth(await deadAddress(), password()))).code, 'NETWORK');
  });

  it('ends when the signal is aborted', async (t) => {
    const registry = await startFakeServer(t, () => {});
    const { service } = await open(t, {});
    const signal = AbortSignal.timeout(100);
    await assert.rejects(service.auth(registry.host, password(), { signal }), { name: 'TimeoutError' });
  });
});

describe('the server that somebody logs in to', () => {
  const read = (text: string | undefined): readonly string[] => {
    const { host, key, shown } = parseLoginServer(text);
    return [host, key, shown];
  };
  const hub = 'https://index.docker.io/v1/';
  for (const [text, expected] of [
    [undefined, ['docker.io', hub, hub]],
    ['', ['docker.io', hub, hub]],
    [hub, ['docker.io', hub, hub]],
    ['docker.io', ['docker.io', hub, 'docker.io']],
    ['https://index.docker.io', ['docker.io', hub, 'index.docker.io']],
    ['registry-1.docker.io', ['docker.io', hub, 'registry-1.docker.io']],
    ['example.com', ['example.com', 'example.com', 'example.com']],
    ['https://example.com:5000/v2/', ['example.com:5000', 'example.com:5000', 'example.com:5000']],
    ['http://localhost', ['localhost', 'localhost', 'localhost']],
    ['[::1]:5000', ['[::1]:5000', '[::1]:5000', '[::1]:5000']],
    ['example.com/team', ['example.com', 'example.com/team', 'example.com/team']],
    ['example.com:5000/a/b/', ['example.com:5000', 'example.com:5000/a/b', 'example.com:5000/a/b']],
    ['example.com/v2/', ['example.com', 'example.com', 'example.com']],
    ['index.docker.io/team', ['docker.io', 'docker.io/team', 'index.docker.io/team']],
  ] as const) {
    it(`is read from ${text === undefined ? 'nothing' : JSON.stringify(text)}`, () =>
      assert.deepEqual(read(text), expected));
  }

  for (const text of [
    'a b',
    'host:',
    'host:abc',
    'host:70000',
    '-host',
    'ftp://host',
    '[::1',
    '[fe80]',
    '../x',
    'host/../x',
    'host/a b',
    'host/Team',
    'host/a?b=c',
    'h\n',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () =>
      assert.throws(
        () => parseLoginServer(text),
        (error) => isOciError(error, 'USAGE'),
      ));
  }

  it('is not repeated with a password in it', () => {
    for (const password of ['hunter2', 'a/hunter2', '12/hunter2', 'hunter2/b', 'a@hunter2', 'a?hunter2']) {
      assert.throws(
        () => parseLoginServer(`https://ada:${password}@example.com`),
        (error) => isOciError(error, 'USAGE') && /…@example\.com/.test(error.message) && !/hunter2/.test(error.message),
      );
    }
  });
});
