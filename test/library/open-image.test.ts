import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readTar } from '../../src/image/tar/read.ts';
import { openImage } from '../../src/index.ts';
import { tarLayer } from '../support/images/tar-layer.ts';
import { buildArtifact, buildImage } from '../support/images.ts';
import { writeLayout } from '../support/layout.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const image = await buildImage({
  layers: [
    await tarLayer([[{ path: 'etc/', type: 'directory' }], [{ path: 'etc/hosts', type: 'file', uid: 3 }, 'one']]),
    await tarLayer([[{ path: 'etc/.wh.hosts', type: 'file' }], [{ path: 'etc/name', type: 'file' }, 'two']]),
  ],
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('openImage', () => {
  it('gives config, layers and files, and the bytes of a file', async (t) => {
    const directory = join(await temporaryDirectory(t), 'layout');
    await writeLayout(directory, '1', image);
    await using opened = await openImage(`oci:${directory}:1`, { platform: 'linux/amd64' });
    assert.equal(opened.digest, image.descriptor.digest);
    assert.equal((await opened.config()).diffIds.length, 2);
    assert.deepEqual(
      (await all(opened.files())).map(({ path, size, layer }) => [path, size, layer]),
      [
        ['/etc', 0, 1],
        ['/etc/name', 3, 2],
      ],
    );
    assert.deepEqual(
      (await all(opened.files('etc/name'))).map(({ path }) => path),
      ['/etc/name'],
    );
    assert.equal(Buffer.concat(await all(opened.read('/etc/name'))).toString(), 'two');
    const raw: string[] = [];
    for (const layer of opened.layers) for await (const { entry } of layer.entries()) raw.push(entry.path);
    assert.deepEqual(raw, ['etc/', 'etc/hosts', 'etc/.wh.hosts', 'etc/name']);
    const exported: string[] = [];
    for await (const { entry } of readTar(opened.export(), { shown: 'export' })) exported.push(entry.path);
    assert.deepEqual(exported, ['etc/', 'etc/name']);
    await assert.rejects(all(opened.read('/etc/hosts')), { code: 'FILE_UNKNOWN' });
    await assert.rejects(all(opened.read('/etc')), { code: 'USAGE' });
  });

  it('refuses an artifact, and options that there are not', async (t) => {
    const directory = join(await temporaryDirectory(t), 'layout');
    await writeLayout(directory, '1', await buildArtifact({ artifactType: 'a/b' }));
    await assert.rejects(openImage(`oci:${directory}:1`), { code: 'UNSUPPORTED' });
    await assert.rejects(openImage('x', { layer: 1 } as never), { code: 'USAGE' });
  });
});
