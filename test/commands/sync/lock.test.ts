import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sandbox } from '../../support/sandbox.ts';
import { digestOf, openMirror, requestsIn } from './mirror.ts';

const everything = 'to: DESTINATION/mirror/{{.Path}}\nsources:\n  - from: SOURCE/team/app\n';

describe('sync --lock', () => {
  it('writes the digests, and copies them again whatever the source has by then', async (t) => {
    const { source, destination, push, sync } = await openMirror(t);
    const { home } = await sandbox(t);
    const { descriptor } = await push('team/app:1');
    assert.equal((await sync(everything, '--lock', 'lock.json')).exitCode, 0);
    const text = await readFile(join(home, 'lock.json'), 'utf8');
    assert.deepEqual(JSON.parse(text), { version: 1, images: { [`${source.host}/team/app:1`]: descriptor.digest } });
    await push('team/app:1', 'another');
    const added = await push('team/app:2');
    await destination.registry.deleteTag('mirror/team/app' as never, '1' as never);
    const { exitCode, stderr } = await sync(everything, '--lock', 'lock.json');
    assert.equal(exitCode, 0, stderr);
    assert.equal(await digestOf(destination.registry, 'mirror/team/app:1'), descriptor.digest);
    assert.deepEqual(JSON.parse(await readFile(join(home, 'lock.json'), 'utf8')).images, {
      [`${source.host}/team/app:1`]: descriptor.digest,
      [`${source.host}/team/app:2`]: added.descriptor.digest,
    });
  });

  it('asks the source nothing about a digest that is there', async (t) => {
    const { push, sync } = await openMirror(t);
    await push('team/app:1');
    const named = `${everything}    tags: '1'`;
    await sync(named, '--lock', 'lock.json');
    const { stderr } = await sync(named, '--lock', 'lock.json', '-v');
    assert.deepEqual(requestsIn(stderr), ['HEAD manifests']);
  });

  it('is written beside what a process with the same ID left behind, and names a directory that is missing', async (t) => {
    const { push, sync } = await openMirror(t);
    const { home } = await sandbox(t);
    await push('team/app:1');
    await writeFile(join(home, `lock.json.${process.pid}.tmp`), 'cut off');
    const { exitCode, stderr } = await sync(everything, '--lock', 'lock.json');
    assert.equal(exitCode, 0, stderr);
    assert.equal(JSON.parse(await readFile(join(home, 'lock.json'), 'utf8')).version, 1);
    const missing = await sync(everything, '--lock', 'absent/lock.json');
    assert.equal(missing.exitCode, 10);
    assert.match(
      missing.stderr,
      /^error: cannot write the lock file absent\/lock.json: there is no directory absent$/m,
    );
    assert.deepEqual(requestsIn((await sync(everything, '--lock', '.', '-v')).stderr), []);
    assert.deepEqual(requestsIn((await sync(everything, '--lock', 'absent/lock.json', '-v')).stderr), []);
  });

  it('writes nothing in a dry run, and refuses a file that is none', async (t) => {
    const { push, sync } = await openMirror(t);
    const { home } = await sandbox(t);
    await push('team/app:1');
    await sync(everything, '--lock', 'lock.json', '--dry-run');
    await assert.rejects(readFile(join(home, 'lock.json')), { code: 'ENOENT' });
    for (const [text, message] of [
      ['{"version": 2}', /lock\.json:1: this is not a lock file of version 1/],
      ['{"version": 1, "images": {"a:1": "x"}}', /lock\.json:1: "a:1" has no digest/],
      ['{', /lock\.json:1:2: not valid JSON/],
    ] as const) {
      await writeFile(join(home, 'lock.json'), text);
      const { exitCode, stderr } = await sync(everything, '--lock', 'lock.json');
      assert.equal(exitCode, 2);
      assert.match(stderr, message);
    }
  });
});
