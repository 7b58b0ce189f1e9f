import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createAuthorizer } from '../../src/auth/authorizer.ts';
import { parseDigest } from '../../src/model/digest.ts';
import { parseRepositoryName } from '../../src/model/reference/reference.ts';
import { readContent } from '../../src/registry/content.ts';
import { createRemote } from '../../src/remote/remote.ts';
import { describeWait } from '../../src/service/trace.ts';
import type { Wait } from '../../src/transport/waits.ts';
import type { Answer } from '../support/fake-server.ts';
import { fails, get, start } from './open.ts';

const hex = 'ab'.repeat(32);
const blob = `v2/team/app/blobs/sha256:${hex}`;

/** A server, and the reports of its silence. */
async function watch(
  t: TestContext,
  answer: Answer,
  { headersTimeoutMs = 60_000, idleTimeoutMs = 60_000, silenceMs = 50 } = {},
) {
  const told: Wait[] = [];
  let onFirst = (): void => {};
  const first = new Promise<void>((resolve) => {
    onFirst = resolve;
  });
  const onWait = (event: Wait): void => {
    told.push(event);
    onFirst();
  };
  const limits = { silenceMs, headersTimeoutMs, idleTimeoutMs };
  return { told, first, ...(await start(t, answer, { limits, onWait })) };
}

describe('a server that has said nothing for a while', () => {
  it('is told of by host, with what is waited for, and goes on', async (t) => {
    const { server, transport, told, first } = await watch(t, async (_, response) => {
      await first;
      response.end('late');
    });
    const response = await get(transport, blob);
    assert.equal(Buffer.from(await response.body.bytes(10)).toString(), 'late');
    const [event] = told;
    assert.deepEqual(event, { host: server.host, what: 'blob abababababab', silentMs: 50, attempt: 1 });
    assert.equal(told.length, 1);
  });

  it('is told of when it stops in the middle of a body, once until it goes on', async (t) => {
    const { transport, told, first } = await watch(t, async (_, response) => {
      response.write('half');
      await first;
      response.end('whole');
    });
    const response = await get(transport, 'v2/team/app/manifests/1');
    assert.equal(Buffer.from(await response.body.bytes(10)).toString(), 'halfwhole');
    assert.deepEqual(
      told.map(({ what }) => what),
      ['manifest 1 of team/app'],
    );
  });

  it('is not blamed while it waits for its reader, or while an upload is on its way', async (t) => {
    const { transport, told } = await watch(t, (_, response) => response.end('there'), { silenceMs: 1_000 });
    const slow = async function* () {
      for (let i = 0; i < 4; i += 1) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        yield Buffer.from('x');
      }
    };
    const response = await transport.request({ method: 'PUT', url: 'v2/team/app/blobs/uploads/1', body: slow() });
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    assert.deepEqual(told, []);
    assert.equal(Buffer.from(await response.body.bytes(10)).toString(), 'there');
  });

  it('is named in the timeout, with what was waited for and how often', async (t) => {
    const { transport } = await watch(t, () => {}, { headersTimeoutMs: 100 });
    await assert.rejects(get(transport, blob), fails('TIMEOUT', /: blob abababababab, tried 5 times$/));
  });

  it('is named in the timeout of a blob that stopped in the middle', async (t) => {
    const { transport } = await watch(
      t,
      (_, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('half');
      },
      { idleTimeoutMs: 100 },
    );
    const authorizer = createAuthorizer({ transport, credentials: async () => undefined });
    const remote = createRemote({ name: 'here', transport, authorizer });
    const content = await remote.getBlob(parseRepositoryName('team/app'), parseDigest(`sha256:${hex}`));
    await assert.rejects(
      readContent(content, 1_000),
      fails('TIMEOUT', /stopped in the middle: blob abababababab, tried \d times$/),
    );
  });

  it('is spoken of in one line', () => {
    const event = { host: 'example.com:5000', what: 'blob abababababab', silentMs: 10_000, attempt: 2 };
    assert.equal(
      describeWait(event).reason,
      'example.com:5000: nothing has come for 10 seconds, waiting for blob abababababab (attempt 2)',
    );
    assert.match(describeWait({ ...event, what: undefined, attempt: 1 }).reason, /waiting for an answer$/);
  });
});

describe('a server that asks to wait, or fails again and again', () => {
  const wait = async (): Promise<void> => {};

  it('is told of once for each wait that it asks for', async (t) => {
    const told: Wait[] = [];
    let left = 2;
    const { server, transport } = await start(
      t,
      (_, response) => {
        left -= 1;
        if (left >= 0) response.writeHead(429, { 'retry-after': '30' }).end();
        else response.end('there');
      },
      { retry: { wait }, onWait: (event) => told.push(event) },
    );
    const response = await get(transport, 'v2/team/app/manifests/1');
    assert.equal(response.status, 200);
    const again = { problem: `${server.host} answered 429`, status: 429, askedMs: 30_000 };
    const about = { host: server.host, what: 'manifest 1 of team/app', silentMs: 0, again };
    assert.deepEqual(told, [
      { ...about, attempt: 1 },
      { ...about, attempt: 2 },
    ]);
    const text = `${server.host} asks to wait 30 seconds (429), waiting for manifest 1 of team/app`;
    assert.deepEqual(
      told.map((wait) => describeWait(wait).reason),
      [text, text],
    );
  });

  it('is told of from the third failure in a row', async (t) => {
    const told: Wait[] = [];
    const { server, transport } = await start(t, (_, response) => response.writeHead(503).end(), {
      retry: { wait },
      onWait: (event) => told.push(event),
    });
    assert.equal((await get(transport, blob)).status, 503);
    assert.deepEqual(
      told.map(({ attempt }) => attempt),
      [3, 4],
    );
    const text = `${server.host} answered 503, trying again, waiting for blob abababababab`;
    assert.deepEqual(
      told.map((wait) => describeWait(wait).reason),
      [text, text],
    );
  });

  it('is told to the listener of the request, and to no other', async (t) => {
    const told: Wait[] = [];
    const heard: unknown[] = [];
    const { server, transport } = await start(
      t,
      ({ nth }, response) => response.writeHead(nth === 0 ? 429 : 200, { 'retry-after': '1' }).end(),
      { retry: { wait }, onWait: (event) => told.push(event) },
    );
    await get(transport, blob, { onWait: (...facts) => heard.push(facts) });
    assert.deepEqual(heard, [[`${server.host} asks to wait 1 second (429)`, { seconds: 1 }]]);
    assert.deepEqual(told, []);
  });
});
