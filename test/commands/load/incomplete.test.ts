import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  blobManifestJson,
  classicSave,
  hybridSave,
  layoutEntries,
  namedIndex,
} from '../../support/archives/docker-saves.ts';
import { type RawEntry, tarOf } from '../../support/archives/tar.ts';
import { ocictl } from '../../support/command.ts';
import { keepImage } from '../../support/local-store.ts';
import { sandbox } from '../../support/sandbox.ts';
import { imageOf, stored, writeTar } from './archived.ts';

describe('ocictl load of an archive that is not complete', () => {
  it('changes nothing for the image concerned, says what is missing, and loads the others', async (t) => {
    const [one, two] = [await imageOf(['a', 'b']), await imageOf(['c'])];
    const [lost] = one.layers;
    assert.ok(lost);
    const layout = await layoutEntries([one, two], [lost.descriptor.digest]);
    const both = [
      { image: one, names: ['app:1'] },
      { image: two, names: ['app:2'] },
    ];
    await writeTar(t, [...layout, namedIndex(both)]);
    const { exitCode, stdout, stderr } = await ocictl(t, ['load', '-i', 'x.tar']);
    assert.deepEqual([exitCode, stdout], [8, 'Loaded image: app:2\n'], stderr);
    assert.match(stderr, new RegExp(`app:1: x.tar lacks a part, .*: ${lost.descriptor.digest}`));
    assert.match(stderr, /1 of 2 images could not be loaded: docker\.io\/library\/app:1/);
    assert.equal(await stored(t, 'app:1'), 3);
    const alone = await ocictl(t, ['load', '-i', 'x.tar', 'app:1']);
    assert.equal(alone.exitCode, 3);
    assert.match(
      alone.stderr,
      /^error: x\.tar lacks a part[^\n]*\nhint: .*load the image first that it was made against\n$/,
    );
  });

  it('loads nothing of a file that was cut off, with one message and status 7', async (t) => {
    const [one, two] = [await imageOf(['a', 'b']), await imageOf(['c'])];
    const saves = [
      { image: one, names: ['app:1'] },
      { image: two, names: ['team/app:2', 'team/app:3'] },
    ];
    const { home } = await sandbox(t);
    for (const save of [classicSave, hybridSave]) {
      const entries = await save(saves);
      // Programs write them in any order: here what names the images comes first, so that only blobs are lost.
      const naming = (entry: RawEntry): boolean =>
        /^(?:(?:manifest|index)\.json|oci-layout|repositories)$/.test(entry.name);
      const blobs = entries.filter((entry) => !naming(entry));
      const lost = blobs.findLastIndex(({ content = '' }) => content.length === two.layers[0]?.descriptor.size);
      for (const kept of [
        [...entries.filter(naming), ...blobs.slice(0, lost)],
        entries.filter((entry) => !naming(entry)),
      ]) {
        await writeFile(join(home, 'x.tar'), tarOf(kept, new Uint8Array(0)));
        const { exitCode, stdout, stderr } = await ocictl(t, ['load', '-i', 'x.tar']);
        assert.deepEqual([exitCode, stdout], [7, ''], stderr);
        assert.match(stderr, /^error: x\.tar is cut off: it has no end, and [^\n]*\nhint: [^\n]*\n$/);
      }
      assert.equal(await stored(t, 'app:1'), 3);
      // Some programs write no end: what is whole is loaded.
      await writeFile(join(home, 'x.tar'), tarOf(entries, new Uint8Array(0)));
      assert.equal((await ocictl(t, ['load', '-i', 'x.tar'])).exitCode, 0);
      await ocictl(t, ['rmi', '--force', 'app:1', 'team/app:2', 'team/app:3']);
    }
  });

  it('says once what an image lacks that both parts of an archive of Docker name', async (t) => {
    const [one, two] = [await imageOf(['a']), await imageOf(['b'])];
    const saves = [
      { image: one, names: ['app:1'] },
      { image: two, names: ['app:2'] },
    ];
    const lost = [two, ...two.blobs].map(({ descriptor }) => descriptor.digest);
    await writeTar(t, [...(await layoutEntries([one, two], lost)), namedIndex(saves), blobManifestJson(saves)]);
    const { exitCode, stdout, stderr } = await ocictl(t, ['load', '-i', 'x.tar']);
    assert.deepEqual([exitCode, stdout], [8, 'Loaded image: app:1\n']);
    assert.equal(stderr.match(/app:2: /g)?.length, 1, stderr);
  });

  it('says what to do about an empty standard input', async (t) => {
    const { exitCode, stderr } = await ocictl(t, ['load'], { input: '' });
    assert.equal(exitCode, 7);
    assert.match(
      stderr,
      /^error: standard input is empty\nhint: .*look at its own error, or name a file, as in ocictl load -i FILE\n$/,
    );
  });

  it('takes from the store what the archive has left out, and nothing if the store has it not', async (t) => {
    const [base, next] = [await imageOf(['a', 'b']), await imageOf(['a', 'b', 'c'])];
    await writeTar(t, await hybridSave([{ image: base, names: ['app:1'] }]), 'base.tar');
    const known = base.layers.map(({ descriptor }) => descriptor.digest);
    await writeTar(t, [...(await layoutEntries([next], known)), namedIndex([{ image: next, names: ['app:2'] }])]);
    const early = await ocictl(t, ['load', '-i', 'x.tar']);
    assert.equal(early.exitCode, 3);
    for (const digest of known) assert.ok(early.stderr.includes(digest), early.stderr);
    assert.equal(await stored(t, 'app:2'), 3);
    await ocictl(t, ['load', '-i', 'base.tar']);
    const { exitCode, stdout, stderr } = await ocictl(t, ['load', '-i', 'x.tar']);
    assert.deepEqual([exitCode, stdout], [0, 'Loaded image: app:2\n'], stderr);
    assert.equal((await ocictl(t, ['copy', 'store:app:2', 'oci:out'])).exitCode, 0);
  });

  it('loads what ocictl save --since has left out of an archive for Docker', async (t) => {
    const [base, next] = [await imageOf(['a', 'b']), await imageOf(['a', 'b', 'c'])];
    await keepImage(t, 'app:1', base);
    await keepImage(t, 'app:2', next);
    await ocictl(t, ['load', '-q', '--receipt', 'receipt.json'], {
      input: tarOf(await hybridSave([{ image: base, names: ['app:1'] }])),
    });
    const saved = await ocictl(t, ['save', '--since', 'receipt.json', '-o', 'x.tar', 'app:1', 'app:2']);
    assert.equal(saved.exitCode, 0, saved.stderr);
    const { home } = await sandbox(t);
    const other = { env: { OCICTL_ROOT: join(home, 'other') } };
    const early = await ocictl(t, ['load', '-i', 'x.tar'], other);
    assert.equal(early.exitCode, 3, early.stderr);
    assert.match(early.stderr, /x\.tar lacks a part, which the local store has not either: sha256:/);
    await ocictl(t, ['copy', 'store:app:1', 'oci:base:1']);
    await ocictl(t, ['copy', 'oci:base:1', 'store:app:1'], other);
    const late = await ocictl(t, ['load', '-i', 'x.tar'], other);
    assert.deepEqual([late.exitCode, late.stdout], [0, 'Loaded image: app:1\nLoaded image: app:2\n'], late.stderr);
    assert.equal((await ocictl(t, ['digest', 'store:app:2'], other)).stdout.trim(), next.descriptor.digest);
  });

  it('tags nothing whose content is not what its digest says, and ends with status 7', async (t) => {
    const image = await imageOf(['a']);
    for (const save of [classicSave, hybridSave]) {
      const layers = /layer\.tar$|blobs\/sha256/;
      const [layer] = image.layers;
      const size = layer?.descriptor.size ?? 0;
      const entries = (await save([{ image, names: ['app:1'] }])).map((entry) =>
        layers.test(entry.name) && entry.content?.length === size
          ? { ...entry, content: Buffer.alloc(size, 'x') }
          : entry,
      );
      await writeTar(t, entries);
      const { exitCode, stdout, stderr } = await ocictl(t, ['load', '-i', 'x.tar']);
      assert.deepEqual([exitCode, stdout], [7, ''], stderr);
      assert.match(stderr, /blob sha256:\w+ is damaged in x\.tar/);
      assert.equal(await stored(t, 'app:1'), 3);
    }
  });

  it('loads nothing where the two parts of an archive contradict each other', async (t) => {
    const [one, two] = [await imageOf(['a']), await imageOf(['b'])];
    const layout = await layoutEntries([one, two]);
    const names = ['app:1'];
    await writeTar(t, [...layout, namedIndex([{ image: one, names }]), blobManifestJson([{ image: two, names }])]);
    const { exitCode, stderr } = await ocictl(t, ['load', '-i', 'x.tar']);
    assert.equal(exitCode, 7);
    assert.equal(await stored(t, 'app:1'), 3);
    assert.match(stderr, /contradicts itself: manifest\.json and index\.json have different images as "app:1"/);
  });
});
