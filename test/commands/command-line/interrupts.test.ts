import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { spawnOcictl } from '../../support/command.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { pushImage } from '../../support/images.ts';
import { ada } from '../../support/login-servers.ts';
import { app, imageFor, one, startPlace, until } from '../copy/places.ts';

/** Commands with a server that never answers; `@` is its host. */
const waiting: readonly (readonly string[])[] = [
  ['inspect', '@/app'],
  ['digest', '@/app'],
  ['tags', '@/app'],
  ['delete', '@/app:1'],
  ['search', '@/app'],
  ['login', '-u', ada.username, '--password-stdin', '@'],
  ['copy', '@/app', 'oci:copied'],
];

describe('Ctrl-C while a registry does not answer', () => {
  for (const words of waiting) {
    it(`ends ocictl ${words[0]} with status 130, nothing on stdout and one error`, async (t) => {
      const { host, requests } = await startFakeServer(t, () => {});
      const running = await spawnOcictl(
        t,
        words.map((word) => word.replace('@', host)),
        { input: `${ada.password}\n` },
      );
      await until(() => requests.length > 0);
      running.child.kill('SIGINT');
      const { exitCode, stdout, stderr } = await running.result;
      assert.deepEqual([exitCode, stdout], [130, '']);
      assert.match(stderr, /^error: interrupted$/m);
      assert.equal(stderr.match(/^error:/gm)?.length, 1);
    });
  }

  it('ends ocictl login that waits for a password on standard input', async (t) => {
    const { host, requests } = await startFakeServer(t, () => {});
    const words = ['login', '-u', 'ada', '--password-stdin', host];
    const running = await spawnOcictl(t, words, { typing: true, input: 'half of a pass' });
    // Nothing shows when it reads. A signal before its handlers are installed ends it too, but without the message.
    await new Promise((resolve) => setTimeout(resolve, 500));
    running.child.kill('SIGINT');
    const { exitCode, signal, stdout } = await running.result;
    assert.ok(exitCode === 130 || signal === 'SIGINT', `${exitCode} ${signal}`);
    assert.equal(stdout, '');
    assert.deepEqual(requests, []);
  });
});

describe('a registry in plain http that goes away in the middle of a pull', () => {
  it('is named by the error as plain http, not as TLS', async (t) => {
    const { host, registry, proxy } = await startPlace(t);
    await pushImage(registry, app, one, await imageFor('amd64'));
    proxy.fail({ path: /\/blobs\/sha256/, method: 'GET', cutAfterBytes: 20 });
    const running = await spawnOcictl(t, ['pull', `${host}/team/app:1`]);
    await until(() => proxy.count(/\/blobs\/sha256/, 'GET') > 0);
    await proxy.close();
    const { exitCode, stderr } = await running.result;
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, new RegExp(`^error: ${host}: (?:connection refused|the connection was cut)$`, 'm'));
    assert.doesNotMatch(stderr, /TLS|plain http|tried/);
  });
});
