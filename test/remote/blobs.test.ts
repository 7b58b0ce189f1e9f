import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/media-types.ts';
import { readContent } from '../../src/registry/content.ts';
import type { GetBlobOptions, Registry } from '../../src/registry/registry.ts';
import { type Answer, startFakeServer } from '../support/fake-server.ts';
import { connect, fails, fakeRegistry, repo } from './fake-registry.ts';

const bytes = randomBytes(300_000);
const digest = await digestBytes(bytes);
const blob = { mediaType: mediaTypes.ociLayerGzip, digest, size: bytes.length };

async function read(
  registry: Registry,
  what: Parameters<Registry['getBlob']>[1] = blob,
  opts?: GetBlobOptions,
): Promise<Buffer> {
  return Buffer.from(await readContent(await registry.getBlob(repo, what, opts), 10_000_000));
}

/** The same over the other way of reading. */
async function iterate(registry: Registry): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await registry.getBlob(repo, blob)) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

/** Serves ranges; what `cut` gives for the nth request, that many bytes of it are sent before the connection is cut. */
function ranged(cut: (nth: number) => number | undefined): Answer {
  return ({ headers, nth }, response) => {
    const start = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    const length = bytes.length - start;
    const partial = headers.range !== undefined;
    response.writeHead(partial ? 206 : 200, {
      'content-length': length,
      ...(partial && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
    });
    const sent = cut(nth);
    if (sent === undefined) return response.end(bytes.subarray(start));
    response.write(bytes.subarray(start, start + sent), () => setTimeout(() => response.destroy(), 5));
  };
}

describe('a blob that is cut on its way', () => {
  for (const [how, reader] of [
    ['drained', read],
    ['iterated', iterate],
  ] as const) {
    it(`is asked for again from where it stood, when ${how}`, async (t) => {
      const { registry, server } = await fakeRegistry(
        t,
        ranged((nth) => (nth < 12 ? 20_000 : undefined)),
      );
      assert.deepEqual(await reader(registry), bytes);
      assert.equal(server.requests.length, 13);
      assert.equal(server.requests[1]?.headers.range, 'bytes=20000-');
      assert.equal(server.requests[0]?.headers.range, undefined);
    });

    it(`is given up after five attempts without progress, when ${how}`, async (t) => {
      const { registry, server } = await fakeRegistry(
        t,
        ranged((nth) => (nth === 0 ? 1000 : 0)),
        { attempts: 5 },
      );
      await assert.rejects(reader(registry), fails('NETWORK'));
      assert.ok(server.requests.length >= 5);
    });
  }

  it('is skipped through where the registry knows no ranges', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ nth }, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      if (nth > 0) return response.end(bytes);
      response.write(bytes.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 5));
    });
    assert.deepEqual(await read(registry), bytes);
    assert.equal(server.requests.length, 2);
  });

  it('is not gone on with from another byte', async (t) => {
    const { registry } = await fakeRegistry(t, (request, response, incoming) => {
      if (request.nth === 0) return ranged(() => 50_000)(request, response, incoming);
      response.writeHead(206, { 'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}` }).end(bytes);
    });
    await assert.rejects(
      read(registry),
      fails('PROTOCOL', /asked for a blob from byte 50000, and sent it from byte 0/),
    );
  });

  it('goes on after a silence', async (t) => {
    const { registry } = await fakeRegistry(
      t,
      (request, response, incoming) => {
        if (request.nth > 0) return ranged(() => undefined)(request, response, incoming);
        response.writeHead(200, { 'content-length': bytes.length });
        response.write(bytes.subarray(0, 70_000));
      },
      { limits: { idleTimeoutMs: 300 } },
    );
    assert.deepEqual(await read(registry), bytes);
  });

  it('is held to its own size when it goes on', async (t) => {
    const { registry } = await fakeRegistry(t, (request, response, incoming) => {
      if (request.nth === 0) return ranged(() => 50_000)(request, response, incoming);
      response.writeHead(206, { 'content-range': 'bytes 50000-399999/400000' }).end(bytes);
    });
    await assert.rejects(read(registry), fails('SIZE_MISMATCH'));
  });

  it('keeps its range', async (t) => {
    const { registry, server } = await fakeRegistry(t, ({ nth }, response) => {
      const start = nth === 0 ? 1000 : 11_000;
      response.writeHead(206, {
        'content-range': `bytes ${start}-50999/${bytes.length}`,
        'content-length': 51_000 - start,
      });
      if (nth > 0) return response.end(bytes.subarray(start, 51_000));
      response.write(bytes.subarray(1000, 11_000), () => setTimeout(() => response.destroy(), 5));
    });
    assert.deepEqual(await read(registry, blob, { range: { start: 1000, end: 51_000 } }), bytes.subarray(1000, 51_000));
    assert.deepEqual(
      server.requests.map(({ headers }) => headers.range),
      ['bytes=1000-50999', 'bytes=11000-50999'],
    );
  });

  it('gets a new token when it goes on', async (t) => {
    let valid = 't0';
    let issued = 0;
    const { registry, server } = await fakeRegistry(t, (request, response, incoming) => {
      if (request.path === '/token') {
        valid = `t${issued++}`;
        return response.end(JSON.stringify({ token: valid }));
      }
      if (request.headers.authorization !== `Bearer ${valid}`) {
        return response
          .writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` })
          .end();
      }
      const starting = request.headers.range === undefined;
      if (starting) valid = 'expired';
      return ranged(() => (starting ? 50_000 : undefined))(request, response, incoming);
    });
    assert.deepEqual(await read(registry), bytes);
    assert.equal(issued, 2);
    assert.deepEqual(
      server.requests.filter(({ path }) => path !== '/token').map(({ headers }) => headers.authorization),
      [undefined, 'Bearer t0', 'Bearer t0', 'Bearer t1'],
    );
  });
});

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
