/** Layers with a table of contents, in a registry: what commands fetch of them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../../support/command.ts';
import { seekableLayer } from '../../support/images/seekable-layer.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { randomBytes } from '../../support/layer.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, one } from '../copy/places.ts';

const files: Record<string, Uint8Array | string> = { 'd/': '', 'e/': '' };
for (let i = 0; i < 30; i += 1) files[`d/${i}`] = Buffer.concat([...randomBytes(100_000, String(i))]);
files['e/one'] = 'one\n';
files['e/two'] = 'two\n';

const layer = await seekableLayer(files, { format: 'zstd:chunked' });
const other = await seekableLayer({ ...files, 'e/two': 'TWO\n' }, { format: 'zstd:chunked' });

/** @returns Runs a command, with the statuses of the answers about layers. */
async function withImages(t: TestContext) {
  const { home } = await sandbox(t);
  const { host, registry } = await startServe(t);
  await pushImage(registry, app, one, await buildImage({ layers: [layer] }));
  await pushImage(registry, app, '2' as typeof one, await buildImage({ layers: [other] }));
  const blobs = [layer, other].map(({ descriptor }) => descriptor.digest);
  return {
    home,
    image: (tag: string) => `${host}/${app}:${tag}`,
    async run(...words: readonly string[]) {
      const { stdout, stderr, exitCode } = await ocictl(t, ['-v', ...words]);
      assert.equal(exitCode, 0, stderr);
      const lines = stderr.split('\n').filter((line) => blobs.some((digest) => line.includes(digest)));
      return { stdout, statuses: new Set(lines.flatMap((line) => line.match(/\b20[06]\b/g) ?? [])), lines };
    },
  };
}

describe('a layer with a table of contents in a registry', () => {
  it('is read in parts by extract, for a file and for a directory', async (t) => {
    const { home, image, run } = await withImages(t);
    for (const [path, file] of [
      ['/d/17', 'd/17'],
      ['/e', 'e/two'],
    ] as const) {
      const out = join(home, `out-${file.replace('/', '-')}`);
      const { statuses, lines } = await run('extract', image('1'), path, '-o', out);
      assert.deepEqual([...statuses], ['206'], lines.join('\n'));
      assert.ok((await readFile(join(out, file))).equals(Buffer.from(files[file] ?? '')));
    }
  });

  it('is read as a whole by extract for all of it, and by export', async (t) => {
    const { home, image, run } = await withImages(t);
    for (const words of [
      ['extract', image('1'), '/', '-o', join(home, 'all')],
      ['export', image('1'), '-o', join(home, 'all.tar')],
    ]) {
      assert.deepEqual([...(await run(...words)).statuses], ['200'], words[0]);
    }
    assert.equal(await readFile(join(home, 'all', 'e', 'two'), 'utf8'), 'two\n');
  });

  it('is compared and added up by its table alone', async (t) => {
    const { image, run } = await withImages(t);
    const differs = await run('diff', image('1'), image('2'));
    assert.deepEqual([...differs.statuses], ['206'], differs.lines.join('\n'));
    assert.match(differs.stdout, /^~ \/e\/two {2}4 bytes {2}\(content\)$/m);
    const used = await run('history', '--files', image('1'));
    assert.deepEqual([...used.statuses], ['206'], used.lines.join('\n'));
    assert.match(used.stdout, /32 files, /);
  });
});
