import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { hashSync } from 'bcryptjs';
import { isOciError } from '../../../src/model/errors.ts';
import { createBasicAuth } from '../../../src/server/auth/basic-auth.ts';
import { decoyFor } from '../../../src/server/auth/logins.ts';
import { basic } from '../../support/login-servers.ts';
import { type Answer, ask, codeOf, type Served, startServer } from '../client.ts';

const ada = { username: 'ada', password: 'correct:horse ✓' };

async function startGuarded(t: TestContext, cost = 4): Promise<{ server: Served; accounts: Map<string, string> }> {
  // Where a comparison shall take long nobody is let in: the hash itself need not be made at that cost.
  const hash = cost < 12 ? hashSync(ada.password, cost) : hashSync('', 4).replace('$04$', `$${cost}$`);
  const accounts = new Map([[ada.username, hash]]);
  const server = await startServer(t, {
    authorize: createBasicAuth({ accounts: async () => accounts, realm: 'a "b"' }),
  });
  return { server, accounts };
}

function login(server: Served, authorization?: string): Promise<Answer> {
  return ask(server, 'GET', '/v2/', { headers: authorization === undefined ? {} : { authorization } });
}

describe('a server with accounts', () => {
  it('lets in who has one, and asks everybody else in the same words', async (t) => {
    const { server } = await startGuarded(t);
    assert.equal((await login(server, basic(ada))).status, 200);
    assert.equal((await login(server, basic(ada).replace('Basic', 'bAsIc  '))).status, 200);
    assert.equal(server.log[0]?.user, 'ada');
    const encoded = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    const wrong = [
      undefined,
      '',
      'Basic',
      'Basic ====',
      'Bearer x',
      encoded('ada'),
      encoded('ada:'),
      encoded(':'),
      encoded(`:${ada.password}`),
      encoded(`ada:${ada.password}x`),
      encoded(`ada:${ada.password}\0`),
      encoded(`Ada:${ada.password}`),
      encoded(`eve:${ada.password}`),
      encoded('__proto__:x'),
      encoded(`ada:${'x'.repeat(20_000)}`),
    ];
    const answers: string[] = [];
    for (const authorization of wrong) {
      const { status, headers, body } = await login(server, authorization);
      assert.equal(headers['www-authenticate'], 'Basic realm="a \\"b\\""');
      answers.push(`${status} ${body.toString()}`);
    }
    assert.equal(new Set(answers).size, 1, answers.join('\n'));
    assert.match(answers[0] ?? '', /^401 .*"UNAUTHORIZED"/);
  });

  it('forgets a login whose password was changed or whose account is gone', async (t) => {
    const { server, accounts } = await startGuarded(t);
    assert.equal((await login(server, basic(ada))).status, 200);
    accounts.set('ada', hashSync('another', 4));
    assert.equal((await login(server, basic(ada))).status, 401);
    assert.equal((await login(server, basic({ ...ada, password: 'another' }))).status, 200);
    accounts.clear();
    assert.equal((await login(server, basic({ ...ada, password: 'another' }))).status, 401);
  });

  it('answers others while it compares a password, and remembers who was let in', async (t) => {
    const { server } = await startGuarded(t, 12);
    const order: string[] = [];
    const slow = login(server, basic({ ...ada, password: 'wrong' })).then(() => order.push('login'));
    for (let i = 0; i < 5; i += 1) {
      await ask(server, 'GET', '/');
      order.push('other');
    }
    await slow;
    assert.deepEqual(order, ['other', 'other', 'other', 'other', 'other', 'login']);
  });

  it('takes as long for a name without an account as for some account, where their costs differ', () => {
    const accounts = new Map([4, 12].map((cost) => [`user ${cost}`, `$2b$${String(cost).padStart(2, '0')}$`]));
    const costOf = (user: string): string => decoyFor(accounts, user, Buffer.from('key')).slice(4, 6);
    const users = Array.from({ length: 100 }, (_, i) => `guess ${i}`);
    assert.deepEqual([...new Set(users.map(costOf))].sort(), ['04', '12']);
    assert.deepEqual(users.map(costOf), users.map(costOf), 'the same name takes the same time');
    assert.match(decoyFor(new Map(), 'ada', Buffer.from('key')), /^\$2b\$05\$.{53}$/);
  });

  it('limits guesses for known and unknown users alike, while logged-in users go on', async (t) => {
    const { server } = await startGuarded(t, 8);
    assert.equal((await login(server, basic(ada))).status, 200);
    const guesses = Array.from({ length: 120 }, (_, i) =>
      login(server, basic({ username: i % 2 === 0 ? 'ada' : 'eve', password: `guess ${i}` })),
    );
    const mine = await login(server, basic(ada));
    assert.equal(mine.status, 200);
    const answers = await Promise.all(guesses);
    const statuses = answers.map(({ status }) => status);
    assert.deepEqual([...new Set(statuses)].sort(), [401, 429]);
    const refused = answers.find(({ status }) => status === 429);
    assert.ok(refused && codeOf(refused) === 'TOOMANYREQUESTS');
  });

  it('has the logins of one address wait for each other, and not for those of another', async (t) => {
    if (process.platform !== 'linux') return t.skip('needs several loopback addresses');
    const { server } = await startGuarded(t, 10);
    const done: number[] = [];
    const guesses = Array.from({ length: 70 }, (_, i) =>
      from('127.0.0.2', server, basic({ username: 'ada', password: `guess ${i}` })).then(
        (status) => done.push(status),
        () => {},
      ),
    );
    // Waits until the first of them is answered.
    await Promise.race(guesses);
    assert.equal(await from('127.0.0.3', server, basic(ada)), 200);
    assert.ok(done.filter((status) => status === 401).length < 60, 'it came before most of the others');
    await server.stop({ graceMs: 0 });
    await Promise.all(guesses);
  });

  it('compares no further for clients that are gone, and ends the thread', async (t) => {
    const { server } = await startGuarded(t, 12);
    const ended = new Promise((resolve) => process.once('worker', (worker) => worker.once('exit', resolve)));
    const url = new URL('/v2/', server.url);
    const guesses = Array.from({ length: 10 }, (_, i) => {
      const headers = { authorization: basic({ username: 'ada', password: `guess ${i}` }) };
      return http.get(url, { headers, agent: false }).on('error', () => {});
    });
    await new Promise((resolve) => guesses[0]?.once('response', resolve));
    for (const guess of guesses) guess.destroy();
    await ended;
    await server.stop();
    const cut = server.log.filter(({ status }) => status === 499);
    assert.ok(cut.length > 5);
    // A finished comparison would have rejected the password instead.
    assert.ok(cut.every(({ error }) => isOciError(error, 'CANCELLED')));
  });

  it('ends the comparisons that are under way when half of the time for stopping is over, with their thread', async (t) => {
    const { server } = await startGuarded(t, 12);
    const ended = new Promise((resolve) => process.once('worker', (worker) => worker.once('exit', resolve)));
    const guess = (_: unknown, i: number) => login(server, basic({ username: 'ada', password: `guess ${i}` }));
    const guesses = Array.from({ length: 40 }, guess);
    await Promise.race(guesses);
    await server.stop({ graceMs: 4_000 });
    const answers = await Promise.all(guesses);
    const stopped = answers.filter(({ status }) => status === 503);
    assert.ok(stopped.length > 5, answers.map(({ status }) => status).join());
    assert.ok(stopped.every((answer) => codeOf(answer) === 'UNAVAILABLE'));
    await ended;
  });

  it('compares in one thread, however many log in at the same moment first', async (t) => {
    const { server } = await startGuarded(t, 8);
    let threads = 0;
    const count = () => {
      threads += 1;
    };
    process.on('worker', count);
    t.after(() => process.off('worker', count));
    const guess = (_: unknown, i: number) => login(server, basic({ username: 'ada', password: `guess ${i}` }));
    await Promise.all(Array.from({ length: 12 }, guess));
    assert.equal(threads, 1);
  });

  it('compares with no hash that takes long', async (t) => {
    const { server, accounts } = await startGuarded(t);
    accounts.set('ada', (accounts.get('ada') ?? '').replace('$04$', '$15$'));
    assert.equal((await login(server, basic(ada))).status, 500);
    assert.match(String(server.log[0]?.error), /a cost above 14/);
  });
});

function from(localAddress: string, server: Served, authorization: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { host, port } = server;
    const options = { host, port, path: '/v2/', headers: { authorization }, localAddress, agent: false };
    http
      .get(options, (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)))
      .on('error', reject);
  });
}
