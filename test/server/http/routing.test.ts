import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatScope } from '../../../src/server/auth/access.ts';
import { ask, codeOf, raw, startServer } from '../client.ts';

describe('the addresses of the API', () => {
  it('begin at /v2/, which says that this is a registry', async (t) => {
    const server = await startServer(t);
    for (const path of ['/v2/', '/v2', '/v2/?a=b', `${server.url}/v2/`]) {
      const answer = await ask(server, 'GET', path);
      assert.equal(answer.status, 200, path);
      assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0');
      assert.deepEqual(answer.json(), {});
    }
  });

  it('have a line for people at /', async (t) => {
    const answer = await ask(await startServer(t), 'GET', '/');
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'] ?? '', /^text\/plain/);
    assert.match(answer.body.toString(), /^[^\n]+\n$/);
  });

  it('answer 404 with an error body elsewhere', async (t) => {
    const server = await startServer(t);
    for (const path of ['/v1/', '/v2/app', '/v2/app/manifests', '/v2/app/manifests/', '/v2//', '/x', '/v2/app/tags']) {
      const answer = await ask(server, 'GET', path);
      assert.equal(answer.status, 404, path);
      assert.equal(codeOf(answer), 'NAME_UNKNOWN', path);
    }
  });

  it('answer 405 with the methods there are', async (t) => {
    const server = await startServer(t);
    const wrong: readonly (readonly [string, string, string])[] = [
      ['POST', '/v2/', 'GET, HEAD'],
      ['POST', '/', 'GET, HEAD'],
      ['DELETE', '/v2/_catalog', 'GET, HEAD'],
      ['PUT', '/v2/app/tags/list', 'GET, HEAD'],
      ['PATCH', '/v2/app/manifests/latest', 'GET, HEAD, PUT, DELETE'],
      ['PUT', `/v2/app/blobs/sha256:${'a'.repeat(64)}`, 'GET, HEAD, DELETE'],
      ['GET', '/v2/app/blobs/uploads/', 'POST'],
      ['POST', '/v2/app/blobs/uploads/abc', 'GET, HEAD, PATCH, PUT, DELETE'],
      ['TRACE', '/v2/', 'GET, HEAD'],
    ];
    for (const [method, path, allow] of wrong) {
      const answer = await ask(server, method, path);
      assert.equal(answer.status, 405, `${method} ${path}`);
      assert.equal(codeOf(answer), 'UNSUPPORTED');
      assert.equal(answer.headers.allow, allow);
    }
  });

  it('are logged under the names that distribution has in its metrics', async (t) => {
    const server = await startServer(t);
    const digest = `sha256:${'a'.repeat(64)}`;
    const named: readonly (readonly [string, string, string | undefined])[] = [
      ['GET', '/v2/', 'base'],
      ['GET', '/v2/_catalog', 'catalog'],
      ['GET', '/v2/app/tags/list', 'tags'],
      ['HEAD', '/v2/app/manifests/latest', 'manifest'],
      ['GET', `/v2/app/blobs/${digest}`, 'blob'],
      ['POST', '/v2/app/blobs/uploads/', 'blob_upload'],
      ['PATCH', '/v2/app/blobs/uploads/abc', 'blob_upload_chunk'],
      ['GET', `/v2/app/referrers/${digest}`, 'referrers'],
      ['PUT', '/v2/', 'base'],
      ['GET', '/nothing', undefined],
    ];
    for (const [method, path] of named) await ask(server, method, path);
    assert.deepEqual(
      server.log.map((entry) => [entry.method, entry.path, entry.handler]),
      named,
    );
  });

  it('refuse invalid names, tags and digests with their codes', async (t) => {
    const server = await startServer(t);
    const bad: readonly (readonly [string, string])[] = [
      ['/v2/App/tags/list', 'NAME_INVALID'],
      ['/v2/a..b/tags/list', 'NAME_INVALID'],
      [`/v2/${'a'.repeat(256)}/tags/list`, 'NAME_INVALID'],
      ['/v2/app/manifests/-latest', 'TAG_INVALID'],
      [`/v2/app/manifests/${'t'.repeat(129)}`, 'TAG_INVALID'],
      ['/v2/app/manifests/sha256:bad', 'DIGEST_INVALID'],
      ['/v2/app/blobs/sha256:bad', 'DIGEST_INVALID'],
      [`/v2/app/blobs/sha256:${'A'.repeat(64)}`, 'DIGEST_INVALID'],
      [`/v2/app/blobs/md5:${'a'.repeat(32)}`, 'DIGEST_INVALID'],
      ['/v2/app/referrers/nonsense', 'DIGEST_INVALID'],
    ];
    for (const [path, code] of bad) {
      const answer = await ask(server, 'GET', path);
      assert.equal(answer.status, 400, path);
      assert.equal(codeOf(answer), code, path);
    }
  });

  it('cannot be used to leave the repositories', async (t) => {
    const server = await startServer(t);
    const paths = [
      '/v2/../../etc/passwd/tags/list',
      '/v2/%2e%2e/%2e%2e/tags/list',
      '/v2/..%2f..%2fetc/tags/list',
      '/v2/app%00/tags/list',
      '/v2/app%0a/tags/list',
      '/v2/app/manifests/..%2f..%2fx',
      '/v2/app/manifests/%2e%2e',
      '/v2/app/blobs/sha256:..%2f..%2fx',
      '/v2/app/blobs/uploads/..%2f..%2f..%2fblobs',
      '/v2/app/blobs/uploads/%2e%2e',
      '/v2/app/blobs/uploads/a%00b',
      '/v2/app/blobs/uploads/http:%2f%2f127.0.0.1:1%2fx',
      '/v2/%zz/tags/list',
      '/v2/%ff%fe/tags/list',
    ];
    for (const path of paths) {
      const answer = await ask(server, 'GET', path);
      assert.ok(answer.status === 400 || answer.status === 404, `${path}: ${answer.status}`);
    }
  });

  it('may be guarded before anything is looked up', async (t) => {
    const seen: string[] = [];
    const server = await startServer(t, {
      async authorize({ method, access, headers }) {
        seen.push(`${method} ${formatScope(access) ?? 'nothing'} ${headers.authorization ?? 'nobody'}`);
        return { outcome: headers.authorization === undefined ? 'deny' : 'grant' };
      },
    });
    const refused = await ask(server, 'GET', '/v2/app/tags/list');
    assert.equal(refused.status, 403);
    assert.equal(codeOf(refused), 'DENIED');
    assert.equal((await ask(server, 'GET', '/v2/', { headers: { authorization: 'me' } })).status, 200);
    assert.deepEqual(seen, ['GET repository:app:pull nobody', 'GET nothing me']);
  });
});

describe('a request that no registry expects', () => {
  it('is answered with 400 if it is not HTTP', async (t) => {
    const server = await startServer(t);
    for (const text of ['\u0016\u0003\u0001\u0002\u0000garbage\r\n\r\n', 'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n']) {
      assert.match(await raw(server, text), /^HTTP\/1\.1 400 /);
    }
    assert.equal((await ask(server, 'GET', '/v2/')).status, 200);
  });

  it('is answered with 431 when its header is a megabyte', async (t) => {
    const server = await startServer(t);
    const text = `GET /v2/ HTTP/1.1\r\nHost: localhost\r\nX-Large: ${'a'.repeat(1_000_000)}\r\n\r\n`;
    const answer = await raw(server, text);
    assert.ok(answer === '' || answer.startsWith('HTTP/1.1 431 '), answer.slice(0, 100));
    assert.equal((await ask(server, 'GET', '/v2/')).status, 200);
  });

  it('is refused if it states its length in two ways (request smuggling)', async (t) => {
    const server = await startServer(t);
    const head = 'POST /v2/app/blobs/uploads/ HTTP/1.1\r\nHost: localhost\r\n';
    for (const lengths of [
      'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
      'Content-Length: 5\r\nContent-Length: 6\r\n',
    ]) {
      assert.match(await raw(server, `${head}${lengths}\r\n0\r\n\r\n`), /^HTTP\/1\.1 400 /);
    }
  });

  it('is cut when it asks for a tunnel or another protocol', async (t) => {
    const server = await startServer(t);
    assert.equal(await raw(server, 'CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: localhost\r\n\r\n'), '');
  });
});

describe('an answer', () => {
  it('to HEAD is the answer to GET without its body', async (t) => {
    const server = await startServer(t);
    for (const path of ['/', '/v2/', '/v2/_catalog', '/v2/App/tags/list', '/nothing']) {
      const get = await ask(server, 'GET', path);
      const head = await ask(server, 'HEAD', path);
      assert.equal(head.status, get.status, path);
      assert.equal(head.headers['content-length'], String(get.body.length), path);
      assert.equal(head.body.length, 0, path);
    }
  });

  it('keeps the connection for the next request', async (t) => {
    const server = await startServer(t);
    const request = 'GET /v2/ HTTP/1.1\r\nHost: localhost\r\n';
    const answers = await raw(server, `${request}\r\n${request}\r\n${request}Connection: close\r\n\r\n`);
    assert.equal(answers.split('HTTP/1.1 200 OK').length - 1, 3);
  });

  it('cannot make a browser run pushed content', async (t) => {
    const { headers } = await ask(await startServer(t), 'GET', '/v2/');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.match(String(headers['content-security-policy']), /sandbox/);
  });
});
