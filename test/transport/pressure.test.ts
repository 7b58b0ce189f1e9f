import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Pressure } from '../../src/transport/retry/pressure.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { get, open as openTransport } from './open.ts';

/** Requests that are sent by hand, and answered when the test says so. */
function byHand(pressure: Pressure) {
  const open: { answer(status: number): void; again(): Promise<void> | undefined; end(): void }[] = [];
  const send = (signal?: AbortSignal): Promise<void> =>
    pressure.run({ signal }, ({ answered, again }) => {
      return new Promise<void>((end) =>
        open.push({ answer: (status) => answered?.(status === 429), again: () => again?.(), end }),
      );
    });
  return { open, send };
}

describe('requests that a host gets at once', () => {
  it('are not limited before it answers 429', async () => {
    const pressure = new Pressure();
    const { open, send } = byHand(pressure);
    const sent = Array.from({ length: 100 }, () => send());
    await setImmediate();
    assert.equal(open.length, 100);
    for (const each of open) {
      each.answer(200);
      each.end();
    }
    await Promise.all(sent);
    assert.equal(pressure.limit, Number.POSITIVE_INFINITY);
  });

  it('are halved once for all that were under way, and again by a repetition, which waits if they are too many', async () => {
    const pressure = new Pressure();
    const { open, send } = byHand(pressure);
    const sent = Array.from({ length: 12 }, () => send());
    await setImmediate();
    for (const each of open) each.answer(429);
    assert.equal(pressure.limit, 6);
    const again = open.map(() => false);
    for (const [at, each] of open.entries()) void each.again()?.then(() => again.splice(at, 1, true));
    await setImmediate();
    assert.equal(again.filter(Boolean).length, 6);
    for (const [at, each] of open.entries()) if (again[at]) each.answer(429);
    assert.equal(pressure.limit, 3);
    for (const each of open) each.end();
    await Promise.all(sent);
  });

  it('pass on the turn of one that is aborted when it gets it', async () => {
    // When exactly it gets it, only the order of microtasks says.
    for (let depth = 0; depth < 12; depth += 1) {
      const pressure = new Pressure();
      const { open, send } = byHand(pressure);
      const first = send();
      await setImmediate();
      open[0]?.answer(429);
      const stop = new AbortController();
      const second = send(stop.signal).catch(() => {});
      const third = send();
      await setImmediate();
      open[0]?.end();
      for (let i = 0; i < depth; i += 1) await null;
      stop.abort();
      await setImmediate();
      for (const each of open) each.end();
      await setImmediate();
      for (const each of open) each.end();
      const ended = await Promise.race([Promise.all([first, second, third]), setImmediate('stuck')]);
      assert.notEqual(ended, 'stuck', `after ${depth} microtasks`);
    }
  });

  it('are one more after each round without 429, and unlimited in the end', async () => {
    const pressure = new Pressure();
    const { open, send } = byHand(pressure);
    const sent = [send(), send()];
    await setImmediate();
    open[0]?.answer(429);
    assert.equal(pressure.limit, 1);
    const limits = [];
    for (let count = 0; count < 6; count += 1) {
      open[0]?.answer(200);
      limits.push(pressure.limit);
    }
    assert.deepEqual(limits, [2, 2, 3, 3, 3, 4]);
    for (let count = 0; count < 64 * 64; count += 1) open[0]?.answer(200);
    assert.equal(pressure.limit, Number.POSITIVE_INFINITY);
    for (const each of open) each.end();
    await Promise.all(sent);
  });

  it('wait for their turn in order, and give up with their signal', async () => {
    const pressure = new Pressure();
    const { open, send } = byHand(pressure);
    const stop = new AbortController();
    const first = send();
    await setImmediate();
    open[0]?.answer(429);
    const given = send(stop.signal);
    const last = send();
    await setImmediate();
    assert.equal(open.length, 1);
    stop.abort(new Error('enough'));
    await assert.rejects(given, /enough/);
    open[0]?.end();
    await first;
    await setImmediate();
    assert.equal(open.length, 2);
    open[1]?.end();
    await last;
  });

  it('do not include those with a streamed body, which may need bytes of the same host', async () => {
    const pressure = new Pressure();
    const { open, send } = byHand(pressure);
    const first = send();
    await setImmediate();
    open[0]?.answer(429);
    const body = (async function* () {})();
    assert.equal(await pressure.run({ body }, async ({ answered }) => typeof answered), 'undefined');
    open[0]?.end();
    await first;
  });
});

describe('a transport whose server takes two requests at once', () => {
  it('gets every answer, and asks for no more in the end', async (t) => {
    const open: ServerResponse[] = [];
    const peaks: number[] = [];
    let idle = 0;
    // Requests that come together are answered together: the first two are served.
    const answerAll = async (): Promise<void> => {
      for (idle = 0; idle < 20; idle += 1) await setImmediate();
      peaks.push(open.length);
      for (const [at, response] of open.splice(0).entries()) response.writeHead(at < 2 ? 200 : 429).end();
    };
    const server = await startFakeServer(t, (_request, response) => {
      idle = 0;
      if (open.push(response) === 1) void answerAll();
    });
    const transport = openTransport(t, server.url, { retry: { attempts: 9, wait: async () => {} } });
    const answers = await Promise.all(Array.from({ length: 60 }, () => get(transport)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.ok(Math.max(...peaks) > 8, `it began with ${Math.max(...peaks)}`);
    assert.ok(Math.max(...peaks.slice(-10)) <= 4, `it ended with ${peaks.slice(-10).join(', ')}`);
  });
});
