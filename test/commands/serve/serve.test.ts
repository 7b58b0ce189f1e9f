import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl, spawnOcictl, spawnServe } from '../../support/command.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, imageFor, one } from '../copy/places.ts';

/** Starts `ocictl serve` with an address of its own, and returns its output up to `last`. */
async function started(t: TestContext, words: readonly string[], last: RegExp) {
  const running = await spawnOcictl(t, ['serve', ...words]);
  await running.waitFor(last);
  return { ...running, ...running.output() };
}

/** The words after `ocictl` in the commands that the output advises. */
function advised(stderr: string): string[][] {
  return [...stderr.matchAll(/with: ocictl (.+)$/gm)].map(([, words = '']) => words.split(' '));
}

describe('the address that ocictl serve tells', () => {
  it('is the one bound, with commands that work from here and from elsewhere', async (t) => {
    const origin = await startServe(t);
    await pushImage(origin.registry, app, one, await imageFor('amd64'));
    const { stdout, stderr } = await started(t, ['--memory', '--addr', '0.0.0.0:0'], /warning: .*\n/);
    assert.match(stdout, /^Serving memory on http:\/\/0\.0\.0\.0:\d+\n$/);
    assert.match(stderr, /warning: everyone who can reach this address may push and delete/);
    const commands = advised(stderr);
    const outer = Object.values(networkInterfaces())
      .flat()
      .some((found) => found?.internal === false);
    assert.equal(commands.length, 2);
    assert.ok(commands[0]?.at(-1)?.startsWith('127.0.0.1:'), stderr);
    for (const words of outer ? commands : commands.slice(0, 1)) {
      const real = words.map((word) => (word === 'alpine' ? `${origin.host}/team/app:1` : word));
      const { exitCode, stderr: said } = await ocictl(t, real);
      assert.equal(exitCode, 0, `${words.join(' ')}\n${said}`);
    }
  });

  it('has brackets where it is of IPv6', async (t) => {
    const loopback = Object.values(networkInterfaces())
      .flat()
      .some((found) => found?.address === '::1');
    if (!loopback) return t.skip('needs IPv6');
    const { stdout, stderr } = await started(t, ['--memory', '--addr', '[::1]:0'], /with: .*\n/);
    const [, host = ''] = /^Serving memory on http:\/\/(\[::1\]:\d+)\n$/.exec(stdout) ?? [];
    assert.match(stderr, new RegExp(`ocictl copy alpine ${host.replace(/[[\]]/g, '\\$&')}/alpine\n`));
    assert.equal((await fetch(`http://${host}/v2/`)).status, 200);
  });

  it('is loopback if no host was given, and a line says so', async (t) => {
    const { stdout, stderr } = await started(t, ['--memory', '--addr', ':0'], /with: .*\n/);
    assert.match(stdout, /http:\/\/127\.0\.0\.1:\d+\n$/);
    assert.match(stderr, /^127\.0\.0\.1:\d+ is for this machine only; for other machines too: --addr 0\.0\.0\.0:0\n/);
    assert.doesNotMatch(stderr, /warning/);
  });

  it('cannot be one that is taken, strange or nonsense: status 2', async (t) => {
    const { host } = await spawnServe(t, ['--memory']);
    const said: readonly (readonly [string, RegExp])[] = [
      [host, /cannot listen on 127\.0\.0\.1:\d+: another program listens there\nhint: choose another port with --addr/],
      ['192.0.2.77:0', /cannot listen on 192\.0\.2\.77:0: this machine has no such address\nhint: /],
      ['5000', /invalid address "5000"\nhint: an address is host:port/],
      ['127.0.0.1:70000', /invalid address/],
    ];
    for (const [address, pattern] of said) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['serve', '--memory', '--addr', address]);
      assert.deepEqual([exitCode, stdout], [2, ''], address);
      assert.match(stderr, pattern);
    }
  });
});

describe('the names that ocictl serve tells', () => {
  it('of the local store are pulled as they stand there', async (t) => {
    await keepImage(t, 'alpine:3', await buildImage({ layers: [{ files: { a: 'a' } }] }));
    const { stderr } = await started(t, ['--store', '--addr', '127.0.0.1:0'], /with: .*\n/);
    const [words = []] = advised(stderr);
    assert.match(words.join(' '), /^pull 127\.0\.0\.1:\d+\/docker\.io\/library\/alpine:3$/);
    assert.equal((await ocictl(t, words)).exitCode, 0);
  });

  it('of a mirror are plain ones', async (t) => {
    await keepImage(t, 'alpine:3', await imageFor('amd64'));
    await keepImage(t, 'quay.example/team/app', await imageFor('arm64'));
    const hub = await started(t, ['--store', '--mirror-of', 'docker.io', '--addr', '127.0.0.1:0'], /with: .*\n/);
    assert.match(hub.stderr, /ocictl pull --registry-mirror http:\/\/127\.0\.0\.1:\d+ alpine:3\n/);
    const quay = await started(t, ['--store', '--mirror-of', 'quay.example', '--addr', '127.0.0.1:0'], /with: .*\n/);
    assert.match(quay.stderr, /ocictl pull 127\.0\.0\.1:\d+\/team\/app\n/);
    for (const [words = []] of [advised(hub.stderr), advised(quay.stderr)]) {
      assert.equal((await ocictl(t, [...words, '--platform', 'all'])).exitCode, 0, words.join(' '));
    }
  });

  it('are missing if the registry is empty, and a line says how to push', async (t) => {
    const store = await started(t, ['--store', '--addr', '127.0.0.1:0'], /with: .*\n/);
    assert.match(store.stderr, /^there is no image in it yet; ocictl pull alpine puts one there\n/);
    const memory = await started(t, ['--memory', '--read-only', '--addr', '127.0.0.1:0'], /nobody .*\n/);
    assert.match(memory.stderr, /^it contains no image, and nobody can push one\n/);
  });
});

describe('the limits of ocictl serve', () => {
  it('are times and rates that can be read: status 2 otherwise', async (t) => {
    for (const words of [
      ['--upload-timeout', '5'],
      ['--upload-timeout', '0h'],
      ['--min-rate', '1k'],
      ['--min-rate', '-1'],
    ]) {
      const { exitCode, stderr } = await ocictl(t, ['serve', '--memory', ...words]);
      assert.equal(exitCode, 2, words.join(' '));
      assert.match(stderr, /invalid (?:time|rate) ".*"\nhint: /);
    }
  });

  it('end abandoned uploads', async (t) => {
    const { url } = await spawnServe(t, ['--memory', '--upload-timeout', '1s', '--min-rate', '0']);
    const { headers } = await fetch(`${url}/v2/team/app/blobs/uploads/`, { method: 'POST' });
    const place = new URL(headers.get('location') ?? '', url);
    // Each request keeps the session alive, so the waits must grow until it expires.
    const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    for (let waitMs = 2000; (await fetch(place)).status === 204; waitMs *= 2) await wait(waitMs);
    assert.equal((await fetch(place)).status, 404);
  });
});

describe('the directory of ocictl serve', () => {
  it('is made when it alone is missing, for this user alone', async (t) => {
    const { home } = await sandbox(t);
    await spawnServe(t, ['--root', join(home, 'images')]);
    assert.deepEqual(await readdir(join(home, 'images')), ['tmp']);
  });

  it('that cannot be used fails the start: status 10', async (t) => {
    const { home } = await sandbox(t);
    const file = join(home, 'file');
    await writeFile(file, '');
    const places: readonly (readonly [string, readonly string[], RegExp])[] = [
      [file, [], /file is not a directory\nhint: name another directory with --root/],
      [join(file, 'below'), [], /below is not a directory/],
      [join(home, 'no', 'such'), [], /there is no directory \S+\/no\nhint: make it first/],
      [join(home, 'missing'), ['--read-only'], /there is no directory \S+\/missing\n/],
      // Nobody, not even root, can create anything there.
      ['/proc/images', [], /cannot write to \/proc\/images: .*\nhint: name another directory with --root/],
      ['/sys', [], /cannot write to \/sys: /],
    ];
    for (const [root, more, pattern] of places) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['serve', '--addr', '127.0.0.1:0', '--root', root, ...more]);
      assert.deepEqual([exitCode, stdout], [10, ''], root);
      assert.match(stderr, pattern);
    }
  });

  it('that is only read is left as it is', async (t) => {
    const { home } = await sandbox(t);
    await mkdir(join(home, 'images'));
    const { url } = await spawnServe(t, ['--root', join(home, 'images'), '--read-only']);
    const answer = await fetch(`${url}/v2/team/app/blobs/uploads/`, { method: 'POST' });
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, '']);
    assert.match(await answer.text(), /"UNSUPPORTED","message":"this registry is read-only/);
    const removal = await fetch(`${url}/v2/team/app/manifests/1`, { method: 'DELETE' });
    assert.deepEqual([removal.status, removal.headers.get('allow')], [405, 'GET, HEAD']);
    assert.deepEqual(await readdir(join(home, 'images')), []);
  });
});

describe('an index pushed to ocictl serve', () => {
  it('must be complete, unless --sparse is given', async (t) => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const child = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 7 };
    const type = 'application/vnd.oci.image.index.v1+json';
    const body = JSON.stringify({ schemaVersion: 2, mediaType: type, manifests: [child] });
    for (const [words, status] of [
      [[], 400],
      [['--sparse'], 201],
    ] as const) {
      for (const place of [['--memory'], ['--root', 'images']]) {
        const { url } = await spawnServe(t, [...place, ...words]);
        const put = { method: 'PUT', headers: { 'content-type': type }, body };
        assert.equal(
          (await fetch(`${url}/v2/team/app/manifests/1`, put)).status,
          status,
          [...place, ...words].join(' '),
        );
      }
    }
  });
});
