import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { findDaemon } from '../../src/config/docker/daemon-endpoint.ts';
import { environment } from '../../src/config/environment.ts';
import { createDaemonClient, type DaemonClient } from '../../src/daemon/client.ts';
import { findKnownLayers } from '../../src/daemon/known-layers.ts';
import type { Digest } from '../../src/model/digest.ts';
import { isOciError, type OciError } from '../../src/model/errors.ts';
import { fail, startFakeDaemon } from '../support/daemon/fake-daemon.ts';
import { deadAddress } from '../support/network/ports.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

async function failureOf(running: Promise<unknown>): Promise<OciError> {
  try {
    await running;
  } catch (error) {
    if (isOciError(error)) return error;
    throw error;
  }
  return assert.fail('it did not fail');
}

async function clientFor(host: string): Promise<DaemonClient> {
  return createDaemonClient(await findDaemon(environment({ env: { DOCKER_HOST: host } }), undefined));
}

const nothing = { size: 0, writeTo: async () => {} };

async function loading(t: TestContext, answer: string | readonly string[], end = true): Promise<readonly string[]> {
  const { endpoint } = await startFakeDaemon(
    t,
    { version: '1.47' },
    {
      async 'POST /images/load'(response, incoming) {
        for await (const _ of incoming);
        response.writeHead(200, { 'Content-Type': 'application/json' });
        for (const part of [answer].flat()) response.write(part);
        if (end) response.end();
        else setTimeout(() => response.destroy(), 20);
      },
    },
  );
  return createDaemonClient(endpoint).load(nothing);
}

describe('the client of a Docker daemon', () => {
  for (const [version, oldest, spoken] of [
    ['1.41', '1.12', '1.41'],
    ['1.44', '1.24', '1.44'],
    ['1.52', '1.44', '1.51'],
    ['1.99', '1.44', '1.51'],
  ] as const) {
    it(`speaks ${spoken} with a daemon of ${oldest} to ${version}`, async (t) => {
      const { endpoint, lines } = await startFakeDaemon(
        t,
        { version, oldest },
        {
          'GET /images/json': (response) => response.end('[]'),
        },
      );
      const client = createDaemonClient(endpoint);
      assert.deepEqual(await client.json('/images/json'), []);
      await client.json('/images/json');
      const asked = `GET /v${spoken}/images/json`;
      assert.deepEqual(lines, ['GET /_ping', asked, asked], 'the version is asked for once');
    });
  }

  it('refuses a daemon that is too old or too new, and what is no daemon', async (t) => {
    const old = await startFakeDaemon(t, { version: '1.23' });
    assert.match(
      (await failureOf(createDaemonClient(old.endpoint).json('/images/json'))).message,
      /no API version.*1\.23/,
    );
    const late = await startFakeDaemon(t, { version: '1.80', oldest: '1.60' });
    const refused = await failureOf(createDaemonClient(late.endpoint).json('/images/json'));
    assert.equal(refused.code, 'UNSUPPORTED');
    assert.match(refused.message, /too old. Minimum supported API version is 1\.60/);
    const none = await startFakeDaemon(t, { version: undefined });
    assert.equal((await failureOf(createDaemonClient(none.endpoint).json('/images/json'))).code, 'PROTOCOL');
  });

  it('says what to do where there is no daemon, or this user may not use it', async (t) => {
    const directory = await temporaryDirectory(t);
    const absent = await failureOf((await clientFor(`unix://${directory}/none.sock`)).json('/images/json'));
    assert.equal(absent.code, 'NETWORK');
    assert.match(absent.message, /^there is no Docker daemon at unix:.*none\.sock \(DOCKER_HOST\)$/);
    assert.match(absent.hint ?? '', /systemctl start docker.*DOCKER_HOST/);
    const dead = await failureOf((await clientFor(`tcp://${await deadAddress()}`)).json('/images/json'));
    assert.match(dead.message, /^no Docker daemon listens at tcp:/);
    const file = join(directory, 'file');
    await writeFile(file, '');
    assert.equal((await failureOf((await clientFor(`unix://${file}`)).json('/images/json'))).code, 'NETWORK');
  });

  it('says that the user is not in the group of the socket', { skip: process.geteuid?.() === 0 }, async (t) => {
    const { endpoint, host } = await startFakeDaemon(t, { version: '1.41' });
    await chmod(host.slice('unix://'.length), 0);
    const denied = await failureOf(createDaemonClient(endpoint).json('/images/json'));
    assert.equal(denied.code, 'DENIED');
    assert.match(denied.hint ?? '', /group docker/);
  });

  it('tells the words of a daemon that refuses, without control characters', async (t) => {
    const { endpoint } = await startFakeDaemon(
      t,
      { version: '1.41' },
      {
        'GET /images/app/json': (response) => fail(response, 500, 'no \u001b[31mgood'),
        'GET /images/gone/json': (response) => fail(response, 404, 'No such image: gone'),
        'GET /images/list/json': (response) => response.end('nonsense'),
        'GET /images/cut/json': (response) => {
          response.writeHead(200, { 'Content-Length': '100' }).write('[');
          setTimeout(() => response.destroy(), 20);
        },
      },
    );
    const client = createDaemonClient(endpoint);
    const failed = await failureOf(client.json('/images/app/json'));
    assert.deepEqual([failed.code, failed.status], ['UNKNOWN', 500]);
    assert.match(failed.message, /says "no \\u001b\[31mgood" \(500\)$/);
    assert.equal((await failureOf(client.json('/images/gone/json'))).code, 'MANIFEST_UNKNOWN');
    assert.equal((await failureOf(client.json('/images/list/json'))).code, 'PROTOCOL');
    assert.match((await failureOf(client.json('/images/cut/json'))).message, /the connection .* failed: it was cut$/);
  });

  it('stops when it is told to, also where the daemon never answers', async (t) => {
    const { endpoint } = await startFakeDaemon(t, { version: '1.41' }, { 'GET /images/json': () => {} });
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('stopped')), 50);
    await assert.rejects(createDaemonClient(endpoint).json('/images/json', {}, { signal: stop.signal }), /stopped/);
  });

  it('asks which layers there are, and forgets an image that is removed meanwhile', async (t) => {
    const digest = (letter: string) => `sha256:${letter.repeat(64)}` as Digest;
    const [a, b, c] = [digest('a'), digest('b'), digest('c')];
    const image = (id: Digest, layers: readonly Digest[]) => (response: { end(text: string): unknown }) =>
      response.end(JSON.stringify({ Id: id, RepoTags: [], RootFS: { Type: 'layers', Layers: layers } }));
    const { endpoint } = await startFakeDaemon(
      t,
      { version: '1.41' },
      {
        'GET /images/json': (response) => response.end(JSON.stringify([{ Id: a }, { Id: b }, { Id: c }])),
        [`GET /images/${a}/json`]: image(a, [a, b]),
        [`GET /images/${b}/json`]: image(b, [c]),
        [`GET /images/${c}/json`]: (response) => fail(response, 404, 'gone'),
      },
    );
    const known = await findKnownLayers(createDaemonClient(endpoint));
    assert.deepEqual(
      [[a, b, c], [a, c], [b], [c, a], []].map((layers) => known.countOf(layers)),
      [2, 1, 0, 1, 0],
    );
  });
});

describe('the answer to a load', () => {
  it('is what was loaded, in whatever pieces it comes', async (t) => {
    const answer = [
      '{"stream":"Load',
      'ed image: app:1\\n"}\r\n{"status":"x"}\n',
      '{"stream":"Loaded image ID: sha256:1\\n"}',
    ];
    assert.deepEqual(await loading(t, answer), ['Loaded image: app:1', 'Loaded image ID: sha256:1']);
  });

  for (const [what, answer, code, message] of [
    [
      'an error',
      '{"errorDetail":{"message":"open x: no such file"},"error":"open"}',
      'UNKNOWN',
      /refuses.*no such file/,
    ],
    ['an error after a success', '{"stream":"Loaded image: a\\n"}\n{"error":"late"}', 'UNKNOWN', /refuses.*late/],
    ['an error without words', '{"error":17}', 'UNKNOWN', /it gives no reason/],
    ['a full disk', '{"error":"write: no space left on device"}', 'UNKNOWN', /no space left/],
    ['a layer in zstd', '{"error":"archive/tar: invalid tar header"}', 'UNKNOWN', /invalid tar header/],
    ['nothing', '', 'PROTOCOL', /says nothing of an image/],
    ['other words', '{"stream":"hello"}', 'PROTOCOL', /only "hello"/],
    ['no JSON', '<html>', 'PROTOCOL', /not JSON: "<html>"/],
    ['deep JSON', '['.repeat(100_000), 'PROTOCOL', /not JSON/],
    ['a list', '[1]\n', 'PROTOCOL', /says nothing of an image/],
    ['a line without end', 'x'.repeat(300_000), 'PROTOCOL', /not JSON/],
  ] as const) {
    it(`is a failure where it has ${what}`, async (t) => {
      const error = await failureOf(loading(t, answer));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
    });
  }

  it('is a failure where it stops midway', async (t) => {
    const error = await failureOf(loading(t, '{"stream":"Loaded', false));
    assert.equal(error.code, 'NETWORK');
  });

  it('counts when it comes before everything was sent', async (t) => {
    const { endpoint } = await startFakeDaemon(
      t,
      { version: '1.41' },
      {
        'POST /images/load': (response) => fail(response, 500, 'too much'),
      },
    );
    const chunk = new Uint8Array(1024 * 1024);
    const size = 200 * chunk.length;
    const body = {
      size,
      async writeTo(sink: { write(bytes: Uint8Array): Promise<void> }) {
        for (let sent = 0; sent < size; sent += chunk.length) await sink.write(chunk);
      },
    };
    const error = await failureOf(createDaemonClient(endpoint).load(body));
    assert.match(error.message, /too much/);
  });
});
