/** Docker daemons that stop midway, answer nonsense, or never answer. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl, spawnOcictl } from '../../support/command.ts';
import { fail, type Handler, startFakeDaemon } from '../../support/daemon/fake-daemon.ts';
import { keepImage } from '../../support/local-store.ts';
import { sandbox } from '../../support/sandbox.ts';
import { imageFor, until } from './places.ts';

const id = `sha256:${'a'.repeat(64)}`;

const reply =
  (value: unknown): Handler =>
  (response) =>
    response.end(JSON.stringify(value));

/** A daemon that has one image, and does as told with its export and with what is sent. */
async function daemonWith(t: TestContext, handlers: Readonly<Record<string, Handler>>) {
  return startFakeDaemon(
    t,
    { version: '1.47' },
    {
      'GET /version': reply({ Os: 'linux', Arch: 'amd64' }),
      'GET /info': reply({ DriverStatus: null }),
      'GET /images/json': reply([{ Id: id, RepoTags: ['app:1'] }]),
      '*': reply({ Id: id, RepoTags: ['app:1', '<none>:<none>', 'NO NAME'], RootFS: { Layers: [] } }),
      ...handlers,
    },
  );
}

/** Nothing of the sandbox's temporary files is left. */
async function assertNoneLeft(t: TestContext): Promise<void> {
  assert.deepEqual(await readdir(join((await sandbox(t)).home, 'tmp')), []);
}

function cutOff(response: ServerResponse, start: string | Uint8Array): void {
  response.write(start);
  setTimeout(() => response.destroy(), 20);
}

describe('an export of the Docker daemon', () => {
  for (const [what, exported, exitCode, message] of [
    ['stops midway', (response: ServerResponse) => cutOff(response, new Uint8Array(5_000)), 5, /failed: it was cut/],
    ['is empty', (response: ServerResponse) => response.end(), 7, /an export of the Docker daemon .* is empty/],
    [
      'is no archive',
      (response: ServerResponse) => response.end('x'.repeat(5_000)),
      7,
      /an export of the Docker daemon/,
    ],
    ['has no image', (response: ServerResponse) => response.end(new Uint8Array(1_024)), 7, /holds no image/],
    ['fails', (response: ServerResponse) => fail(response, 500, 'layer lost'), 5, /says "layer lost" \(500\)/],
    ['is gone', (response: ServerResponse) => fail(response, 404, 'No such image'), 3, /No such image/],
  ] as const) {
    it(`that ${what} is an error, and leaves nothing`, async (t) => {
      const { host } = await daemonWith(t, { 'GET /images/get': exported });
      const env = { DOCKER_HOST: host };
      const copied = await ocictl(t, ['copy', 'docker-daemon:app:1', 'oci:layout:1'], { env, ownProcess: true });
      assert.equal(copied.exitCode, exitCode, copied.stderr);
      assert.match(copied.stderr, message);
      await assertNoneLeft(t);
    });
  }

  it('that never comes is waited for until Ctrl-C', async (t) => {
    const { host, lines } = await daemonWith(t, { 'GET /images/get': () => {} });
    const running = await spawnOcictl(t, ['digest', 'docker-daemon:app:1'], { env: { DOCKER_HOST: host } });
    await until(() => lines.some((line) => line.endsWith('/images/get')));
    running.child.kill('SIGINT');
    assert.equal((await running.result).exitCode, 130);
    await assertNoneLeft(t);
  });
});

describe('a Docker daemon that never says which layers it has', () => {
  it('is waited for until Ctrl-C', async (t) => {
    await keepImage(t, 'app:1', await imageFor('amd64'));
    const { host, lines } = await daemonWith(t, { 'GET /images/json': () => {} });
    const env = { DOCKER_HOST: host };
    const running = await spawnOcictl(t, ['copy', 'store:app:1', 'docker-daemon:app:1'], { env });
    await until(() => lines.some((line) => line.endsWith('/images/json')));
    running.child.kill('SIGINT');
    assert.equal((await running.result).exitCode, 130);
    await assertNoneLeft(t);
  });
});

describe('what the Docker daemon says', () => {
  for (const [what, handlers] of [
    ['is no list of images', { 'GET /images/json': reply({}) }],
    ['has images without an ID', { 'GET /images/json': reply([{ Id: 7 }]) }],
    [
      'is nested without end',
      { 'GET /images/json': (response: ServerResponse) => response.end('['.repeat(1_000_000)) },
    ],
  ] as const) {
    it(`is refused if it ${what}`, async (t) => {
      const { host } = await daemonWith(t, handlers);
      const listed = await ocictl(t, ['tags', 'docker-daemon:app'], { env: { DOCKER_HOST: host } });
      assert.equal(listed.exitCode, 5, listed.stderr);
      assert.match(listed.stderr, /error: the Docker daemon at \S+ answers with something that is no/);
    });
  }

  it('is passed over where it names what no name of an image is', async (t) => {
    const { host } = await daemonWith(t, {
      'GET /images/json': reply([{ Id: id, RepoTags: ['app:1', '\u001b[2J', 17, '<none>:<none>'] }]),
    });
    const { stdout } = await ocictl(t, ['tags', 'docker-daemon:app'], { env: { DOCKER_HOST: host } });
    assert.equal(stdout, '1\n');
  });
});

describe('a load into the Docker daemon', () => {
  for (const [what, answer, message] of [
    ['stops midway', (response: ServerResponse) => cutOff(response, '{"stream":"Loa'), /failed: it was cut/],
    ['is refused', (response: ServerResponse) => fail(response, 500, 'broken'), /says "broken" \(500\)/],
    ['made another image', reply({ stream: 'Loaded image: app:1\n' }), /has made another image of .*app:1: sha256:aaa/],
  ] as const) {
    it(`that ${what} is an error, and leaves nothing`, async (t) => {
      await keepImage(t, 'app:1', await imageFor('amd64'));
      const load: Handler = async (response, incoming, url) => {
        for await (const _ of incoming);
        answer(response, incoming, url);
      };
      const { host } = await daemonWith(t, { 'POST /images/load': load });
      const env = { DOCKER_HOST: host };
      const copied = await ocictl(t, ['copy', 'store:app:1', 'docker-daemon:app:1'], { env, ownProcess: true });
      assert.equal(copied.exitCode, 5, copied.stderr);
      assert.match(copied.stderr, message);
      assert.equal(copied.stdout, '');
      await assertNoneLeft(t);
    });
  }
});
