import assert from 'node:assert/strict';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { digestHex } from '../../../src/model/digest.ts';
import { imageFor } from '../../commands/copy/places.ts';
import { bytesOf } from '../../support/archives/docker-saves.ts';
import { ocictl } from '../../support/command.ts';
import { type Built, blobsIn, buildIndex } from '../../support/images.ts';
import { sandbox } from '../../support/sandbox.ts';

/** Writes `app` in the home of the test, as skopeo does. @returns Its path. */
async function writeDir(t: TestContext, built: Built): Promise<string> {
  const { home } = await sandbox(t);
  const directory = join(home, 'app');
  await mkdir(directory);
  await writeFile(join(directory, 'version'), 'Directory Transport Version: 1.1\n');
  await writeFile(join(directory, 'manifest.json'), built.manifest.bytes);
  for (const blob of blobsIn(built)) {
    await writeFile(join(directory, digestHex(blob.descriptor.digest)), await bytesOf(blob));
  }
  for (const { descriptor, manifest } of built.children) {
    await writeFile(join(directory, `${digestHex(descriptor.digest)}.manifest.json`), manifest.bytes);
  }
  return directory;
}

describe('dir:', () => {
  it('is read by digest, inspect and copy: an image, and an index with its images', async (t) => {
    const [amd64, arm64] = [await imageFor('amd64'), await imageFor('arm64')];
    const index = await buildIndex([amd64, arm64]);
    const { home } = await sandbox(t);
    for (const built of [amd64, index]) {
      await writeDir(t, built);
      const { digest } = built.descriptor;
      for (const word of ['dir:app', `dir:${home}/app`]) {
        assert.equal((await ocictl(t, ['digest', word])).stdout, `${digest}\n`);
      }
      assert.match((await ocictl(t, ['inspect', 'dir:app'])).stdout, /^Name: +dir:app\n/);
      const copied = await ocictl(t, ['copy', 'dir:app', 'oci:copy:1']);
      assert.equal(copied.exitCode, 0, copied.stderr);
      assert.equal((await ocictl(t, ['digest', 'oci:copy:1'])).stdout, `${digest}\n`);
      await rm(join(home, 'app'), { recursive: true });
      await rm(join(home, 'copy'), { recursive: true });
    }
  });

  it('says what is wrong with a directory, and reads nothing through links', async (t) => {
    const image = await imageFor('amd64');
    const directory = await writeDir(t, image);
    const fails = async (words: readonly string[], status: number, message: RegExp): Promise<void> => {
      const { exitCode, stdout, stderr } = await ocictl(t, words);
      assert.deepEqual([exitCode, stdout], [status, ''], stderr);
      assert.match(stderr, message);
    };
    await fails(['digest', 'dir:gone'], 3, /there is no directory gone/);
    await fails(['digest', 'dir:'], 2, /names no directory/);
    await fails(['delete', '--yes', 'dir:app'], 2, /nothing is deleted from it/);
    const [layer] = image.blobs.slice(1);
    assert.ok(layer);
    const file = join(directory, digestHex(layer.descriptor.digest));
    await writeFile(file, Buffer.alloc(layer.descriptor.size, 'x'));
    await fails(['copy', 'dir:app', 'store:app'], 7, /blob sha256:\w+ is damaged in dir:app[\s\S]*hint: .*again/);
    await rm(file);
    await fails(['copy', 'dir:app', 'store:app'], 3, /has no blob|is missing from dir:app/);
    await symlink('/etc/passwd', file);
    await fails(['copy', 'dir:app', 'store:app'], 10, /is not a regular file/);
    await writeFile(join(directory, 'version'), 'Directory Transport Version: 2.0\n');
    await fails(['digest', 'dir:app'], 1, /has version 2 of skopeo's directories/);
    await writeFile(join(directory, 'version'), 'Directory Transport Version: 1.1\n');
    await rm(join(directory, 'manifest.json'));
    await fails(
      ['digest', 'dir:app'],
      7,
      /app is not complete: it has no manifest\.json\nhint: copy the image to it again/,
    );
    await rm(join(directory, 'version'));
    await fails(['digest', 'dir:app'], 7, /app is not a directory of skopeo: it has no version file\nhint: .*oci:app/);
  });
});
