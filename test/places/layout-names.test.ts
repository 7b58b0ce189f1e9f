import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  entryOf,
  imageName,
  newLayout,
  push,
  readEntries,
  refName,
  uniqueImage,
  writeEntries,
} from '../layout/layouts.ts';
import { ocictl } from '../support/command.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

/** A layout with two images: one is named by a full reference, the other by containerd's annotation. */
async function named(t: TestContext) {
  const layout = await newLayout(t);
  const [one, two] = [await uniqueImage(), await uniqueImage()];
  for (const image of [one, two]) await push(layout, image);
  await writeEntries(layout.directory, [
    entryOf(one.descriptor, { [refName]: 'base/app:1.0' }),
    entryOf(two.descriptor, { [imageName]: 'docker.io/library/alpine:1.0' }),
    entryOf(two.descriptor, { [refName]: '\u001b[31m' }),
  ]);
  return { ...layout, one: one.descriptor.digest, two: two.descriptor.digest };
}

async function ok(t: TestContext, ...words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await ocictl(t, words);
  assert.equal(exitCode, 0, stderr);
  return stdout.trim();
}

describe('a name in a layout that is not a tag', () => {
  it('leads to its image, however it is written', async (t) => {
    const { directory, one, two } = await named(t);
    for (const [name, digest] of [
      ['base/app:1.0', one],
      ['docker.io/base/app:1.0', one],
      ['docker.io/library/alpine:1.0', two],
      ['alpine:1.0', two],
      [`alpine:1.0@${one}`, one],
    ] as const) {
      assert.equal(await ok(t, 'digest', `oci:${directory}:${name}`), digest, name);
    }
    const { exitCode, stderr } = await ocictl(t, ['digest', `oci:${directory}:base/app:2.0`]);
    assert.equal(exitCode, 3, stderr);
  });

  it('is listed among the tags, in one order, unless it has control characters', async (t) => {
    const { directory } = await named(t);
    const all = ['base/app:1.0', 'docker.io/library/alpine:1.0'];
    assert.deepEqual((await ok(t, 'tags', `oci:${directory}`)).split('\n'), all);
    assert.equal(await ok(t, 'tags', '--after', all[0] ?? '', `oci:${directory}`), all[1]);
    assert.equal(await ok(t, 'tags', '--limit', '1', `oci:${directory}`), all[0]);
  });

  it('is written and deleted as it is', async (t) => {
    const { directory, one } = await named(t);
    const other = join(await temporaryDirectory(t), 'other');
    assert.equal(
      await ok(t, 'copy', '-q', `oci:${directory}:base/app:1.0`, `oci:${other}:mine/app:2.0`),
      `oci:${other}:mine/app:2.0`,
    );
    const [entry] = await readEntries(other);
    assert.deepEqual([entry?.digest, entry?.annotations], [one, { [refName]: 'mine/app:2.0' }]);
    await ok(t, 'delete', `oci:${other}:mine/app:2.0`);
    assert.deepEqual(await readEntries(other), []);
    await ok(t, 'delete', `oci:${directory}:alpine:1.0`);
    assert.equal((await readEntries(directory)).length, 2);
  });

  it('begins at the first colon, as with skopeo, which the error tells', async (t) => {
    const { exitCode, stderr } = await ocictl(t, ['digest', 'oci:/nowhere/a:b/c']);
    assert.equal(exitCode, 3);
    assert.match(stderr, /there is no OCI layout at \/nowhere\/a:/);
    assert.match(stderr, /the first colon ends the directory, as with skopeo: here it is \/nowhere\/a/);
    const bad = await ocictl(t, ['digest', 'oci:/nowhere/a:b!c']);
    assert.equal(bad.exitCode, 2);
    assert.match(bad.stderr, /invalid tag or name of an image in a layout: "b!c"/);
  });
});
