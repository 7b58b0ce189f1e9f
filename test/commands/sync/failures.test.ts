import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { OciError } from '../../../src/model/errors.ts';
import { readOnly } from '../../../src/registry/wrappers/read-only.ts';
import { ocictl } from '../../support/command.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import { inFront, openMirror } from './mirror.ts';

const file = 'to: DESTINATION/{{.Path}}\nsources:\n  - from: SOURCE/team/app\n';

describe('sync with a failure', () => {
  it('ends with the first one, before anything is copied if it is of the source', async (t) => {
    const { push, sync, tags } = await openMirror(t);
    await push('team/app:1');
    const { exitCode, stdout, stderr } = await sync(`${file}  - from: SOURCE/team/none\n`);
    assert.equal(exitCode, 3);
    assert.equal(stdout, '');
    assert.match(stderr, /^error: .*team\/none/m);
    assert.equal(await tags('team/app'), '');
  });

  it('goes on with --keep-going, and ends with 8', async (t) => {
    const { source, push, sync, tags } = await openMirror(t);
    await push('team/app:1');
    const text = `${file}  - from: SOURCE/team/none\n  - {from: SOURCE/team/app, tags: '9'}\n`;
    const { exitCode, stdout, stderr } = await sync(text, '--keep-going');
    assert.equal(exitCode, 8, stderr);
    assert.match(stdout, /^Copied: /);
    assert.match(stderr, /^1 image: 1 copied, 0 unchanged, 2 failed$/m);
    assert.ok(
      stderr.includes(`not everything could be synchronised: ${source.host}/team/none, ${source.host}/team/app:9`),
    );
    assert.equal(await tags('team/app'), '1');
  });

  for (const [what, fault, status] of [
    ['is gone', () => new OciError('MANIFEST_UNKNOWN', 'it was deleted'), 3],
    ['cannot be read', () => new Error('the disk of the source fails'), 5],
  ] as const) {
    it(`copies the others where an image ${what} when its turn comes`, async (t) => {
      const registry = memoryRegistry();
      const broken = new Set<string>();
      const source = await startServe(t, {
        registry: {
          ...registry,
          async getManifest(repo, reference, opts) {
            if (broken.has(reference)) throw fault();
            return registry.getManifest(repo, reference, opts);
          },
        },
      });
      await writeFile((await sandbox(t)).daemonJson, '{"max-download-attempts": 1}');
      const { push, sync, tags } = await openMirror(t, { source: { ...source, registry } });
      await push('team/app:1');
      broken.add((await push('team/app:2')).descriptor.digest).add('2');
      await push('team/app:3');
      const { exitCode, stderr } = await sync(file, '--keep-going');
      assert.equal(exitCode, 8, stderr);
      assert.match(stderr, /^3 images: 2 copied, 0 unchanged, 1 failed$/m);
      assert.equal(await tags('team/app'), '1 3');
      assert.equal((await sync(file)).exitCode, status);
    });
  }

  it('passes over a tag that is listed and gone', async (t) => {
    const registry = memoryRegistry();
    const source = await startServe(t, {
      registry: {
        ...registry,
        async *tags(repo, opts) {
          yield* registry.tags(repo, opts);
          yield 'ghost' as never;
        },
      },
    });
    const { push, sync, tags } = await openMirror(t, { source: { ...source, registry } });
    await push('team/app:1');
    const { exitCode, stderr } = await sync(file);
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /team\/app:ghost was listed, and is gone: it is passed over/);
    assert.match(stderr, /^1 image: 1 copied, 0 unchanged, 1 gone$/m);
    assert.equal(await tags('team/app'), '1');
    const named = await sync(`${file}    tags: ghost`);
    assert.equal(named.exitCode, 3);
  });

  it('has the status of a destination that refuses', async (t) => {
    const destination = await startServe(t, { registry: readOnly(memoryRegistry()) });
    const { push, sync } = await openMirror(t, { destination });
    await push('team/app:1');
    const { exitCode, stderr } = await sync(file);
    assert.equal(exitCode, 4, stderr);
  });

  it('says before it starts that the limit on pulls will not do', async (t) => {
    const { source, push, sync, tags } = await openMirror(t);
    for (const tag of ['1', '2', '3']) await push(`team/app:${tag}`);
    const headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '2;w=21600' };
    const limited = await inFront(t, source, () => ({ headers }));
    const text = file.replaceAll('SOURCE', limited);
    const { exitCode, stderr } = await sync(text, '--dry-run');
    assert.equal(exitCode, 12);
    assert.match(
      stderr,
      /warning: 127\.0\.0\.1:\d+ allows 2 more pulls \(of 100 in 6 hours\), and at least 3 are needed/,
    );
    assert.equal((await sync(text)).exitCode, 0);
    assert.equal(await tags('team/app'), '1 2 3');
    assert.doesNotMatch((await sync(text)).stderr, /pulls/);
  });

  it('goes on where a source answers 429 at first', async (t) => {
    const { source, push, sync, tags } = await openMirror(t);
    const names = Array.from({ length: 12 }, (_, at) => `1.${at}`);
    for (const name of names) await push(`team/app:${name}`, 'same');
    let asked = 0;
    const busy = await inFront(t, source, ({ path }) => {
      if (!path.includes('/manifests/')) return {};
      asked += 1;
      return asked > 12 ? {} : { status: 429, headers: { 'retry-after': '0' } };
    });
    const { exitCode, stderr } = await sync(file.replaceAll('SOURCE', busy));
    assert.equal(exitCode, 0, stderr);
    assert.equal((await tags('team/app')).split(' ').length, names.length);
  });

  it('says how long a registry asks to wait, if that is long', async (t) => {
    const away = await startFakeServer(t, (_request, response) => {
      response.writeHead(429, { 'retry-after': '3600' }).end();
    });
    const { sync } = await openMirror(t);
    const { exitCode, stderr } = await sync(file.replaceAll('SOURCE', away.host));
    assert.equal(exitCode, 6);
    assert.match(stderr, /asks to wait 60 minutes/);
  });

  it('has the status of a login that is missing, and takes one for its registry', async (t) => {
    const { source, push, sync, tags } = await openMirror(t);
    await push('team/app:1');
    const login = `Basic ${Buffer.from('john:se:cret').toString('base64')}`;
    const closed = await inFront(t, source, ({ headers: { authorization } }) =>
      authorization === login ? {} : { status: 401, headers: { 'www-authenticate': 'Basic realm="test"' } },
    );
    const text = file.replaceAll('SOURCE', closed);
    const { exitCode, stderr } = await sync(text);
    assert.equal(exitCode, 4, stderr);
    const nameless = await sync(text, '--host-creds', 'john:se:cret');
    assert.equal(nameless.exitCode, 2);
    assert.doesNotMatch(nameless.stderr, /cret/);
    const given = await sync(text, '--host-creds', `${closed}=john:se:cret`);
    assert.equal(given.exitCode, 0, given.stderr);
    assert.equal(await tags('team/app'), '1');
    const skopeo = `${closed}:\n  credentials: {username: john, password: "se:cret"}\n  images: {team/app: ["1"]}`;
    assert.equal((await sync(skopeo, '--dry-run', 'oci:dir')).exitCode, 12);
  });
});

describe('two runs of sync at the same time', () => {
  it('end well, and everything is at a registry and in a layout', async (t) => {
    const { push, sync, tags } = await openMirror(t);
    const { home } = await sandbox(t);
    const names = Array.from({ length: 12 }, (_, at) => `1.${at}`);
    for (const name of names) await push(`team/app:${name}`);
    const both = 'to: [DESTINATION/mirror/app, "oci:dir"]\nsources:\n  - from: SOURCE/team/app\n';
    // The file is written by each of them, with the same content.
    for (const { exitCode, stderr } of await Promise.all([sync(both), sync(both)])) assert.equal(exitCode, 0, stderr);
    assert.deepEqual((await tags('mirror/app')).split(' ').sort(), [...names].sort());
    const listed = await ocictl(t, ['tags', `oci:${join(home, 'dir')}`]);
    assert.deepEqual(listed.stdout.trimEnd().split('\n').sort(), [...names].sort());
    const after = await sync(both);
    assert.match(after.stderr, /^24 images: 0 copied, 24 unchanged$/m);
  });
});
