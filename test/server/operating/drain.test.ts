import assert from 'node:assert/strict';
import http from 'node:http';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { type Answer, ask, type Served, startServer } from '../client.ts';

const hour = 3_600_000;

/** A client that keeps one connection. */
function keeping(t: TestContext, server: Served): (path: string) => Promise<Pick<Answer, 'status' | 'headers'>> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return (path) =>
    new Promise((resolve, reject) => {
      const request = http.get(`${server.url}${path}`, { agent }, (response) => {
        const { statusCode: status = 0, headers } = response;
        response.resume().on('end', () => resolve({ status, headers }));
      });
      request.on('error', reject);
    });
}

describe('a server that drains', () => {
  it('is unready first, and still accepts connections, if somebody asks /readyz', async (t) => {
    const server = await startServer(t);
    assert.equal((await ask(server, 'GET', '/readyz')).status, 200);
    const stopped = server.stop({ graceMs: hour, unreadyMs: hour });
    const unready = await ask(server, 'GET', '/readyz');
    assert.deepEqual([unready.status, unready.json()['code']], [503, 'STOPPING']);
    assert.equal((await ask(server, 'GET', '/livez')).status, 200);
    const answer = await ask(server, 'GET', '/v2/');
    assert.deepEqual([answer.status, answer.headers.connection], [200, 'close']);
    await server.stop({ graceMs: 0 });
    await stopped;
    await assert.rejects(ask(server, 'GET', '/livez'), /ECONNREFUSED/);
  });

  it('answers on a connection that was new when it stopped', async (t) => {
    const server = await startServer(t);
    const socket = connect(server.port, server.host);
    t.after(() => socket.destroy());
    // The server has accepted it when it answers a later one.
    await new Promise((resolve) => socket.once('connect', resolve));
    await ask(server, 'GET', '/v2/');
    const stopped = server.stop();
    socket.setEncoding('latin1').write('GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let answer = '';
    for await (const text of socket) answer += String(text);
    assert.match(answer, /^HTTP\/1\.1 200 .*connection: close/is);
    assert.deepEqual(await stopped, { cut: 0 });
  });

  it("answers on a proxy's idle connection, and closes it then", async (t) => {
    const server = await startServer(t, { isProxy: (address) => address === '127.0.0.1' });
    const get = keeping(t, server);
    assert.equal((await get('/v2/')).headers.connection, 'keep-alive');
    const stopped = server.stop();
    const { status, headers } = await get('/v2/');
    assert.deepEqual([status, headers.connection], [200, 'close']);
    await stopped;
  });

  it('closes idle connections of other clients at once', async (t) => {
    const server = await startServer(t);
    const get = keeping(t, server);
    await get('/v2/');
    // No time passes: a server that waited for one would never stop.
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await server.stop({ graceMs: hour });
  });

  it('tells how many requests it cut', async (t) => {
    const server = await startServer(t);
    const socket = connect(server.port, server.host);
    const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
    const fields = 'Host: localhost\r\nContent-Type: a/b\r\nExpect: 100-continue\r\nContent-Length: 9';
    socket.write(`PUT /v2/team/app/manifests/latest HTTP/1.1\r\n${fields}\r\n\r\n`);
    // It is being answered once its body is asked for.
    await new Promise((resolve) => socket.once('data', resolve));
    assert.deepEqual(await server.stop({ graceMs: 20 }), { cut: 1 });
    await closed;
  });
});
