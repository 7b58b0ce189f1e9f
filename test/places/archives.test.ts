import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { imageFor } from '../commands/copy/places.ts';
import { imageOf } from '../commands/load/archived.ts';
import { layoutEntries, namedIndex } from '../support/archives/docker-saves.ts';
import { tarOf } from '../support/archives/tar.ts';
import { ocictl } from '../support/command.ts';
import { writeLayout } from '../support/layout.ts';
import { sandbox } from '../support/sandbox.ts';

/** An OCI archive `app.tar` in the home of the test, with one image of this tag. @returns Its digest. */
async function archive(t: TestContext, tag: string): Promise<string> {
  const { home } = await sandbox(t);
  const image = await imageFor('amd64');
  await writeLayout(join(home, 'app'), tag, image);
  spawnSync('tar', ['-cf', 'app.tar', '-C', 'app', '.'], { cwd: home });
  return image.descriptor.digest;
}

describe('oci-archive:', () => {
  it('is read by digest, inspect, tags and copy, with and without a tag', async (t) => {
    const digest = await archive(t, '1.0');
    for (const word of ['oci-archive:app.tar', 'oci-archive:app.tar:1.0', `oci-archive:app.tar@${digest}`]) {
      assert.deepEqual((await ocictl(t, ['digest', word])).stdout, `${digest}\n`);
    }
    assert.equal((await ocictl(t, ['tags', 'oci-archive:app.tar'])).stdout, '1.0\n');
    const inspected = await ocictl(t, [
      'inspect',
      '--format',
      '{{.Digest}} {{.Architecture}}',
      'oci-archive:app.tar:1.0',
    ]);
    assert.equal(inspected.stdout.trim(), `${digest} amd64`, inspected.stderr);
    const copied = await ocictl(t, ['copy', 'oci-archive:app.tar:1.0', 'store:app:1']);
    assert.equal(copied.exitCode, 0, copied.stderr);
    assert.equal((await ocictl(t, ['digest', 'store:app:1'])).stdout, `${digest}\n`);
  });

  it('is read from standard input as -, compressed or not', async (t) => {
    const digest = await archive(t, '1.0');
    const { home } = await sandbox(t);
    const input = await readFile(join(home, 'app.tar'));
    spawnSync('gzip', ['app.tar'], { cwd: home });
    for (const bytes of [input, await readFile(join(home, 'app.tar.gz'))]) {
      const { stdout, stderr } = await ocictl(t, ['digest', 'oci-archive:-'], { input: bytes });
      assert.equal(stdout, `${digest}\n`, stderr);
    }
    assert.equal((await ocictl(t, ['digest', 'oci-archive:app.tar.gz:1.0'])).stdout, `${digest}\n`);
  });

  it('has names that are full references, as other programs write them', async (t) => {
    const digest = await archive(t, 'docker.io/library/app:1.0');
    for (const name of ['docker.io/library/app:1.0', 'app:1.0', '1.0']) {
      assert.equal((await ocictl(t, ['digest', `oci-archive:app.tar:${name}`])).stdout, `${digest}\n`, name);
    }
  });

  it('tells of damage with the name of the file, and status 7', async (t) => {
    await archive(t, '1.0');
    const { home } = await sandbox(t);
    const file = join(home, 'app.tar');
    const bytes = await readFile(file);
    // Of a layer: the same size, other bytes.
    const at = bytes.indexOf(Buffer.from([0x1f, 0x8b]));
    bytes[at + 20] = (bytes[at + 20] ?? 0) ^ 0xff;
    await writeFile(file, bytes);
    const { exitCode, stderr } = await ocictl(t, ['copy', 'oci-archive:app.tar:1.0', 'store:app:1']);
    assert.equal(exitCode, 7, stderr);
    assert.match(stderr, /blob sha256:[0-9a-f]{64} is damaged in oci-archive:app\.tar/);
    assert.match(stderr, /hint: make the archive again, or copy it again\n$/);
  });

  it('is told to be cut off, with status 7, if it has no end and lacks what it names', async (t) => {
    const { home } = await sandbox(t);
    const image = await imageOf(['a']);
    const index = namedIndex([{ image, names: ['app:1'] }]);
    const entries = [index, ...(await layoutEntries([image]))];
    // Each into a place of its own: what a copy has brought before it fails is read no more by the next one.
    const copy = (name = 'app:1') => ['copy', `oci-archive:x.tar:${name}`, `oci:copy-${randomUUID()}`];
    const save = () => ['save', '-o', 'y.tar', 'oci-archive:x.tar:app:1'];
    const readers = [copy, save];
    for (const [lost, lines] of [
      [image.layers[0]?.descriptor, readers],
      [image.config.descriptor, readers],
      [
        image.descriptor,
        [...readers, () => ['inspect', 'oci-archive:x.tar'], () => ['digest', 'oci-archive:x.tar:app:1']],
      ],
    ] as const) {
      const kept = entries.filter(({ name }) => !name.endsWith(lost?.digest.slice(7) ?? assert.fail()));
      assert.equal(kept.length, entries.length - 1);
      await writeFile(join(home, 'x.tar'), tarOf(kept, new Uint8Array(0)));
      for (const line of lines) {
        const words = line();
        const { exitCode, stderr } = await ocictl(t, words);
        assert.equal(exitCode, 7, `${words}: ${stderr}`);
        assert.match(stderr, /^error: (?:oci-archive:)?x\.tar is cut off: it has no end, and lacks /m);
      }
      const other = await ocictl(t, copy('app:2'));
      assert.equal(other.exitCode, 3, 'it lists no such image');
      await writeFile(join(home, 'x.tar'), tarOf(kept));
      assert.notEqual((await ocictl(t, copy())).exitCode, 7, 'it has its end');
    }
    await writeFile(join(home, 'x.tar'), tarOf(entries, new Uint8Array(0)));
    assert.equal((await ocictl(t, copy())).exitCode, 0, 'some programs write no end');
  });

  it('says what is wrong with a word, a file, and a use that it has not', async (t) => {
    await archive(t, '1.0');
    const { home } = await sandbox(t);
    await writeFile(join(home, 'other.tar'), await readFile(join(home, 'app', 'index.json')));
    const cases: readonly (readonly [words: readonly string[], status: number, message: RegExp])[] = [
      [['digest', 'oci-archive:'], 2, /names no file\nhint: an archive is named oci-archive:FILE/],
      [['digest', 'oci-archive:app.tar:'], 2, /invalid tag/],
      [['digest', 'oci-archive:gone.tar'], 3, /there is no archive gone\.tar\nhint: check the path/],
      [['digest', 'oci-archive:gone:x/y'], 3, /the first colon ends the file, as with skopeo: here it is gone/],
      [['digest', 'oci-archive:app'], 3, /app is a directory, not an archive\nhint: .*oci:app/],
      [['digest', 'oci-archive:other.tar'], 7, /other\.tar is not a tar archive\nhint: /],
      [
        ['digest', 'oci-archive:app.tar:2'],
        3,
        /oci-archive:app\.tar has no manifest 2\nhint: ocictl tags oci-archive:/,
      ],
      [['delete', '--yes', 'oci-archive:app.tar:1.0'], 2, /is an archive: nothing can be deleted from it/],
      [['pull', 'oci-archive:app.tar'], 2, /ocictl load/],
    ];
    for (const [words, status, message] of cases) {
      const { exitCode, stdout, stderr } = await ocictl(t, words);
      assert.deepEqual([exitCode, stdout], [status, ''], `${words.join(' ')}: ${stderr}`);
      assert.match(stderr, message);
    }
  });
});
