import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl, spawnOcictl } from '../../support/command.ts';
import { type Built, buildImage, pushImage } from '../../support/images.ts';
import { randomLayer } from '../../support/layer.ts';
import { smallDisk } from '../../support/programs/small-disk.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';
import { app, one, type Place, startPlace, until } from '../copy/places.ts';

const MB = 1024 * 1024;

/** A registry with an image of two layers with 4 MiB each, and a directory with an archive of before. */
async function begin(t: TestContext): Promise<Place & { image: Built; directory: string; name: string; file: string }> {
  const place = await startPlace(t);
  const image = await buildImage({ layers: [await randomLayer(4 * MB, 'a'), await randomLayer(4 * MB, 'b')] });
  await pushImage(place.registry, app, one, image);
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'a.tar');
  await writeFile(file, 'before');
  return { ...place, image, directory, name: `${place.host}/${app}:1`, file };
}

const formats = [[], ['--image-format', 'docker'], ['--outer', 'gzip']] as const;

describe('ocictl save that is stopped', () => {
  for (const words of formats) {
    it(`by Ctrl-C leaves the old file alone: ${words.join(' ') || 'the default format'}`, async (t) => {
      const { proxy, directory, name, file } = await begin(t);
      proxy.fail({ path: /\/blobs\//, method: 'GET', stallAfterBytes: MB });
      const running = await spawnOcictl(t, ['save', ...words, '-o', file, name]);
      await until(() => proxy.count(/\/blobs\//, 'GET') >= 2);
      running.child.kill('SIGINT');
      const { exitCode, stderr } = await running.result;
      assert.equal(exitCode, 130, stderr);
      assert.deepEqual(await readdir(directory), ['a.tar']);
      assert.equal(await readFile(file, 'utf8'), 'before');
    });
  }

  it('by SIGKILL leaves a file that the next run removes', async (t) => {
    const { proxy, directory, name, file } = await begin(t);
    proxy.fail({ path: /\/blobs\//, method: 'GET', stallAfterBytes: MB });
    const running = await spawnOcictl(t, ['save', '-o', file, name]);
    await until(() => proxy.count(/\/blobs\//, 'GET') >= 2);
    running.child.kill('SIGKILL');
    await running.result;
    assert.equal(await readFile(file, 'utf8'), 'before');
    assert.equal((await readdir(directory)).length, 2);
    proxy.heal();
    const again = await ocictl(t, ['save', '-o', file, name]);
    assert.equal(again.exitCode, 0, again.stderr);
    assert.deepEqual(await readdir(directory), ['a.tar']);
  });

  it('by a full disk says so with status 10, and leaves the old file', async (t) => {
    const disk = await smallDisk(t, 6 * MB);
    if (disk === undefined) return;
    const { name } = await begin(t);
    const file = join(disk, 'a.tar');
    await writeFile(file, 'before');
    for (const words of formats) {
      const { exitCode, stderr } = await ocictl(t, ['save', ...words, '-o', file, name]);
      assert.equal(exitCode, 10, stderr);
      assert.match(stderr, /no space is left on the device/);
      assert.deepEqual(await readdir(disk), ['a.tar']);
      assert.equal(await readFile(file, 'utf8'), 'before');
    }
  });

  it('by a layer with wrong bytes says so with status 7, and leaves the old file', async (t) => {
    const { proxy, directory, name, file, image } = await begin(t);
    const layer = image.blobs.at(-1)?.descriptor.digest;
    proxy.fail({ path: new RegExp(`/blobs/${layer}`), flipByteAt: 1000 });
    for (const words of formats) {
      const { exitCode, stderr } = await ocictl(t, ['save', ...words, '-o', file, name]);
      assert.equal(exitCode, 7, stderr);
      assert.deepEqual(await readdir(directory), ['a.tar']);
      assert.equal(await readFile(file, 'utf8'), 'before');
    }
    assert.deepEqual(await readdir(join((await sandbox(t)).home, 'tmp')), []);
  });
});
