/** Archives and `dir:`, which a copy replaces as a whole: nothing that it was not told to replace is lost. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { type BuiltImage, buildArtifact, buildImage } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { sandbox } from '../../support/sandbox.ts';

async function keepOne(t: TestContext): Promise<BuiltImage> {
  const image = await buildImage({ layers: [{ files: { name: 'one' } }] });
  await keepImage(t, 'app:1', image);
  return image;
}

async function run(t: TestContext, words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await ocictl(t, words);
  assert.equal(exitCode, 0, stderr);
  return stdout;
}

describe('a file or directory that a copy replaces as a whole', () => {
  it('is not two of several destinations', async (t) => {
    await keepOne(t);
    const pairs = [
      ['oci-archive:a.tar:1', 'oci-archive:./a.tar:2'],
      ['oci-archive:b.tar', 'docker-archive:b.tar:app'],
      ['dir:c', 'dir:c/'],
    ];
    for (const [first = '', second = ''] of pairs) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['copy', 'store:app:1', first, second]);
      assert.equal(exitCode, 8, stderr);
      assert.match(stderr, /is given twice, as .*; each replaces the other: name another file$/m);
      assert.equal(stdout.trim().split('\n').length, 1, 'only one of them is said to be written');
      await run(t, ['digest', stdout.trim()]);
    }
    const both = await ocictl(t, ['copy', 'store:app:1', 'oci-archive:-', 'docker-archive:-:app']);
    assert.equal(both.exitCode, 8, both.stderr);
  });

  it('is not copied into itself, which would lose what else is there', async (t) => {
    await keepOne(t);
    await run(t, ['tag', 'app:1', 'app:2']);
    await run(t, ['copy', '-a', 'store:app', 'oci-archive:a.tar']);
    await run(t, ['copy', 'store:app:1', 'dir:d']);
    const before = await readFile(join((await sandbox(t)).home, 'a.tar'));
    const pairs = [
      ['oci-archive:a.tar:1', 'oci-archive:a.tar:3'],
      ['oci-archive:a.tar:1', 'docker-archive:./a.tar:app'],
      ['dir:d', 'dir:d/'],
    ];
    for (const words of pairs) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['copy', ...words]);
      assert.deepEqual([exitCode, stdout], [2, ''], stderr);
      assert.match(stderr, /source and destination are both in /);
    }
    assert.deepEqual(await readFile(join((await sandbox(t)).home, 'a.tar')), before);
  });

  it('is another one where both are standard streams', async (t) => {
    await keepOne(t);
    const { home } = await sandbox(t);
    await run(t, ['copy', 'store:app:1', 'oci-archive:a.tar:1']);
    const input = await readFile(join(home, 'a.tar'));
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', 'oci-archive:-', 'oci-archive:-:1'], { input });
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^oci-layout/);
  });

  it('of several tags is not written where it takes one', async (t) => {
    await keepOne(t);
    const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '-a', 'store:app', 'dir:d']);
    assert.deepEqual([exitCode, stdout], [2, ''], stderr);
    assert.match(stderr, /^error: dir:d takes one image/);
    assert.deepEqual((await readdir((await sandbox(t)).home)).includes('d'), false);
  });
});

describe('copy --check', () => {
  it('reads an archive and a dir: when they are complete', async (t) => {
    await keepOne(t);
    for (const words of [
      ['store:app:1', 'oci-archive:a.tar:1'],
      ['store:app:1', 'oci-archive:b.tar', 'dir:b'],
      ['store:app:1', 'dir:c'],
      ['-a', 'store:app', 'oci-archive:c.tar', 'oci:layout'],
    ]) {
      const told = await run(t, ['copy', '--check-bytes', '--json', ...words]);
      for (const line of told.trim().split('\n')) {
        assert.deepEqual(JSON.parse(line).checked, { manifests: 1, blobs: 2 }, line);
      }
    }
  });

  it('refuses what cannot be compared, before anything is written', async (t) => {
    await keepOne(t);
    const { home } = await sandbox(t);
    await writeFile(join(home, 'a.tar'), 'before');
    for (const [status, ...words] of [
      [1, 'store:app:1', 'docker-archive:a.tar:app'],
      [1, 'store:app:1', 'oci-archive:-'],
    ] as const) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '--check', ...words]);
      assert.deepEqual([exitCode, stdout], [status, ''], stderr);
      assert.match(stderr, /--check/);
    }
    assert.equal(await readFile(join(home, 'a.tar'), 'utf8'), 'before');
  });
});

describe('ocictl copy to dir:', () => {
  it('takes an artifact with a subject, which is one manifest, but not what refers to an image', async (t) => {
    const image = await keepOne(t);
    const signature = await buildArtifact({ artifactType: 'application/x.signature', subject: image.descriptor });
    await keepImage(t, 'app:sig', signature);
    await run(t, ['copy', 'store:app:sig', 'dir:sig']);
    assert.equal((await run(t, ['digest', 'dir:sig'])).trim(), signature.descriptor.digest);
    const { exitCode, stderr } = await ocictl(t, ['copy', '--referrers', 'store:app:1', 'dir:app']);
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, /^error: dir:app takes an image without what refers to it/);
  });

  it('is left alone by --if-absent, whatever is in it', async (t) => {
    await keepOne(t);
    const { home } = await sandbox(t);
    for (const [word, file] of [
      ['oci-archive:a.tar:1', 'a.tar'],
      ['docker-archive:b.tar:app:1', 'b.tar'],
      ['dir:c', 'c/manifest.json'],
    ] as const) {
      await run(t, ['copy', '--if-absent', 'store:app:1', word]);
      const before = await readFile(join(home, file));
      const { exitCode, stdout, stderr } = await ocictl(t, ['copy', '--if-absent', 'store:app:1', word]);
      assert.deepEqual([exitCode, stdout], [9, ''], stderr);
      assert.match(stderr, /exists already, and a copy replaces all that is in it\nhint: /);
      assert.ok((await readFile(join(home, file))).equals(before));
    }
    assert.equal((await ocictl(t, ['copy', '--if-absent', 'store:app:1', 'oci-archive:/dev/null'])).exitCode, 0);
  });
});

describe('ocictl copy --all-tags to an archive', () => {
  it('takes more tags than are in progress elsewhere: it is begun when all are known', async (t) => {
    await keepOne(t);
    const { home } = await sandbox(t);
    await run(t, ['copy', 'store:app:1', 'oci:many:t0']);
    const file = join(home, 'many', 'index.json');
    const index = JSON.parse(await readFile(file, 'utf8')) as { manifests: object[] };
    const names = Array.from({ length: 520 }, (_, at) => `t${at}`);
    const named = (name: string): object => ({ 'org.opencontainers.image.ref.name': name });
    const manifests = names.map((name) => ({ ...index.manifests[0], annotations: named(name) }));
    await writeFile(file, JSON.stringify({ ...index, manifests }));
    await run(t, ['copy', '-q', '-a', 'oci:many', 'oci-archive:a.tar']);
    assert.equal((await run(t, ['tags', 'oci-archive:a.tar'])).trimEnd().split('\n').length, names.length);
  });
});
