import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { isOciError } from '../../src/model/errors.ts';
import { redactHeaders, redactUrl } from '../../src/transport/redact.ts';
import { redirectTarget } from '../../src/transport/redirects.ts';
import { createTransport } from '../../src/transport/transport.ts';
import { type Answer, startFakeServer } from '../support/fake-server.ts';
import { atEnd } from '../support/sandbox.ts';

function open(t: TestContext, url: string) {
  const headers = { 'X-Endpoint': 'own' };
  const transport = createTransport({ base: new URL(url), headers, retry: { attempts: 1 } });
  atEnd(t, () => transport.close());
  return transport;
}

const to =
  (location: string, status = 307): Answer =>
  (_, response) =>
    response.writeHead(status, { location }).end('moved');

describe('redirects', () => {
  it('keep Range and Accept, and leave authorisation and endpoint headers at their origin', async (t) => {
    const storage = await startFakeServer(t, (_, response) => response.end('blob'));
    const server = await startFakeServer(t, to(`${storage.url}data?X-Signature=s`));
    const transport = open(t, server.url);
    const headers = { range: 'bytes=5-', accept: 'a/b' };
    const response = await transport.request({ method: 'GET', url: 'x', headers, authorization: 'Bearer t' });
    assert.equal(Buffer.from(await response.body.bytes(100)).toString(), 'blob');
    assert.equal(response.url.host, storage.host);
    const [asked] = storage.requests;
    assert.equal(asked?.headers.range, 'bytes=5-');
    assert.equal(asked?.headers.accept, 'a/b');
    assert.equal(asked?.headers.authorization, undefined);
    assert.equal(asked?.headers['x-endpoint'], undefined);
    assert.equal(asked?.query.get('X-Signature'), 's');
    assert.equal(server.requests[0]?.headers.authorization, 'Bearer t');
    assert.equal(server.requests[0]?.headers['x-endpoint'], 'own');
  });

  it('keep the authorisation at the same origin', async (t) => {
    const server = await startFakeServer(t, (request, response) => {
      if (request.path === '/end') return void response.end('ok');
      response.writeHead(302, { location: '/end' }).end();
    });
    const request = { method: 'GET', url: 'x', authorization: 'Basic b' } as const;
    await (await open(t, server.url).request(request)).body.discard();
    assert.equal(server.requests[1]?.headers.authorization, 'Basic b');
  });

  it('that come back from another origin bring neither authorisation nor endpoint headers there', async (t) => {
    let home = '';
    const other = await startFakeServer(t, (_, response) =>
      response.writeHead(307, { location: `${home}v2/_catalog` }).end(),
    );
    const server = await startFakeServer(t, ({ path }, response) =>
      path === '/x' ? response.writeHead(307, { location: other.url }).end() : response.end('ok'),
    );
    home = server.url;
    const request = { method: 'GET', url: 'x', authorization: 'Basic b' } as const;
    await (await open(t, server.url).request(request)).body.discard();
    const [first, back] = server.requests;
    assert.equal(first?.headers.authorization, 'Basic b');
    assert.equal(first?.headers['x-endpoint'], 'own');
    assert.equal(back?.path, '/v2/_catalog');
    assert.equal(back?.headers.authorization, undefined);
    assert.equal(back?.headers['x-endpoint'], undefined);
  });

  it('end after ten', async (t) => {
    const server = await startFakeServer(t, ({ path }, response) => {
      response.writeHead(301, { location: `/${Number(path.slice(1)) + 1}` }).end();
    });
    await assert.rejects(open(t, server.url).request({ method: 'GET', url: '0' }), (error) => {
      assert.ok(isOciError(error, 'PROTOCOL'));
      assert.match(error.message, /redirected more than 10 times/);
      return true;
    });
    assert.equal(server.requests.length, 11);
  });

  it('are answers to anything but GET and HEAD', async (t) => {
    const server = await startFakeServer(t, to('/other'));
    const response = await open(t, server.url).request({ method: 'PUT', url: 'x', body: Buffer.from('1') });
    await response.body.discard();
    assert.equal(response.status, 307);
    assert.equal(server.requests.length, 1);
  });

  for (const [what, location] of [
    ['plain http from https', 'http://other.example/x?sig=secret'],
    ['another protocol', 'file:///etc/passwd'],
    ['a URL with a password', 'https://user:secret@other.example/'],
    ['no URL at all', 'https://'],
  ] as const) {
    it(`refuse to go to ${what}`, () => {
      assert.throws(
        () => redirectTarget(location, new URL('https://registry.example/v2/')),
        (error) => {
          assert.ok(isOciError(error, 'PROTOCOL'));
          assert.match(error.message, /^registry\.example redirects to .*: refused$/);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });
  }
});

describe('what is shown of a request', () => {
  it('has URLs without credentials, queries and fragments', () => {
    assert.equal(redactUrl('https://u:p@host:1/a/b?sig=1#f'), 'https://host:1/a/b?…');
    assert.equal(redactUrl(new URL('http://host/a')), 'http://host/a');
    assert.equal(redactUrl('nonsense'), 'an invalid URL');
  });

  it('has headers without secrets', () => {
    const shown = redactHeaders({
      authorization: 'Basic c2VjcmV0',
      'x-docker-token': 'secret',
      location: 'https://u:secret@h/p?sig=secret',
      link: ['</v2/_catalog?last=secret>; rel="next"'],
      'set-cookie': ['a=secret'],
      accept: 'a/b',
    });
    assert.doesNotMatch(JSON.stringify(shown), /secret|c2Vjcm/);
    assert.equal(shown['authorization'], 'Basic …');
    assert.equal(shown['location'], 'https://…@h/p?…');
    assert.equal(shown['accept'], 'a/b');
  });
});
