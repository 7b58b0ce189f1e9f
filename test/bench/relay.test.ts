import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { Delay, type DelayOptions } from '../../bench/distance/delay.ts';
import { type Link, startRelay } from '../../bench/distance/relay.ts';
import { Rounds } from '../../bench/distance/rounds.ts';

describe('a relay', () => {
  it('passes on bytes and ends of both sides, and counts', async (t) => {
    const { relay, open } = await startEcho(t, new Delay({ rttMs: 0 }));
    const big = Buffer.alloc(3_000_000, 'x');
    const socket = open();
    socket.end(big);
    assert.deepEqual(await everythingFrom(socket), big);
    assert.deepEqual(relay.traffic, { connections: 1, sentBytes: big.length, receivedBytes: big.length });
    relay.reset();
    assert.deepEqual(relay.traffic, { connections: 0, sentBytes: 0, receivedBytes: 0 });
  });

  it('takes a round trip to connect, and one for a question and its answer', async (t) => {
    const { open } = await startEcho(t, new Delay({ rttMs: 100 }));
    const startedAt = performance.now();
    const socket = open();
    await ask(socket, 'one');
    const [first, second] = [performance.now() - startedAt, await timed(() => ask(socket, 'two'))];
    assert.ok(first >= 198, `${first} ms`);
    assert.ok(second >= 98, `${second} ms`);
  });

  it('is as far as its name says', async (t) => {
    const { open } = await startEcho(t, new Delay({ rttMs: 0, rttMsOf: { echo: 60 } }));
    const socket = open();
    assert.ok((await timed(() => ask(socket, 'one'))) >= 118);
  });

  for (const [what, options, connections, leastMs] of [
    ['a connection', { rate: 1e6 }, 1, 480],
    ['each of two connections', { rate: 1e6 }, 2, 480],
    ['two connections together', { sharedRate: 1e6 }, 2, 980],
  ] as const satisfies readonly (readonly [string, Partial<DelayOptions>, number, number])[]) {
    it(`lets half a megabyte over ${what} pass at its rate`, async (t) => {
      const { open } = await startEcho(t, new Delay({ rttMs: 0, ...options }));
      const half = Buffer.alloc(500_000);
      const ms = await timed(() =>
        Promise.all(
          Array.from({ length: connections }, async () => {
            const socket = open();
            socket.end(half);
            assert.equal((await everythingFrom(socket)).length, half.length);
          }),
        ),
      );
      assert.ok(ms >= leastMs, `${ms} ms`);
    });
  }

  for (const [what, options, leastMs] of [
    ['stalls', { stalls: { oneIn: 2, ms: 60 } }, 300],
    ['wavers', { jitterMs: 50 }, 300],
  ] as const) {
    it(`${what} by its seed, and keeps the order`, async (t) => {
      const { open } = await startEcho(t, new Delay({ rttMs: 0, ...options, seed: 7 }));
      const socket = open();
      const ms = await timed(async () => {
        for (let i = 0; i < 10; i += 1) await ask(socket, `${i}`);
      });
      assert.ok(ms >= leastMs, `${ms} ms`);
    });
  }
});

describe('the count of waits', () => {
  it('has one for the connection, and one for each answer that was needed for the next question', async (t) => {
    const rounds = new Rounds();
    const { open } = await startEcho(t, rounds);
    const socket = open();
    for (const text of ['one', 'two', 'three']) await ask(socket, text);
    assert.deepEqual(rounds.rounds, [['echo#1: open'], ['echo#1: 3 bytes'], ['echo#1: 3 bytes'], ['echo#1: 5 bytes']]);
  });

  it('has one for questions that do not depend on each other, however late they come', async (t) => {
    const rounds = new Rounds();
    const { open } = await startEcho(t, rounds);
    const [first, second] = [open(), open()];
    await Promise.all([ask(first, 'one'), ask(second, 'two')]);
    assert.deepEqual(rounds.rounds, [
      ['echo#1: open', 'echo#2: open'],
      ['echo#1: 3 bytes', 'echo#2: 3 bytes'],
    ]);
    await rounds.reset();
    assert.deepEqual(rounds.rounds, []);
    const late = ask(first, 'three');
    await new Promise((resolve) => setTimeout(resolve, 8));
    await Promise.all([late, ask(second, 'four')]);
    assert.equal(rounds.rounds.length, 1);
  });

  it('has one for an answer of many chunks', async (t) => {
    const rounds = new Rounds();
    const { open } = await startEcho(t, rounds);
    const big = Buffer.alloc(3_000_000, 'x');
    const socket = open();
    socket.end(big);
    assert.equal((await everythingFrom(socket)).length, big.length);
    assert.deepEqual(rounds.rounds, [['echo#1: open'], [`echo#1: ${big.length} bytes`, 'echo#1: end']]);
  });

  it('waits for a server that has been asked and is slow', async (t) => {
    const rounds = new Rounds();
    rounds.watch(startNode(t, 'setInterval(() => {}, 60_000)').pid);
    const slow = await startEcho(t, rounds, 120);
    const { open } = await startEcho(t, rounds);
    const [first, second] = [slow.open(), open()];
    await Promise.all([ask(first, 'one'), ask(second, 'two')]);
    assert.equal(rounds.rounds.length, 2);
  });
});

it('ends no round while a process that is watched works, or one that it started', async (t) => {
  if (process.platform !== 'linux') return t.skip('this system does not tell what processes do');
  const rounds = new Rounds();
  const work = "process.on('SIGTERM', () => process.exit()); const on = () => setImmediate(on); on();";
  const script = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(work)}], { stdio: 'inherit' })`;
  const parent = startNode(t, script);
  rounds.watch(parent.pid);
  const { open } = await startEcho(t, rounds);
  const socket = open();
  const answered = ask(socket, 'one');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(rounds.rounds.length, 0);
  process.kill(-(parent.pid ?? 0));
  await answered;
  assert.equal(rounds.rounds.length, 2);
});

/** With a process group of its own. */
function startNode(t: TestContext, script: string): ChildProcess {
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore', detached: true });
  t.after(() => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
  });
  return child;
}

/** A server that sends back what it gets, behind a relay with the name `echo`. */
async function startEcho(t: TestContext, link: Link, afterMs = 0) {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.on('data', (chunk) => void setTimeout(() => socket.write(chunk), afterMs));
    socket.on('end', () => void setTimeout(() => socket.end(), afterMs));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const relay = await startRelay(t, { name: 'echo', target, link });
  const { hostname, port } = new URL(`http://${relay.host}`);
  return {
    relay,
    open(): Socket {
      const socket = connect(Number(port), hostname);
      sockets.add(socket.on('error', () => {}));
      return socket;
    },
  };
}

async function ask(socket: Socket, text: string): Promise<void> {
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.equal(answer.toString(), text);
}

async function everythingFrom(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}
