import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseTag } from '../../src/model/reference/reference.ts';
import { app, buildDemoIndex, imageFor, one, two } from '../commands/copy/places.ts';
import { ocictl } from '../support/command.ts';
import { documentIn, sumOf } from '../support/images/archives.ts';
import { pushImage } from '../support/images.ts';
import { keepImage } from '../support/local-store.ts';
import { start } from '../support/process.ts';
import { startServe } from '../support/registries.ts';
import { sandbox } from '../support/sandbox.ts';

describe('oci-archive: as a destination', () => {
  it('has the image that was copied, whole, and gives it back', async (t) => {
    const { registry, host } = await startServe(t);
    const { index } = await buildDemoIndex();
    await pushImage(registry, app, one, index);
    const copied = await ocictl(t, ['copy', `${host}/${app}:1`, 'oci-archive:a.tar:1']);
    assert.equal(copied.exitCode, 0, copied.stderr);
    assert.equal(copied.stdout, 'oci-archive:a.tar:1\n');
    assert.equal((await ocictl(t, ['digest', 'oci-archive:a.tar:1'])).stdout, `${index.descriptor.digest}\n`);
    const back = await ocictl(t, ['copy', 'oci-archive:a.tar:1', `${host}/${app}:2`]);
    assert.equal(back.exitCode, 0, back.stderr);
    assert.equal((await registry.statManifest(app, two)).digest, index.descriptor.digest);
  });

  it('names an image as it was written: a tag, or in full, which docker reads too', async (t) => {
    await keepImage(t, 'app:1', await imageFor('amd64'));
    await ocictl(t, ['copy', 'store:app:1', 'oci-archive:a.tar:registry.example.com/team/app:5']);
    const [docker] = await documentIn<readonly { RepoTags: unknown }[]>(
      join((await sandbox(t)).home, 'a.tar'),
      'manifest.json',
    );
    assert.deepEqual(docker?.RepoTags, ['registry.example.com/team/app:5']);
    assert.equal((await ocictl(t, ['tags', 'oci-archive:a.tar'])).stdout, '5\n');
  });

  it('replaces the file, with all tags of a repository too, and the bytes are the same each time', async (t) => {
    const { registry, host } = await startServe(t);
    const { home } = await sandbox(t);
    for (const tag of ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12']) {
      await pushImage(registry, app, parseTag(tag), await imageFor('amd64', ['base', tag]));
    }
    await writeFile(join(home, 'a.tar'), 'before');
    const sums = new Set<string>();
    for (let run = 0; run < 2; run += 1) {
      const copied = await ocictl(t, ['copy', '--all-tags', `${host}/${app}`, 'oci-archive:a.tar']);
      assert.equal(copied.exitCode, 0, copied.stderr);
      sums.add(await sumOf(join(home, 'a.tar')));
    }
    assert.equal(sums.size, 1);
    assert.equal((await ocictl(t, ['tags', 'oci-archive:a.tar'])).stdout.split('\n').length, 13);
  });

  it('is written whole or not at all', async (t) => {
    const { registry, host } = await startServe(t);
    const { home } = await sandbox(t);
    const image = await imageFor('amd64');
    await pushImage(registry, app, one, image);
    await pushImage(registry, app, two, await imageFor('amd64', ['other']));
    await writeFile(join(home, 'a.tar'), 'before');
    assert.equal((await ocictl(t, ['copy', `${host}/${app}:3`, 'oci-archive:a.tar'])).exitCode, 3);
    const [layer] = image.blobs.slice(-1);
    if (layer) await registry.deleteBlob(app, layer.descriptor.digest);
    const partly = await ocictl(t, ['copy', '--all-tags', `${host}/${app}`, 'oci-archive:a.tar']);
    assert.equal(partly.exitCode, 8, partly.stderr);
    assert.match(partly.stderr, /oci-archive:a\.tar was not written|a\.tar was not written/);
    assert.equal(await readFile(join(home, 'a.tar'), 'utf8'), 'before');
    assert.deepEqual(
      (await readdir(home)).filter((name) => name.includes('archive')),
      [],
    );
  });

  it('is standard output where it is written -, and the result is told on stderr', async (t) => {
    await keepImage(t, 'app:1', await imageFor('amd64'));
    const { home, env } = await sandbox(t);
    const program = `'${process.execPath}' '${join(process.cwd(), 'bin', 'ocictl.js')}'`;
    const line = `${program} copy store:app:1 oci-archive:-:1 > a.tar`;
    const { exitCode, stderr } = await start(t, 'bash', ['-c', line], { env, cwd: home }).result;
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /^oci-archive:-:1$/m);
    await ocictl(t, ['copy', 'store:app:1', 'oci-archive:b.tar:1']);
    assert.equal(await sumOf(join(home, 'a.tar')), await sumOf(join(home, 'b.tar')));
    const onTerminal = await ocictl(t, ['copy', 'store:app:1', 'oci-archive:-:1'], { tty: true });
    assert.equal(onTerminal.exitCode, 2);
  });

  it('is no directory, and has no digest', async (t) => {
    await keepImage(t, 'app:1', await imageFor('amd64'));
    await mkdir(join((await sandbox(t)).home, 'd'));
    assert.equal((await ocictl(t, ['copy', 'store:app:1', 'oci-archive:d'])).exitCode, 9);
    const digest = `sha256:${'0'.repeat(64)}`;
    assert.equal((await ocictl(t, ['copy', 'store:app:1', `oci-archive:a.tar@${digest}`])).exitCode, 2);
  });
});
