import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { blob, bytes, digest, ranged, read } from './fake-blob.ts';
import { connect, fails, fakeRegistry, repo } from './fake-registry.ts';

describe('a blob that is not what it should be', () => {
  it('is an error for other bytes', async (t) => {
    const wrong = Buffer.from(bytes);
    wrong.writeUInt8(wrong.readUInt8(1000) ^ 1, 1000);
    const { registry } = await fakeRegistry(t, (_, response) => response.end(wrong));
    await assert.rejects(read(registry), fails('DIGEST_MISMATCH'));
  });

  it('is an error before it is read, where its length is told', async (t) => {
    for (const length of [bytes.length - 1, bytes.length + 1]) {
      const { registry } = await fakeRegistry(t, (_, r) => r.writeHead(200, { 'content-length': length }).write('x'));
      await assert.rejects(registry.getBlob(repo, blob), fails('SIZE_MISMATCH'));
    }
  });

  it('ends at the first byte too many, without verification as well', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) => {
      const timer = setInterval(() => response.write(Buffer.alloc(50_000)), 1);
      response.on('close', () => clearInterval(timer));
    });
    for (const verify of [true, false]) {
      let taken = 0;
      const content = await registry.getBlob(repo, blob, { verify });
      const write = async (chunk: Uint8Array): Promise<void> => {
        taken += chunk.length;
      };
      await assert.rejects(content.drainTo({ write }), fails('SIZE_MISMATCH', /more than the 300000/));
      assert.ok(taken <= bytes.length);
    }
  });

  it('is an error when it always ends too early', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) => {
      response.write(bytes.subarray(0, 1000));
      response.end();
    });
    await assert.rejects(read(registry), fails('SIZE_MISMATCH', /has 1000 bytes, not the 300000/));
  });

  it('is an error when HEAD speaks of another', async (t) => {
    const other = await digestBytes(Buffer.from('other'));
    const headers = { 'docker-content-digest': other, 'content-length': 5 };
    const { registry } = await fakeRegistry(t, (_, response) => response.writeHead(200, headers).end());
    await assert.rejects(registry.statBlob(repo, digest), fails('DIGEST_MISMATCH'));
  });
});

describe('a blob', () => {
  it('has its size by GET where HEAD fails, and is believed to be absent', async (t) => {
    for (const status of [403, 405, 501]) {
      const { registry, server } = await fakeRegistry(t, (request, response, incoming) =>
        request.method === 'HEAD'
          ? response.writeHead(status).end()
          : ranged(() => undefined)(request, response, incoming),
      );
      assert.deepEqual((await registry.statBlob(repo, digest)).size, bytes.length);
      assert.equal(server.requests.length, 2);
    }
    const { registry, server } = await fakeRegistry(t, (_, response) => response.writeHead(404).end());
    await assert.rejects(registry.statBlob(repo, digest), fails('BLOB_UNKNOWN'));
    assert.equal(server.requests.length, 1);
  });

  it('is asked for at storage without authorisation', async (t) => {
    const storage = await startFakeServer(
      t,
      ranged(() => undefined),
    );
    const { registry, server } = await fakeRegistry(
      t,
      ({ headers }, response) => {
        if (headers.authorization === undefined) {
          return response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
        }
        response.writeHead(307, { location: `${storage.url}blob?sig=secret` }).end();
      },
      { credential: { kind: 'password', username: 'u', password: 'p', source: 's' }, headers: { 'x-own': '1' } },
    );
    assert.deepEqual(await read(registry), bytes);
    assert.match(server.requests[1]?.headers.authorization ?? '', /^Basic /);
    assert.equal(storage.requests[0]?.headers.authorization, undefined);
    assert.equal(storage.requests[0]?.headers['x-own'], undefined);
  });

  it('that storage refuses names the storage, and not its signature', async (t) => {
    const storage = await startFakeServer(t, (_, response) => response.writeHead(403).end('<Error/>'));
    const { registry } = await fakeRegistry(t, (_, r) =>
      r.writeHead(307, { location: `${storage.url}b?sig=secret` }).end(),
    );
    await assert.rejects(registry.getBlob(repo, blob), (error) => {
      fails('DENIED', new RegExp(`redirected to http://${storage.host}, which refused`))(error);
      assert.doesNotMatch(JSON.stringify(error) + String(error), /secret/);
      return true;
    });
  });

  it('without a length is asked for by HEAD', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ method }, response) => {
      if (method === 'HEAD') return response.writeHead(200, { 'content-length': bytes.length }).end();
      response.write(bytes.subarray(0, 10));
      response.end(bytes.subarray(10));
    });
    assert.deepEqual(await read(registry, digest), bytes);
    assert.deepEqual(
      server.requests.map(({ method }) => method),
      ['GET', 'HEAD'],
    );
  });

  it('is cut to its range where the registry knows none', async (t) => {
    const { registry } = await fakeRegistry(t, (_, response) => response.end(bytes));
    assert.deepEqual(await read(registry, digest, { range: { start: 5, end: 105 } }), bytes.subarray(5, 105));
  });

  it('that a licence keeps elsewhere is fetched from there, as by a stranger', async (t) => {
    const vendor = await startFakeServer(
      t,
      ranged((nth) => (nth === 1 ? 100_000 : undefined)),
    );
    const { registry, server } = await fakeRegistry(t, (_, response) => response.writeHead(404).end(), {
      headers: { 'x-own': '1' },
    });
    const urls = ['file:///etc/passwd', 'http://u:p@127.0.0.1/x', `http://127.0.0.1:1/gone`, `${vendor.url}layer`];
    assert.deepEqual(await read(registry, { ...blob, urls }), bytes);
    assert.deepEqual(await read(registry, { ...blob, urls }), bytes, 'also over a cut');
    for (const { headers } of vendor.requests) {
      assert.equal(headers.authorization, undefined);
      assert.equal(headers['x-own'], undefined);
    }
    assert.equal(server.requests.length, 2);
    await assert.rejects(read(registry, { ...blob, urls: urls.slice(0, 2) }), fails('BLOB_UNKNOWN'));
  });

  it('that is kept elsewhere at the same origin gets nothing of ours either', async (t) => {
    const { registry, server } = await fakeRegistry(
      t,
      ({ path, headers }, response) => {
        if (path === '/layer') return response.end(bytes);
        if (headers.authorization !== undefined) return response.writeHead(404).end();
        response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
      },
      { headers: { 'x-own': '1' }, credential: { kind: 'password', username: 'u', password: 'p', source: 's' } },
    );
    assert.deepEqual(await read(registry, { ...blob, urls: [`${server.url}layer`] }), bytes);
    const asked = server.requests.find(({ path }) => path === '/layer');
    assert.equal(asked?.headers.authorization, undefined);
    assert.equal(asked?.headers['x-own'], undefined);
  });

  it('is not fetched from elsewhere when the registry has it, or is down', async (t) => {
    const vendor = await startFakeServer(
      t,
      ranged(() => undefined),
    );
    const { registry } = await fakeRegistry(t, (_, response) => response.writeHead(500).end());
    await assert.rejects(read(registry, { ...blob, urls: [vendor.url] }), fails('UNAVAILABLE'));
    assert.equal(vendor.requests.length, 0);
  });

  it('is there in the descriptor, for as long as it verifies', async (t) => {
    const small = Buffer.from('{}');
    const inline = { mediaType: 'a/b', digest: await digestBytes(small), size: 2, data: small.toString('base64') };
    const { registry, server } = await fakeRegistry(t, (_, response) => response.end(small));
    assert.deepEqual(await read(registry, inline), small);
    assert.equal(server.requests.length, 0);
    assert.deepEqual(await read(registry, { ...inline, data: Buffer.from('[]').toString('base64') }), small);
    assert.equal(server.requests.length, 1);
  });

  it('that is unknown is not asked for again', async (t) => {
    const { registry, server } = await fakeRegistry(t, (_, response) => response.writeHead(404).end());
    await assert.rejects(read(registry), fails('BLOB_UNKNOWN'));
    await assert.rejects(registry.statBlob(repo, digest), fails('BLOB_UNKNOWN'));
    assert.equal(server.requests.length, 2);
  });

  it('from nobody says that nobody is there', async (t) => {
    await assert.rejects(read(connect(t, 'http://127.0.0.1:1/')), fails('NETWORK', /connection refused/));
  });
});
