import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openLayer } from '../../src/image/layer.ts';
import { encodeHeader } from '../../src/image/tar/encode.ts';
import { writeTar } from '../../src/image/tar/write.ts';
import { digestBytes } from '../../src/model/digest.ts';
import { mediaTypes } from '../../src/model/manifest/media-types.ts';

const chunks: Uint8Array[] = [];
for await (const chunk of writeTar([{ entry: { path: 'a', type: 'file', size: 3 }, content: [Buffer.from('abc')] }])) {
  chunks.push(chunk);
}
const tar = Buffer.concat(chunks);

async function open(blob: Uint8Array, mediaType: string = mediaTypes.ociLayerGzip) {
  const source = async function* () {
    yield blob;
  };
  return await openLayer({ mediaType, digest: await digestBytes(blob), size: blob.length }, source());
}

async function pathsOf(blob: Uint8Array): Promise<string[]> {
  const paths: string[] = [];
  for await (const { entry } of await open(blob)) paths.push(entry.path);
  return paths;
}

describe('a layer', () => {
  for (const [name, blob] of [
    ['gzip', gzipSync(tar)],
    ['plain, whatever its type says', tar],
    ['gzip in two members', Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))])],
  ] as const) {
    it(`is read in ${name}, and its diff ID is known at the end`, async () => {
      const layer = await open(blob);
      assert.throws(() => layer.diffId(), { code: 'USAGE' });
      const paths: string[] = [];
      for await (const { entry } of layer) paths.push(entry.path);
      assert.deepEqual(paths, ['a']);
      assert.equal(layer.diffId(), await digestBytes(tar));
    });
  }

  it('is refused if it is encrypted', () =>
    assert.rejects(open(tar, 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted'), { code: 'UNSUPPORTED' }));

  it('is refused if a header in it has no end', async () => {
    // A long name of 2 GiB, by a header alone.
    const header = Buffer.from(encodeHeader({ path: 'a', type: 'file', size: 2 ** 31 }));
    header.write('L', 156);
    header.write('        ', 148);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    await assert.rejects(pathsOf(Buffer.concat([header, tar])), { code: 'TOO_LARGE' });
  });

  for (const [name, blob] of [
    ['no tar archive', Buffer.from('hello'.repeat(300))],
    ['an archive without a header', Buffer.alloc(100)],
    ['an empty blob', Buffer.alloc(0)],
    ['cut off in a file', tar.subarray(0, 513)],
    ['cut off in a header', tar.subarray(0, 100)],
    ['cut off in its compression', gzipSync(tar).subarray(0, 60)],
    ['in an unknown compression', Buffer.from('BZh91AY')],
    ['with a wrong checksum', Buffer.concat([Buffer.from('b'), tar.subarray(1)])],
    ['with a gap', Buffer.concat([tar.subarray(0, 1024), Buffer.alloc(512), tar])],
  ] as const) {
    it(`is refused if it is ${name}`, () => assert.rejects(pathsOf(blob), { code: 'ARCHIVE_INVALID' }));
  }
});
