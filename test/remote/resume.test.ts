import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openRemote } from '../../src/remote/open.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { atEnd } from '../support/sandbox.ts';
import { blob, bytes, iterate, ranged, read } from './fake-blob.ts';
import { fails, fakeRegistry } from './fake-registry.ts';

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

  it('is given up after 15 seconds when its registry has gone', async (t) => {
    const server = await startFakeServer(t, (_, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 1000), () => setTimeout(() => server.close(), 5));
    });
    let waitedMs = 0;
    const wait = async (ms: number): Promise<void> => {
      waitedMs += ms;
    };
    const registry = openRemote({ url: server.url, retry: { wait } });
    atEnd(t, () => registry.close());
    await assert.rejects(read(registry), fails('NETWORK', /refused/));
    assert.ok(waitedMs >= 15_000 && waitedMs < 18_000, `${waitedMs}`);
  });

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
