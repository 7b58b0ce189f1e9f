import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError } from '../../src/model/errors.ts';
import type { Answer } from '../support/fake-server.ts';
import { fails, get, open, start, waits } from './open.ts';

describe('repetitions', () => {
  it('come for answers that say later, and end with the last answer', async (t) => {
    for (const status of [408, 429, 500, 502, 503, 504]) {
      const { server, transport } = await start(t, ({ nth }, response) => {
        response.writeHead(nth < 2 ? status : 200).end('x');
      });
      assert.equal((await get(transport)).status, 200);
      assert.equal(server.requests.length, 3);
    }
    const { server, transport } = await start(t, (_, response) => response.writeHead(503).end('x'));
    assert.equal((await get(transport)).status, 503);
    assert.equal(server.requests.length, 5);
  });

  it('grow from a quarter of a second, with jitter', async (t) => {
    waits.length = 0;
    const { transport } = await start(t, (_, response) => response.writeHead(503).end());
    await (await get(transport)).body.discard();
    assert.equal(waits.length, 4);
    for (const [i, ms] of waits.entries()) assert.ok(ms >= 0 && ms <= 250 * 2 ** i, `${i}: ${ms}`);
  });

  for (const [value, least] of [
    ['2', 2000],
    ['1.5s', 1500],
    ['880µs', 1],
    [' 3 ', 3000],
    ['soon', 0],
  ] as const) {
    it(`wait as Retry-After ${JSON.stringify(value)} asks`, async (t) => {
      waits.length = 0;
      const { transport } = await start(t, ({ nth }, response) => {
        if (nth > 0) return void response.end();
        response.writeHead(429, { 'retry-after': Buffer.from(value, 'utf8').toString('latin1') }).end();
      });
      await (await get(transport)).body.discard();
      const [ms = -1] = waits;
      assert.ok(ms >= least && ms <= least + 250, `${ms}`);
    });
  }

  it('give up at once when the wait would be long, and say how long', async (t) => {
    const answer: Answer = (_, response) => response.writeHead(429, { 'retry-after': '3600' }).end();
    const { server, transport } = await start(t, answer);
    await assert.rejects(get(transport), (error) => {
      assert.ok(isOciError(error, 'TOOMANYREQUESTS'));
      assert.match(error.message, /60 minutes/);
      assert.equal(error.retryAfterMs, 3_600_000);
      return true;
    });
    assert.equal(server.requests.length, 1);
  });

  it('are not for requests that may have had their effect', async (t) => {
    const { server, transport } = await start(t, (_, response) => response.writeHead(503).end());
    await (await transport.request({ method: 'POST', url: 'x' })).body.discard();
    assert.equal(server.requests.length, 1);
    await (await transport.request({ method: 'POST', url: 'y', idempotent: true })).body.discard();
    assert.equal(server.requests.length, 6);
  });

  it('stop when the signal fires during a wait', async (t) => {
    const { transport } = await start(t, (_, response) => response.writeHead(503).end(), {
      retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 },
    });
    const stop = new AbortController();
    const reason = new Error('enough');
    setTimeout(() => stop.abort(reason), 50);
    await assert.rejects(get(transport, 'x', { signal: stop.signal }), (error) => error === reason);
  });

  it('come for a server that is silent twice', async (t) => {
    const answer: Answer = ({ path, nth }, response) => {
      if (path === '/x' || nth >= 2) response.end('here');
    };
    const { server, transport } = await start(t, answer, { limits: { headersTimeoutMs: 100 } });
    await (await get(transport)).body.discard();
    assert.equal((await get(transport, 'y')).status, 200);
    // There may be more on a busy machine, where an answer can take as long as the limit for silence.
    assert.ok(server.lines.filter((line) => line === 'GET /y').length >= 3, server.lines.join());
  });

  it('come nearly twice as often where nothing above repeats and the server was well before', async (t) => {
    const answer: Answer = ({ path, nth }, response) => {
      response.writeHead(path === '/x' || nth === 8 ? 200 : 503).end();
    };
    const persistent = { persistent: true };
    const { server, transport } = await start(t, answer);
    await (await get(transport)).body.discard();
    assert.equal((await get(transport, 'y', persistent)).status, 200);
    assert.equal(server.lines.length, 1 + 9);
    assert.equal((await get(transport, 'z')).status, 503);
    assert.equal(server.lines.length, 1 + 9 + 5);

    const neverWell = await start(t, answer);
    assert.equal((await get(neverWell.transport, 'y', persistent)).status, 503);
    assert.equal(neverWell.server.lines.length, 5);
    const once = await start(t, answer, { retry: { attempts: 1 } });
    await (await get(once.transport)).body.discard();
    assert.equal((await get(once.transport, 'y', persistent)).status, 503);
    assert.equal(once.server.lines.length, 2);
  });

  it('come for a body that breaks, where it is wanted whole', async (t) => {
    const { server, transport } = await start(t, ({ path, nth }, response) => {
      if (path === '/long') return response.end('too long');
      response.writeHead(200, { 'content-length': 4 }).write('he');
      if (nth < 2) setTimeout(() => response.destroy(), 20);
      else response.end('re');
    });
    const { body } = await get(transport, 'x', { wholeBytes: 4 });
    assert.equal(Buffer.from(await body.bytes(4)).toString(), 'here');
    assert.equal(server.lines.length, 3);
    const broken = await get(transport, 'y');
    await assert.rejects(broken.body.bytes(4), fails('NETWORK'));
    await assert.rejects(
      get(transport, 'long', { wholeBytes: 4 }).then(({ body }) => body.bytes(4)),
      fails('TOO_LARGE'),
    );
    assert.equal(server.lines.length, 5);
  });

  it('come for a silent first contact, unless another can be asked instead', async (t) => {
    const answer: Answer = ({ nth }, response) => {
      if (nth >= 1) response.end('here');
    };
    const limits = { headersTimeoutMs: 100 };
    const only = await start(t, answer, { limits });
    assert.equal((await get(only.transport)).status, 200);
    const oneOfTwo = await start(t, answer, { limits, alternatives: true });
    await assert.rejects(get(oneOfTwo.transport), fails('TIMEOUT', /no answer came in time/));
    assert.equal(oneOfTwo.server.lines.length, 1);
  });

  it('do not delay the news that nobody is there', async (t) => {
    waits.length = 0;
    const { server, transport } = await start(t, (_, response) => response.writeHead(200).end());
    server.close();
    await assert.rejects(get(transport), fails('NETWORK', /127\.0\.0\.1:\d+: connection refused/));
    assert.deepEqual(waits, []);
    const nowhere = open(t, 'http://registry.invalid/');
    await assert.rejects(get(nowhere), fails('NETWORK', /^registry\.invalid: (?:no such host|the name could not)/));
    assert.deepEqual(waits, []);
  });
});
