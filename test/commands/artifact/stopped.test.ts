import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { artifactOf, directoryOf, titled } from '../../artifacts/pull/artifacts.ts';
import { ocictl, spawnOcictl } from '../../support/command.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { type Built, pushImage } from '../../support/images.ts';
import { smallDisk } from '../../support/programs/small-disk.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, one, until } from '../copy/places.ts';

/** A registry that sends the artifact's first layer, a part of the second, and then nothing. */
async function startStuck(t: TestContext, built: Built) {
  const [, first, second] = built.blobs.map(({ descriptor: { digest } }) => digest);
  return await startFakeServer(t, ({ path }, response) => {
    if (path.includes('/manifests/')) {
      response.setHeader('Content-Type', built.manifest.mediaType);
      return response.end(built.manifest.bytes);
    }
    if (path.endsWith(String(first))) return response.end('first');
    if (path.endsWith(String(second))) return response.write('se');
    return response.end('{}');
  });
}

describe('ocictl artifact pull that is stopped', () => {
  it('leaves nothing after Ctrl-C', async (t) => {
    const built = await artifactOf(await titled('first', 'first'), await titled('second', 'second'));
    const { host, requests } = await startStuck(t, built);
    const { home } = await sandbox(t);
    const running = await spawnOcictl(t, ['artifact', 'pull', '-o', 'out', `${host}/team/app:1`]);
    await until(() => requests.filter(({ path }) => path.includes('/blobs/')).length >= 2);
    running.child.kill('SIGINT');
    const { exitCode, stdout, stderr } = await running.result;
    assert.deepEqual([exitCode, stdout], [130, ''], stderr);
    assert.ok(!(await readdir(home)).includes('out'));
  });

  it('has its unfinished files removed by the next pull after it was killed', async (t) => {
    const built = await artifactOf(await titled('first', 'first'), await titled('second', 'second'));
    const { host, requests } = await startStuck(t, built);
    const { home } = await sandbox(t);
    const running = await spawnOcictl(t, ['artifact', 'pull', '-o', 'out', `${host}/team/app:1`]);
    await until(() => requests.filter(({ path }) => path.includes('/blobs/')).length >= 2);
    running.child.kill('SIGKILL');
    await running.result;
    const [left] = await readdir(join(home, 'out'));
    assert.match(String(left), /^\.ocictl-pull\./);
    const { registry, host: whole } = await startServe(t);
    await pushImage(registry, app, one, built);
    const { exitCode, stderr } = await ocictl(t, ['artifact', 'pull', '-o', 'out', `${whole}/team/app:1`]);
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual((await readdir(join(home, 'out'))).sort(), ['first', 'second']);
  });

  it('leaves what was there if the disk is full', async (t) => {
    const disk = await smallDisk(t, 1024 * 1024);
    if (disk === undefined) return;
    await mkdir(join(disk, 'out'));
    await writeFile(join(disk, 'out', 'f'), 'old');
    const { registry, host } = await startServe(t);
    const entries = Array.from({ length: 4 }, (_, i) => ({ name: `d/${i}`, content: Buffer.alloc(500_000, i) }));
    const rows = [await titled('f', randomBytes(3_000_000)), await directoryOf('d', entries)];
    for (const blob of rows) {
      await pushImage(registry, app, one, await artifactOf(await titled('g', 'g'), blob));
      const { exitCode, stderr } = await ocictl(t, ['artifact', 'pull', '-o', join(disk, 'out'), `${host}/team/app:1`]);
      assert.equal(exitCode, 10, stderr);
      assert.match(stderr, /no space is left on the device\nhint: (?:make room|free some space)/);
      assert.deepEqual(await readdir(join(disk, 'out')), ['f']);
      assert.equal(await readFile(join(disk, 'out', 'f'), 'utf8'), 'old');
    }
  });

  it('refuses a directory whose archive ends before its files do', async (t) => {
    const { registry, host } = await startServe(t);
    const blob = await directoryOf('d', [{ name: 'd/zeros', content: '', size: 5_000_000_000 }]);
    await pushImage(registry, app, one, await artifactOf(blob));
    const { exitCode, stderr } = await ocictl(t, ['artifact', 'pull', '-o', 'out', `${host}/team/app:1`]);
    assert.equal(exitCode, 7, stderr);
    assert.match(stderr, /the directory "d" is cut off/);
  });
});
