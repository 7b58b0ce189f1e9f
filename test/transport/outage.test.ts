import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { describeWait } from '../../src/service/trace.ts';
import type { Transport, TransportOptions } from '../../src/transport/transport.ts';
import type { Wait } from '../../src/transport/waits.ts';
import { freePort } from '../support/network/ports.ts';
import { atEnd } from '../support/sandbox.ts';
import { fails, get, open, start } from './open.ts';

interface Gone {
  readonly transport: Transport;
  readonly host: string;
  /** The waits since it went away, recorded instead of waited. */
  readonly waits: number[];
  readonly told: Wait[];
  /** Its answers after it is back. */
  answers: number[];
  /** The wait after which it comes back. Default: never. */
  backAfter: number;
}

/** A server that has answered once and is now unreachable. */
async function gone(t: TestContext, options: Partial<TransportOptions> = {}): Promise<Gone> {
  const server = createServer((_, response) => response.writeHead(state.answers.shift() ?? 200).end('here'));
  const listen = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const port = await freePort();
  await listen(port);
  atEnd(t, () => (server.listening ? close() : undefined));
  const waits: number[] = [];
  const told: Wait[] = [];
  const wait = async (ms: number): Promise<void> => {
    waits.push(ms);
    if (waits.length === state.backAfter) await listen(port);
  };
  const transport = open(t, `http://127.0.0.1:${port}/`, {
    retry: { wait },
    onWait: (event) => told.push(event),
    ...options,
  });
  const state: Gone = { transport, host: `127.0.0.1:${port}`, waits, told, answers: [], backAfter: -1 };
  await (await get(transport)).body.discard();
  await close();
  return state;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

describe('a server that has answered and is gone', () => {
  it('is asked again for 15 seconds, every two seconds at least', async (t) => {
    const { transport, waits } = await gone(t);
    await assert.rejects(get(transport), fails('NETWORK', /connection refused/));
    assert.ok(sum(waits) >= 15_000 && sum(waits) < 17_000, `${sum(waits)}`);
    assert.ok(Math.max(...waits) <= 2000);
  });

  it('may be back by then', async (t) => {
    const server = await gone(t);
    server.backAfter = 7;
    assert.equal((await get(server.transport)).status, 200);
    assert.equal(server.waits.length, 7);
  });

  it('has all its attempts for another failure when it is back', async (t) => {
    const server = await gone(t);
    server.backAfter = 7;
    server.answers = [503, 503, 503, 503, 200];
    assert.equal((await get(server.transport)).status, 200);
    assert.equal(server.waits.length, 7 + 4);
  });

  it('is told of once it takes a second, and once', async (t) => {
    const { transport, host, told } = await gone(t);
    await assert.rejects(get(transport, 'v2/team/app/tags/list'));
    await assert.rejects(get(transport));
    const [event, ...others] = told;
    assert.ok(event && event.silentMs >= 1000);
    assert.deepEqual(others, []);
    assert.equal(
      describeWait(event).reason,
      `${host}: connection refused, waiting for the tags of team/app; trying again for up to 15 seconds`,
    );
  });

  it('is not told of when it is back at once', async (t) => {
    const server = await gone(t);
    server.backAfter = 1;
    await get(server.transport);
    assert.deepEqual(server.told, []);
  });

  it('is left as before where another can be asked instead', async (t) => {
    const { transport, waits, told } = await gone(t, { alternatives: true });
    await assert.rejects(get(transport), fails('NETWORK'));
    assert.ok(sum(waits) < 5000);
    assert.deepEqual(told, []);
  });

  it('is waited for where the other one is not asked once it has answered', async (t) => {
    const server = await gone(t, { alternatives: 'until-answered' });
    server.backAfter = 7;
    assert.equal((await get(server.transport)).status, 200);
  });

  it('is not asked again for what may have had its effect', async (t) => {
    const { transport, waits } = await gone(t);
    await assert.rejects(transport.request({ method: 'POST', url: 'x' }), fails('NETWORK'));
    assert.deepEqual(waits, []);
  });

  it('is waited for no longer than the policy says', async (t) => {
    const waits: number[] = [];
    const wait = async (ms: number): Promise<void> => void waits.push(ms);
    const none = await gone(t, { retry: { wait, outageMs: 0 } });
    await assert.rejects(get(none.transport));
    assert.equal(waits.length, 4);
    const once = await gone(t, { retry: { wait, attempts: 1 } });
    await assert.rejects(get(once.transport));
    assert.equal(waits.length, 4);
  });
});

describe('a server that cuts every connection', () => {
  it('is asked for 15 seconds where it has answered, and five times where it has not', async (t) => {
    const waits: number[] = [];
    const wait = async (ms: number): Promise<void> => void waits.push(ms);
    const { transport } = await start(
      t,
      ({ path }, response) => (path === '/well' ? response.end() : response.destroy()),
      { retry: { wait } },
    );
    await assert.rejects(get(transport), fails('NETWORK', /the connection was cut/));
    assert.equal(waits.length, 4);
    waits.length = 0;
    await (await get(transport, 'well')).body.discard();
    await assert.rejects(get(transport), fails('NETWORK', /the connection was cut/));
    assert.ok(sum(waits) >= 15_000, `${sum(waits)}`);
  });
});
