import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openDockerArchive } from '../../../src/archive/docker-archive.ts';
import type { OpenArchive } from '../../../src/archive/open-archive.ts';
import { layoutRepository as repo } from '../../../src/layout/layout.ts';
import { type ErrorCode, OciError } from '../../../src/model/errors.ts';
import { parseManifest } from '../../../src/model/manifest/manifest.ts';
import type { Tag } from '../../../src/model/reference/reference.ts';
import { read } from '../../contract/contract.ts';
import { bytesOf } from '../../support/archives/docker-saves.ts';
import { type RawEntry, tarOf } from '../../support/archives/tar.ts';
import { type BuiltImage, buildImage } from '../../support/images.ts';
import type { LayerSpec } from '../../support/layer.ts';
import { atEnd, temporaryDirectory } from '../../support/sandbox.ts';

/** Opens an archive with these entries. */
export async function openTar(
  t: TestContext,
  entries: readonly RawEntry[],
  open = openDockerArchive,
): Promise<OpenArchive> {
  const file = join(await temporaryDirectory(t), 'x.tar');
  await writeFile(file, tarOf(entries));
  const archive = await open('docker-archive:x.tar', { file, stdin: () => process.stdin });
  atEnd(t, () => archive.close());
  return archive;
}

/** An image with a layer for each name. */
export function imageOf(names: readonly string[], compression: LayerSpec['compression'] = 'none'): Promise<BuiltImage> {
  return buildImage({ format: 'oci', layers: names.map((name) => ({ files: { [name]: `of ${name}` }, compression })) });
}

/** Asserts that a name is an image with these blobs, and reads them all. @returns The digest of its manifest. */
export async function assertImage(
  { registry }: OpenArchive,
  name: string,
  image: BuiltImage,
  type: string,
): Promise<string> {
  const { view, descriptor, mediaType, bytes } = await registry.getManifest(repo, name as Tag);
  assert.equal(mediaType, type);
  assert.deepEqual(parseManifest({ mediaType, bytes }), view);
  assert.ok(view.kind === 'image');
  assert.equal(view.config.digest, image.config.descriptor.digest);
  for (const [i, blob] of [view.config, ...view.layers].entries()) {
    const expected = [image.config, ...image.layers][i];
    assert.ok(expected);
    assert.deepEqual(await read(await registry.getBlob(repo, blob)), Buffer.from(await bytesOf(expected)));
  }
  return descriptor.digest;
}

/** A matcher for `assert.rejects`. */
export function refusal(code: ErrorCode, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof OciError, String((error as Error)?.stack));
    assert.deepEqual([error.code, message.test(error.message)], [code, true], error.message);
    assert.notEqual(error.hint, undefined);
    return true;
  };
}
