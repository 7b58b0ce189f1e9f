import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { artifactOf, titled } from '../../artifacts/pull/artifacts.ts';
import { ocictl } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, one } from '../copy/places.ts';

describe('ocictl artifact pull', () => {
  it('reads archives and the local store, to which artifact push and copy write', async (t) => {
    const { home } = await sandbox(t);
    const { registry, host } = await startServe(t);
    await pushImage(registry, app, one, await artifactOf(await titled('a', 'a'), await titled('s/b', 'b')));
    const name = `${host}/team/app:1`;
    for (const [i, place] of [
      'oci-archive:files.tar:1',
      'oci-archive:files.tar.gz:1',
      'store:files:1',
      'dir:files',
    ].entries()) {
      const copied = await ocictl(t, ['copy', name, place]);
      assert.equal(copied.exitCode, 0, `${place}: ${copied.stderr}`);
      const { exitCode, stderr } = await ocictl(t, ['artifact', 'pull', '-o', `out${i}`, place]);
      assert.equal(exitCode, 0, `${place}: ${stderr}`);
      const out = join(home, `out${i}`);
      assert.deepEqual((await readdir(out)).sort(), ['a', 's'], place);
      assert.equal(await readFile(join(out, 's', 'b'), 'utf8'), 'b', place);
    }
    await writeFile(join(home, 'hello.txt'), 'hello');
    assert.equal((await ocictl(t, ['artifact', 'push', 'store:mine:1', 'hello.txt'])).exitCode, 0);
    assert.equal((await ocictl(t, ['artifact', 'pull', '-o', '-', 'store:mine:1'])).stdout, 'hello');
    const none = await ocictl(t, ['artifact', 'pull', '-o', 'none', 'store:nothing:1']);
    assert.equal(none.exitCode, 3, none.stderr);
  });
});
