import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { tarLayer } from '../../support/images/tar-layer.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { sandbox } from '../../support/sandbox.ts';

const base = await tarLayer([
  [{ path: 'etc/', type: 'directory' }],
  [{ path: 'etc/big', type: 'file' }, 'x'.repeat(3000)],
  [{ path: 'etc/same', type: 'file' }, 'same'],
  [{ path: 'gone', type: 'file' }, 'gone'],
]);
const before = await buildImage({
  layers: [
    base,
    await tarLayer([[{ path: 'app', type: 'file', mode: 0o644 }, 'one'], [{ path: 'etc/.wh.big', type: 'file' }]]),
  ],
  run: { Env: ['A=1'], Labels: { version: '1' } },
});
const after = await buildImage({
  layers: [
    base,
    await tarLayer([
      [{ path: 'app', type: 'file', mode: 0o755 }, 'two'],
      [{ path: 'etc/same', type: 'file', mtime: { seconds: 5, nanoseconds: 0 } }, 'same'],
      [{ path: 'etc/big', type: 'file' }, 'small'],
      [{ path: '.wh.gone', type: 'file' }],
    ]),
  ],
  run: { Env: ['A=1'], Labels: { version: '2' } },
});

async function withImages(t: TestContext): Promise<(...words: string[]) => ReturnType<typeof ocictl>> {
  const { home } = await sandbox(t);
  await writeLayout(join(home, 'a'), '1', before);
  await writeLayout(join(home, 'b'), '1', after);
  return (...words) => ocictl(t, words, { cwd: home });
}

describe('ocictl diff', () => {
  it('shows manifests, config, layers and files that differ, and no times', async (t) => {
    const run = await withImages(t);
    const { stdout, exitCode } = await run('diff', 'oci:a:1', 'oci:b:1');
    assert.equal(exitCode, 0);
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('Layers:')),
      [
        `Manifest: ${before.descriptor.digest} -> ${after.descriptor.digest}`,
        'Config:   config.Labels.version: "1" -> "2"',
        'Files:    1 added, 1 removed, 1 changed',
        '~ /app  3 bytes  (mode, content)',
        '+ /etc/big  5 bytes',
        '- /gone  4 bytes',
      ],
    );
    assert.match(stdout, /^Layers: {3}1 in both, 1 \(\d+B\) only in the first, 1 \(\d+B\) only in the second$/m);
  });

  it('is one document with --json, and ends with 12 for --exit-code', async (t) => {
    const run = await withImages(t);
    const { stdout, exitCode } = await run('diff', '--json', '--exit-code', 'oci:a:1', 'oci:b:1');
    const { same, files } = JSON.parse(stdout) as { same: boolean; files: readonly { path: string; change: string }[] };
    assert.deepEqual([exitCode, same], [12, false]);
    assert.deepEqual(
      files.map(({ path, change }) => [path, change]),
      [
        ['/app', 'changed'],
        ['/etc/big', 'added'],
        ['/gone', 'removed'],
      ],
    );
    const equal = await run('diff', '--exit-code', 'oci:a:1', 'oci:a:1');
    assert.deepEqual([equal.exitCode, equal.stdout], [0, `The images are the same: ${before.descriptor.digest}\n`]);
  });
});

describe('ocictl history', () => {
  it('shows the steps with the layers that they made', async (t) => {
    const run = await withImages(t);
    const lines = (await run('history', '--json', 'oci:a:1')).stdout.trim().split('\n');
    const numbers = lines.map((line) => (JSON.parse(line) as { layer?: number }).layer);
    assert.deepEqual(
      numbers.filter((number) => number !== undefined),
      [1, 2],
    );
    assert.match((await run('history', 'oci:a:1')).stdout, /^ {2}1 {2,}\d+B {2}\S/m);
  });

  it('shows the largest files, and what later layers hide', async (t) => {
    const run = await withImages(t);
    const { stdout } = await run('history', '--files', 'oci:a:1');
    assert.match(stdout, /3 files, \S+, of which later layers hide \S+/);
    assert.match(stdout, /\/etc\/big \(hidden\)/);
    const [first] = (await run('history', '--files', '--json', 'oci:a:1')).stdout.split('\n');
    const { files, bytes, hiddenBytes } = JSON.parse(first ?? '') as Record<string, number>;
    assert.deepEqual([files, bytes, hiddenBytes], [3, 3008, 3000]);
  });
});
