import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  classicSave,
  containerdSave,
  hybridSave,
  layoutEntries,
  namedIndex,
} from '../../support/archives/docker-saves.ts';
import { tarOf } from '../../support/archives/tar.ts';
import { ocictl } from '../../support/command.ts';
import { buildArtifact, buildIndex } from '../../support/images.ts';
import { sandbox } from '../../support/sandbox.ts';
import { imageOf, stored, writeTar } from './archived.ts';

describe('ocictl load', () => {
  it('has status 7 for a name that no image can have, and loads one that is there twice once', async (t) => {
    const image = await imageOf(['a']);
    await writeTar(t, await classicSave([{ image, names: ['../../etc:1'] }]));
    const refused = await ocictl(t, ['load', '-i', 'x.tar']);
    assert.deepEqual([refused.exitCode, refused.stdout], [7, ''], refused.stderr);
    assert.match(refused.stderr, /^error: the archive gives an image an invalid name: /);
    await writeTar(t, await classicSave([{ image, names: ['app:1', 'app:1'] }]));
    assert.equal((await ocictl(t, ['load', '-i', 'x.tar'])).stdout, 'Loaded image: app:1\n');
  });

  it('loads all images of a file or of standard input, and prints what docker prints', async (t) => {
    const [one, two] = [await imageOf(['a', 'b']), await imageOf(['a', 'c'])];
    const entries = await hybridSave([
      { image: one, names: ['app:1', 'app:latest'] },
      { image: two, names: ['registry.example.com/team/other:2'] },
    ]);
    const lines = ['app:1', 'app:latest', 'registry.example.com/team/other:2'].map((name) => `Loaded image: ${name}\n`);
    await writeTar(t, entries);
    for (const words of [
      ['-i', 'x.tar'],
      ['--input', 'x.tar', '-q'],
    ]) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['load', ...words]);
      assert.deepEqual([exitCode, stdout, stderr], [0, lines.join(''), '']);
    }
    const piped = await ocictl(t, ['load'], { input: tarOf(entries) });
    assert.deepEqual([piped.exitCode, piped.stdout], [0, lines.join('')]);
    assert.equal(await stored(t, 'app:1'), one.descriptor.digest);
    assert.equal(await stored(t, 'app:latest'), one.descriptor.digest);
    assert.equal(await stored(t, 'registry.example.com/team/other:2'), two.descriptor.digest);
  });

  it('prints a line of JSON for each image', async (t) => {
    const image = await imageOf(['a']);
    await writeTar(t, await hybridSave([{ image, names: ['app:1'] }]));
    const { stdout } = await ocictl(t, ['load', '--json', '-i', 'x.tar']);
    const { digest, mediaType } = image.descriptor;
    assert.deepEqual(JSON.parse(stdout), {
      ...{ reference: 'docker.io/library/app:1', digest, mediaType, id: image.config.descriptor.digest },
      ...{ changed: true, missing: [] },
      transferredBytes: image.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0),
    });
  });

  it('loads some images by name or digest, and says what there is for a name that there is not', async (t) => {
    const [one, two] = [await imageOf(['a']), await imageOf(['b'])];
    await writeTar(
      t,
      await hybridSave([
        { image: one, names: ['app:1'] },
        { image: two, names: ['app:2'] },
      ]),
    );
    const { stdout } = await ocictl(t, ['load', '-i', 'x.tar', 'docker.io/library/app:2']);
    assert.deepEqual([stdout, await stored(t, 'app:1')], ['Loaded image: app:2\n', 3]);
    assert.equal((await ocictl(t, ['load', '-i', 'x.tar', one.descriptor.digest])).stdout, 'Loaded image: app:1\n');
    const { exitCode, stderr } = await ocictl(t, ['load', '-i', 'x.tar', 'other']);
    assert.equal(exitCode, 3);
    assert.match(
      stderr,
      /x\.tar has no image "other"\nhint: it has docker\.io\/library\/app:1, docker\.io\/library\/app:2\n$/,
    );
  });

  it('names images that have only a tag in the archive, or nothing', async (t) => {
    const [one, two] = [await imageOf(['a']), await imageOf(['b'])];
    const index = namedIndex([{ image: two, names: [] }]);
    const document = JSON.parse(String(index.content));
    const annotations = { 'org.opencontainers.image.ref.name': '1.0' };
    const { mediaType, digest, size } = one.descriptor;
    document.manifests.push({ mediaType, digest, size, annotations });
    await writeTar(t, [
      ...(await layoutEntries([one, two])),
      { name: 'index.json', content: JSON.stringify(document) },
    ]);
    const { stdout, stderr } = await ocictl(t, ['load', '-i', 'x.tar']);
    const id = two.config.descriptor.digest;
    assert.equal(stdout, `Loaded image ID: ${id}\nLoaded image: localhost/loaded:1.0\n`, stderr);
    assert.equal(await stored(t, 'localhost/loaded:1.0'), digest);
    assert.equal(await stored(t, id), two.descriptor.digest);
    // It is an image that was asked for, and no garbage.
    await ocictl(t, ['prune', '--yes']);
    assert.equal(await stored(t, id), two.descriptor.digest);
  });

  it('loads what refers to an image along with it', async (t) => {
    const image = await imageOf(['a']);
    const signature = await buildArtifact({ artifactType: 'a/signature', subject: image.descriptor });
    const index = namedIndex([
      { image, names: ['app:1'] },
      { image: signature, names: [] },
    ]);
    await writeTar(t, [...(await layoutEntries([image, signature])), index]);
    assert.equal((await ocictl(t, ['load', '-i', 'x.tar'])).stdout, 'Loaded image: app:1\n');
    assert.equal(await stored(t, `app@${signature.descriptor.digest}`), signature.descriptor.digest);
  });

  it('writes a receipt of what is there', async (t) => {
    const image = await imageOf(['a']);
    await writeTar(t, await hybridSave([{ image, names: ['app:1', 'team/other:1'] }]));
    const { exitCode, stderr } = await ocictl(t, ['load', '-i', 'x.tar', '--receipt', 'receipt.json']);
    assert.equal(exitCode, 0, stderr);
    const digests = [image, ...image.blobs].map(({ descriptor }) => descriptor.digest).sort();
    assert.deepEqual(JSON.parse(await readFile(join((await sandbox(t)).home, 'receipt.json'), 'utf8')), {
      version: 1,
      repositories: { 'docker.io/library/app': digests, 'docker.io/team/other': digests },
    });
  });

  it('loads nothing if the receipt cannot be written', async (t) => {
    await writeTar(t, await hybridSave([{ image: await imageOf(['a']), names: ['app:1'] }]));
    const { exitCode, stdout, stderr } = await ocictl(t, ['load', '-i', 'x.tar', '--receipt', 'absent/r.json']);
    assert.deepEqual([exitCode, stdout, (await ocictl(t, ['images', '-q'])).stdout], [10, '', '']);
    assert.match(stderr, /^error: cannot write the receipt absent\/r\.json: there is no directory absent$/m);
  });

  it('refuses the name of a file without -i, before standard input is read', async (t) => {
    for (const file of ['images.tar', './images', '/tmp/images.tar.gz']) {
      const { exitCode, stderr } = await ocictl(t, ['load', file], { input: 'not read' });
      assert.equal(exitCode, 2, stderr);
      assert.ok(stderr.includes(`hint: did you mean ocictl load -i ${file}?`), stderr);
    }
  });

  it('refuses a terminal, and places that are none for it', async (t) => {
    const typed = await ocictl(t, ['load'], { tty: true });
    assert.equal(typed.exitCode, 2);
    assert.match(
      typed.stdout,
      /standard input is a terminal, not an archive[\s\S]*hint: .*docker save IMAGE \| ocictl load/,
    );
    const elsewhere = await ocictl(t, ['load', '-i', 'x.tar', '--into', 'oci:dir']);
    assert.equal(elsewhere.exitCode, 2);
    assert.match(elsewhere.stderr, /hint: write store: or docker-daemon:/);
    const receipt = await ocictl(t, ['load', '-i', 'x.tar', '--into', 'docker-daemon:', '--receipt', 'x']);
    assert.equal(receipt.exitCode, 2);
  });
});

describe('ocictl load of an index', () => {
  it('takes the platforms that are there, and names the others', async (t) => {
    const [amd64, arm64, riscv64] = [
      await imageOf(['a']),
      await imageOf(['b'], 'arm64'),
      await imageOf(['a'], 'riscv64'),
    ];
    const index = await buildIndex([amd64, arm64, riscv64]);
    // Of riscv64 the manifest is there, and the layer that it shares with amd64.
    const absent = [arm64.descriptor, ...arm64.blobs.map(({ descriptor }) => descriptor), riscv64.config.descriptor];
    const without = absent.map(({ digest }) => digest);
    await writeTar(t, await containerdSave(index, { image: amd64, names: ['app:1'] }, without));
    const { exitCode, stdout, stderr } = await ocictl(t, ['load', '-i', 'x.tar']);
    assert.deepEqual([exitCode, stdout], [0, 'Loaded image: app:1\n'], stderr);
    assert.match(stderr, /x\.tar lists images that it does not have: linux\/arm64, linux\/riscv64\n/);
    assert.equal(await stored(t, 'app:1'), index.descriptor.digest);
    const missing = await ocictl(t, ['load', '-i', 'x.tar', '--platform', 'linux/arm64']);
    assert.equal(missing.exitCode, 3);
    assert.match(missing.stderr, /linux\/arm64/);
  });

  it('takes the platforms that are asked for', async (t) => {
    const [amd64, arm64] = [await imageOf(['a']), await imageOf(['b'], 'arm64')];
    const index = await buildIndex([amd64, arm64]);
    await writeTar(t, [...(await layoutEntries([index])), namedIndex([{ image: index, names: ['app:1'] }])]);
    const { exitCode, stderr } = await ocictl(t, ['load', '-i', 'x.tar', '--platform', 'linux/arm64']);
    assert.equal(exitCode, 0, stderr);
    assert.equal(await stored(t, 'app:1'), index.descriptor.digest);
    assert.equal(await stored(t, `app@${arm64.descriptor.digest}`), arm64.descriptor.digest);
    assert.equal(await stored(t, `app@${amd64.descriptor.digest}`), 3);
  });
});
